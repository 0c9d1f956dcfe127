//! What is in a folder of this machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::cell::Entry;

/// The most that is read of one folder.
const MOST: usize = 10_000;

/// Lists folders, one at a time: a network's file system may hang for minutes, and nobody waits
/// for it.
pub(super) struct Folders(Arc<Semaphore>);

impl Default for Folders {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Folders {
    /// What is in a folder; nothing where it cannot be read, or not with so much `patience`.
    pub(super) async fn list(&self, folder: PathBuf, patience: Duration) -> Vec<Entry> {
        let Ok(turn) = Arc::clone(&self.0).try_acquire_owned() else {
            return Vec::new();
        };
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(&folder)
        });
        let read = tokio::time::timeout(patience, reading).await;
        read.ok().and_then(Result::ok).unwrap_or_default()
    }
}

fn read(folder: &std::path::Path) -> Vec<Entry> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.take(MOST).filter_map(|entry| {
        let folder = match entry.file_type().ok()? {
            of if of.is_symlink() => entry.path().is_dir(),
            of => of.is_dir(),
        };
        // A name that is no text cannot be typed.
        let name = entry.file_name().into_string().ok()?;
        Some(Entry { name, folder })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_listed_and_one_that_is_not_there_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.csv"), "").unwrap();
        std::fs::create_dir(dir.path().join("deep")).unwrap();
        std::os::unix::fs::symlink("deep", dir.path().join("link")).unwrap();
        let folders = Folders::default();
        let patience = Duration::from_secs(60);
        let mut found = folders.list(dir.path().to_owned(), patience).await;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let found: Vec<_> = found
            .iter()
            .map(|entry| (entry.name.as_str(), entry.folder))
            .collect();
        assert_eq!(found, [("a.csv", false), ("deep", true), ("link", true)]);
        assert_eq!(folders.list(dir.path().join("none"), patience).await, []);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_folder_behind_another() {
        let folders = Folders::default();
        let hangs = Arc::clone(&folders.0).acquire_owned().await;
        let found = folders.list("/".into(), Duration::from_secs(60)).await;
        assert_eq!(found, []);
        drop(hangs);
        let found = folders.list("/".into(), Duration::from_secs(60)).await;
        assert!(!found.is_empty());
    }
}
