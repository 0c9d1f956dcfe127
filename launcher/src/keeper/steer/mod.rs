//! What a keeper in a pod does in its cluster: it moves its Job's deadline, follows its executors,
//! and tells autoscalers what is busy.

mod again;
mod deadline;
mod hints;
mod logs;
mod right;
#[cfg(test)]
mod tests;
mod watch;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};

use super::desk::Reception;
use crate::cause::Cause;
use crate::cluster::assignment::Assignment;
use crate::cluster::mounts::Mounts;
use crate::cluster::names::label;
use deadline::Deadline;
pub(super) use logs::Logs;
use watch::Watch;

/// A keeper's hands in its cluster.
pub(super) struct Steer {
    client: Client,
    namespace: String,
    job: String,
    incarnation: String,
    /// Selects the driver's pod and its executors.
    selector: String,
}

impl Steer {
    /// Takes the keeper's own right up. `api` is where the cluster's API is, as `https://…`. Nothing
    /// is sent yet.
    ///
    /// # Errors
    /// When the right is not mounted, or no client can be made with it.
    pub(super) fn new(
        mounts: &Mounts,
        api: &str,
        namespace: &str,
        assignment: &Assignment,
    ) -> Result<Self, Cause> {
        let client = right::client(mounts, api, namespace)?;
        Ok(Self::with(client, namespace, assignment))
    }

    fn with(client: Client, namespace: &str, assignment: &Assignment) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            job: assignment.job.clone(),
            incarnation: assignment.incarnation.clone(),
            selector: format!(
                "{}={},{}={}",
                label::CLAIM,
                assignment.claim.id(),
                label::INCARNATION,
                assignment.incarnation
            ),
        }
    }

    /// Works until it is dropped.
    pub(super) async fn run(self, reception: Reception) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        reception.crew.open_logs(Logs::new(pods.clone()));
        let deadline = Deadline::new(self.client, &self.namespace, self.job, self.incarnation);
        let watch = Watch::new(pods, self.selector);
        futures::future::join(deadline.run(&reception), watch.run(&reception)).await;
    }
}
