//! Classes of a Spark, read and checked once: a driver that finds them so starts in a fraction of
//! the time.
//!
//! An archive fits one Java and one list of jars; [`Archive`] is named by what it was made from, so
//! that another Java or Spark finds none. It is made in the background, once, by a driver that
//! nobody uses ([`make`]). Java trusts what is in it; so we look whether it is as it was made.

mod digest;
mod key;
mod make;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

use crate::driver::Parts;

pub(crate) use make::make;

/// The first Java whose archives hold more than classes (JEP 483, JEP 514).
const AHEAD_OF_TIME: u32 = 25;

/// The archive of one Java and one Spark, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    spark_home: PathBuf,
    folder: PathBuf,
    key: String,
    java_major: u32,
}

/// What is written beside an archive once it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// Its size.
    bytes: u64,
    /// What is in it, by its [`digest`].
    digest: String,
    /// Of what it was made, as they were named: Java compares class paths by their text.
    java: PathBuf,
    spark_home: PathBuf,
}

impl Archive {
    /// That of these parts. It lies with its Spark, goes with it, and serves whoever uses it.
    ///
    /// # Errors
    /// When they cannot be looked at.
    pub(crate) fn of(parts: &Parts) -> io::Result<Self> {
        Ok(Self {
            spark_home: parts.spark_home.clone(),
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
            ours: Some(Ours {
                marker: self.marker(),
                digest: marker.digest,
            }),
            java_major: self.java_major,
        })
    }

    /// Whether we may write where it lies, or would lie.
    ///
    /// # Errors
    /// Why not: the folder is another user's, or on a disk that is only read.
    pub(crate) fn can_be_made(&self) -> io::Result<()> {
        let there = [&self.folder, &self.spark_home];
        let folder = there.into_iter().find(|folder| folder.exists());
        let folder = folder.unwrap_or(&self.folder);
        Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
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
    ours: Option<Ours>,
    java_major: u32,
}

/// What is known of an archive that we made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ours {
    /// What says that it is whole.
    marker: PathBuf,
    digest: String,
}

impl Whole {
    /// The one that comes with an image.
    pub(crate) fn of_image(file: &Path, java_major: u32) -> Self {
        Self {
            file: file.to_owned(),
            ours: None,
            java_major,
        }
    }

    /// Whether it is as it was made. All of it is read, which takes a tenth of a second where memory
    /// holds it, on a thread that may block. One that came with an image was checked with its layer.
    pub(crate) async fn is_sound(&self) -> bool {
        let Some(ours) = self.ours.clone() else {
            return true;
        };
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || digest::of(&file));
        read.await
            .is_ok_and(|read| read.is_ok_and(|digest| digest == ours.digest))
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

    /// Has nobody use it again, and the next driver have another one made. `why` is for the log.
    pub(crate) fn spoiled(&self, why: &str) {
        tracing::warn!(file = %self.file.display(), why, "an archive of classes is not used again");
        let removed = self.ours.as_ref().map(|ours| fs::remove_file(&ours.marker));
        if let Some(Err(error)) = removed {
            tracing::warn!(%error, "it cannot be removed");
        }
    }
}

fn read(marker: &Path) -> Option<Marker> {
    serde_json::from_slice(&fs::read(marker).ok()?).ok()
}

#[cfg(test)]
mod tests;
