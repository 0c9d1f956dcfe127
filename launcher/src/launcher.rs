//! What kernels and the command line ask for drivers.

use crate::attach::state::DriverState;
use crate::backend::{Attachee, Attachment};
use crate::cause::{Cause, Kind};
use crate::claim::{Claim, ClaimId};
use crate::environment::Environment;
use crate::paths::Paths;
use crate::profile::Profile;

/// Finds, makes, lists and ends drivers.
#[derive(Debug, Clone)]
pub struct Launcher {
    paths: Paths,
    environment: Environment,
}

/// A driver on this machine, as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its id, for [`Launcher::stop`] and [`Launcher::logs`].
    pub id: ClaimId,
    /// What it is for.
    pub claim: Claim,
    /// What state it is in.
    pub state: DriverState,
    /// How many kernels use it.
    pub attachments: usize,
    /// How many cells run, over all of them.
    pub cells: u32,
    /// How many operations run, whichever client started them.
    pub operations: u32,
}

impl Launcher {
    /// A launcher that keeps its things in `paths` and hands parts of `environment` to drivers.
    pub fn new(paths: Paths, environment: Environment) -> Self {
        Self { paths, environment }
    }

    /// Finds the claim's driver or makes one, and attaches to it, see
    /// [`Backend::attach`](crate::backend::Backend::attach).
    ///
    /// # Errors
    /// When there is no driver and none can be started.
    pub async fn attach(
        &self,
        _claim: &Claim,
        _profile: &Profile,
        _who: &Attachee,
    ) -> Result<Attachment, Cause> {
        let _ = (&self.paths, &self.environment);
        Err(unwritten())
    }

    /// The drivers of this user on this machine. What a dead keeper left is swept and not listed.
    ///
    /// # Errors
    /// When the folder of drivers cannot be read.
    pub async fn list(&self) -> Result<Vec<Listed>, Cause> {
        Err(unwritten())
    }

    /// Ends a driver, whoever uses it, and waits until it is gone.
    ///
    /// # Errors
    /// When there is no such driver, or it does not end in time.
    pub async fn stop(&self, _id: &ClaimId) -> Result<(), Cause> {
        Err(unwritten())
    }

    /// The last lines of a driver's log, also of one that has ended.
    ///
    /// # Errors
    /// When there is no log.
    pub async fn logs(&self, _id: &ClaimId, _lines: usize) -> Result<String, Cause> {
        Err(unwritten())
    }
}

fn unwritten() -> Cause {
    Cause::new(
        Kind::Keeper,
        "Drivers are not written yet",
        "Use SPARK_REMOTE.",
    )
}
