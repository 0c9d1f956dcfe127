//! Removing what drivers leave behind.

use std::fs;
use std::io;
use std::path::Path;

use super::{Lock, Place, Places};

/// Removes what a claim's driver left, where its keeper lives no more and none is being started.
/// Gives whether nothing is left. The log stays.
pub(crate) fn sweep(place: &Place) -> io::Result<bool> {
    if !place.folder.is_dir() {
        return remove(&place.scratch).map(|()| true);
    }
    let Some(_starting) = Lock::try_take(&place.start_lock())? else {
        return Ok(false);
    };
    let Some(_keeping) = Lock::try_take(&place.keep_lock())? else {
        return Ok(false);
    };
    remove(&place.scratch)?;
    // The locks are held while their files go, so nobody can come in between.
    remove(&place.folder)?;
    Ok(true)
}

/// Sweeps after every driver that is gone. What cannot be removed is logged and stays.
pub(crate) fn sweep_all(places: &Places) {
    for id in places.all() {
        if let Err(error) = sweep(&places.of(&id)) {
            tracing::warn!(%id, %error, "what a driver left cannot be swept");
        }
    }
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
    fn scratch_space_whose_folder_is_gone_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let (places, place) = left_behind(dir.path());
        fs::remove_dir_all(&place.folder).unwrap();
        sweep_all(&places);
        assert!(!place.scratch.exists());
    }
}
