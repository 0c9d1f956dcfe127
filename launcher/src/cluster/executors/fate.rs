//! How it stands with one executor, from its pod.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::{Executor, Now, Standing};
use crate::cluster::names::label;
use crate::cluster::trouble::{self, Trouble};

/// How it stands with one executor, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there, or will be.
    There(Standing),
    /// It cannot start as things are.
    Hindered(Trouble),
    /// It ended as it should: Spark had no more use for it, and tells such a one to end well before
    /// it deletes its pod.
    Released,
    /// It ended, or is about to, and should not have.
    Lost(Trouble),
}

impl Fate {
    pub(super) fn read(pod: &Pod, now: Now) -> Self {
        let trouble = trouble::trouble(pod, now.day);
        let leaves = pod.metadata.deletion_timestamp.is_some();
        let ended = trouble::ended(pod);
        match trouble {
            Some(trouble) if trouble.may_pass() && !leaves && !ended => Self::Hindered(trouble),
            // Spark deletes those that it asked for and does not need any more, and misses nothing.
            Some(Trouble::Deleted) if !has_run(pod) => Self::Released,
            Some(trouble) if !trouble.may_pass() || ended => Self::Lost(trouble),
            _ if ended || leaves => Self::Released,
            _ if runs(pod) => Self::There(Standing::Running),
            _ => Self::There(Standing::Pending),
        }
    }

    /// How it stands, as long as its pod is there.
    pub(super) fn standing(&self, pod: &Pod) -> Option<Standing> {
        match self {
            Self::There(standing) => Some(*standing),
            Self::Hindered(_) => Some(Standing::Pending),
            Self::Released | Self::Lost(_) if trouble::ended(pod) => None,
            Self::Released | Self::Lost(_) => Some(Standing::Leaving),
        }
    }
}

/// What people call an executor.
pub(super) fn id(pod: &Pod) -> String {
    let number = pod.labels().get(label::SPARK_EXECUTOR);
    number.cloned().unwrap_or_else(|| pod.name_any())
}

/// An executor that is there.
pub(super) fn executor(pod: &Pod, standing: Standing) -> Executor {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
    Executor {
        id: id(pod),
        pod: pod.name_any(),
        node: node.unwrap_or_default(),
        standing,
        since: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
    }
}

fn runs(pod: &Pod) -> bool {
    pod.status
        .as_ref()
        .is_some_and(|status| status.phase.as_deref() == Some("Running"))
}

fn has_run(pod: &Pod) -> bool {
    let Some(status) = &pod.status else {
        return false;
    };
    let mut states = status.container_statuses.iter().flatten();
    states.any(|container| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    })
}
