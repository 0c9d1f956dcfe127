//! What a keeper on this machine is told.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::paths::Paths;
use crate::profile::{Memory, Profile};
use crate::runtime::Runtime;

/// Everything a keeper needs to know to start its driver. Reaches it by its standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Where drivers keep their things.
    pub(crate) paths: Paths,
    /// What the driver is for.
    pub(crate) claim: Claim,
    /// What it looks like.
    pub(crate) profile: Profile,
    /// What it is made of.
    pub(crate) parts: Parts,
    /// Its heap.
    pub(crate) heap: Memory,
    /// How many tasks run at a time.
    pub(crate) cores: NonZeroU16,
    /// The variables of the user's environment that it may see.
    pub(crate) environment: BTreeMap<String, String>,
}

/// The runtime a driver is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) spark_home: PathBuf,
    pub(crate) java: PathBuf,
    pub(crate) java_major: u32,
    pub(crate) python: PathBuf,
}

impl From<&Runtime> for Parts {
    fn from(runtime: &Runtime) -> Self {
        Self {
            spark_home: runtime.spark_home.clone(),
            java: runtime.java.clone(),
            java_major: runtime.java_major,
            python: runtime.python.clone(),
        }
    }
}

/// Whether a driver may see this variable of the user's environment: what names the user, the
/// language and the zone, and where credentials are kept. Credentials themselves are not among them.
pub(crate) fn may_see(name: &str) -> bool {
    const NAMES: [&str; 21] = [
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "HADOOP_CONF_DIR",
        "HOME",
        "KRB5CCNAME",
        "KRB5_CONFIG",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TZ",
    ];
    NAMES.contains(&name) || name == "USER" || name.starts_with("LC_")
}
