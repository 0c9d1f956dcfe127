//! Why Kubernetes has the pod end that we are in.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use tokio::time::timeout;

use super::again::request;
use crate::cause::Cause;
use crate::cluster::causes::Part;
use crate::cluster::trouble::{Trouble, trouble};

/// How long it may take to say so: a pod that is told to end has half a minute in all.
const ANSWER: Duration = Duration::from_secs(2);

/// What is in store for the keeper's own pod.
pub(in crate::keeper) struct Fate {
    pods: Api<Pod>,
    pod: String,
}

impl Fate {
    pub(super) fn new(pods: Api<Pod>, pod: String) -> Self {
        Self { pods, pod }
    }

    /// Who ends the pod, where Kubernetes says so: it marks one before it evicts or preempts it, or
    /// takes its node away. Of one that is only deleted nothing is known.
    pub(in crate::keeper) async fn cause(self) -> Option<Cause> {
        let asked = timeout(ANSWER, request(self.pods.get(&self.pod))).await;
        let pod = match asked {
            Ok(Ok(pod)) => pod,
            Ok(Err(failure)) => {
                tracing::info!(%failure, "why this pod is to end is not known");
                return None;
            }
            Err(_) => {
                tracing::info!("why this pod is to end was not said in time");
                return None;
            }
        };
        let trouble = trouble(&pod, Timestamp::now())?;
        (trouble != Trouble::Deleted).then(|| trouble.cause(Part::Driver))
    }
}
