//! What is known of a driver from outside its pod, and what it means.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerState, Event, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

use super::find::ended;
use super::way::Spot;
use crate::attach::state::Phase;
use crate::cause::{Cause, Kind};
use crate::cluster::last_words;
use crate::cluster::names::DRIVER_CONTAINER;
use crate::cluster::trouble::{self, Part};

/// Everything the watches have shown of one driver.
#[derive(Debug, Default)]
pub(super) struct Seen {
    job: Sight<Job>,
    pod: Sight<Pod>,
    /// Why the Job could not make its pod, as Kubernetes said last.
    complaint: Option<String>,
    /// What was in the way of the start when that was looked at last: of a pod that a deadline ended
    /// its status tells that alone.
    trouble: Option<String>,
    /// Whether its keeper ever ran.
    was_up: bool,
}

/// What is known of one thing.
#[derive(Debug, Default)]
enum Sight<K> {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It is not there, and was not seen before.
    Absent,
    /// It is there, as it was last seen.
    There(K),
    /// It was there, and is gone.
    Gone(K),
}

impl<K> Sight<K> {
    fn lose(&mut self) {
        *self = match std::mem::take(self) {
            Self::There(thing) | Self::Gone(thing) => Self::Gone(thing),
            Self::Unknown | Self::Absent => Self::Absent,
        };
    }
}

/// How it stands with a driver.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Its keeper cannot be spoken to yet. Says what is in the way, where something is.
    Starting(Phase, Option<String>),
    /// Its keeper runs there.
    Up(Spot),
    /// It is gone, or will never be.
    Gone(Cause),
}

impl Seen {
    /// The Job is there. One of another uid is another Job, and ours is gone.
    pub(super) fn job(&mut self, job: Job, uid: &str) {
        if job.uid().as_deref() == Some(uid) {
            self.job = Sight::There(job);
        } else {
            self.job.lose();
        }
    }

    /// The Job is not there.
    pub(super) fn no_job(&mut self) {
        self.job.lose();
    }

    /// The driver's pod is there.
    pub(super) fn pod(&mut self, pod: Pod) {
        self.pod = Sight::There(pod);
    }

    /// No pod of the driver is there.
    pub(super) fn no_pod(&mut self) {
        self.pod.lose();
    }

    /// Kubernetes said something of the Job.
    pub(super) fn event(&mut self, event: &Event) {
        if event.reason.as_deref() == Some("FailedCreate") {
            self.complaint.clone_from(&event.message);
        }
    }

    /// What it all means.
    pub(super) fn verdict(&mut self, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        let verdict = self.judge(now, subject);
        match &verdict {
            // Of a pod that is being taken away that is no reason, but what follows from one.
            Verdict::Starting(..) if self.leaves() => {}
            Verdict::Starting(_, trouble) => self.trouble.clone_from(trouble),
            Verdict::Up(_) => self.was_up = true,
            Verdict::Gone(_) => {}
        }
        verdict
    }

    fn leaves(&self) -> bool {
        matches!(&self.pod, Sight::There(pod) if pod.metadata.deletion_timestamp.is_some())
    }

    fn judge(&self, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        let gone = match &self.job {
            Sight::Gone(_) | Sight::Absent => true,
            Sight::There(job) => ended(job),
            Sight::Unknown => false,
        };
        match &self.pod {
            Sight::There(pod) => self.of_pod(pod, now, subject),
            Sight::Gone(pod) => Verdict::Gone(self.why_gone(pod, now, subject)),
            Sight::Unknown | Sight::Absent if gone => Verdict::Gone(self.never_was(subject)),
            Sight::Unknown | Sight::Absent => match &self.complaint {
                Some(complaint) if is_final(complaint) => {
                    Verdict::Gone(not_allowed(complaint, subject))
                }
                complaint => Verdict::Starting(Phase::Scheduling, complaint.clone()),
            },
        }
    }

    fn of_pod(&self, pod: &Pod, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        if trouble::ended(pod) {
            return Verdict::Gone(self.why_gone(pod, now, subject));
        }
        match running_at(pod) {
            Some(spot) => Verdict::Up(spot),
            None => {
                let phase = trouble::phase(pod);
                let trouble = trouble::trouble(pod, now);
                let trouble = trouble.map(|trouble| trouble.sentence(Part::Driver));
                Verdict::Starting(phase, trouble)
            }
        }
    }

