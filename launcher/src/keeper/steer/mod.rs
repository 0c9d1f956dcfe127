//! What a keeper in a pod does in its cluster: it moves its Job's deadline, follows its executors,
//! tells autoscalers what is busy, and has what it leaves cleared away.

mod again;
mod clearing;
mod deadline;
mod fate;
mod hints;
mod logs;
mod right;
#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};

use super::desk::{Event, Reception};
use super::shown::Shown;
use crate::cause::Cause;
use crate::cluster::assignment::Assignment;
use crate::cluster::mounts::Mounts;
use crate::cluster::names::label;
pub(super) use clearing::Clearing;
use deadline::Deadline;
pub(super) use fate::Fate;
pub(super) use logs::Logs;
use watch::Watch;

/// A keeper's hands in its cluster.
pub(super) struct Steer {
    client: Client,
    namespace: String,
    job: String,
    incarnation: String,
    /// How long the driver may take to start.
    start: Duration,
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
        start: Duration,
    ) -> Result<Self, Cause> {
        let client = right::client(mounts, api, namespace)?;
        Ok(Self {
            client,
            namespace: namespace.to_owned(),
            job: assignment.job.clone(),
            incarnation: assignment.incarnation.clone(),
            start,
            selector: format!(
                "{}={},{}={}",
                label::CLAIM,
                assignment.claim.id(),
                label::INCARNATION,
                assignment.incarnation
            ),
        })
    }

    /// What clears the Job away at the driver's end.
    pub(super) fn clearing(&self) -> Clearing {
        let jobs = Api::namespaced(self.client.clone(), &self.namespace);
        Clearing::new(jobs, self.job.clone(), self.incarnation.clone())
    }

    /// What tells why the driver's pod, of this name, is to end.
    pub(super) fn fate(&self, pod: &str) -> Fate {
        let pods = Api::namespaced(self.client.clone(), &self.namespace);
        Fate::new(pods, pod.to_owned())
    }

    /// Works until it is dropped.
    pub(super) async fn run(self, reception: Reception) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        reception.crew.open_logs(Logs::new(pods.clone()));
        let watch = Watch::new(pods, self.selector);
        let deadline = Deadline::new(self.client, &self.namespace, self.job, self.incarnation);
        let deadline = async {
            let mut state = reception.state.follow();
            let ready = state.wait_for(|shown| matches!(shown, Shown::Ready(_)));
            let starting = async {
                deadline.allow(self.start).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                ready = ready => if ready.is_err() {
                    return;
                },
                () = starting => {}
            }
            deadline.keep_moving(&reception.crew).await;
            let why = "its Job was removed from the cluster";
            reception.tell(Event::Stop(why.to_owned()));
        };
        let watch = watch.run(&reception.crew, reception.busy());
        futures::future::join(deadline, watch).await;
    }
}
