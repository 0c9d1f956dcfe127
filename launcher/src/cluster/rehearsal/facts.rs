//! What a cluster said when it was asked what it would do. Values of Secrets are never among it.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, ResourceQuota};

use super::named::Named;
use super::rights::Right;

/// All that was asked.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Each right that is needed.
    pub(crate) rights: Vec<(Right, Answer)>,
    /// Each thing that would be made.
    pub(crate) tries: Vec<Tried>,
    /// The quotas of the namespace.
    pub(crate) quotas: Seen<Vec<ResourceQuota>>,
    /// The nodes of the cluster.
    pub(crate) nodes: Seen<Vec<Node>>,
    /// Each thing that the profile names.
    pub(crate) named: Vec<(Named, Seen<Thing>)>,
}

/// What was seen of something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen<T> {
    /// It is there.
    Found(T),
    /// It is not there.
    Missing,
    /// We may not look.
    Forbidden,
    /// The cluster failed to say, and how.
    Failed(String),
}

/// What is known of a thing that a profile names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Thing {
    /// Its keys, of a Secret or a ConfigMap.
    pub(crate) keys: BTreeSet<String>,
    /// Its type, of a Secret; its phase, of a volume claim.
    pub(crate) state: String,
}

/// Whether somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// We may not ask about them.
    Forbidden,
    /// The cluster failed to say, and how.
    Failed(String),
}

/// Something whose creation the cluster was asked to go through, without making it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    /// What it is.
    pub(crate) what: What,
    /// What the cluster said.
    pub(crate) outcome: Outcome,
}

/// What is made for a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Job,
    DriverPod,
    ExecutorPod,
    Secret,
    ConfigMap,
    Service,
}

/// What the cluster said to the creation of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It would be made.
    Taken,
    /// One of its name is there.
    There,
    /// There is no such namespace.
    NoNamespace,
    /// It would be refused, and why.
    Refused(String),
    /// We may not make such a thing ourselves.
    Forbidden,
    /// The cluster failed to say, and how.
    Failed(String),
}

impl Facts {
    /// What the cluster said to the creation of this.
    pub(super) fn outcome(&self, what: What) -> Option<&Outcome> {
        let tried = self.tries.iter().find(|tried| tried.what == what)?;
        Some(&tried.outcome)
    }
}