    /// Why a driver is gone whose pod was seen.
    fn why_gone(&self, pod: &Pod, now: Timestamp, subject: &Subject<'_>) -> Cause {
        if let Some(cause) = last_words_of(pod) {
            return cause;
        }
        if self.deadline_passed() && !self.was_up {
            return too_late(self.trouble.as_deref(), subject);
        }
        let trouble = trouble::trouble(pod, now);
        trouble.map_or_else(|| removed(subject), |trouble| trouble.cause(Part::Driver))
    }

    /// Why there is no driver though none of its pods was ever seen.
    fn never_was(&self, subject: &Subject<'_>) -> Cause {
        match &self.complaint {
            Some(complaint) => not_allowed(complaint, subject),
            None if self.deadline_passed() => too_late(None, subject),
            None => removed(subject),
        }
    }

    fn deadline_passed(&self) -> bool {
        let (Sight::There(job) | Sight::Gone(job)) = &self.job else {
            return false;
        };
        job.status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .any(|condition| condition.reason.as_deref() == Some("DeadlineExceeded"))
    }
}

/// Of which driver it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) profile: &'a str,
    pub(super) namespace: &'a str,
    /// The start deadline, in seconds.
    pub(super) deadline: u64,
}

/// What the keeper said at its end: it knows more than Kubernetes.
fn last_words_of(pod: &Pod) -> Option<Cause> {
    let ended = state(pod)?.terminated.as_ref()?;
    last_words::read(ended.message.as_ref()?)
}

/// Where a driver's keeper runs, if it does.
pub(super) fn running_at(pod: &Pod) -> Option<Spot> {
    state(pod)?.running.as_ref()?;
    Some(Spot {
        pod: pod.name_any(),
        address: pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?,
    })
}

/// Whether a driver's keeper has ended: a pod is never restarted.
pub(super) fn is_over(pod: &Pod) -> bool {
    trouble::ended(pod) || state(pod).is_some_and(|state| state.terminated.is_some())
}

/// The state of the container with the driver.
fn state(pod: &Pod) -> Option<&ContainerState> {
    let mut containers = pod.status.as_ref()?.container_statuses.iter().flatten();
    let driver = containers.find(|container| container.name == DRIVER_CONTAINER)?;
    driver.state.as_ref()
}

/// Whether nothing but a change of the profile or of the namespace helps. A quota may have room in
/// a moment; what is forbidden or not there stays so.
fn is_final(complaint: &str) -> bool {
    const FINAL: [&str; 4] = [
        "violates PodSecurity",
        "error looking up service account",
        "is not allowed",
        "is invalid",
    ];
    FINAL.iter().any(|words| complaint.contains(words))
}

fn not_allowed(complaint: &str, subject: &Subject<'_>) -> Cause {
    let remedy = if complaint.contains("error looking up service account") {
        "Have `deploy/rbac` applied to the namespace, or correct the profile's service accounts."
    } else if complaint.contains("exceeded quota") {
        "Stop drivers that nobody uses by `firesteel drivers stop`, or ask for more quota."
    } else {
        "Correct the profile, or ask whoever runs the cluster."
    };
    Cause::new(
        Kind::Cluster,
        format!(
            "Namespace `{}` does not let the driver's pod in: {complaint}",
            subject.namespace
        ),
        remedy,
    )
}

fn too_late(trouble: Option<&str>, subject: &Subject<'_>) -> Cause {
    let why = trouble.map_or_else(String::new, |trouble| format!(": {trouble}"));
    Cause::new(
        Kind::Deadline,
        format!(
            "The Spark driver of profile `{}` did not start within {} s{why}",
            subject.profile, subject.deadline
        ),
        "Mend what is in the way, or set a longer `startDeadline` in the profile.",
    )
}

