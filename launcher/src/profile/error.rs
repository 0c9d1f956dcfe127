//! What can be wrong with profiles, in words that name the file and the key.

use std::io;
use std::path::PathBuf;

use super::key::Key;
use crate::cause::{Cause, Kind};

/// Why a profile cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A file is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what a profile file is.
    #[error("{}{}: {message}", path.display(), place(*line, *column))]
    Yaml {
        /// Which.
        path: PathBuf,
        /// Line, counted from 1; 0 where it is not known.
        line: u64,
        /// Column, counted from 1.
        column: u64,
        /// What is wrong there.
        message: String,
    },
    /// No profile has the name.
    #[error("there is no profile `{name}`; there {} {}", are(known), known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The user sets what the operator locked.
    #[error(
        "{}: profile `{profile}` sets `{key}`, which {} locks",
        path.display(),
        operator.display()
    )]
    Locked {
        /// The user's file, or the variable that stands for it.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// The locked key.
        key: Key,
        /// The operator's file.
        operator: PathBuf,
    },
    /// The user's file has what only the operator's may have.
    #[error("{}: `{key}` belongs into {}, where the operator writes it", path.display(), operator.display())]
    OperatorOnly {
        /// The user's file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The operator's file.
        operator: PathBuf,
    },
    /// A setting that a driver may not be started with.
    #[error("{}: profile `{profile}`: {refusal}", path.display())]
    Conf {
        /// The file that has it.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// What and why.
        refusal: ConfRefusal,
    },
    /// An image that the user may not choose.
    #[error(
        "{}: profile `{profile}` chooses the image `{image}`, which {} does not allow",
        path.display(),
        operator.display()
    )]
    Image {
        /// The user's file.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// The image.
        image: String,
        /// The operator's file.
        operator: PathBuf,
    },
    /// A profile has a name that cannot be read or typed.
    #[error("{}: `{}` cannot be the name of a profile", path.display(), name.escape_debug())]
    Name {
        /// The file that has it.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A value makes no sense, alone or beside another.
    #[error("{}: profile `{profile}`: {message}", path.display())]
    Value {
        /// The file that has it.
        path: PathBuf,
        /// The profile.
        profile: String,
        /// What is wrong.
        message: String,
    },
    /// A variable of the environment has a value that makes no sense.
    #[error("{name} is `{value}`, which is none of {expected}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// Why one setting is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfRefusal {
    /// It cannot be the name of a setting.
    #[error("`{}` is no name of a Spark setting", key.escape_debug())]
    NoName {
        /// What was written.
        key: String,
    },
    /// Firesteel makes it itself.
    #[error("`{name}` cannot be set: {instead}")]
    Ours {
        /// The setting.
        name: String,
        /// What to do instead, or why nobody may.
        instead: &'static str,
    },
    /// It is not on the list.
    #[error("`{name}` is not among the settings a driver may be started with")]
    NotAllowed {
        /// The setting.
        name: String,
    },
    /// It names a class whose code everybody's profile would run.
    #[error("`{name}` names the class `{class}`, which only an operator may choose")]
    Class {
        /// The setting.
        name: String,
        /// The class.
        class: String,
    },
    /// It has another name now.
    #[error("`{name}` is an old name; Spark calls it `{now}` now")]
    Renamed {
        /// What was written.
        name: String,
        /// What to write.
        now: &'static str,
    },
    /// The profile's Spark does not know it.
    #[error(
        "`{name}` came with Spark {since}, and the profile runs {version}, which does not heed it"
    )]
    TooNew {
        /// The setting.
        name: String,
        /// The first version that has it.
        since: String,
        /// The profile's.
        version: String,
    },
    /// The same setting under two names.
    #[error("`{name}` is set twice")]
    Twice {
        /// The setting.
        name: String,
    },
    /// The value has control characters.
    #[error("the value of `{name}` has control characters")]
    Control {
        /// The setting.
        name: String,
    },
    /// Arrow's lz4 in Spark takes seconds for what takes milliseconds.
    #[error("compressing results with lz4 makes Spark a thousand times slower; use zstd")]
    SlowCodec,
}

impl ProfileError {
    /// What the reader does about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { path, .. } => format!("Make {} readable, or remove it.", path.display()),
            Self::Yaml { .. } => {
                "Correct the file; `firesteel profiles schema` prints all there may be.".to_owned()
            }
            Self::Unknown { .. } => {
                "Choose one of these, or write the profile; `firesteel profiles check` shows them."
                    .to_owned()
            }
            Self::Locked { path, .. } => {
                format!("Remove it from {}, or ask the operator.", path.display())
            }
            Self::OperatorOnly { path, .. } => format!("Remove it from {}.", path.display()),
            Self::Conf { refusal, .. } => match refusal {
                ConfRefusal::NotAllowed { .. } | ConfRefusal::Class { .. } => {
                    "Set it in a cell with `SET`, or have it added to `allowedConf`.".to_owned()
                }
                _ => "Remove it, or correct it.".to_owned(),
            },
            Self::Image { operator, .. } => format!(
                "Choose another, or have it added to `allowedImages` in {}.",
                operator.display()
            ),
            Self::Name { .. } => {
                "Write one of at most 100 letters, digits, signs and spaces between them."
                    .to_owned()
            }
            Self::Value { .. } => "Correct the file.".to_owned(),
            Self::Variable { name, .. } => format!("Correct {name}, or unset it."),
        }
    }
}

impl From<ProfileError> for Cause {
    fn from(error: ProfileError) -> Self {
        let sentence = match &error {
            ProfileError::Read { source, .. } => format!("{error}: {source}"),
            other => other.to_string(),
        };
        Self::new(Kind::Profile, sentence, error.remedy())
    }
}

fn place(line: u64, column: u64) -> String {
    match line {
        0 => String::new(),
        _ => format!(":{line}:{column}"),
    }
}

fn are(known: &[String]) -> &'static str {
    if known.len() == 1 { "is" } else { "are" }
}
