//! Where the log goes: to stderr, and to a file that does not grow without end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A file larger than this is put aside, in bytes; the one that was put aside before is gone.
const LARGEST: u64 = 4 << 20;

/// What is logged where nothing else is asked for. What the cluster's client could not do is told by
/// who asked it.
const USUAL: &str = "warn,kube_client::client::builder=off";

/// Starts logging. `FIRESTEEL_LOG` says how much, as `RUST_LOG` does elsewhere; warnings and what
/// is worse without it.
pub(super) fn start(file: &Path) {
    let filter = EnvFilter::try_from_env("FIRESTEEL_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    let stderr = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let bounded = Bounded::open(file).map(|bounded| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(bounded).with_max_level(tracing::Level::TRACE))
    });
    // Only a second start fails, and the first still logs.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(stderr)
        .with(bounded.ok())
        .try_init();
}

/// A log file that is put aside when it is large. Several processes may write to it.
struct Bounded {
    path: PathBuf,
    file: File,
}

impl Bounded {
    fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: File::options().append(true).create(true).open(path)?,
        })
    }
}

impl Write for Bounded {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.file.metadata()?.len() > LARGEST {
            fs::rename(&self.path, self.path.with_extension("old.log"))?;
            *self = Self::open(&self.path)?;
        }
        self.file.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grew_large_is_put_aside_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/kernel.log");
        let mut log = Bounded::open(&path).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..12 {
            log.write_all(&line).unwrap();
        }
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert!(size(&path) <= LARGEST + (1 << 20));
        assert!(size(&path.with_extension("old.log")) <= LARGEST + (1 << 20));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    }
}