fn removed(subject: &Subject<'_>) -> Cause {
    Cause::new(
        Kind::Stopped,
        format!(
            "The Spark driver of profile `{}` was removed from the cluster",
            subject.profile
        ),
        "The next cell starts a new driver.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SUBJECT: Subject<'_> = Subject {
        profile: "big",
        namespace: "sparks",
        deadline: 60,
    };

    fn job(conditions: &Value) -> Job {
        let job = json!({ "metadata": { "uid": "u1" }, "status": { "conditions": conditions } });
        serde_json::from_value(job).unwrap()
    }

    fn pod(status: &Value) -> Pod {
        let pod = json!({
            "metadata": { "name": "p", "creationTimestamp": "2026-01-01T00:00:00Z" },
            "spec": { "containers": [{ "name": "driver" }] },
            "status": status,
        });
        serde_json::from_value(pod).unwrap()
    }

    fn driver(state: &Value) -> Value {
        json!({
            "podIP": "10.0.0.7",
            "phase": "Running",
            "containerStatuses": [{
                "name": "driver", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state,
            }],
        })
    }

    fn unschedulable() -> Value {
        json!({ "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
        }]})
    }

    fn verdict(seen: &mut Seen) -> Verdict {
        seen.verdict("2026-01-01T00:05:00Z".parse().unwrap(), &SUBJECT)
    }

    fn cause(seen: &mut Seen) -> Cause {
        match verdict(seen) {
            Verdict::Gone(cause) => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_start_that_came_too_late_says_what_was_in_its_way() {
        let mut seen = Seen::default();
        seen.job(job(&json!([])), "u1");
        assert_eq!(
            verdict(&mut seen),
            Verdict::Starting(Phase::Scheduling, None)
        );
        seen.pod(pod(&unschedulable()));
        let Verdict::Starting(Phase::Scheduling, Some(trouble)) = verdict(&mut seen) else {
            panic!("a pod that no node takes is in trouble");
        };
        assert!(
            trouble.contains("GPU") || trouble.contains("gpu"),
            "{trouble}"
        );
        let mut leaving = pod(&unschedulable());
        let now = serde_json::from_value(json!("2026-01-01T00:01:00Z")).unwrap();
        leaving.metadata.deletion_timestamp = Some(now);
        seen.pod(leaving);
        verdict(&mut seen);
        let failed = json!([{ "type": "Failed", "status": "True", "reason": "DeadlineExceeded" }]);
        seen.job(job(&failed), "u1");
        seen.no_pod();
        let cause = cause(&mut seen);
        assert_eq!(cause.kind, Kind::Deadline);
        assert!(cause.sentence.contains(&trouble), "{cause}");
    }

    #[test]
    fn a_keeper_that_runs_is_up_and_its_last_words_count_most() {
        let mut seen = Seen::default();
        seen.pod(pod(&driver(&json!({ "running": {} }))));
        let spot = Spot {
            pod: "p".to_owned(),
            address: "10.0.0.7".parse().unwrap(),
        };
        assert_eq!(verdict(&mut seen), Verdict::Up(spot));
        let words = json!({ "kind": "unused", "sentence": "Nobody", "remedy": "Run." }).to_string();
        let mut ended = driver(&json!({ "terminated": { "exitCode": 0, "message": words } }));
        ended["phase"] = "Succeeded".into();
        seen.pod(pod(&ended));
        assert_eq!(cause(&mut seen).kind, Kind::Unused);
    }

    #[test]
    fn a_pod_that_is_not_let_in_ends_the_wait_where_only_a_change_helps() {
        let event = |message: &str| {
            let event = json!({ "metadata": {}, "involvedObject": {}, "reason": "FailedCreate", "message": message });
            serde_json::from_value::<Event>(event).unwrap()
        };
        for (message, ends, remedy) in [
            (
                "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\"",
                true,
                "profile",
            ),
            (
                "error looking up service account s/firesteel-driver",
                true,
                "deploy/rbac",
            ),
            ("pods \"p\" is forbidden: exceeded quota: small", false, ""),
        ] {
            let mut seen = Seen::default();
            seen.job(job(&json!([])), "u1");
            seen.event(&event(message));
            match verdict(&mut seen) {
                Verdict::Gone(cause) => assert!(ends && cause.remedy.contains(remedy), "{cause}"),
                Verdict::Starting(_, said) => assert!(!ends && said.as_deref() == Some(message)),
                Verdict::Up(spot) => panic!("{spot:?}"),
            }
        }
    }

    #[test]
    fn a_job_that_was_removed_or_replaced_is_told_as_such() {
        let mut seen = Seen::default();
        seen.no_job();
        assert_eq!(cause(&mut seen).kind, Kind::Stopped);
        let mut seen = Seen::default();
        seen.job(job(&json!([])), "another");
        assert_eq!(cause(&mut seen).kind, Kind::Stopped);
    }
}
