//! Locks that end with the process that holds them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::time::Instant;

/// Time between two looks at a lock that another holds.
const LOOK: Duration = Duration::from_millis(25);

/// A lock that is held. Dropping it, or the end of the process, gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or finds that another holds it. The file's folder has to exist.
    ///
    /// Whoever holds a lock may remove its file; so a lock counts only on the file that is there.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            let held = file.metadata()?;
            let there = fs::metadata(path);
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino())) {
                return Ok(Some(Self { _file: file }));
            }
        }
    }

    /// Waits for the lock until `deadline`; `None` when another holds it still.
    pub(crate) async fn take(path: &Path, deadline: Instant) -> io::Result<Option<Self>> {
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(Some(lock));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A lock that another holds, watched until it is given back, also where its file is removed
/// meanwhile.
#[derive(Debug)]
pub(crate) struct HeldElsewhere {
    file: File,
}

impl HeldElsewhere {
    /// Finds the lock; `None` when there is no such file.
    pub(crate) fn find(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self { file })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until `deadline` and gives whether the lock was given back.
    pub(crate) async fn given_back(self, deadline: Instant) -> io::Result<bool> {
        loop {
            match flock(&self.file, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return Ok(true),
                Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Ok(false),
                Err(Errno::WOULDBLOCK) => tokio::time::sleep(LOOK).await,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_a_lock_until_it_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(first);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn a_lock_on_a_file_that_is_gone_excludes_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let stale = Lock::try_take(&path).unwrap().unwrap();
        fs::remove_file(&path).unwrap();
        let fresh = Lock::try_take(&path).unwrap();
        assert!(fresh.is_some());
        drop(stale);
        assert!(Lock::try_take(&path).unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_lock_has_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::try_take(&path).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        assert!(Lock::take(&path, soon).await.unwrap().is_none());
        drop(held);
        assert!(Lock::take(&path, soon).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_is_watched_although_its_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(HeldElsewhere::find(&path).unwrap().is_none());
        let held = Lock::try_take(&path).unwrap();
        let watch = || HeldElsewhere::find(&path).unwrap().unwrap();
        let (first, second) = (watch(), watch());
        fs::remove_file(&path).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        assert!(!first.given_back(soon).await.unwrap());
        drop(held);
        assert!(second.given_back(soon).await.unwrap());
    }
}
