//! Tells autoscalers which of the driver's pods are busy.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use tokio::time::Instant;

use super::again::{Failure, Pauses, request};
use crate::cluster::executors::hint;

/// How long a driver must be idle before its pods say so: between two cells it is not.
const SETTLES: Duration = Duration::from_secs(5);

/// How long nothing is sent after something else in the cluster undid it.
const TAKEN_BACK: Duration = Duration::from_secs(60);

/// How many pods are patched at a time.
const AT_A_TIME: usize = 4;

/// Whether a driver is busy, as autoscalers are told: busy at once, idle after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Something runs.
    Busy,
    /// Nothing has run since.
    Idle(Instant),
}

impl Mood {
    /// Notes whether something runs.
    pub(super) fn note(&mut self, busy: bool, now: Instant) {
        *self = match (busy, *self) {
            (true, _) => Self::Busy,
            (false, Self::Idle(since)) => Self::Idle(since),
            (false, Self::Busy) => Self::Idle(now),
        };
    }

    /// Whether autoscalers are to take it for busy.
    pub(super) fn is_busy(self, now: Instant) -> bool {
        match self {
            Self::Busy => true,
            Self::Idle(since) => now < since + SETTLES,
        }
    }

    /// When that changes, unless something runs before.
    pub(super) fn next(self, now: Instant) -> Option<Instant> {
        match self {
            Self::Idle(since) if now < since + SETTLES => Some(since + SETTLES),
            Self::Idle(_) | Self::Busy => None,
        }
    }
}

/// A patch that was sent: of which pod, what it was to say, and what came of it.
struct Sent {
    uid: String,
    busy: bool,
    patched: Result<Pod, Failure>,
}

/// The patches that are on their way.
pub(super) struct Hints {
    api: Api<Pod>,
    flying: FuturesUnordered<BoxFuture<'static, Sent>>,
    /// The uids of their pods.
    pods: BTreeSet<String>,
    pauses: Pauses,
    /// After a failure none is sent before.
    not_before: Option<Instant>,
}

impl Hints {
    pub(super) fn new(api: Api<Pod>) -> Self {
        Self {
            api,
            flying: FuturesUnordered::new(),
            pods: BTreeSet::new(),
            pauses: Pauses::default(),
            not_before: None,
        }
    }

    /// Sends what pods do not say yet.
    pub(super) fn send<'p>(&mut self, pods: impl Iterator<Item = &'p Pod>, busy: bool) {
        let now = Instant::now();
        if self.not_before.is_some_and(|time| now < time) {
            return;
        }
        self.not_before = None;
        for pod in pods {
            let (Some(uid), Some(patch)) = (pod.uid(), hint(pod, busy)) else {
                continue;
            };
            if self.flying.len() >= AT_A_TIME || !self.pods.insert(uid.clone()) {
                continue;
            }
            let (api, name) = (self.api.clone(), pod.name_any());
            self.flying.push(Box::pin(async move {
                let (how, patch) = (PatchParams::default(), Patch::Merge(patch));
                let patched = request(api.patch(&name, &how, &patch)).await;
                Sent { uid, busy, patched }
            }));
        }
    }

    /// Waits until a pod was patched, and gives it. Cancel-safe; never ends where none is on its way.
    pub(super) async fn sent(&mut self) -> Option<Pod> {
        let Some(sent) = self.flying.next().await else {
            return std::future::pending().await;
        };
        self.pods.remove(&sent.uid);
        match sent.patched {
            Ok(pod) if hint(&pod, sent.busy).is_some() => {
                tracing::warn!("something takes back what autoscalers are told");
                self.not_before = Some(Instant::now() + TAKEN_BACK);
                Some(pod)
            }
            Ok(pod) => {
                self.pauses = Pauses::default();
                Some(pod)
            }
            // One that is gone needs no hint.
            Err(failure) if failure.code() == Some(404) => None,
            Err(failure) => {
                tracing::warn!(%failure, "autoscalers cannot be told what is busy");
                self.not_before = Some(Instant::now() + self.pauses.after(&failure));
                None
            }
        }
    }

    /// When something may be sent again that could not be.
    pub(super) fn next(&self) -> Option<Instant> {
        self.not_before
    }
}
