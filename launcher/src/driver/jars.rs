//! The jars that a driver's classes come from.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// What stands before the last record of a zip file, and how far from the end it may begin: the
/// record itself, and a comment of a few words (APPNOTE.TXT 4.3.16).
const END: [u8; 4] = *b"PK\x05\x06";
const FURTHEST: u64 = 1024;

/// The jars of a Spark, sorted: a shared archive of classes is valid for one order alone.
pub(crate) fn jars(spark_home: &Path) -> io::Result<Vec<PathBuf>> {
    let mut jars = Vec::new();
    for entry in fs::read_dir(spark_home.join("jars"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "jar") {
            jars.push(path);
        }
    }
    jars.sort();
    Ok(jars)
}

/// Those of the jars of a Spark that are no whole zip files: the end of each is read.
pub(crate) fn broken(spark_home: &Path) -> Vec<PathBuf> {
    let all = jars(spark_home).unwrap_or_default();
    let whole = |jar: &PathBuf| is_whole(jar).unwrap_or(false);
    all.into_iter().filter(|jar| !whole(jar)).collect()
}

fn is_whole(jar: &Path) -> io::Result<bool> {
    let mut file = File::open(jar)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(FURTHEST)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end.windows(END.len()).any(|window| window == END))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_that_was_cut_short_is_told_from_whole_ones() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("jars");
        fs::create_dir(&folder).unwrap();
        let whole = crate::driver::plan::LISTENER;
        let commented = [whole, b"made by hand"].concat();
        for (name, content) in [
            ("a.jar", whole),
            ("b.jar", &commented),
            ("c.jar", &whole[..whole.len() / 2]),
            ("d.jar", b""),
            ("e.txt", b"no jar at all"),
        ] {
            fs::write(folder.join(name), content).unwrap();
        }
        assert_eq!(
            broken(home.path()),
            [folder.join("c.jar"), folder.join("d.jar")]
        );
    }
}
