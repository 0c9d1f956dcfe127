//! What was run, kept across kernels in one file of JSON lines.

mod file;

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use file::Log;

/// Above this size the file of a history becomes its older half when a kernel starts, in bytes;
/// the older half before it is given up.
const LARGEST: u64 = 4 << 20;

/// A cell longer than this is not kept, in bytes.
const LONGEST: usize = 1 << 20;

/// The line of what is no cell, but says which kernel has the session's number.
const CLAIM: i64 = 0;

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

impl Entry {
    /// Whether it is no cell.
    fn is_claim(&self) -> bool {
        self.line == CLAIM
    }
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
    log: Option<Log>,
    session: i64,
    /// What this kernel ran, as far as it is in no file.
    own: Vec<Entry>,
}

impl History {
    /// Opens the history of a file; where that cannot be read or written, keeps one in memory.
    pub fn open(path: &Path) -> Self {
        Self::with_limit(path, LARGEST)
    }

    fn with_limit(path: &Path, largest: u64) -> Self {
        let log = Log::new(path, largest);
        match log.claim(&Uuid::new_v4().to_string()) {
            Ok(session) => Self {
                log: Some(log),
                session,
                own: Vec::new(),
            },
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the history cannot be kept");
                Self::in_memory()
            }
        }
    }

    /// A history that is kept nowhere.
    pub fn in_memory() -> Self {
        Self {
            log: None,
            session: 1,
            own: Vec::new(),
        }
    }

    /// Adds a cell that is run now.
    pub fn add(&mut self, line: u32, source: &str) {
        if source.len() > LONGEST {
            return tracing::debug!(line, "a cell is too long for the history");
        }
        self.own.push(Entry {
            session: self.session,
            line: i64::from(line),
            source: source.to_owned(),
        });
        let Some(log) = &self.log else { return };
        while let Some(entry) = self.own.first() {
            if let Err(error) = log.append(entry) {
                return tracing::warn!(%error, path = %log.path().display(), "the history is not kept yet");
            }
            self.own.remove(0);
        }
    }

    /// The last `n`.
    pub fn tail(&self, n: usize) -> Vec<Entry> {
        let mut entries = self.entries();
        entries.split_off(entries.len().saturating_sub(n))
    }

    /// The lines from `start` to before `stop` of one session. A session of 0 is this one, and -1
    /// the one before it, as IPython counts.
    pub fn range(&self, session: i64, start: i64, stop: Option<i64>) -> Vec<Entry> {
        let session = if session <= 0 {
            self.session.saturating_add(session)
        } else {
            session
        };
        let wanted = |entry: &Entry| {
            entry.session == session
                && entry.line >= start
                && stop.is_none_or(|stop| entry.line < stop)
        };
        self.entries().into_iter().filter(wanted).collect()
    }

    /// Those that match, oldest first.
    pub fn search(&self, search: &Search<'_>) -> Vec<Entry> {
        let mut found: Vec<Entry> = Vec::new();
        for entry in self.entries().into_iter().rev() {
            if found.len() == search.n {
                break;
            }
            let repeated = search.unique && found.iter().any(|f| f.source == entry.source);
            if !repeated && crate::glob::matches(search.pattern, &entry.source) {
                found.push(entry);
            }
        }
        found.reverse();
        found
    }

    /// Everything known now, what other kernels ran meanwhile included.
    fn entries(&self) -> Vec<Entry> {
        let read = self.log.as_ref().map(Log::read);
        let mut entries = match read {
            Some(Ok(entries)) => entries,
            Some(Err(error)) => {
                tracing::warn!(%error, "the history cannot be read");
                Vec::new()
            }
            None => Vec::new(),
        };
        entries.retain(|entry| !entry.is_claim());
        entries.extend_from_slice(&self.own);
        entries
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

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
        assert_eq!(sources(&second.range(i64::MIN, 0, None)), [""; 0]);
    }

    #[test]
    fn nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        History::open(&path);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn kernels_that_start_and_append_together_lose_nothing_and_share_no_session() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let kernels: Vec<_> = (0..8)
            .map(|kernel| {
                let path = path.clone();
                std::thread::spawn(move || {
                    let mut history = History::open(&path);
                    for line in 1..=50 {
                        history.add(line, &format!("{kernel} {line}"));
                    }
                    history.session
                })
            })
            .collect();
        let sessions: BTreeSet<i64> = kernels.into_iter().map(|k| k.join().unwrap()).collect();
        assert_eq!(sessions.len(), 8, "{sessions:?}");
        assert_eq!(History::open(&path).tail(1000).len(), 400);
    }

    #[test]
    fn lines_that_cannot_be_read_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let text = b"\xff\xfe\n{\"session\":3,\"line\":1,\"source\":\"a\"}\n{\"sess";
        fs::write(&path, text).unwrap();
        let mut history = History::open(&path);
        history.add(1, "whole");
        assert_eq!(sources(&history.tail(10)), ["a", "whole"]);
        assert_eq!(history.session, 4);
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_kept_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let aside = dir.path().join("aside");
        let mut history = History::open(&path);
        history.add(1, "before");

        fs::rename(&path, &aside).unwrap();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        history.add(2, "meanwhile");
        fs::remove_file(&path).unwrap();
        let mut whole = fs::read(&aside).unwrap();
        whole.extend(b"{\"session\":1,\"li");
        fs::write(&path, whole).unwrap();
        assert_eq!(sources(&history.tail(10)), ["before", "meanwhile"]);

        history.add(3, "after");
        let all = ["before", "meanwhile", "after"];
        assert_eq!(sources(&history.tail(10)), all);
        assert_eq!(sources(&History::open(&path).tail(10)), all);
    }

    #[test]
    fn a_session_has_a_number_of_its_own_whatever_numbers_are_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        for (written, begun) in [(i64::MAX, 1), (i64::MIN, 1), (0, 1), (7, 8), (8, 9)] {
            let line = format!("{{\"session\":{written},\"line\":1,\"source\":\"a\"}}\n");
            fs::write(&path, line).unwrap();
            let mut history = History::open(&path);
            history.add(1, "own");
            assert_eq!(history.session, begun, "after {written}");
            assert_eq!(sources(&history.range(begun, 0, None)), ["own"]);
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_leaves_a_history_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let mut history = History::open(dir.path());
        history.add(1, "SELECT 1");
        assert_eq!(sources(&history.tail(10)), ["SELECT 1"]);
    }

    #[test]
    fn a_search_gives_the_newest_and_each_once_if_asked() {
        let mut history = History::in_memory();
        let sources = ["SELECT 1", "SHOW TABLES", "SELECT 2", "SELECT 1"];
        for (line, source) in (1..).zip(sources) {
            history.add(line, source);
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
    fn a_history_that_grew_too_large_keeps_its_newer_part_and_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.jsonl");
        let mut sizes = Vec::new();
        for kernel in 0..6 {
            let mut history = History::with_limit(&path, 1000);
            for line in 1..=20 {
                history.add(line, &format!("kernel {kernel}, a cell of some length"));
            }
            let files = fs::read_dir(dir.path()).unwrap();
            sizes.push(
                files
                    .map(|f| f.unwrap().metadata().unwrap().len())
                    .sum::<u64>(),
            );
        }
        assert!(sizes.iter().all(|size| *size < 8000), "{sizes:?}");
        let history = History::with_limit(&path, 1000);
        assert_eq!(history.session, 7);
        assert_eq!(history.tail(1000).len(), 20);
        assert_eq!(
            sources(&history.tail(1)),
            ["kernel 5, a cell of some length"]
        );
    }
}
