//! A disk of a test's own, which can be full.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk in a folder. It is taken away when it is dropped.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Lays an empty disk of so many megabytes over a folder that is there and empty. `None` where
    /// this process may not and that is allowed.
    ///
    /// # Panics
    /// When it may not where `CI` is set.
    pub fn over(folder: &Path, megabytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m,mode=700"))
            .arg("tmpfs")
            .arg(folder)
            .output()
            .unwrap();
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr).into_owned();
            assert!(std::env::var_os("CI").is_none(), "{why}");
            super::tell(format_args!("SKIPPED, NOT TESTED: a full disk. {why}"));
            return None;
        }
        Some(Self {
            folder: folder.to_owned(),
        })
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.filling()).unwrap();
        let block = [0; 4096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn free(&self) {
        fs::remove_file(self.filling()).unwrap();
    }

    fn filling(&self) -> PathBuf {
        self.folder.join(".filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // At once for who looks, and for who has a file open there when that is closed.
        let gone = Command::new("umount")
            .arg("--lazy")
            .arg(&self.folder)
            .status();
        if !gone.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.folder.display());
        }
    }
}
