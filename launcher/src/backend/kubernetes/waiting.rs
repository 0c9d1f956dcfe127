//! A driver may start for as long as somebody waits for it.
//!
//! A kernel that dies cannot take back what it asked for, and a pod that finds no room has an
//! autoscaler bring a node for it. So the Job of a driver that starts has a deadline a little ahead,
//! and each kernel that waits moves it, up to the profile's start deadline. Once the keeper runs, it
//! counts the kernels itself, and the deadline is the keeper's.

use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::time::sleep;

use super::access::Access;
use super::find::Found;
use super::refused::is_conflict;
use crate::cause::Cause;
use crate::cluster::dated::dated;
use crate::profile::{self, Profile};

/// How far ahead the deadline is, unless the profile lets a silent kernel go sooner.
const AHEAD: Duration = Duration::from_secs(60);

/// It is moved so many times before it would pass.
const MOVES: u32 = 3;

/// Where that fails, it is tried so many times.
const TRIES: u32 = 20;

/// How long what is waited for is wanted after the last word of who waits.
pub(super) fn ahead(profile: &Profile) -> Duration {
    profile.away.duration().min(AHEAD)
}

/// The deadline of a Job that is made now, in seconds: the whole start deadline where it could not be
/// moved by who makes it.
pub(super) async fn first(access: &Access, profile: &Profile, spec: &profile::Kubernetes) -> i64 {
    let whole = spec.start_deadline.duration();
    let first = if may_move(access).await {
        ahead(profile).min(whole)
    } else {
        whole
    };
    seconds(first)
}

/// Whether we may move a deadline.
async fn may_move(access: &Access) -> bool {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(access.namespace.clone()),
                group: Some("batch".to_owned()),
                resource: Some("jobs".to_owned()),
                verb: Some("patch".to_owned()),
                ..ResourceAttributes::default()
            }),
            non_resource_attributes: None,
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(access.client.clone());
    let how = PostParams::default();
    let asked = access.done("say what you may do", reviews.create(&how, &review));
    match asked.await {
        Ok(answer) => answer.status.is_some_and(|status| status.allowed),
        Err(cause) => {
            tracing::debug!(%cause, "whether a Job's deadline may be moved is not known");
            false
        }
    }
}

/// One kernel that waits.
pub(super) struct Waiting<'a> {
    pub(super) access: &'a Access,
    pub(super) found: &'a Found,
    /// See [`ahead`].
    pub(super) ahead: Duration,
    /// The start deadline.
    pub(super) most: Duration,
}

impl Waiting<'_> {
    /// Moves the deadline for as long as it is polled.
    pub(super) async fn wait(&self) -> Infallible {
        loop {
            let pause = match self.move_on().await {
                Ok(()) => self.ahead / MOVES,
                Err(cause) => {
                    tracing::debug!(%cause, job = self.found.job, "the Job's deadline cannot be moved");
                    self.ahead / TRIES
                }
            };
            sleep(pause).await;
        }
    }

    async fn move_on(&self) -> Result<(), Cause> {
        let jobs: Api<Job> = self.access.api();
        let name = &self.found.job;
        let look = dated(&self.access.client, &jobs, name);
        let (job, now) = self.access.done("look at the driver's Job", look).await?;
        let Some(new) = next(&job, now, self.ahead, self.most) else {
            return Ok(());
        };
        // Of this Job, as it was looked at: a keeper may have moved the deadline further meanwhile.
        let patch = Patch::Merge(json!({
            "metadata": { "uid": self.found.uid, "resourceVersion": job.resource_version() },
            "spec": { "activeDeadlineSeconds": new }
        }));
        let how = PatchParams::default();
        let moved = jobs.patch(name, &how, &patch);
        self.access
            .done_unless(is_conflict, "move the deadline of the driver's Job", moved)
            .await?;
        Ok(())
    }
}

/// When the deadline is to be, in seconds from the Job's start, where it is to be moved. `now` is by
/// the cluster's clock. It is never moved back.
fn next(job: &Job, now: Timestamp, ahead: Duration, most: Duration) -> Option<i64> {
    let start = job.status.as_ref()?.start_time.as_ref()?.0;
    let current = job.spec.as_ref()?.active_deadline_seconds?;
    let age = now.duration_since(start).as_secs().max(0);
    let new = age.saturating_add(seconds(ahead)).min(seconds(most));
    (new > current).then_some(new)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_stays_ahead_of_who_waits_and_is_never_moved_back_or_too_far() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        for (now, current, expected) in [
            (0, 60, None),
            (1, 60, Some(61)),
            (20, 60, Some(80)),
            // The start deadline is ten minutes.
            (550, 580, Some(600)),
            (590, 600, None),
            (700, 600, None),
            // The whole of it from the beginning, by who may not move it.
            (20, 600, None),
            // A keeper's.
            (20, 320, None),
            // A clock that is before the start.
            (-900, 60, None),
        ] {
            let job = json!({
                "spec": { "activeDeadlineSeconds": current, "template": {} },
                "status": { "startTime": at(0).to_string() }
            });
            let job: Job = serde_json::from_value(job).unwrap();
            let next = next(&job, at(now), AHEAD, Duration::from_secs(600));
            assert_eq!(next, expected, "{now} {current}");
        }
    }

    #[test]
    fn a_job_that_nobody_has_taken_up_yet_has_no_deadline_to_move() {
        let job = json!({ "spec": { "activeDeadlineSeconds": 60, "template": {} } });
        let job: Job = serde_json::from_value(job).unwrap();
        assert_eq!(next(&job, Timestamp::now(), AHEAD, AHEAD), None);
    }
}
