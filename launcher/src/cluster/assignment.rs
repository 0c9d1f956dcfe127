//! What a keeper in a pod is told.

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::profile::Profile;

/// Everything a keeper in a pod is told, by a file of its ConfigMap. It holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// What the driver is for.
    pub(crate) claim: Claim,
    /// What it looks like; its `runs` is [`Runs::Kubernetes`](crate::profile::Runs::Kubernetes).
    pub(crate) profile: Profile,
    /// Names this driver among all that its claim ever had.
    pub(crate) incarnation: String,
    /// The Job that the keeper's pod belongs to.
    pub(crate) job: String,
    /// What its executors' names begin with.
    pub(crate) executor_prefix: String,
}
