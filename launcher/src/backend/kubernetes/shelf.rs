//! The drivers that are in a namespace: who asks for them, stops them, reads their logs.

use std::time::{Duration, Instant};

use firesteel_session::address::Token;
use firesteel_session::dial::Dialer;
use futures::future::join_all;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::time::timeout;

use super::access::Access;
use super::find::{age, ended, ends, pod_selector, remove};
use super::refused::is_missing;
use super::seen::running_at;
use super::way::Way;
use crate::attach::client::{Keeper, NotAttached};
use crate::attach::proto::Description;
use crate::attach::state::{DriverState, Phase, PodName};
use crate::cause::{Cause, Kind};
use crate::claim::{Claim, ClaimId};
use crate::cluster::names::{DRIVER_CONTAINER, annotation, label, mount};
use crate::cluster::objects::{job_name, owned_name};
use crate::cluster::tls::pinned;
use crate::cluster::trouble;

/// How long a keeper may take to say what it is, when all are listed.
const DESCRIBE: Duration = Duration::from_secs(5);

/// How long a driver that was told to end may take to do so, before its Job is removed.
const END: Duration = Duration::from_secs(20);

/// A driver as it is found in a namespace.
pub(crate) struct Kept {
    pub(crate) id: ClaimId,
    pub(crate) claim: Claim,
    /// Its pod, where there is one.
    pub(crate) pod: Option<PodName>,
    /// What its keeper said of it; else how far its pod is.
    pub(crate) said: Result<Box<Description>, DriverState>,
}

/// The drivers of one user in one namespace.
pub(crate) struct Shelf {
    access: Access,
    user: String,
}

impl Shelf {
    pub(super) fn new(access: Access, user: String) -> Self {
        Self { access, user }
    }

    /// Those that have not ended.
    pub(crate) async fn list(&self) -> Result<Vec<Kept>, Cause> {
        let what = "list the drivers";
        let selected =
            ListParams::default().labels(&format!("{}={}", label::MANAGED_BY, label::MANAGER));
        let jobs: Api<Job> = self.access.api();
        let jobs = self.access.done(what, jobs.list(&selected)).await?;
        let kept =
            jobs.items
                .iter()
                .filter_map(|job| self.ours(job))
                .map(|(id, claim, job)| async move {
                    let pod = self.pod(&id, job).await.ok().flatten();
                    let described = timeout(DESCRIBE, self.describe(&id, job, pod.as_ref())).await;
                    let described = described.ok().flatten();
                    let said = described.ok_or_else(|| starting(job, pod.as_ref()));
                    let pod = pod.map(|pod| self.name_of(&pod));
                    Kept {
                        id,
                        claim,
                        pod,
                        said,
                    }
                });
        Ok(join_all(kept).await)
    }

    /// Ends a driver; `None` where there is none. Its kernels are told why.
    pub(crate) async fn stop(&self, id: &ClaimId, why: &str) -> Result<Option<()>, Cause> {
        let Some(job) = self.job(id).await? else {
            return Ok(None);
        };
        let (name, uid) = (job.name_any(), job.uid().unwrap_or_default());
        let pod = self.pod(id, &job).await?;
        if let Ok(mut keeper) = self.keeper(id, &job, pod.as_ref()).await
            && keeper.stop(why).await.is_ok()
        {
            match timeout(END, ends(&self.access, &name, &uid)).await {
                Ok(ended) => ended?,
                Err(_) => tracing::info!("the driver does not end by itself; its Job is removed"),
            }
        }
        remove(&self.access, &name, &uid).await?;
        Ok(Some(()))
    }

    /// The end of a driver's log; `None` where there is no driver.
    pub(crate) async fn logs(
        &self,
        id: &ClaimId,
        lines: usize,
        executor: Option<&str>,
    ) -> Result<Option<String>, Cause> {
        let Some(job) = self.job(id).await? else {
            return Ok(None);
        };
        let pod = self.pod(id, &job).await?;
        if let Ok(mut keeper) = self.keeper(id, &job, pod.as_ref()).await {
            return keeper.logs(lines, executor).await.map(Some);
        }
        let Some(pod) = pod else {
            return Ok(Some(String::new()));
        };
        let how = LogParams {
            container: Some(DRIVER_CONTAINER.to_owned()),
            tail_lines: i64::try_from(lines).ok(),
            ..LogParams::default()
        };
        let pods: Api<Pod> = self.access.api();
        let name = pod.name_any();
        let log = pods.logs(&name, &how);
        let log = self
            .access
            .done_unless(is_missing, "read a driver's log", log)
            .await?;
        log.map(Some).ok_or_else(gone)
    }

