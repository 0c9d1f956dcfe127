//! What is wrong with a pod: why it does not start, or why it ended, read from its status.
//!
//! A function of the pod, of what else was [`Heard`] of it, and of a clock, for drivers and executors
//! alike. Sentences for people are in [`words`].

mod heard;
mod placing;
mod pull;
mod reading;
#[cfg(test)]
mod tests;
mod words;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodCondition, PodStatus};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

pub(crate) use heard::{Heard, claims_of};
pub(crate) use placing::Want;
pub(crate) use pull::Refusal;
pub(crate) use reading::{ended, long_line, phase};
#[cfg(test)]
pub(crate) use tests::heard::examples;

pub(crate) use crate::cluster::causes::Part;
use crate::cluster::names::{DRIVER_CONTAINER, EXECUTOR_CONTAINER, INIT_CONTAINER};
use reading::{asked_to_end_at, condition, last_lines, line, of_runtime, telling};

/// How long a node may take to give a pod its volumes and its network before that is told.
const NODE_PREPARES: SignedDuration = SignedDuration::from_secs(60);

/// The variable in which Spark tells an executor how much heap it has.
const HEAP: &str = "SPARK_EXECUTOR_MEMORY";

/// SIGTERM as the exit code of a container: what a program that is asked to end ends with.
const TERMINATED: i32 = 143;

/// Why a pod does not start, or why it ended. What others said is one short line each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// No node takes it.
    Unschedulable {
        /// What the scheduler misses, as far as it is known.
        wants: Vec<Want>,
        /// As the scheduler put it.
        said: String,
    },
    /// It asks for more than any node has.
    TooLarge {
        /// Of what, such as `memory`.
        resource: String,
        /// How much.
        asked: String,
        /// How much the largest node has.
        largest: String,
        /// As the scheduler put it.
        said: String,
    },
    /// An autoscaler makes a node for it.
    NodeComes {
        /// As the autoscaler put it.
        said: String,
    },
    /// No node takes it, and no autoscaler makes one.
    NodeNeverComes {
        /// As the autoscaler put it.
        said: String,
    },
    /// A volume of it is not made.
    ClaimUnbound {
        /// The volume's claim.
        claim: String,
        /// As who makes volumes put it.
        said: String,
    },
    /// An image cannot be had.
    ImagePull {
        /// The image.
        image: String,
        /// Whether it is the one with the keeper's program.
        keeper: bool,
        /// What kind of no it was.
        refusal: Refusal,
        /// As the registry or the kubelet put it.
        said: String,
    },
    /// Its node has been fetching an image for long.
    SlowPull {
        /// The image.
        image: String,
        /// For how long.
        seconds: u64,
    },
    /// A container cannot be made as the pod says.
    Config {
        /// As the kubelet put it.
        said: String,
    },
    /// Its node cannot mount a volume.
    NotMounted {
        /// The volume, where it was named.
        volume: String,
        /// As the kubelet put it.
        said: String,
    },
    /// A volume cannot be attached to its node.
    NotAttached {
        /// As who attaches volumes put it.
        said: String,
    },
    /// Its node cannot make its network.
    NoSandbox {
        /// The node.
        node: Option<String>,
        /// As the container runtime put it.
        said: String,
    },
    /// Its node has not got its volumes or its network ready for long.
    Stuck,
    /// Its node would not take it.
    Refused {
        /// The kubelet's word for it, such as `OutOfmemory`.
        reason: String,
        /// As the kubelet put it.
        said: String,
    },
    /// It used more memory than it may.
    OomKilled {
        /// How much it may use.
        limit: Option<String>,
        /// How much of that is Java's heap, where the pod tells.
        heap: Option<String>,
    },
    /// Its node had too little of something, or it used more disk than it may.
    Evicted {
        /// As the kubelet put it.
        said: String,
    },
    /// Somebody or an autoscaler empties its node.
    Drained,
    /// Pods of higher priority took its place.
    Preempted,
    /// Its node is gone, or going.
    NodeGone {
        /// The node.
        node: Option<String>,
    },
    /// It ran longer than it may.
    Deadline,
    /// Its program ended.
    Exited {
        /// The exit code, never zero.
        code: i32,
        /// The most telling line of what it said at last.
        message: Option<String>,
        /// The last lines of that, the newest last.
        last: Vec<String>,
    },
    /// Somebody deleted it.
    Deleted,
}

