//! Profile files from disk.

use std::fs;
use std::io;
use std::path::Path;

use super::error::ProfileError;
use super::layers::Layer;
use super::values::File;

/// Reads one file; `None` where it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Layer>, ProfileError> {
    match fs::read_to_string(path) {
        Ok(text) => Layer::parse(path, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ProfileError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

impl Layer {
    /// Reads the text of a file; `path` is where it came from, for errors.
    ///
    /// # Errors
    /// Names line, column and key of the first thing that cannot be.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ProfileError> {
        let file = if text.lines().all(|line| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with('#') || line == "---"
        }) {
            // A file of comments alone says nothing, as one that is missing.
            File::default()
        } else {
            serde_saphyr::from_str(text).map_err(|error| yaml(path, &error))?
        };
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }
}

fn yaml(path: &Path, error: &serde_saphyr::Error) -> ProfileError {
    let error = error.without_snippet();
    let location = error.location();
    let whole = error.to_string();
    // The place is told apart, so the reader's own way of telling it is cut off.
    let message = whole
        .split(" at line ")
        .next()
        .unwrap_or(&whole)
        .trim()
        .to_owned();
    ProfileError::Yaml {
        path: path.to_owned(),
        line: location.as_ref().map_or(0, serde_saphyr::Location::line),
        column: location.as_ref().map_or(0, serde_saphyr::Location::column),
        message,
    }
}
