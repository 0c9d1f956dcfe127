//! The Job's deadline, which is moved while the keeper lives: a driver whose keeper is dead ends
//! within minutes.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::again::{Failure, Pauses, request};
use crate::cluster::dated::dated;
use crate::cluster::names::label;
use crate::keeper::crew::Crew;

/// How far ahead of now the deadline is moved, in seconds.
const AHEAD: i64 = 300;

/// It is moved when no more than this is left, in seconds.
const MOVE_AT: i64 = AHEAD / 2;

/// The users are told when it could not be moved and less than this is left.
const TELL_AT: Duration = Duration::from_secs(75);

/// When the deadline is to be, in seconds from the Job's start, where it is to be moved. `now` and
/// `start` are by the cluster's clock. It is never moved back.
pub(super) fn next(now: Timestamp, start: Timestamp, current: i64) -> Option<i64> {
    let age = now.duration_since(start).as_secs().max(0);
    let left = current.saturating_sub(age);
    (left <= MOVE_AT).then(|| age.saturating_add(AHEAD))
}

/// The deadline of a start that its keeper has taken over from those who wait, where it is to be moved.
fn whole(start: Duration, current: i64) -> Option<i64> {
    let start = i64::try_from(start.as_secs()).unwrap_or(i64::MAX);
    (start > current).then_some(start)
}

/// Moves the deadline of one Job.
pub(super) struct Deadline {
    client: Client,
    jobs: Api<Job>,
    job: String,
    incarnation: String,
}

/// What a look at the Job showed.
enum Look {
    /// The deadline is that far away.
    Left(Duration),
    /// The Job is gone, or is another driver's.
    Gone,
}

impl Deadline {
    pub(super) fn new(client: Client, namespace: &str, job: String, incarnation: String) -> Self {
        Self {
            jobs: Api::namespaced(client.clone(), namespace),
            client,
            job,
            incarnation,
        }
    }

    /// Has a start end when its profile says. Until there is a keeper, the kernels that wait keep the
    /// deadline a little ahead; it counts them itself.
    pub(super) async fn allow(&self, start: Duration) {
        let mut pauses = Pauses::default();
        while let Err(failure) = self.look_after(|_, _, current| whole(start, current)).await {
            tracing::warn!(%failure, job = self.job, "the start's deadline cannot be moved");
            sleep(pauses.after(&failure)).await;
        }
    }

    /// Moves the deadline until the Job is gone.
    pub(super) async fn keep_moving(self, crew: &Crew) {
        let mut pauses = Pauses::default();
        let mut end = None;
        let mut told = false;
        loop {
            let pause = match self.look_after(next).await {
                Ok(Look::Left(left)) => {
                    pauses = Pauses::default();
                    told = false;
                    end = Some(Instant::now() + left);
                    // In time to move it, and to notice a Job that is gone.
                    left.saturating_sub(seconds(MOVE_AT))
                        .clamp(Duration::from_secs(1), seconds(MOVE_AT))
                }
                Ok(Look::Gone) => {
                    tracing::warn!(job = self.job, "the Job is gone");
                    return;
                }
                Err(failure) => {
                    tracing::warn!(%failure, job = self.job, "the Job's deadline cannot be moved");
                    let left =
                        end.map(|end: Instant| end.saturating_duration_since(Instant::now()));
                    if let Some(left) = left.filter(|left| *left < TELL_AT && !told) {
                        told = true;
                        crew.tell(format!(
                            "The cluster ends the Spark driver in about {} s, because its keeper cannot \
                             move its Job's deadline: {failure}. Tell whoever runs the cluster.",
                            left.as_secs()
                        ));
                    }
                    pauses.after(&failure)
                }
            };
            sleep(pause).await;
        }
    }

    /// Looks at the Job, and moves its deadline to what `next` says of now, its start and its deadline.
    async fn look_after(
        &self,
        next: impl Fn(Timestamp, Timestamp, i64) -> Option<i64>,
    ) -> Result<Look, Failure> {
        let (job, now) = match request(dated(&self.client, &self.jobs, &self.job)).await {
            Ok(got) => got,
            Err(failure) if failure.code() == Some(404) => return Ok(Look::Gone),
            Err(failure) => return Err(failure),
        };
        if job.labels().get(label::INCARNATION) != Some(&self.incarnation) {
            return Ok(Look::Gone);
        }
        let spec = job.spec.as_ref();
        let current = spec.and_then(|spec| spec.active_deadline_seconds);
        let start = job
            .status
            .as_ref()
            .and_then(|status| status.start_time.as_ref());
        let (Some(mut current), Some(start)) = (current, start.map(|start| start.0)) else {
            // Without a deadline there is nothing to move.
            return Ok(Look::Left(seconds(AHEAD)));
        };
        if let Some(new) = next(now, start, current) {
            // The uid makes it fail where the name is another Job's by now.
            let patch = json!({
                "metadata": { "uid": job.uid() },
                "spec": { "activeDeadlineSeconds": new }
            });
            let how = PatchParams::default();
            match request(self.jobs.patch(&self.job, &how, &Patch::Merge(patch))).await {
                Ok(_) => {}
                Err(failure) if failure.code() == Some(404) => return Ok(Look::Gone),
                Err(failure) => return Err(failure),
            }
            tracing::debug!(seconds = new, "the Job's deadline was moved");
            current = new;
        }
        let age = now.duration_since(start).as_secs();
        Ok(Look::Left(seconds(current.saturating_sub(age))))
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_its_whole_time_and_never_less_than_it_had() {
        let start = Duration::from_secs(300);
        for (current, expected) in [(60, Some(300)), (300, None), (900, None)] {
            assert_eq!(whole(start, current), expected, "{current}");
        }
    }

    #[test]
    fn a_deadline_is_moved_ahead_and_never_back() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        for (now, current, expected) in [
            // A start deadline of ten minutes, of which one was used.
            (60, 600, None),
            (449, 600, None),
            (450, 600, Some(750)),
            (451, 600, Some(751)),
            (590, 600, Some(890)),
            // It has passed, and nobody has noticed yet.
            (700, 600, Some(1000)),
            // Moved far ahead by somebody else.
            (60, 100_000, None),
            // A clock that is before the start.
            (-900, 600, None),
            (-900, 100, Some(300)),
            (0, i64::MAX, None),
        ] {
            assert_eq!(next(at(now), at(0), current), expected, "{now} {current}");
        }
    }
}
