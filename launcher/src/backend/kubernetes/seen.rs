//! What is known of a driver from outside its pod, and what it means.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerState, Event, Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;

use super::find::ended;
use super::holders::holders;
use super::way::Spot;
use crate::attach::state::Phase;
use crate::cause::Cause;
use crate::cluster::causes::{Asked, Part, Refused, Why, read};
use crate::cluster::last_words;
use crate::cluster::names::DRIVER_CONTAINER;
use crate::cluster::trouble::{self, Heard, Trouble};

/// Everything the watches have shown of one driver.
#[derive(Debug, Default)]
pub(super) struct Seen {
    job: Sight<Job>,
    pod: Sight<Pod>,
    /// Why the Job could not make its pod, as Kubernetes said last.
    complaint: Option<String>,
    /// What else was heard of the pod.
    heard: Heard,
    /// Who uses the quota that has no room, in words; empty where that is not known.
    holders: String,
    /// What was in the way of the start when that was looked at last: of a pod that a deadline ended
    /// its status tells that alone.
    trouble: Option<Cause>,
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
    Starting(Phase, Option<Cause>),
    /// Its keeper runs there.
    Up(Spot),
    /// Its pod is gone, for nothing that it says itself. Its Job may know better, and has not said yet.
    Unclear(Cause),
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

    /// Kubernetes said something of the pod.
    pub(super) fn pod_event(&mut self, event: &Event) {
        self.heard.event(event);
    }

    /// These are all nodes.
    pub(super) fn nodes(&mut self, nodes: &[Node]) {
        self.heard.nodes(nodes);
    }

    /// Kubernetes said something of a claim of a volume; the newest comes last.
    pub(super) fn claim_event(&mut self, event: &Event) {
        self.heard.claim(event);
    }

    /// These are all pods of the namespace, which may use what a quota has.
    pub(super) fn others(&mut self, pods: &[Pod]) {
        if let Some(Refused::Quota(shortage)) = self.refused() {
            self.holders = holders(&shortage, pods);
        }
    }

    /// The driver's pod, while it is not known to be gone.
    pub(super) fn there(&self) -> Option<&Pod> {
        match &self.pod {
            Sight::There(pod) => Some(pod),
            Sight::Unknown | Sight::Absent | Sight::Gone(_) => None,
        }
    }

    /// What is worth looking at besides, for what is in the way.
    pub(super) fn asks(&self) -> Vec<Look> {
        let mut looks = Vec::new();
        match self.there() {
            Some(pod) if trouble::phase(pod) == Phase::Scheduling && self.trouble.is_some() => {
                looks.push(Look::Nodes);
                if !trouble::claims_of(pod).is_empty() {
                    looks.push(Look::Claims);
                }
            }
            Some(_) => {}
            None if matches!(self.refused(), Some(Refused::Quota(_))) => looks.push(Look::Others),
            None => {}
        }
        looks
    }

    fn refused(&self) -> Option<Refused> {
        read(self.complaint.as_deref()?)
    }

    /// What it all means.
    pub(super) fn verdict(&mut self, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        let verdict = self.judge(now, subject);
        match &verdict {
            // Of a pod that is being taken away that is no reason, but what follows from one.
            Verdict::Starting(..) if self.leaves() => {}
            Verdict::Starting(_, trouble) => self.trouble.clone_from(trouble),
            Verdict::Up(_) => self.was_up = true,
            Verdict::Unclear(_) | Verdict::Gone(_) => {}
        }
        verdict
    }

    fn leaves(&self) -> bool {
        matches!(&self.pod, Sight::There(pod) if pod.metadata.deletion_timestamp.is_some())
    }

    fn judge(&self, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        match &self.pod {
            Sight::There(pod) => self.of_pod(pod, now, subject),
            Sight::Gone(pod) => self.why_gone(pod, now, subject),
            Sight::Unknown | Sight::Absent if self.job_is_over() => {
                Verdict::Gone(self.never_was(subject))
            }
            Sight::Unknown | Sight::Absent => match self.not_let_in(subject) {
                Some((true, cause)) => Verdict::Gone(cause),
                waits => Verdict::Starting(Phase::Scheduling, waits.map(|(_, cause)| cause)),
            },
        }
    }

    fn of_pod(&self, pod: &Pod, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        if trouble::ended(pod) {
            return self.why_gone(pod, now, subject);
        }
        match running_at(pod) {
            Some(spot) => Verdict::Up(spot),
            None => {
                let trouble = trouble::trouble_as_heard(pod, &self.heard, now);
                let cause = trouble.as_ref().map(|trouble| trouble.cause(Part::Driver));
                match cause {
                    Some(cause) if trouble.is_some_and(|trouble| trouble.why().is_final()) => {
                        Verdict::Gone(cause)
                    }
                    cause => Verdict::Starting(trouble::phase(pod), cause),
                }
            }
        }
    }

