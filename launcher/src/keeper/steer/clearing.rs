//! What an ended driver leaves in its cluster, and for how long.

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::again::{Failure, request};
use crate::cluster::names::label;

/// How long a driver that was ended on purpose can still be seen, in seconds: who watches its pod
/// hears why before the pod goes.
const SOON: i32 = 2;

/// Clears one Job away.
pub(in crate::keeper) struct Clearing {
    jobs: Api<Job>,
    job: String,
    incarnation: String,
}

impl Clearing {
    pub(super) fn new(jobs: Api<Job>, job: String, incarnation: String) -> Self {
        Self {
            jobs,
            job,
            incarnation,
        }
    }

    /// Has Kubernetes remove the Job, and all that it owns, as soon as its pod has ended. Where that
    /// fails it is as with a driver that died: what it leaves can be looked at for half a minute.
    pub(in crate::keeper) async fn soon(self) {
        match self.shorten().await {
            Ok(()) => tracing::debug!(job = self.job, "the Job is cleared away at its end"),
            Err(failure) => {
                tracing::info!(%failure, job = self.job, "the Job stays for half a minute after its end");
            }
        }
    }

    async fn shorten(&self) -> Result<(), Failure> {
        let job = request(self.jobs.get(&self.job)).await?;
        if job.labels().get(label::INCARNATION) != Some(&self.incarnation) {
            return Ok(());
        }
        // The uid makes it fail where the name is another Job's by now.
        let patch = json!({
            "metadata": { "uid": job.uid() },
            "spec": { "ttlSecondsAfterFinished": SOON }
        });
        let how = PatchParams::default();
        request(self.jobs.patch(&self.job, &how, &Patch::Merge(patch))).await?;
        Ok(())
    }
}
