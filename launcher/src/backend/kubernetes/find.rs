//! Finding a claim's driver, or making it. The Job's name is the lock: of those who race, one makes
//! the Job and the others join.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::wait::{Condition, conditions};
use kube::runtime::watcher::{self, watch_object, watcher};
use kube::{Api, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::access::{Access, again};
use super::refused::{is_conflict, is_missing, locked, refusal, refused, taken};
use super::seen::{is_over, running_at};
use super::waiting;
use super::way::Spot;
use crate::cause::{Cause, Kind};
use crate::claim::{Claim, ClaimId};
use crate::cluster::names::{label, mount};
use crate::cluster::objects::{Fresh, Objects, job_name, objects};
use crate::cluster::tls::Identity;
use crate::driver::no_random;
use crate::profile::{self, Profile};
use crate::secret as random;

/// How long it may take to find or make a Job, with the one before it in the way.
const FIND_OR_MAKE: Duration = Duration::from_secs(60);

/// A driver's Job, and what opens its keeper.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The Job's name.
    pub(super) job: String,
    /// Its uid.
    pub(super) uid: String,
    /// Which driver of the claim it is.
    pub(super) incarnation: String,
    /// Opens the door.
    pub(super) token: String,
    /// The keeper's certificate, PEM.
    pub(super) certificate: String,
    /// How old it was when it was found, as far as the clocks agree.
    pub(super) age: Duration,
    /// Where its keeper ran, where it ran already.
    pub(super) spot: Option<Spot>,
}

/// What to do about the Job that stands under a claim's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// There is none.
    Make,
    /// A driver runs or starts: its uid and incarnation.
    Join { uid: String, incarnation: String },
    /// It has ended and can be removed.
    Remove { uid: String, incarnation: String },
    /// It is being removed.
    Await { uid: String, incarnation: String },
    /// It is not ours.
    Foreign,
}

fn next(job: Option<&Job>, claim: &ClaimId) -> Next {
    let Some(job) = job else { return Next::Make };
    let labels = job.labels();
    let ours = labels.get(label::CLAIM).map(String::as_str) == Some(claim.as_str());
    let (Some(uid), Some(incarnation), true) =
        (job.uid(), labels.get(label::INCARNATION).cloned(), ours)
    else {
        return Next::Foreign;
    };
    if job.metadata.deletion_timestamp.is_some() {
        Next::Await { uid, incarnation }
    } else if ended(job) {
        Next::Remove { uid, incarnation }
    } else {
        Next::Join { uid, incarnation }
    }
}

/// Whether a Job will run no pod any more. Kubernetes says `FailureTarget` and
/// `SuccessCriteriaMet` while its pod still ends, `Failed` and `Complete` after that.
pub(super) fn ended(job: &Job) -> bool {
    const WORDS: [&str; 4] = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];
    job.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.status == "True" && WORDS.contains(&condition.type_.as_str()))
}

/// How far the pod of a Job is that has not ended. A Job says so some time after its pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PodOf {
    /// It is not there yet, or its keeper does not run yet.
    Starting,
    /// Its keeper runs there.
    Up(Spot),
    /// Its keeper has ended.
    Over,
}

impl PodOf {
    fn of(pod: &Pod) -> Self {
        if is_over(pod) {
            return Self::Over;
        }
        running_at(pod).map_or(Self::Starting, Self::Up)
    }
}

/// Finds the claim's driver or makes it.
pub(super) async fn find_or_make(
    access: &Access,
    claim: &Claim,
    profile: &Profile,
    spec: &profile::Kubernetes,
) -> Result<Found, Cause> {
    let deadline = Instant::now() + FIND_OR_MAKE;
    let finder = Finder {
        access,
        claim,
        profile,
        spec,
    };
    match timeout_at(deadline, finder.find_or_make()).await {
        Ok(found) => found,
        Err(_) => Err(Cause::new(
            Kind::Keeper,
            format!(
                "The Spark driver of profile `{}` is ending and did not make room within {} s",
                profile.name,
                FIND_OR_MAKE.as_secs()
            ),
            "Run the cell again; `firesteel drivers list` shows the drivers.",
        )),
    }
}

struct Finder<'a> {
    access: &'a Access,
    claim: &'a Claim,
    profile: &'a Profile,
    spec: &'a profile::Kubernetes,
}

