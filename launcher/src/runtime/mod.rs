//! What a driver on this machine is made of: a Spark, a Java, a Python.
//!
//! [`install`] puts them into a folder of the user's own, [`Runtime::locate`] finds them again.

mod install;
mod java;
mod python;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::paths::Paths;

pub use install::{InstallError, Progress, install};
pub use java::{Java, OLDEST_JAVA};
pub use python::{OLDEST_PYTHON, Python};

/// The version of Spark that the runtime holds.
pub const SPARK_VERSION: &str = "4.3.0";

/// Every Python package of the runtime, pinned.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Written last by an installation: a folder without it is half made.
const MARKER: &str = "runtime.json";

/// The parts a local driver is started from. All paths are absolute and existed when looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// The folder of the installation.
    pub home: PathBuf,
    /// Spark's home: the folder with `jars`.
    pub spark_home: PathBuf,
    /// Version of that Spark, such as `4.3.0`.
    pub spark_version: String,
    /// The `java` program.
    pub java: PathBuf,
    /// Major version of that Java, such as `17`.
    pub java_major: u32,
    /// The Python that Spark's Python workers run on: it has pyarrow and pandas.
    pub python: PathBuf,
}

/// A part of the runtime that is not there, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}. {remedy}")]
pub struct Missing {
    /// What was looked for and not found.
    pub what: String,
    /// What the user does about it.
    pub remedy: String,
}

/// What an installation says of itself, in its marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// What it was made from, see [`key`].
    key: String,
    /// Version of the Spark in it.
    spark_version: String,
    /// Spark's home, below the installation.
    spark_home: PathBuf,
    /// The Python, below the installation.
    python: PathBuf,
    /// A Java that was installed along, below the installation.
    java: Option<PathBuf>,
}

impl Runtime {
    /// Finds the runtime that `firesteel runtime install` made: in `$FIRESTEEL_RUNTIME`, else in
    /// the user's data folder. `java` is a profile's own choice and comes before any other; then
    /// come `$JAVA_HOME`, the search path and the Java installed along.
    ///
    /// # Errors
    /// Names the first part that is missing and what to do about it.
    pub fn locate(
        paths: &Paths,
        java: Option<&Path>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Missing> {
        let home = folder(paths, &var);
        let marker = read_marker(&home)?;
        let spark_home = home.join(&marker.spark_home);
        if !spark_home.join("jars").is_dir() {
            return Err(damaged(&home, "Spark's jars"));
        }
        // Java takes another name of the same folder for another Spark.
        let spark_home = fs::canonicalize(&spark_home).unwrap_or(spark_home);
        let python = home.join(&marker.python);
        if !python.is_file() {
            return Err(damaged(&home, "its Python"));
        }
        let along = marker.java.map(|java| home.join(java));
        let java = Java::find(java, along.as_deref(), &var)?;
        Ok(Self {
            home,
            spark_home,
            spark_version: marker.spark_version,
            java: java.program,
            java_major: java.major,
            python,
        })
    }

    /// A program of the runtime's Python environment, such as `jupyter`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.python.with_file_name(name)
    }
}

/// The folder an installation is in, or would be.
pub fn folder(paths: &Paths, var: impl Fn(&str) -> Option<String>) -> PathBuf {
    match var("FIRESTEEL_RUNTIME").map(PathBuf::from) {
        Some(chosen) if chosen.is_absolute() => chosen,
        _ => paths.data.join("runtime").join(key()),
    }
}

/// What the runtime is made from, as a name: another list of packages is another folder.
fn key() -> String {
    let digest = Sha256::digest(REQUIREMENTS.as_bytes());
    format!("spark-{SPARK_VERSION}-{}", hex::encode(&digest[..4]))
}

fn read_marker(home: &Path) -> Result<Marker, Missing> {
    let remedy = "Run `firesteel runtime install`; it takes about a minute.";
    if !home.is_dir() {
        return Err(Missing {
            what: "Spark is not installed for this user yet".to_owned(),
            remedy: remedy.to_owned(),
        });
    }
    fs::read(home.join(MARKER))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .ok_or_else(|| Missing {
            what: format!(
                "The Spark runtime in {} was only half installed",
                home.display()
            ),
            remedy: remedy.to_owned(),
        })
}

fn damaged(home: &Path, part: &str) -> Missing {
    Missing {
        what: format!("The Spark runtime in {} lost {part}", home.display()),
        remedy: "Run `firesteel runtime install --again`.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(data: &Path) -> Paths {
        let data = data.to_string_lossy().into_owned();
        Paths::from_env(move |name| (name == "XDG_DATA_HOME").then(|| data.clone()))
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_machine_without_spark_is_told_how_to_get_it() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Runtime::locate(&paths(dir.path()), None, nothing).unwrap_err();
        assert!(missing.what.contains("not installed"), "{missing}");
        assert!(missing.remedy.contains("firesteel runtime install"));
    }

    #[test]
    fn a_folder_without_its_marker_is_half_installed() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        fs::create_dir_all(folder(&paths, nothing)).unwrap();
        let missing = Runtime::locate(&paths, None, nothing).unwrap_err();
        assert!(missing.what.contains("half installed"), "{missing}");
    }

    /// Says that an installation is whole.
    fn mark(home: &Path) {
        let marker = Marker {
            key: key(),
            spark_version: SPARK_VERSION.to_owned(),
            spark_home: PathBuf::from("spark"),
            python: PathBuf::from("bin/python"),
            java: None,
        };
        fs::write(home.join(MARKER), serde_json::to_vec(&marker).unwrap()).unwrap();
    }

    #[test]
    fn a_marker_without_its_jars_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        let home = folder(&paths, nothing);
        fs::create_dir_all(&home).unwrap();
        mark(&home);
        let missing = Runtime::locate(&paths, None, nothing).unwrap_err();
        assert!(missing.what.contains("lost Spark's jars"), "{missing}");
    }

    #[test]
    fn a_spark_has_one_name_however_its_folder_is_reached() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("installed");
        for folder in ["spark/jars", "bin"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        let java = dir.path().join("java");
        fs::create_dir_all(java.join("bin")).unwrap();
        fs::write(java.join("release"), "JAVA_VERSION=\"17.0.15\"").unwrap();
        for program in [home.join("bin/python"), java.join("bin/java")] {
            fs::write(program, "").unwrap();
        }
        mark(&home);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&home, &link).unwrap();
        for spelling in [&home, &link, &home.join("../installed")] {
            let chosen = spelling.to_string_lossy().into_owned();
            let found = Runtime::locate(&paths(dir.path()), Some(&java), |name| {
                (name == "FIRESTEEL_RUNTIME").then(|| chosen.clone())
            });
            let spark = fs::canonicalize(home.join("spark")).unwrap();
            assert_eq!(found.unwrap().spark_home, spark, "{chosen}");
        }
    }
}
