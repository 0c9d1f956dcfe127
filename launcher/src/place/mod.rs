//! Where the things of one claim's driver are: socket, locks and token, scratch space, log.

mod lock;
mod private;
mod sweep;

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cause::{Cause, Kind};
use crate::claim::ClaimId;
use crate::paths::Paths;

pub(crate) use lock::{HeldElsewhere, Lock};
pub(crate) use sweep::{sweep, sweep_all, sweep_dying, sweep_own};

/// The longest path a socket can be bound to, in bytes: `sun_path` of `unix(7)` with its final zero.
const LONGEST_SOCKET: usize = 107;

/// The folders in which drivers of this user keep their things. All are the user's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    run: PathBuf,
    scratch: PathBuf,
    logs: PathBuf,
}

/// The things of one claim's driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The claim.
    pub(crate) id: ClaimId,
    /// The folder of socket, locks and token.
    pub(crate) folder: PathBuf,
    /// What the driver spills, caches and, by default, keeps tables in. Swept with it.
    pub(crate) scratch: PathBuf,
    /// What the driver prints.
    pub(crate) log: PathBuf,
    /// What the keeper prints.
    pub(crate) keeper_log: PathBuf,
}

impl Places {
    /// Makes the folders, or finds that they cannot be trusted. Where the run folder of `paths`
    /// cannot hold sockets (a network file system, too long a path), another is taken in `/tmp`,
    /// the same for every process of the user.
    pub(crate) fn open(paths: &Paths) -> Result<Self, Cause> {
        let uid = rustix::process::getuid().as_raw();
        let fallback = Path::new("/tmp").join(format!("firesteel-{uid}"));
        let run =
            open_run(&paths.run).or_else(|first| open_run(&fallback).map_err(|_too| first))?;
        // Two run folders know nothing of each other's locks, so they share no scratch space.
        let mut hash = Sha256::new();
        hash.update(run.as_os_str().as_encoded_bytes());
        let scratch = paths.scratch.join(hex::encode(&hash.finalize()[..4]));
        let logs = paths.state.join("drivers");
        for folder in [&paths.scratch, &scratch, &logs] {
            private::folder(folder).map_err(|error| unusable(folder, &error))?;
        }
        Ok(Self { run, scratch, logs })
    }

    /// The things of one claim's driver. Nothing is made.
    pub(crate) fn of(&self, id: &ClaimId) -> Place {
        Place {
            id: id.clone(),
            folder: self.run.join(id.as_str()),
            scratch: self.scratch.join(id.as_str()),
            log: self.logs.join(format!("{id}.log")),
            keeper_log: self.logs.join(format!("{id}.keeper.log")),
        }
    }

    /// Every claim that has a folder, whether its driver lives or not.
    pub(crate) fn all(&self) -> Vec<ClaimId> {
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        };
        let mut ids: Vec<ClaimId> = names(&self.run).chain(names(&self.scratch)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

impl Place {
    /// The keeper's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("door")
    }

    /// The file with the driver's token.
    pub(crate) fn token(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// Held by the keeper as long as it lives: one keeper per claim.
    pub(crate) fn keep_lock(&self) -> PathBuf {
        self.folder.join("keep.lock")
    }

    /// Held by whoever starts a keeper, until it answers.
    pub(crate) fn start_lock(&self) -> PathBuf {
        self.folder.join("start.lock")
    }

    /// Makes the folder of socket, locks and token.
    pub(crate) fn make_folder(&self) -> Result<(), Cause> {
        private::folder(&self.folder).map_err(|error| unusable(&self.folder, &error))
    }
}

/// The folder that holds sockets and locks of this user's drivers. It and those of their logs and of
/// what they spill are made where they are not there.
///
/// # Errors
/// Names the first of them that cannot be used, and why.
pub fn usable(paths: &Paths) -> Result<PathBuf, Cause> {
    let places = Places::open(paths)?;
    for folder in [&places.run, &places.scratch, &places.logs] {
        let written = write_in(folder);
        written.map_err(|error| unusable(folder, &error))?;
    }
    Ok(places.run)
}

/// Writes a file and removes it: a folder that was there may be on a file system that is full, or
/// that nothing can be written to.
fn write_in(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".try-{}", std::process::id()));
    let written = fs::write(&file, [0; 4096]);
    let removed = fs::remove_file(&file);
    written.and(removed)
}

fn open_run(run: &Path) -> Result<PathBuf, Cause> {
    // A claim's folder and the socket in it come below.
    let longest = run.as_os_str().len() + 1 + 32 + "/door".len();
    if longest > LONGEST_SOCKET {
        return Err(Cause::new(
            Kind::Folder,
            format!("The path {} is too long for sockets in it", run.display()),
            "Set XDG_RUNTIME_DIR to a shorter path.",
        ));
    }
    private::folder(run).map_err(|error| unusable(run, &error))?;
    if private::is_remote(run) {
        return Err(Cause::new(
            Kind::Folder,
            format!(
                "{} is on a network file system, which cannot hold sockets and locks",
                run.display()
            ),
            "Set XDG_RUNTIME_DIR to a folder on a disk of this machine.",
        ));
    }
    Ok(run.to_owned())
}

pub(crate) fn unusable(folder: &Path, error: &std::io::Error) -> Cause {
    let kind = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::Disk,
        _ => Kind::Folder,
    };
    let remedy = match kind {
        Kind::Disk => "Make room on that disk.".to_owned(),
        _ => format!(
            "Make {} a folder that only you can read and write.",
            folder.display()
        ),
    };
    Cause::new(
        kind,
        format!("The folder {} cannot be used: {error}", folder.display()),
        remedy,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    pub(crate) fn places(dir: &Path) -> Places {
        Places::open(&paths(dir)).unwrap()
    }

    fn paths(dir: &Path) -> Paths {
        Paths {
            data: dir.join("data"),
            state: dir.join("state"),
            config: dir.join("config"),
            run: dir.join("run"),
            scratch: dir.join("scratch"),
            etc: dir.join("etc"),
        }
    }

    #[test]
    fn folders_are_the_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let places = places(dir.path());
        let place = places.of(&"0".repeat(32).parse().unwrap());
        place.make_folder().unwrap();
        for folder in [&places.run, &places.scratch, &places.logs, &place.folder] {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn a_folder_others_could_read_is_closed_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let run = paths(dir.path()).run;
        fs::create_dir_all(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        places(dir.path());
        assert_eq!(
            fs::metadata(&run).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn what_is_no_folder_of_ours_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("elsewhere");
        fs::create_dir(&target).unwrap();
        let link = dir.path().join("scratch");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let cause = Places::open(&paths(dir.path())).unwrap_err();
        assert_eq!(cause.kind, Kind::Folder);
        assert!(cause.sentence.contains("scratch"), "{cause}");
    }

    #[test]
    fn a_path_too_long_for_sockets_gives_way_to_a_short_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut paths = paths(dir.path());
        paths.run = dir.path().join("x".repeat(90));
        let places = Places::open(&paths).unwrap();
        assert!(places.run.starts_with("/tmp"));
        assert!(!paths.run.exists());
        let socket = places.of(&"f".repeat(32).parse().unwrap()).socket();
        assert!(socket.as_os_str().len() <= LONGEST_SOCKET);
    }
}