impl Finder<'_> {
    async fn find_or_make(&self) -> Result<Found, Cause> {
        let id = self.claim.id();
        let name = job_name(&id);
        let jobs: Api<Job> = self.access.api();
        let mut shut: Option<String> = None;
        loop {
            let job = self
                .access
                .done("look for the driver's Job", again(|| jobs.get_opt(&name)))
                .await?;
            match next(job.as_ref(), &id) {
                Next::Make => {
                    let fresh = fresh(Uuid::new_v4().to_string())?;
                    let mut made = objects(self.claim, self.profile, self.spec, &fresh);
                    if let Some(spec) = &mut made.job.spec {
                        let first = waiting::first(self.access, self.profile, self.spec);
                        spec.active_deadline_seconds = Some(first.await);
                    }
                    match self
                        .create(&jobs, &made.job, "make the driver's Job")
                        .await?
                    {
                        Some(job) => {
                            let made = made.owned_by(&job.uid().unwrap_or_default());
                            if let Some(secret) = self.secret(&made, true).await? {
                                return self.complete(&job, &made, &secret).await;
                            }
                        }
                        None => tracing::debug!(name, "another kernel made the Job first"),
                    }
                }
                Next::Join { uid, incarnation } => {
                    let Some(job) = job else { continue };
                    let spot = match self.pod(&incarnation).await? {
                        PodOf::Over => {
                            ends(self.access, &name, &uid).await?;
                            continue;
                        }
                        PodOf::Starting => None,
                        PodOf::Up(spot) => Some(spot),
                    };
                    let fresh = fresh(incarnation)?;
                    let made = objects(self.claim, self.profile, self.spec, &fresh);
                    let made = made.owned_by(&uid);
                    match self.secret(&made, spot.is_none()).await? {
                        Some(secret) => {
                            let found = self.complete(&job, &made, &secret).await?;
                            return Ok(Found { spot, ..found });
                        }
                        None if shut.as_ref() == Some(&uid) => {
                            return Err(locked(&made.secret.name_any()));
                        }
                        // It goes with its Job, which may be gone by now.
                        None => shut = Some(uid),
                    }
                }
                Next::Remove { uid, incarnation } => {
                    remove(self.access, &name, &uid).await?;
                    self.gone(&name, &uid, &incarnation).await?;
                }
                Next::Await { uid, incarnation } => self.gone(&name, &uid, &incarnation).await?,
                Next::Foreign => {
                    return Err(taken(&name, &self.access.namespace));
                }
            }
        }
    }

    /// The Secret that opens the Job's driver. One that is not there is made, where it `may` be:
    /// whoever made the Job may have died before it made the rest. A driver that runs knows only the one
    /// that it began with.
    async fn secret(&self, made: &Objects, may: bool) -> Result<Option<Secret>, Cause> {
        const READ: &str = "read the driver's Secret";
        let secrets: Api<Secret> = self.access.api();
        let name = made.secret.name_any();
        let there = again(|| secrets.get_opt(&name));
        let there = self.access.done(READ, there).await?;
        if there.is_some() || !may {
            return Ok(there);
        }
        let what = "make the driver's Secret";
        let new = self.create(&secrets, &made.secret, what).await?;
        if new.is_some() {
            return Ok(new);
        }
        let there = again(|| secrets.get_opt(&name));
        self.access.done(READ, there).await
    }

    /// Makes what else the Job needs and is not there. Each thing is made by one of those who race, and
    /// the others take it as it is.
    async fn complete(&self, job: &Job, made: &Objects, secret: &Secret) -> Result<Found, Cause> {
        let config_maps: Api<ConfigMap> = self.access.api();
        self.create(
            &config_maps,
            &made.config_map,
            "make the driver's ConfigMap",
        )
        .await?;
        if let Some(service) = &made.service {
            let services: Api<Service> = self.access.api();
            self.create(&services, service, "make the driver's Service")
                .await?;
        }
        let text = |key: &str| {
            let bytes = secret.data.as_ref().and_then(|data| data.get(key));
            bytes
                .and_then(|bytes| String::from_utf8(bytes.0.clone()).ok())
                .ok_or_else(|| broken(&secret.name_any()))
        };
        Ok(Found {
            job: made.job.name_any(),
            uid: job.uid().unwrap_or_default(),
            incarnation: job
                .labels()
                .get(label::INCARNATION)
                .cloned()
                .unwrap_or_default(),
            token: text(mount::TOKEN)?,
            certificate: text(mount::CERTIFICATE)?,
            age: age(job),
            spot: None,
        })
    }

    /// How far the pod of a driver is.
    async fn pod(&self, incarnation: &str) -> Result<PodOf, Cause> {
        let selector = pod_selector(&self.claim.id(), incarnation);
        let selected = ListParams::default().labels(&selector);
        let pods: Api<Pod> = self.access.api();
        let pods = self
            .access
            .done("look for the driver's pod", again(|| pods.list(&selected)))
            .await?;
        Ok(pods.items.first().map_or(PodOf::Starting, PodOf::of))
    }

    /// Makes a thing; `None` where it is there already, if only because we made it and did not hear so.
    async fn create<K>(&self, api: &Api<K>, thing: &K, what: &str) -> Result<Option<K>, Cause>
    where
        K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
    {
        let how = PostParams::default();
        let creation = again(|| api.create(&how, thing));
        self.access.done_unless(is_conflict, what, creation).await
    }

    /// Waits until a Job that ends is gone, and its pod with it: a driver's executors are owned by
    /// its pod.
    async fn gone(&self, name: &str, uid: &str, incarnation: &str) -> Result<(), Cause> {
        let what = "watch the driver before this one end";
        until(self.access, name, conditions::is_deleted(uid), what).await?;
        let selector = pod_selector(&self.claim.id(), incarnation);
        let config = watcher::Config::default().labels(&selector);
        let mut events = pin!(watcher(self.access.api::<Pod>(), config).default_backoff());
        let mut there = BTreeSet::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Init) => there.clear(),
                Ok(watcher::Event::InitApply(pod) | watcher::Event::Apply(pod)) => {
                    there.insert(pod.name_any());
                }
                Ok(watcher::Event::Delete(pod)) => {
                    there.remove(&pod.name_any());
                    if there.is_empty() {
                        break;
                    }
                }
                Ok(watcher::Event::InitDone) if there.is_empty() => break,
                Ok(watcher::Event::InitDone) => {}
                Err(error) => tracing::debug!(%error, "the watch of a pod is made again"),
            }
        }
        Ok(())
    }
}