impl Trouble {
    /// Whether the pod may yet start when somebody, or an autoscaler, does something about it.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unschedulable { .. }
                | Self::TooLarge { .. }
                | Self::NodeComes { .. }
                | Self::NodeNeverComes { .. }
                | Self::ClaimUnbound { .. }
                | Self::ImagePull { .. }
                | Self::SlowPull { .. }
                | Self::Config { .. }
                | Self::NotMounted { .. }
                | Self::NotAttached { .. }
                | Self::NoSandbox { .. }
                | Self::Stuck
        )
    }

    /// The same, told of a driver whose heap is of this size: its pod does not say.
    pub(crate) fn with_heap(self, size: &str) -> Self {
        match self {
            Self::OomKilled { limit, heap: None } => Self::OomKilled {
                limit,
                heap: Some(size.to_owned()),
            },
            other => other,
        }
    }

    /// Whether it is the same trouble, though it may have been put in other words.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exited { code, .. }, Self::Exited { code: others, .. }) => code == others,
            (Self::ImagePull { image, .. }, Self::ImagePull { image: others, .. }) => {
                image == others
            }
            (Self::Unschedulable { wants, .. }, Self::Unschedulable { wants: others, .. }) => {
                wants == others
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// What is wrong with a pod, if anything is. A pod that ended well has no trouble.
pub(crate) fn trouble(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    trouble_as_heard(pod, &Heard::default(), now)
}

/// As [`trouble`], of a pod of which more was heard than its status tells.
pub(crate) fn trouble_as_heard(pod: &Pod, heard: &Heard, now: Timestamp) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    out_of_memory(pod, status)
        .or_else(|| by_reason(pod, status))
        .or_else(|| disrupted(pod, status))
        .or_else(|| exited(pod, status))
        .or_else(|| waiting(pod, status).map(|known| heard.of_image(known)))
        .or_else(|| {
            let known = not_placed(pod, status)?;
            heard.of_placing(pod, &known).or(Some(known))
        })
        .or_else(|| heard.of_preparing(pod, now))
        .or_else(|| stuck(status, now))
}

fn out_of_memory(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    let killed = containers(status).find(|container| {
        let ended = container.state.as_ref().and_then(|s| s.terminated.as_ref());
        ended.and_then(|ended| ended.reason.as_deref()) == Some("OOMKilled")
    })?;
    let spec = spec_of(pod, &killed.name);
    let limits = spec.and_then(|container| container.resources.as_ref()?.limits.as_ref());
    let mut variables = spec
        .iter()
        .flat_map(|container| container.env.iter().flatten());
    let heap = variables.find(|variable| variable.name == HEAP);
    Some(Trouble::OomKilled {
        limit: limits.and_then(|limits| Some(limits.get("memory")?.0.clone())),
        heap: heap.and_then(|heap| heap.value.clone()),
    })
}

/// What the kubelet says of the pod as a whole when it fails it. The words are those of its
/// eviction, shutdown and admission code.
fn by_reason(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    if status.phase.as_deref() != Some("Failed") {
        return None;
    }
    let reason = status.reason.as_deref()?;
    let said = line(status.message.as_deref().unwrap_or_default());
    Some(match reason {
        "Evicted" => Trouble::Evicted { said },
        "Preempting" => Trouble::Preempted,
        "Terminated" | "NodeShutdown" | "Shutdown" | "NodeLost" => node_gone(pod),
        "DeadlineExceeded" => Trouble::Deadline,
        // Failed by the Job's controller, or by somebody: the containers tell more.
        _ if containers(status).next().is_some() => return None,
        _ => Trouble::Refused {
            reason: line(reason),
            said,
        },
    })
}

/// Who is about to end the pod, or has: <https://kubernetes.io/docs/concepts/workloads/pods/disruptions/>.
fn disrupted(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    let target = condition(status, "DisruptionTarget").filter(|target| target.status == "True")?;
    let said = line(target.message.as_deref().unwrap_or_default());
    Some(match target.reason.as_deref()? {
        "PreemptionByScheduler" => Trouble::Preempted,
        "EvictionByEvictionAPI" => Trouble::Drained,
        "DeletionByTaintManager" | "DeletionByPodGC" => node_gone(pod),
        "TerminationByKubelet" if said.contains("shutdown") => node_gone(pod),
        "TerminationByKubelet" if said.contains("critical pod") => Trouble::Preempted,
        "TerminationByKubelet" => Trouble::Evicted { said },
        _ => return None,
    })
}

