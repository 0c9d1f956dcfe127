//! Files that a session brings to its server.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Session;
use crate::error::Error;

/// A file for the server, under the name the server tells its use by: `pyfiles/…`, `jars/…`,
/// `files/…`, `archives/…`, `classes/…` or `cache/<sha256>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name on the server.
    pub name: String,
    /// What is in it.
    pub data: Bytes,
}

impl Session {
    /// Sends files.
    ///
    /// # Errors
    /// As any call; and [`Error::Malformed`] when a file did not arrive whole.
    pub async fn add_artifacts(&self, artifacts: Vec<Artifact>) -> Result<(), Error> {
        let _ = artifacts;
        Err(Error::Invalid("not written yet".to_owned()))
    }

    /// Whether the server has files of these names.
    ///
    /// # Errors
    /// As any call.
    pub async fn artifact_status(&self, names: &[&str]) -> Result<BTreeMap<String, bool>, Error> {
        let _ = names;
        Err(Error::Invalid("not written yet".to_owned()))
    }
}