/// Selects the pod of one driver.
pub(super) fn pod_selector(claim: &ClaimId, incarnation: &str) -> String {
    format!(
        "{}={claim},{}={incarnation},{}={}",
        label::CLAIM,
        label::INCARNATION,
        label::ROLE,
        label::DRIVER
    )
}

/// Removes the Job of that uid, and with it all that it owns. One that is gone is no fault.
pub(super) async fn remove(access: &Access, name: &str, uid: &str) -> Result<(), Cause> {
    let what = "remove a driver's Job";
    let how = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(uid.to_owned()),
            ..Preconditions::default()
        }),
        ..DeleteParams::background()
    };
    let jobs: Api<Job> = access.api();
    // Another uid under the name is another Job.
    let gone = |error: &kube::Error| is_missing(error) || is_conflict(error);
    let deletion = again(|| jobs.delete(name, &how));
    access.done_unless(gone, what, deletion).await.map(drop)
}

/// Waits until the Job of that uid has ended or is gone.
pub(super) async fn ends(access: &Access, name: &str, uid: &str) -> Result<(), Cause> {
    let uid = uid.to_owned();
    let over = move |job: Option<&Job>| match job {
        Some(job) if job.uid().as_ref() == Some(&uid) => {
            job.metadata.deletion_timestamp.is_some() || ended(job)
        }
        _ => true,
    };
    until(access, name, over, "watch a driver end").await
}

/// Waits until the Job is so. A watch that breaks is made again.
///
/// # Errors
/// When the server does not let it be watched.
async fn until(
    access: &Access,
    name: &str,
    is_so: impl Condition<Job>,
    what: &str,
) -> Result<(), Cause> {
    let mut states = pin!(watch_object(access.api::<Job>(), name).default_backoff());
    while let Some(state) = states.next().await {
        match state {
            Ok(job) if is_so.matches_object(job.as_ref()) => break,
            Ok(_) => {}
            Err(error) => match refusal(&error) {
                Some(refusal) => return Err(refused(refusal, what, access)),
                None => tracing::debug!(%error, "the watch of a Job is made again"),
            },
        }
    }
    Ok(())
}