/// A program that ended before anybody asked it to tells by its exit code; after that, who asked
/// does.
fn exited(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    let asked = asked_to_end_at(pod);
    for container in containers(status) {
        let Some(ended) = container.state.as_ref().and_then(|s| s.terminated.as_ref()) else {
            continue;
        };
        let reason = ended.reason.as_deref().unwrap_or_default();
        if reason == "ContainerStatusUnknown" {
            return Some(node_gone(pod));
        }
        let said = ended.message.as_deref().unwrap_or_default();
        // The runtime could not begin it; the code is the runtime's.
        if matches!(reason, "StartError" | "ContainerCannotRun") {
            return Some(Trouble::Config {
                said: of_runtime(said),
            });
        }
        let finished = ended.finished_at.as_ref().map(|time| time.0);
        let by_itself = match (asked, finished) {
            // When its container has ended, the kubelet asks again, and the first time is forgotten.
            (Some(_), _) if ended.exit_code == TERMINATED => false,
            (Some(asked), Some(finished)) => finished < asked,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if ended.exit_code != 0 && by_itself {
            return Some(Trouble::Exited {
                code: ended.exit_code,
                message: telling(said),
                last: last_lines(said),
            });
        }
    }
    let mut own = containers(status)
        .filter(|container| container.name != INIT_CONTAINER)
        .peekable();
    let ended_well = own.peek().is_some()
        && own.all(|container| {
            let ended = container.state.as_ref().and_then(|s| s.terminated.as_ref());
            ended.is_some_and(|ended| ended.exit_code == 0)
        });
    (asked.is_some() && !ended_well).then_some(Trouble::Deleted)
}

/// What keeps a container from beginning. The words are those of the kubelet's image manager and
/// runtime code.
fn waiting(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    containers(status).find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        let said = waiting.message.as_deref().unwrap_or_default();
        Some(match waiting.reason.as_deref()? {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => {
                let spec = spec_of(pod, &container.name);
                let image = spec.and_then(|container| container.image.clone());
                Trouble::ImagePull {
                    image: image.unwrap_or_else(|| container.image.clone()),
                    keeper: container.name == INIT_CONTAINER,
                    refusal: Refusal::read(said),
                    said: pull::shortened(said),
                }
            }
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "PreCreateHookError"
            | "PostStartHookError" => Trouble::Config {
                said: of_runtime(said),
            },
            _ => return None,
        })
    })
}

fn not_placed(pod: &Pod, status: &PodStatus) -> Option<Trouble> {
    let placed = condition(status, "PodScheduled").filter(|placed| placed.status == "False")?;
    let said = match placed.reason.as_deref() {
        Some("Unschedulable") => placed.message.as_deref().unwrap_or_default(),
        Some("SchedulingGated") => "something holds it back (a scheduling gate)",
        _ => return None,
    };
    let selector = pod.spec.iter().flat_map(|spec| spec.node_selector.iter());
    let labels = selector.flatten();
    let labels = labels.map(|(name, value)| format!("{name}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    Some(Trouble::Unschedulable {
        wants: placing::wants(said, &line(&labels)),
        said: placing::shortened(said),
    })
}

fn stuck(status: &PodStatus, now: Timestamp) -> Option<Trouble> {
    let prepared = |condition: &PodCondition| condition.status == "True";
    if !condition(status, "PodScheduled").is_some_and(prepared) {
        return None;
    }
    let ready = condition(status, "PodReadyToStartContainers")?;
    let since = ready.last_transition_time.as_ref()?.0;
    let over = status.phase.as_deref() != Some("Pending");
    let waits = !over && !prepared(ready) && now.duration_since(since) >= NODE_PREPARES;
    waits.then_some(Trouble::Stuck)
}

fn node_gone(pod: &Pod) -> Trouble {
    Trouble::NodeGone {
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
    }
}

/// Our containers; all of them, where none is known by its name. What others put into the pod is
/// not what it is for.
fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let ours = |container: &ContainerStatus| {
        [DRIVER_CONTAINER, EXECUTOR_CONTAINER, INIT_CONTAINER].contains(&container.name.as_str())
    };
    let all = || {
        let own = status.container_statuses.iter().flatten();
        own.chain(status.init_container_statuses.iter().flatten())
    };
    let known = all().any(ours);
    all().filter(move |container| !known || ours(container))
}

fn spec_of<'p>(pod: &'p Pod, name: &str) -> Option<&'p Container> {
    let spec = pod.spec.as_ref()?;
    let all = spec.containers.iter();
    all.chain(spec.init_containers.iter().flatten())
        .find(|container| container.name == name)
}
