//! What is known besides the catalog when something is to be completed.

use std::sync::Arc;

use super::catalog::Catalog;

/// What is known. It may be incomplete: completion offers what is there.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The session's catalog.
    pub catalog: Arc<Catalog>,
    /// The results that are kept.
    pub kept: Vec<Word>,
    /// The parameters that have a value, without their `:`.
    pub parameters: Vec<Word>,
    /// What an earlier completion of the same text lacked.
    pub given: Option<Given>,
}

/// A name and what is said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The name.
    pub name: String,
    /// A value, say; may be empty.
    pub about: String,
}

/// Something that is looked up only where it is completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The names of the profiles.
    Profiles,
    /// What is in a folder, by its path as typed up to the last `/`. It may be empty, and it may
    /// begin with [`HERE`].
    Folder(String),
}

/// What was lacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The names of the profiles.
    Profiles(Vec<String>),
    /// What is in the folder; `None` where the driver does not read the files of this machine.
    Folder(Option<Vec<Entry>>),
}

/// What stands for the notebook's folder at the beginning of a path.
pub const HERE: &str = "${firesteel.here}/";

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder itself.
    pub folder: bool,
}
