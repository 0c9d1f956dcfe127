//! What an archive was made from, as a name.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::driver::{Parts, jars};

/// Changed with the way archives are made.
const RECIPE: u32 = 1;

/// Another Java, another jar, or one that was written anew, is another key.
pub(super) fn key(parts: &Parts) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(RECIPE.to_le_bytes());
    let java = fs::canonicalize(&parts.java)?;
    let home = java.ancestors().nth(2).unwrap_or(Path::new("/"));
    // What is archived depends on all of its classes.
    let modules = home.join("lib/modules");
    for file in [Some(java), modules.exists().then_some(modules)] {
        file.iter().try_for_each(|file| write(&mut hash, file))?;
    }
    for jar in jars(&parts.spark_home)? {
        write(&mut hash, &jar)?;
    }
    Ok(hex::encode(&hash.finalize()[..8]))
}

fn write(hash: &mut Sha256, file: &Path) -> io::Result<()> {
    let found = fs::metadata(file)?;
    hash.update(file.as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(found.len().to_le_bytes());
    hash.update(found.mtime().to_le_bytes());
    hash.update(found.mtime_nsec().to_le_bytes());
    Ok(())
}
