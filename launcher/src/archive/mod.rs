//! Classes of a Spark, read and checked once: a driver that finds them so starts in a fraction of
//! the time.
//!
//! An archive fits one Java and one list of jars; [`Archive`] is named by what it was made from, so
//! that another Java or Spark finds none. It is made in the background, once, by a driver that
//! nobody uses ([`make`]).

mod key;
mod make;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::driver::Parts;

pub(crate) use make::make;

/// The first Java whose archives hold more than classes (JEP 483, JEP 514).
const AHEAD_OF_TIME: u32 = 25;

/// The archive of one Java and one Spark, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    folder: PathBuf,
    key: String,
    java_major: u32,
}

/// What is written beside an archive once it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// Its size.
    bytes: u64,
    java: PathBuf,
}

impl Archive {
    /// That of these parts. It lies with its Spark, goes with it, and serves whoever uses it.
    ///
    /// # Errors
    /// When they cannot be looked at.
    pub(crate) fn of(parts: &Parts) -> io::Result<Self> {
        Ok(Self {
            folder: parts.spark_home.join("archives"),
            key: key::key(parts)?,
            java_major: parts.java_major,
        })
    }

    /// The archive, where it is whole.
    pub(crate) fn ready(&self) -> Option<Whole> {
        let marker = read(&self.marker())?;
        let size = fs::metadata(self.file()).ok()?.len();
        (size == marker.bytes).then(|| Whole {
            file: self.file(),
            marker: Some(self.marker()),
            java_major: self.java_major,
        })
    }

    /// What Java is told to make it in `file`.
    fn flags_to_make(&self, file: &Path) -> String {
        let option = if self.java_major >= AHEAD_OF_TIME {
            "AOTCacheOutput"
        } else {
            "ArchiveClassesAtExit"
        };
        format!("-XX:{option}={}", file.display())
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.jsa", self.key))
    }

    fn marker(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.key))
    }

    /// Held by whoever makes it.
    fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.key))
    }
}

/// An archive that somebody made to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    file: PathBuf,
    /// What says that it is whole, where it is ours.
    marker: Option<PathBuf>,
    java_major: u32,
}

impl Whole {
    /// The one that comes with an image.
    pub(crate) fn of_image(file: &Path, java_major: u32) -> Self {
        Self {
            file: file.to_owned(),
            marker: None,
            java_major,
        }
    }

    /// What Java is told to start from it. One that was made for another class path is passed over by
    /// Java itself.
    pub(crate) fn flags(&self) -> [String; 2] {
        let file = self.file.display();
        if self.java_major >= AHEAD_OF_TIME {
            return [
                "-XX:AOTMode=auto".to_owned(),
                format!("-XX:AOTCache={file}"),
            ];
        }
        [
            "-Xshare:auto".to_owned(),
            format!("-XX:SharedArchiveFile={file}"),
        ]
    }

    /// Has nobody use it again: Java died of it. The next driver has another one made.
    pub(crate) fn spoiled(&self) {
        tracing::warn!(file = %self.file.display(), "Java died of an archive of classes");
        if let Some(Err(error)) = self.marker.as_ref().map(fs::remove_file) {
            tracing::warn!(%error, "it cannot be removed");
        }
    }
}

fn read(marker: &Path) -> Option<Marker> {
    serde_json::from_slice(&fs::read(marker).ok()?).ok()
}

#[cfg(test)]
mod tests;
