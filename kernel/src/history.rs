//! What was run, kept across kernels in one file of JSON lines.
//!
//! Several kernels append to it at once; a line is written by one call, so lines do not mix. A line
//! that cannot be read is passed over.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Above this size a history is cut to its newer half when a kernel starts, in bytes.
const LARGEST: u64 = 8 << 20;

/// One cell that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the kernel's run, counted over all kernels of the user.
    pub session: i64,
    /// The cell's execution count in it.
    pub line: i64,
    /// The cell.
    pub source: String,
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// A glob: `*` stands for anything, `?` for one character.
    pub pattern: &'a str,
    /// Whether a source that was run twice is given once.
    pub unique: bool,
    /// How many are given at most, the newest.
    pub n: usize,
}

/// The history, and this kernel's place in it.
#[derive(Debug)]
pub struct History {
    path: Option<PathBuf>,
    session: i64,
    entries: Vec<Entry>,
}

impl History {
    /// Opens the history of a file; where it cannot be read, begins an empty one.
    pub fn open(path: &Path) -> Self {
        let entries = read(path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, path = %path.display(), "the history cannot be read");
            }
            Vec::new()
        });
        let session = entries.iter().map(|entry| entry.session).max().unwrap_or(0) + 1;
        let history = Self {
            path: Some(path.to_owned()),
            session,
            entries,
        };
        if let Err(error) = history.prepare(path) {
            tracing::warn!(%error, path = %path.display(), "the history cannot be kept");
        }
        history
    }

    /// A history that is kept nowhere.
    pub fn in_memory() -> Self {
        Self {
            path: None,
            session: 1,
            entries: Vec::new(),
        }
    }

    fn prepare(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let size = fs::metadata(path).map(|file| file.len()).unwrap_or(0);
        if size <= LARGEST {
            return end_torn_line(path);
        }
        let newer = &self.entries[self.entries.len() / 2..];
        let half = path.with_extension(format!("{}.half", std::process::id()));
        fs::write(&half, lines(newer)?)?;
        fs::rename(&half, path)
    }

    /// Adds a cell that is run now.
    pub fn add(&mut self, line: u32, source: &str) {
        let entry = Entry {
            session: self.session,
            line: i64::from(line),
            source: source.to_owned(),
        };
        if let Some(path) = &self.path
            && let Err(error) = append(path, &entry)
        {
            tracing::warn!(%error, path = %path.display(), "the history cannot be kept");
        }
        self.entries.push(entry);
    }

    /// The last `n`.
    pub fn tail(&self, n: usize) -> Vec<Entry> {
        self.entries[self.entries.len().saturating_sub(n)..].to_vec()
    }

    /// The lines from `start` to before `stop` of one session. A session of 0 is this one, and -1
    /// the one before it, as IPython counts.
    pub fn range(&self, session: i64, start: i64, stop: Option<i64>) -> Vec<Entry> {
        let session = if session <= 0 {
            self.session + session
        } else {
            session
        };
        let wanted = |entry: &&Entry| {
            entry.session == session
                && entry.line >= start
                && stop.is_none_or(|stop| entry.line < stop)
        };
        self.entries.iter().filter(wanted).cloned().collect()
    }

    /// Those that match, oldest first.
    pub fn search(&self, search: &Search<'_>) -> Vec<Entry> {
        let mut found: Vec<Entry> = Vec::new();
        for entry in self.entries.iter().rev() {
            if found.len() == search.n {
                break;
            }
            let repeated = search.unique && found.iter().any(|f| f.source == entry.source);
            if !repeated && matches(search.pattern, &entry.source) {
                found.push(entry.clone());
            }
        }
        found.reverse();
        found
    }
}

fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let text = fs::read(path)?;
    Ok(text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

fn lines(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn append(path: &Path, entry: &Entry) -> io::Result<()> {
    let line = lines(std::slice::from_ref(entry))?;
    let mut file = File::options().append(true).create(true).open(path)?;
    file.write_all(&line)
}

/// Makes sure that what is appended begins a line of its own, also after a write that was cut.
fn end_torn_line(path: &Path) -> io::Result<()> {
    let Ok(mut file) = File::options().read(true).append(true).open(path) else {
        return Ok(());
    };
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// Whether `text` matches a glob of `*` and `?`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the last star has to stand for one character more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut retry {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.source.as_str()).collect()
    }

    #[test]
    fn a_later_kernel_sees_what_an_earlier_one_ran() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/history.jsonl");
        let mut first = History::open(&path);
        first.add(1, "SELECT 1");
        first.add(2, "SELECT\n2");
        let mut second = History::open(&path);
        second.add(1, "SELECT 3");
        assert_eq!(sources(&second.tail(2)), ["SELECT\n2", "SELECT 3"]);
        assert_eq!(sources(&second.range(-1, 1, Some(2))), ["SELECT 1"]);
        assert_eq!(sources(&second.range(0, 0, None)), ["SELECT 3"]);
        assert_eq!(sources(&second.range(1, 2, None)), ["SELECT\n2"]);
    }

    #[test]
    fn lines_that_cannot_be_read_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        fs::write(
            &path,
            b"\xff\xfe\n{\"session\":3,\"line\":1,\"source\":\"a\"}\n{\"sess",
        )
        .unwrap();
        let history = History::open(&path);
        assert_eq!(sources(&history.tail(10)), ["a"]);
        assert_eq!(history.session, 4);
    }

    #[test]
    fn a_line_after_a_torn_one_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        fs::write(&path, b"{\"session\":1,\"line\":1,\"source\":\"torn").unwrap();
        History::open(&path).add(1, "whole");
        assert_eq!(sources(&History::open(&path).tail(10)), ["whole"]);
    }

    #[test]
    fn a_search_gives_the_newest_and_each_once_if_asked() {
        let mut history = History::in_memory();
        for (line, source) in ["SELECT 1", "SHOW TABLES", "SELECT 2", "SELECT 1"]
            .iter()
            .enumerate()
        {
            history.add(line as u32 + 1, source);
        }
        let search = |pattern, unique, n| {
            history
                .search(&Search { pattern, unique, n })
                .iter()
                .map(|entry| entry.line)
                .collect::<Vec<_>>()
        };
        assert_eq!(search("SELECT*", false, 10), [1, 3, 4]);
        assert_eq!(search("SELECT*", true, 10), [3, 4]);
        assert_eq!(search("SELECT*", false, 1), [4]);
        assert_eq!(search("*TABLES", false, 10), [2]);
    }

    #[test]
    fn globs_match_as_people_expect() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("?b", "ab", true),
            ("?b", "b", false),
            ("*a*b*", "xxaxxbxx", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_history_that_grew_too_large_keeps_its_newer_half() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let mut history = History::open(&path);
        let long = "x".repeat(1 << 20);
        for line in 1..=10 {
            history.add(line, &long);
        }
        assert!(fs::metadata(&path).unwrap().len() > LARGEST);
        History::open(&path);
        let kept = History::open(&path).tail(100);
        assert_eq!(kept.first().unwrap().line, 6);
        assert_eq!(kept.len(), 5);
    }
}
