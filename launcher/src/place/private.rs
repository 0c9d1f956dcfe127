//! Folders that only the user can read.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes the folder, or takes one that is there and is the user's own; then nobody else can read
/// it. A link is not taken: in a folder like `/tmp` somebody else may have laid it.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is a link or a file",
        ));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if found.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// File systems on which sockets or locks do not do what they do on a disk: NFS, SMB and CIFS, AFS,
/// Lustre, GPFS, 9P, Ceph. FUSE may be anything and counts as one of them. Numbers are those of
/// `statfs(2)`.
const REMOTE: [u32; 10] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x5346_414F,
    0x0BD0_0BD0,
    0x4750_4653,
    0x0102_1997,
    0x00C3_6400,
    0x6573_5546,
];

/// Whether the folder is on a file system that another machine may share.
pub(super) fn is_remote(path: &Path) -> bool {
    rustix::fs::statfs(path)
        .is_ok_and(|found| u32::try_from(found.f_type).is_ok_and(|number| REMOTE.contains(&number)))
}
