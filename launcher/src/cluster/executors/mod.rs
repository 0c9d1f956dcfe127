//! A driver's executors, from what Kubernetes shows of their pods: which there are, which were lost
//! and why, which cannot start.
//!
//! A function of pods and clocks. It takes the same pod twice, or two pods in either order, for the
//! same; whoever watches them need not be careful.

mod crashes;
mod fate;
mod hints;
mod muster;
mod refused;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

pub(crate) use hints::hint;
pub(crate) use muster::Muster;
pub(crate) use refused::{Complaints, refused};

/// Every cause that is told of executors alone.
#[cfg(test)]
pub(crate) fn examples() -> Vec<(super::causes::Why, crate::cause::Cause)> {
    let mut all = refused::tests::examples();
    all.push(crashes::tests::example());
    all
}

/// What the clocks say: the one that others' times are told by, and our own, which never jumps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// The time of day.
    pub(crate) day: Timestamp,
    /// Time since some moment of ours.
    pub(crate) own: Duration,
}

/// One executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executor {
    /// Spark's number of it; the pod's name, where Spark gave none.
    pub(crate) id: String,
    pub(crate) pod: String,
    /// Empty while it has none.
    pub(crate) node: String,
    pub(crate) standing: Standing,
    /// When its pod was made.
    pub(crate) since: Option<Timestamp>,
}

/// How it stands with an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was asked for and is not there yet.
    Pending,
    /// Its program runs.
    Running,
    /// It goes, and takes no more tasks.
    Leaving,
}

impl Standing {
    /// As the attach service calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Leaving => "leaving",
        }
    }
}