    /// Why a driver is gone whose pod was seen.
    fn why_gone(&self, pod: &Pod, now: Timestamp, subject: &Subject<'_>) -> Verdict {
        if let Some(cause) = last_words_of(pod) {
            return Verdict::Gone(cause);
        }
        if self.deadline_passed() && !self.was_up {
            let cause = too_late(self.last_job(), self.trouble.as_ref(), subject);
            return Verdict::Gone(cause);
        }
        let trouble = trouble::trouble_as_heard(pod, &self.heard, now);
        let trouble = trouble.map(|trouble| trouble.with_heap(subject.heap));
        let by_whom = !matches!(trouble, None | Some(Trouble::Deleted));
        let cause = trouble.map_or_else(|| removed(subject), |one| one.cause(Part::Driver));
        // A Job whose deadline passes says so and takes its pod away, and each is watched by itself.
        if by_whom || self.job_is_over() {
            Verdict::Gone(cause)
        } else {
            Verdict::Unclear(cause)
        }
    }

    fn job_is_over(&self) -> bool {
        match &self.job {
            Sight::Gone(_) | Sight::Absent => true,
            Sight::There(job) => ended(job),
            Sight::Unknown => false,
        }
    }

    /// Why there is no driver though none of its pods was ever seen.
    fn never_was(&self, subject: &Subject<'_>) -> Cause {
        match self.not_let_in(subject) {
            Some((false, cause)) if self.deadline_passed() => {
                too_late(self.last_job(), Some(&cause), subject)
            }
            Some((_, cause)) => cause,
            None if self.deadline_passed() => too_late(self.last_job(), None, subject),
            None => removed(subject),
        }
    }

    /// Why the namespace does not let the pod in, where it said so, and whether only a change helps.
    fn not_let_in(&self, subject: &Subject<'_>) -> Option<(bool, Cause)> {
        let complaint = self.complaint.as_deref()?;
        let asked = Asked {
            thing: "the driver's pod",
            namespace: subject.namespace,
            part: Part::Driver,
        };
        let Some(refused) = read(complaint) else {
            let said = trouble::long_line(complaint);
            let said = said.trim_start_matches("Error creating: ");
            let fields = [
                ("namespace", subject.namespace),
                ("thing", asked.thing),
                ("said", said),
            ];
            return Some((Why::NotLetIn.is_final(), Why::NotLetIn.cause(&fields)));
        };
        let mut cause = refused.cause(&asked);
        if !self.holders.is_empty() {
            cause.sentence = format!("{}; {}", cause.sentence, self.holders);
        }
        Some((refused.why().is_final(), cause))
    }

    fn last_job(&self) -> Option<&Job> {
        match &self.job {
            Sight::There(job) | Sight::Gone(job) => Some(job),
            Sight::Unknown | Sight::Absent => None,
        }
    }

    fn deadline_passed(&self) -> bool {
        let status = self.last_job().and_then(|job| job.status.as_ref());
        let conditions = status.and_then(|status| status.conditions.as_ref());
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition.reason.as_deref() == Some("DeadlineExceeded"))
    }
}

/// What may be looked at besides a driver's Job and pod. Not everyone may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// The cluster's nodes: how large they are.
    Nodes,
    /// What is said of claims of volumes.
    Claims,
    /// All pods of the namespace.
    Others,
}

/// Of which driver it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) profile: &'a str,
    pub(super) namespace: &'a str,
    /// The start deadline, in seconds.
    pub(super) deadline: u64,
    /// Its heap.
    pub(super) heap: &'a str,
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

fn too_late(job: Option<&Job>, trouble: Option<&Cause>, subject: &Subject<'_>) -> Cause {
    let within = job.and_then(|job| job.spec.as_ref()?.active_deadline_seconds);
    let whole = i64::try_from(subject.deadline).unwrap_or(i64::MAX);
    if within.is_some_and(|within| within < whole) {
        return Why::NotWaitedFor.cause(&[("profile", subject.profile)]);
    }
    let time = format!("{} s", subject.deadline);
    let (said, remedy) = match trouble {
        Some(cause) => (cause.sentence.as_str(), cause.remedy.as_str()),
        None => ("", "Run the cell again."),
    };
    Why::TooLate.cause(&[
        ("profile", subject.profile),
        ("time", &time),
        ("said", said),
        ("remedy", remedy),
    ])
}

fn removed(subject: &Subject<'_>) -> Cause {
    Why::Removed.cause(&[("profile", subject.profile)])
}

#[cfg(test)]
pub(super) mod tests;
