//! Removing what drivers leave behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Lock, Place, Places};

/// Removes what a claim's driver left, where its keeper lives no more and none is being started.
/// Gives whether nothing is left. The log stays.
pub(crate) fn sweep(place: &Place) -> io::Result<bool> {
    if !place.folder.is_dir() {
        return remove(&place.scratch).map(|()| true);
    }
    let Some(starting) = Lock::try_take(&place.start_lock())? else {
        return Ok(false);
    };
    let Some(keeping) = Lock::try_take(&place.keep_lock())? else {
        return Ok(false);
    };
    remove_held(place, &starting, &keeping).map(|()| true)
}

/// How long a driver takes to die with its keeper, and how often it is looked whether it has.
const DYING: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(250);

/// Sweeps after a driver whose keeper was just seen to die. Both may write for a moment still. Where
/// that takes too long, the next who looks sweeps.
pub(crate) async fn sweep_dying(place: Place) {
    let deadline = Instant::now() + DYING;
    loop {
        let dying = place.clone();
        let swept = tokio::task::spawn_blocking(move || sweep(&dying)).await;
        match swept {
            Ok(Ok(true)) => return,
            swept if Instant::now() >= deadline => {
                return tracing::info!(id = %place.id, ?swept, "what a driver left is not swept yet");
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Removes what a driver left, by its own keeper. The folder stays where the next is being started.
pub(crate) fn sweep_own(place: &Place, keeping: &Lock) -> io::Result<()> {
    match Lock::try_take(&place.start_lock())? {
        Some(starting) => remove_held(place, &starting, keeping),
        None => remove(&place.scratch),
    }
}

/// The locks are held while their files go, so nobody can come in between.
fn remove_held(place: &Place, _starting: &Lock, _keeping: &Lock) -> io::Result<()> {
    remove(&place.scratch)?;
    remove(&place.folder)
}

/// How many files with logs are kept, of drivers that live and of those that ended last.
const LOGS: usize = 60;

/// Sweeps after every driver that is gone, and removes the oldest logs. What cannot be removed is
/// logged and stays.
pub(crate) fn sweep_all(places: &Places) {
    for id in places.all() {
        if let Err(error) = sweep(&places.of(&id)) {
            tracing::warn!(%id, %error, "what a driver left cannot be swept");
        }
    }
    for log in oldest(&places.logs, LOGS) {
        if let Err(error) = fs::remove_file(&log) {
            tracing::warn!(log = %log.display(), %error, "an old log cannot be removed");
        }
    }
}

/// The files of a folder that are too many: all but the `keep` that were written to last.
fn oldest(folder: &Path, keep: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    files.reverse();
    files.into_iter().skip(keep).map(|(_, path)| path).collect()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::tests::places;

    fn left_behind(dir: &Path) -> (Places, Place) {
        let places = places(dir);
        let place = places.of(&"a".repeat(32).parse().unwrap());
        place.make_folder().unwrap();
        fs::write(place.token(), "secret").unwrap();
        fs::create_dir_all(place.scratch.join("warehouse")).unwrap();
        (places, place)
    }

    #[test]
    fn what_a_dead_keeper_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let (places, place) = left_behind(dir.path());
        sweep_all(&places);
        assert!(!place.folder.exists() && !place.scratch.exists());
        assert_eq!(places.all(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_dying_keeper_leaves_is_swept_as_soon_as_it_is_dead() {
        let dir = tempfile::tempdir().unwrap();
        let (_, place) = left_behind(dir.path());
        let held = Lock::try_take(&place.keep_lock()).unwrap();
        let dies = async {
            tokio::time::sleep(LOOK * 3).await;
            assert!(place.folder.exists(), "it lives");
            drop(held);
        };
        tokio::join!(sweep_dying(place.clone()), dies);
        assert!(!place.folder.exists() && !place.scratch.exists());
    }

    #[test]
    fn a_living_driver_and_one_being_started_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (places, place) = left_behind(dir.path());
        for lock in [place.keep_lock(), place.start_lock()] {
            let held = Lock::try_take(&lock).unwrap();
            sweep_all(&places);
            assert!(place.token().exists() && place.scratch.exists());
            drop(held);
        }
    }

    #[test]
    fn the_logs_that_were_written_last_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        for n in 0..LOGS + 2 {
            let log = fs::File::create(places.logs.join(format!("{n}.log"))).unwrap();
            let age = std::time::Duration::from_secs(100 * n as u64);
            log.set_modified(SystemTime::now() - age).unwrap();
        }
        sweep_all(&places);
        assert_eq!(fs::read_dir(&places.logs).unwrap().count(), LOGS);
        assert!(places.logs.join("0.log").exists());
        assert!(!places.logs.join(format!("{}.log", LOGS + 1)).exists());
    }

    #[test]
    fn scratch_space_whose_folder_is_gone_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let (places, place) = left_behind(dir.path());
        fs::remove_dir_all(&place.folder).unwrap();
        sweep_all(&places);
        assert!(!place.scratch.exists());
    }
}
