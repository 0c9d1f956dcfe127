//! Profiles: what a driver looks like, by name.
//!
//! They come in layers, built-in < operator < user, each a [`values::File`]. [`Profiles`] holds the
//! layers, [`Profile`] is what comes out of them under one name.

mod catalogs;
mod choose;
mod conf;
mod error;
mod images;
mod key;
mod kubernetes;
mod layers;
mod legal;
mod load;
mod package;
mod resolve;
mod taken;
mod units;
mod user;
pub mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use choose::{Chosen, Source, choose};
pub use error::{ConfRefusal, ProfileError};
pub use images::Pattern;
pub use key::Key;
pub use kubernetes::{
    Bundle, BundleSource, Executors, Gpu, Kubernetes, LocalDisk, Placement, Prices, Proxy, Size,
    Variable, Volume, VolumeSource,
};
pub use layers::{Layer, Profiles};
pub use package::Package;
pub use units::{Memory, Span};
pub use values::{Compiler, Share};

/// Name of the profile that is always there.
pub const LOCAL: &str = "local";

/// Name of the profile for short looks, that is always there too: as [`LOCAL`], compiled quickly.
pub const INTERACTIVE: &str = "interactive";

/// Name of the profile that `SPARK_REMOTE` makes.
pub const REMOTE: &str = "remote";

/// How long a driver on one machine may take to be ready.
const LOCAL_START_DEADLINE: Span = Span::seconds(3 * 60);

/// What a driver looks like, all layers taken together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Who shares a driver.
    pub share: Share,
    /// How long a silent kernel keeps its session and what it runs.
    pub away: Span,
    /// How long a driver waits for someone to come after the last has gone.
    pub grace: Span,
    /// How long a driver may be idle while kernels are there.
    pub idle_limit: Option<Span>,
    /// The age from which on a driver ends as soon as it is idle.
    pub max_age: Option<Span>,
    /// The user to be, where it is not who is logged in.
    pub user: Option<String>,
    /// How Java compiles what the driver runs.
    #[serde(default, skip_serializing_if = "Compiler::is_usual")]
    pub compiler: Compiler,
    /// What runs.
    pub runs: Runs,
}

/// What a profile stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Runs {
    /// A driver of our own on this machine.
    Local(Local),
    /// A Connect server that is there already.
    Remote(Remote),
    /// A driver of our own in a Kubernetes cluster.
    Kubernetes(Box<Kubernetes>),
}

/// A driver on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// How long it may take to be ready.
    pub start_deadline: Span,
    /// The Spark version it must be; `4.3` stands for every `4.3.x`.
    pub spark_version: Option<String>,
    /// Its heap; without it, a share of the memory there is.
    pub memory: Option<Memory>,
    /// How many tasks run at a time; without it, as many as there are processors.
    pub cores: Option<NonZeroU16>,
    /// Spark settings, by their right names.
    pub conf: BTreeMap<String, String>,
    /// Packages on its class path.
    pub packages: Vec<Package>,
    /// Its `java` program, where the profile names one.
    pub java: Option<PathBuf>,
    /// Where its tables are kept; without it, in a folder swept with the driver.
    pub warehouse: Option<PathBuf>,
}

/// An existing server: its `sc://…` text, which may hold a token and is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote(String);

impl Remote {
    /// The address, for those who connect.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote(…)")
    }
}

impl Profile {
    /// A driver on this machine with nothing said.
    pub fn built_in(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            share: Share::User,
            away: Span::seconds(15 * 60),
            grace: Span::seconds(60),
            idle_limit: None,
            max_age: None,
            user: None,
            compiler: match name {
                INTERACTIVE => Compiler::Quick,
                _ => Compiler::default(),
            },
            runs: Runs::Local(Local {
                start_deadline: LOCAL_START_DEADLINE,
                spark_version: None,
                memory: None,
                cores: None,
                conf: BTreeMap::new(),
                packages: Vec::new(),
                java: None,
                warehouse: None,
            }),
        }
    }

    /// Tells one state of a profile from another: 16 hexadecimal digits, equal where everything is.
    pub fn hash(&self) -> String {
        // Only maps with sorted keys are in it, so equal profiles have equal texts.
        let text = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(&Sha256::digest(text)[..8])
    }
}

/// The JSON Schema of a profile file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(values::File).to_value()
}
