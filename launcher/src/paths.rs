//! Where Firesteel keeps its things on this machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The folders of one user, following the XDG base directory specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// What is installed once and kept: the Spark runtime. `$XDG_DATA_HOME/firesteel`.
    pub data: PathBuf,
    /// What grows while we run: logs, histories. `$XDG_STATE_HOME/firesteel`.
    pub state: PathBuf,
    /// The user's own settings. `$XDG_CONFIG_HOME/firesteel`.
    pub config: PathBuf,
    /// Sockets, locks and tokens of running drivers; readable by the user alone and on a local
    /// file system. `$XDG_RUNTIME_DIR/firesteel`, else `/tmp/firesteel-UID`.
    pub run: PathBuf,
    /// What drivers spill, cache and, by default, keep tables in; on a disk of this machine.
    /// `$TMPDIR/firesteel-UID`, else `/var/tmp/firesteel-UID`.
    pub scratch: PathBuf,
    /// The operator's settings. `/etc/firesteel`, or `$FIRESTEEL_ETC`.
    pub etc: PathBuf,
}

impl Paths {
    /// Reads the folders from the environment, through `var`.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            var(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = set("HOME").unwrap_or_else(|| PathBuf::from("/"));
        let xdg = |name: &str, fallback: &str| {
            set(name)
                .unwrap_or_else(|| home.join(fallback))
                .join("firesteel")
        };
        let own = format!("firesteel-{}", rustix::process::getuid().as_raw());
        let run = set("XDG_RUNTIME_DIR")
            .map_or_else(|| Path::new("/tmp").join(&own), |dir| dir.join("firesteel"));
        let scratch = set("TMPDIR")
            .unwrap_or_else(|| PathBuf::from("/var/tmp"))
            .join(&own);
        Self {
            data: xdg("XDG_DATA_HOME", ".local/share"),
            state: xdg("XDG_STATE_HOME", ".local/state"),
            config: xdg("XDG_CONFIG_HOME", ".config"),
            run,
            scratch,
            etc: set("FIRESTEEL_ETC").unwrap_or_else(|| PathBuf::from("/etc/firesteel")),
        }
    }
}
