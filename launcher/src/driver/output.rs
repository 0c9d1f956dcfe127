//! What a driver prints: a bounded file, and its end at hand.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{
    self, BufRead as _, BufReader, PipeReader, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// A log grows to this many bytes; then it becomes the old one, and a new one begins.
const LARGEST_FILE: u64 = 8 << 20;

/// How much of a line is kept, in bytes.
const LONGEST_LINE: u64 = 16 << 10;

/// How many lines are at hand.
const LINES: usize = 400;

/// Reads what a driver prints, until its end.
#[derive(Debug)]
pub(crate) struct Output {
    lines: Arc<Mutex<VecDeque<String>>>,
    end: oneshot::Receiver<()>,
}

impl Output {
    /// Reads `pipe` into the file at `path`, and whole to `echo`, on a thread that ends with the
    /// pipe. What an earlier driver printed there becomes the old log. Each line is shown to `heed`.
    pub(crate) fn read(
        pipe: PipeReader,
        path: &Path,
        mut echo: impl io::Write + Send + 'static,
        mut heed: impl FnMut(&str) + Send + 'static,
    ) -> io::Result<Self> {
        let mut log = Log::open(path)?;
        let lines = Arc::new(Mutex::new(VecDeque::with_capacity(LINES)));
        let shared = Arc::clone(&lines);
        let (ended, end) = oneshot::channel();
        thread::Builder::new()
            .name("driver-output".to_owned())
            .spawn(move || {
                let mut reader = BufReader::new(pipe);
                while let Ok(Some(line)) = next_line(&mut reader) {
                    // A full disk must not stop the driver: Spark says so itself, and the lines at
                    // hand tell it.
                    let _full = log.write(&line);
                    let _unheard = echo.write_all(&line);
                    let text = String::from_utf8_lossy(&line);
                    heed(text.trim_end());
                    let mut lines = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    if lines.len() == LINES {
                        lines.pop_front();
                    }
                    lines.push_back(text.trim_end().to_owned());
                }
                let _nobody_waits = ended.send(());
            })?;
        Ok(Self { lines, end })
    }

    /// The last lines, at most `count`.
    pub(crate) fn tail(&self, count: usize) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = lines.len().saturating_sub(count);
        let tail: Vec<&str> = lines.iter().skip(skip).map(String::as_str).collect();
        tail.join("\n")
    }

    /// Waits until everything was read. Cancel-safe.
    pub(crate) async fn ended(&mut self) {
        // An error means that the thread is gone, which is an end too.
        let _gone = (&mut self.end).await;
    }
}

/// The last lines of a log file, at most `count`.
pub(crate) fn tail_of(path: &Path, count: usize) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let window = (count as u64 + 1)
        .saturating_mul(512)
        .clamp(64 << 10, LARGEST_FILE);
    file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
    let mut bytes = Vec::new();
    file.take(window).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<&str> = text.lines().collect();
    if length > window {
        // The first one is cut.
        lines.remove(0);
    }
    let skip = lines.len().saturating_sub(count);
    Ok(lines.split_off(skip).join("\n"))
}

/// The next line, at most so much of it as is kept; `None` at the end.
fn next_line(reader: &mut BufReader<PipeReader>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader
        .by_ref()
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then_some(line))
}

/// A log file that does not grow for ever.
struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        if path.exists() {
            fs::rename(path, old(path))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: create(path)?,
            length: 0,
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.length + line.len() as u64 > LARGEST_FILE {
            fs::rename(&self.path, old(&self.path))?;
            self.file = create(&self.path)?;
            self.length = 0;
        }
        self.length += line.len() as u64;
        self.file.write_all(line)
    }
}

fn old(path: &Path) -> PathBuf {
    path.with_extension("log.old")
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_printed_is_kept_in_file_and_at_hand() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.log");
        fs::write(&path, "of an earlier driver\n").unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        let (mut heard, echo) = io::pipe().unwrap();
        let heeded = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heeded);
        let heed = move |line: &str| notes.lock().unwrap().push(line.to_owned());
        let mut output = Output::read(reader, &path, echo, heed).unwrap();
        let hears = thread::spawn(move || io::read_to_string(&mut heard.by_ref().take(7)));
        for n in 0..1000 {
            writeln!(writer, "line {n}").unwrap();
        }
        writer.write_all(b"not UTF-8: \xff").unwrap();
        drop(writer);
        output.ended().await;
        assert_eq!(hears.join().unwrap().unwrap(), "line 0\n");
        assert_eq!(heeded.lock().unwrap().len(), 1001);
        assert_eq!(heeded.lock().unwrap()[999], "line 999");
        assert_eq!(output.tail(2), "line 999\nnot UTF-8: \u{fffd}");
        assert_eq!(output.tail(9999).lines().count(), LINES);
        assert!(fs::read(&path).unwrap().starts_with(b"line 0\n"));
        assert_eq!(tail_of(&path, 1).unwrap(), "not UTF-8: \u{fffd}");
        assert_eq!(fs::read(old(&path)).unwrap(), b"of an earlier driver\n");
    }

    #[tokio::test]
    async fn a_log_stops_growing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.log");
        let (reader, mut writer) = io::pipe().unwrap();
        let mut output = Output::read(reader, &path, io::sink(), |_| {}).unwrap();
        let line = [b'x'; 100_000];
        for _ in 0..200 {
            writer.write_all(&line).unwrap();
        }
        drop(writer);
        output.ended().await;
        assert!(fs::metadata(&path).unwrap().len() <= LARGEST_FILE);
        assert!(fs::metadata(old(&path)).unwrap().len() <= LARGEST_FILE);
        assert!(output.tail(1).len() <= usize::try_from(LONGEST_LINE).unwrap());
    }

    #[test]
    fn the_tail_of_a_long_file_is_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.log");
        let text: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        fs::write(&path, text).unwrap();
        assert_eq!(tail_of(&path, 2).unwrap(), "line 49998\nline 49999");
        assert!(tail_of(&path, 100_000).unwrap().starts_with("line "));
        assert!(tail_of(&dir.path().join("none"), 1).is_err());
    }
}
