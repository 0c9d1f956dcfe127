//! The file of a history: JSON lines that several kernels append to at once.
//!
//! A line is written by one call at the end of the file, so lines do not mix. A file that has grown
//! too large becomes the older of two by a rename: who has it open still writes into what is read.
//! Nothing here waits for another process.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CLAIM, Entry};

/// How often a number is claimed before another kernel's claim is put up with.
const CLAIMS: usize = 16;

/// The last number that a session has. A line of a later one was not written by us, and one of no
/// later number could follow it.
const LAST_SESSION: i64 = 1 << 40;

/// An entry where it lies.
#[derive(Deserialize)]
struct Line<'a> {
    session: i64,
    line: i64,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// A history's file.
#[derive(Debug, Clone)]
pub(super) struct Log {
    path: PathBuf,
    /// Above this size the file becomes the older one, in bytes.
    largest: u64,
}

impl Log {
    pub(super) fn new(path: &Path, largest: u64) -> Self {
        Self {
            path: path.to_owned(),
            largest,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn older(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".old");
        name.into()
    }

    /// All that can be read, oldest first.
    pub(super) fn read(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.each(|line| {
            entries.push(Entry {
                session: line.session,
                line: line.line,
                source: line.source.into_owned(),
            });
        })?;
        Ok(entries)
    }

    /// Shows all that can be read, oldest first, one line at a time: a history is larger than a
    /// kernel that only needs a number of it should be. A line that cannot be read is passed over.
    fn each(&self, mut see: impl FnMut(Line<'_>)) -> io::Result<()> {
        for path in [self.older(), self.path.clone()] {
            let mut file = match File::open(&path) {
                Ok(file) => BufReader::new(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let mut text = Vec::new();
            while file.read_until(b'\n', &mut text)? > 0 {
                let line = serde_json::from_slice::<Line<'_>>(&text).ok();
                let ours = |line: &Line<'_>| (1..=LAST_SESSION).contains(&line.session);
                line.filter(ours).into_iter().for_each(&mut see);
                text.clear();
            }
        }
        Ok(())
    }

    /// Adds a line of its own, also after a write that was cut: a disk can be full in mid-line.
    pub(super) fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut file = self.open()?;
        let mut line = Vec::new();
        if is_torn(&mut file)? {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        file.write_all(&line)
    }

    /// Finds the number of a session that begins, one that no other has: it is claimed by a line,
    /// and the first to claim it has it.
    pub(super) fn claim(&self, mark: &str) -> io::Result<i64> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        self.rotate()?;
        let mut session = 0;
        for _ in 0..CLAIMS {
            let mut last = 0;
            self.each(|line| last = last.max(line.session))?;
            session = last + 1;
            self.append(&Entry {
                session,
                line: CLAIM,
                source: mark.to_owned(),
            })?;
            let mut first = None;
            self.each(|line| {
                if line.line == CLAIM && line.session == session && first.is_none() {
                    first = Some(line.source == mark);
                }
            })?;
            if first == Some(true) {
                break;
            }
        }
        Ok(session)
    }

    fn rotate(&self) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let opened = file.metadata()?;
        if opened.len() <= self.largest || file.try_lock().is_err() {
            return Ok(());
        }
        // Another kernel may have renamed it between our opening and our locking it.
        if fs::metadata(&self.path)?.ino() == opened.ino() {
            fs::rename(&self.path, self.older())?;
        }
        Ok(())
    }

    /// Only its user may read it: cells can hold secrets.
    fn open(&self) -> io::Result<File> {
        File::options()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }
}

/// Whether the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    Ok(last != [b'\n'])
}