    /// The Job of a driver of this user that has not ended.
    async fn job(&self, id: &ClaimId) -> Result<Option<Job>, Cause> {
        let jobs: Api<Job> = self.access.api();
        let job = self
            .access
            .done("look for a driver", jobs.get_opt(&job_name(id)))
            .await?;
        Ok(job.filter(|job| self.ours(job).is_some()))
    }

    fn ours<'a>(&self, job: &'a Job) -> Option<(ClaimId, Claim, &'a Job)> {
        let said = job.annotations();
        let claim = Claim {
            user: said.get(annotation::USER)?.clone(),
            profile: said.get(annotation::PROFILE)?.clone(),
            kernel: said.get(annotation::KERNEL).cloned(),
        };
        let id = claim.id();
        let labelled = job.labels().get(label::CLAIM).map(String::as_str) == Some(id.as_str());
        let leaves = job.metadata.deletion_timestamp.is_some() || ended(job);
        (claim.user == self.user && labelled && !leaves).then_some((id, claim, job))
    }

    async fn describe(
        &self,
        id: &ClaimId,
        job: &Job,
        pod: Option<&Pod>,
    ) -> Option<Box<Description>> {
        let mut keeper = self.keeper(id, job, pod).await.ok()?;
        keeper.describe().await.ok().map(Box::new)
    }

    fn name_of(&self, pod: &Pod) -> PodName {
        PodName {
            namespace: self.access.namespace.clone(),
            name: pod.name_any(),
        }
    }

    async fn keeper(
        &self,
        id: &ClaimId,
        job: &Job,
        pod: Option<&Pod>,
    ) -> Result<Keeper, NotAttached> {
        let unreachable = |why: &str| NotAttached::Unreachable(why.to_owned());
        let pod = pod.ok_or_else(|| unreachable("it has no pod"))?;
        let spot = running_at(pod);
        let spot = spot.ok_or_else(|| unreachable("its pod does not run"))?;
        let incarnation = job
            .labels()
            .get(label::INCARNATION)
            .map_or("", String::as_str);
        let secrets: Api<Secret> = self.access.api();
        let name = owned_name(id, incarnation);
        let secret = self
            .access
            .done("read a driver's Secret", secrets.get_opt(&name))
            .await
            .map_err(NotAttached::Refused)?;
        let secret = secret.ok_or_else(|| NotAttached::Refused(gone()))?;
        let data = secret.data.unwrap_or_default();
        let text = |key: &str| {
            let bytes = data.get(key)?;
            String::from_utf8(bytes.0.clone()).ok()
        };
        let (Some(token), Some(certificate)) = (text(mount::TOKEN), text(mount::CERTIFICATE))
        else {
            return Err(unreachable("its Secret is not as Firesteel made it"));
        };
        let connector = pinned(&certificate).map_err(|error| unreachable(&error.to_string()))?;
        let (_, spot) = watch::channel(Some(spot));
        let way = Way::new(self.access.clone(), connector, spot);
        Keeper::dialed(Dialer::new(way), Token::new(token), self.name_of(pod)).await
    }

    async fn pod(&self, id: &ClaimId, job: &Job) -> Result<Option<Pod>, Cause> {
        let incarnation = job
            .labels()
            .get(label::INCARNATION)
            .map_or("", String::as_str);
        let selected = ListParams::default().labels(&pod_selector(id, incarnation));
        let pods: Api<Pod> = self.access.api();
        let mut pods = self
            .access
            .done("look for a driver's pod", pods.list(&selected))
            .await?;
        Ok(pods.items.pop())
    }
}

/// What went between two looks at it.
fn gone() -> Cause {
    Cause::new(
        Kind::KeeperLost,
        "The Spark driver is gone",
        "The next cell starts a new driver.",
    )
}

/// How far the start of a driver is whose keeper does not answer.
fn starting(job: &Job, pod: Option<&Pod>) -> DriverState {
    let now = Instant::now();
    DriverState::Starting {
        phase: pod.map_or(Phase::Scheduling, trouble::phase),
        since: now.checked_sub(age(job)).unwrap_or(now),
        passed: Vec::new(),
        trouble: None,
    }
}
