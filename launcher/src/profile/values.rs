//! Profiles as they are written: one YAML form for a laptop's files and for Helm values.

pub mod cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::images::Pattern;
use super::key::Key;
use super::package::Package;
use super::units::{Memory, Span};
use cluster::Cluster;

/// A file of profiles.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct File {
    /// The profile that is used where nobody names one.
    pub default: Option<String>,
    /// What every profile has that does not say otherwise.
    pub defaults: Values,
    /// The profiles by name.
    pub profiles: BTreeMap<String, Values>,
    /// Keys that users cannot change. The operator's file alone may have it.
    pub locked: BTreeSet<Key>,
    /// Spark settings that `conf` may have, instead of the usual ones; a name that ends in `*`
    /// stands for all that begin so. In a user's file, where there is no operator's, they are
    /// added to the usual ones.
    pub allowed_conf: Option<Vec<String>>,
    /// Images that users may choose in a cluster; none, where nothing is said. One that ends in
    /// `/*`, `:*` or `@*` stands for all images of a folder, all tags, all digests. The operator's
    /// file alone may have it; where there is none, users choose what they like.
    pub allowed_images: Option<Vec<Pattern>>,
}

/// What one profile says. What it does not say it takes from the layer below.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Values {
    /// Who shares a driver: all kernels of a user, or none.
    pub share: Option<Share>,
    /// How long a silent kernel keeps its session and what it runs; a laptop may sleep.
    pub away: Option<Span>,
    /// How long a driver waits for someone to come after the last has gone.
    pub grace: Option<Span>,
    /// How long a driver may be idle while kernels are there.
    pub idle_limit: Option<Span>,
    /// The age from which on a driver ends as soon as it is idle.
    pub max_age: Option<Span>,
    /// How long a driver may take to be ready.
    pub start_deadline: Option<Span>,
    /// How Java compiles what the driver runs.
    pub compiler: Option<Compiler>,
    /// The Spark version it must be, such as `4.3` or `4.3.0`.
    pub spark_version: Option<String>,
    /// The driver's heap.
    pub memory: Option<Memory>,
    /// How many tasks run at a time.
    pub cores: Option<NonZeroU16>,
    /// Spark settings the driver is started with.
    pub conf: Option<BTreeMap<String, Scalar>>,
    /// Maven packages on the driver's class path.
    pub packages: Option<Vec<Package>>,
    /// The `java` program, where it is not the one on the path.
    pub java: Option<PathBuf>,
    /// Where tables are kept. Without it they live as long as the driver.
    pub warehouse: Option<PathBuf>,
    /// An existing Spark Connect server, `sc://…`. It is used and never ended, whatever else is said.
    pub connect: Option<String>,
    /// A driver in a Kubernetes cluster. Where it is said, the driver runs there.
    pub kubernetes: Option<Cluster>,
    /// Who uses the driver, where it is not who is logged in.
    pub user: Option<String>,
}

/// Who shares a driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Share {
    /// All kernels of one user, each with a session of its own.
    #[default]
    User,
    /// None: every kernel has its own.
    Kernel,
}

/// How Java compiles what a driver runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Compiler {
    /// By both of its compilers, the second of which takes its time and makes long work fast.
    #[default]
    Thorough,
    /// By the first alone: drivers and first statements start sooner, and results of millions of
    /// rows come slower, to about half the speed.
    Quick,
}

impl Compiler {
    /// Whether it is Java's own choice.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What Java is told.
    pub(crate) fn flags(self) -> Vec<String> {
        match self {
            Self::Thorough => Vec::new(),
            Self::Quick => vec!["-XX:TieredStopAtLevel=1".to_owned()],
        }
    }
}

/// The value of a Spark setting. Numbers and truth values may be written as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Number(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}
