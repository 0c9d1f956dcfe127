//! Profiles as they are written: one YAML form for a laptop's files and for Helm values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::package::Package;
use super::units::{Memory, Span};

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
}

/// What one profile says. What it does not say it takes from the layer below.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Values {
    /// Who shares a driver: all kernels of a user, or none.
    pub share: Option<Share>,
    /// How long a silent kernel keeps its session and what it runs; a laptop may sleep.
    pub away: Option<Span>,
    /// How long a driver waits for someone to come after the last has gone.
    pub grace: Option<Span>,
    /// How long a driver may be idle while kernels are there. Not acted on yet.
    pub idle_limit: Option<Span>,
    /// How long a driver may take to be ready.
    pub start_deadline: Option<Span>,
    /// The Spark version it must be, such as `4.3` or `4.3.0`.
    pub spark_version: Option<String>,
    /// The driver's heap.
    pub memory: Option<Memory>,
    /// How many tasks run at a time.
    pub cores: Option<NonZeroU16>,
    /// Spark settings the driver is started with.
    pub conf: BTreeMap<String, Scalar>,
    /// Maven packages on the driver's class path.
    pub packages: Option<Vec<Package>>,
    /// The `java` program, where it is not the one on the path.
    pub java: Option<PathBuf>,
    /// Where tables are kept. Without it they live as long as the driver.
    pub warehouse: Option<PathBuf>,
    /// An existing Spark Connect server, `sc://…`. It is used and never ended.
    pub connect: Option<String>,
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

/// The value of a Spark setting. Numbers and truth values may be written as such.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
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

/// The keys of [`Values`], as an operator locks them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "each is explained at the field of its name")]
pub enum Key {
    Share,
    Away,
    Grace,
    IdleLimit,
    StartDeadline,
    SparkVersion,
    Memory,
    Cores,
    Conf,
    Packages,
    Java,
    Warehouse,
    Connect,
    User,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Share => "share",
            Self::Away => "away",
            Self::Grace => "grace",
            Self::IdleLimit => "idleLimit",
            Self::StartDeadline => "startDeadline",
            Self::SparkVersion => "sparkVersion",
            Self::Memory => "memory",
            Self::Cores => "cores",
            Self::Conf => "conf",
            Self::Packages => "packages",
            Self::Java => "java",
            Self::Warehouse => "warehouse",
            Self::Connect => "connect",
            Self::User => "user",
        })
    }
}

impl Values {
    /// Which keys it says something about.
    pub fn keys(&self) -> BTreeSet<Key> {
        [
            (Key::Share, self.share.is_some()),
            (Key::Away, self.away.is_some()),
            (Key::Grace, self.grace.is_some()),
            (Key::IdleLimit, self.idle_limit.is_some()),
            (Key::StartDeadline, self.start_deadline.is_some()),
            (Key::SparkVersion, self.spark_version.is_some()),
            (Key::Memory, self.memory.is_some()),
            (Key::Cores, self.cores.is_some()),
            (Key::Conf, !self.conf.is_empty()),
            (Key::Packages, self.packages.is_some()),
            (Key::Java, self.java.is_some()),
            (Key::Warehouse, self.warehouse.is_some()),
            (Key::Connect, self.connect.is_some()),
            (Key::User, self.user.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, said)| said.then_some(key))
        .collect()
    }

    /// This layer with `upper` over it: what `upper` says counts, `conf` is joined by key.
    #[must_use]
    pub fn under(self, upper: &Self) -> Self {
        let upper = upper.clone();
        let mut conf = self.conf;
        conf.extend(upper.conf);
        Self {
            share: upper.share.or(self.share),
            away: upper.away.or(self.away),
            grace: upper.grace.or(self.grace),
            idle_limit: upper.idle_limit.or(self.idle_limit),
            start_deadline: upper.start_deadline.or(self.start_deadline),
            spark_version: upper.spark_version.or(self.spark_version),
            memory: upper.memory.or(self.memory),
            cores: upper.cores.or(self.cores),
            conf,
            packages: upper.packages.or(self.packages),
            java: upper.java.or(self.java),
            warehouse: upper.warehouse.or(self.warehouse),
            connect: upper.connect.or(self.connect),
            user: upper.user.or(self.user),
        }
    }
}