/// Secrets for a driver. Of a driver that others made too, those count that are there first.
fn fresh(incarnation: String) -> Result<Fresh, Cause> {
    let identity = Identity::new().map_err(|error| {
        Cause::new(
            Kind::Keeper,
            format!("The driver's certificate cannot be made: {error}"),
            "See whether /dev/urandom can be read.",
        )
    })?;
    let random = || random::Secret::random().map_err(|_unspecified| no_random());
    Ok(Fresh {
        incarnation,
        token: random()?,
        rpc: random()?,
        identity,
    })
}

/// How old a Job is, as far as the clocks agree.
pub(super) fn age(job: &Job) -> Duration {
    let created = job.metadata.creation_timestamp.as_ref();
    let seconds = created.map_or(0, |time| (Timestamp::now() - time.0).get_seconds());
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn broken(secret: &str) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The Secret `{secret}` is not as Firesteel made it"),
        "Stop the driver by `firesteel drivers stop`, and run the cell again.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim() -> Claim {
        Claim {
            user: "ada".to_owned(),
            profile: "big".to_owned(),
            kernel: None,
        }
    }

    fn job(claim: &str, changes: &Value) -> Job {
        let mut job = json!({
            "metadata": {
                "uid": "u1",
                "labels": { "firesteel.dev/claim": claim, "firesteel.dev/incarnation": "i1" },
            },
        });
        merge(&mut job, changes);
        serde_json::from_value(job).unwrap()
    }

    fn merge(into: &mut Value, from: &Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => {
                for (key, value) in from {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, from) => *into = from.clone(),
        }
    }

    fn condition(word: &str, status: &str) -> Value {
        json!({ "status": { "conditions": [{ "type": word, "status": status }] } })
    }

    #[test]
    fn what_stands_under_a_claims_name_decides_what_is_done() {
        let id = claim().id();
        let own = |changes: &Value| next(Some(&job(id.as_str(), changes)), &id);
        let (uid, incarnation) = ("u1".to_owned(), "i1".to_owned());
        let join = Next::Join {
            uid: uid.clone(),
            incarnation: incarnation.clone(),
        };
        let remove = Next::Remove {
            uid: uid.clone(),
            incarnation: incarnation.clone(),
        };
        let wait = Next::Await { uid, incarnation };

        assert_eq!(next(None, &id), Next::Make);
        assert_eq!(own(&json!({})), join);
        assert_eq!(own(&json!({ "status": { "active": 1, "ready": 1 } })), join);
        assert_eq!(own(&condition("Suspended", "True")), join);
        assert_eq!(own(&condition("Failed", "False")), join);
        for word in ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"] {
            assert_eq!(own(&condition(word, "True")), remove, "{word}");
        }
        let mut leaves = condition("Failed", "True");
        leaves["metadata"] = json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" });
        assert_eq!(own(&leaves), wait);

        assert_eq!(next(Some(&job("another", &json!({}))), &id), Next::Foreign);
        let unlabelled = json!({ "metadata": { "labels": null } });
        assert_eq!(own(&unlabelled), Next::Foreign);
    }

    #[test]
    fn a_pod_whose_keeper_has_ended_is_not_joined_though_its_job_has_not() {
        let pod = |status: &Value| {
            let pod = json!({ "metadata": { "name": "p" }, "status": status });
            PodOf::of(&serde_json::from_value(pod).unwrap())
        };
        let driver = |state: &Value| {
            json!({ "podIP": "10.0.0.7", "phase": "Running", "containerStatuses": [{
                "name": "driver", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": state,
            }] })
        };
        assert_eq!(pod(&json!({})), PodOf::Starting);
        assert_eq!(pod(&json!({ "phase": "Pending" })), PodOf::Starting);
        assert_eq!(pod(&driver(&json!({ "waiting": {} }))), PodOf::Starting);
        let up = pod(&driver(&json!({ "running": {} })));
        assert!(matches!(up, PodOf::Up(_)), "{up:?}");
        let ended = json!({ "terminated": { "exitCode": 0 } });
        assert_eq!(pod(&driver(&ended)), PodOf::Over);
        for phase in ["Succeeded", "Failed"] {
            assert_eq!(pod(&json!({ "phase": phase })), PodOf::Over);
        }
    }

    #[test]
    fn a_clock_that_lags_makes_no_job_younger_than_new() {
        let created = |time: &str| {
            age(&job(
                "c",
                &json!({ "metadata": { "creationTimestamp": time } }),
            ))
        };
        assert_eq!(created("2999-01-01T00:00:00Z"), Duration::ZERO);
        assert!(created("2020-01-01T00:00:00Z") > Duration::from_secs(1));
    }
}
