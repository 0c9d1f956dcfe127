//! A pod's trouble in words: what happened, and what to do about it.

use super::{Refusal, TERMINATED, Trouble, Want};
use crate::cause::{Cause, Kind};

/// What a pod is to its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The driver.
    Driver,
    /// An executor.
    Executor,
}

impl Part {
    /// The profile's key of what this is about: `kubernetes.driver.memory`.
    fn key(self, of: &str) -> String {
        match self {
            Self::Driver => format!("`kubernetes.driver.{of}`"),
            Self::Executor => format!("`kubernetes.executor.{of}`"),
        }
    }

    /// The profile's key of the nodes it may be on.
    fn nodes(self, of: &str) -> String {
        match self {
            Self::Driver => format!("`kubernetes.placement.driver.{of}`"),
            Self::Executor => format!("`kubernetes.placement.executors.{of}`"),
        }
    }
}

/// SIGKILL as the exit code of a container.
const KILLED: i32 = 137;

/// Exit code of a Java that was told to end when its heap is full (`ExitOnOutOfMemoryError`).
const HEAP_FULL: i32 = 3;

/// Exit codes of Spark's executors, from its `SparkExitCode` and `ExecutorExitCode`.
const UNCAUGHT: i32 = 50;
const UNCAUGHT_MEMORY: i32 = 52;
const NO_FOLDER: i32 = 53;
const NOT_HEARD: i32 = 56;

impl Trouble {
    /// What happened, to be said of one pod, or of `many`: begins with the verb.
    pub(crate) fn happened(&self, many: bool) -> String {
        let (was, its) = if many {
            ("were", "their")
        } else {
            ("was", "its")
        };
        let node = if many { "nodes" } else { "node" };
        match self {
            Self::Unschedulable { said, .. } => {
                format!("cannot be placed on any node: {said}")
            }
            Self::ImagePull { image, said, .. } if said.is_empty() => {
                format!("cannot get image {image}")
            }
            Self::ImagePull { image, said, .. } => format!("cannot get image {image}: {said}"),
            Self::Config { said } if said.is_empty() => "cannot be started".to_owned(),
            Self::Config { said } => format!("cannot be started: {said}"),
            Self::Stuck => {
                format!("cannot be started: {its} {node} did not get volumes and network ready")
            }
            Self::Refused { reason, said } => {
                format!("{was} refused by {its} {node} ({reason}): {said}")
            }
            Self::OomKilled { limit: Some(limit) } => {
                format!("{was} killed for using more than {its} {limit} of memory (OOMKilled)")
            }
            Self::OomKilled { limit: None } => {
                format!("{was} killed for using too much memory (OOMKilled)")
            }
            Self::Evicted { said } if said.is_empty() => format!("{was} evicted by {its} {node}"),
            Self::Evicted { said } => format!("{was} evicted by {its} {node}: {said}"),
            Self::Drained => {
                format!(
                    "{was} evicted, because {its} {node} is drained by a person or an autoscaler"
                )
            }
            Self::Preempted => format!("{was} preempted by pods of higher priority"),
            Self::NodeGone { node: Some(name) } if !many => {
                format!("{was} lost with its node {name}")
            }
            Self::NodeGone { .. } => format!("{was} lost with {its} {node}"),
            Self::Deadline => format!("ran longer than {its} deadline"),
            Self::Exited { code, message } => exited(*code, message.as_deref(), was),
            Self::Deleted => format!("{was} deleted by a person or a program"),
        }
    }

    /// What the reader does about it: one or two whole sentences, or none.
    pub(crate) fn remedy(&self, part: Part) -> String {
        match self {
            Self::Unschedulable { wants, .. } => not_placed(wants, part),
            Self::ImagePull {
                refusal, keeper, ..
            } => not_pulled(*refusal, *keeper),
            Self::Config { .. } => {
                "See whether everything that the profile names is there, such as \
                 Secrets and their keys, and whether the image runs as another user than root."
                    .to_owned()
            }
            Self::Stuck => "See whether the profile's volumes are there and free; \
                 `kubectl describe pod` shows what the node waits for."
                .to_owned(),
            Self::Refused { .. } => {
                "What the node had free was taken meanwhile. Run the cell again.".to_owned()
            }
            Self::OomKilled { .. } => format!(
                "Raise {} (Python workers and buffers) or {} (Java's heap) in the profile.",
                part.key("overhead"),
                part.key("memory")
            ),
            Self::Evicted { said } if is_about_disk(said) => {
                "Raise `kubernetes.localDisk.size` in the profile.".to_owned()
            }
            Self::Exited { code, .. } => after_exit(*code, part),
            _ => match part {
                Part::Driver => "Run the cell again; a new driver is started.".to_owned(),
                Part::Executor => "Spark runs its tasks again.".to_owned(),
            },
        }
    }

    /// What happened, as a sentence without its full stop.
    pub(crate) fn sentence(&self, part: Part) -> String {
        let subject = match part {
            Part::Driver => "The Spark driver's pod",
            Part::Executor => "An executor",
        };
        format!("{subject} {}", self.happened(false))
    }

    /// Why there is no such pod.
    pub(crate) fn cause(&self, part: Part) -> Cause {
        Cause::new(self.kind(), self.sentence(part), self.remedy(part))
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Unschedulable { .. }
            | Self::ImagePull { .. }
            | Self::Config { .. }
            | Self::Stuck
            | Self::Refused { .. } => Kind::Cluster,
            Self::OomKilled { .. } => Kind::Memory,
            Self::Deadline => Kind::Deadline,
            Self::Exited { code, .. } if ![KILLED, TERMINATED].contains(code) => Kind::Exited,
            Self::Exited { .. }
            | Self::Evicted { .. }
            | Self::Drained
            | Self::Preempted
            | Self::NodeGone { .. }
            | Self::Deleted => Kind::Killed,
        }
    }
}

fn exited(code: i32, message: Option<&str>, was: &str) -> String {
    let what = match code {
        KILLED => format!("{was} killed (exit code 137)"),
        TERMINATED => format!("{was} told to end (exit code 143)"),
        HEAP_FULL | UNCAUGHT_MEMORY => format!("ran out of Java's heap (exit code {code})"),
        NO_FOLDER => "could not make a folder on disk (exit code 53)".to_owned(),
        NOT_HEARD => "could not reach the driver any more (exit code 56)".to_owned(),
        UNCAUGHT => "failed of an exception that nothing caught (exit code 50)".to_owned(),
        code => format!("ended with exit code {code}"),
    };
    match message {
        Some(message) => format!("{what}: {message}"),
        None => what,
    }
}

fn after_exit(code: i32, part: Part) -> String {
    match (code, part) {
        (HEAP_FULL | UNCAUGHT_MEMORY, _) => {
            format!("Raise {} in the profile.", part.key("memory"))
        }
        (KILLED, _) => format!(
            "Often that is for want of memory: raise {} in the profile if it happens again.",
            part.key("overhead")
        ),
        (NO_FOLDER, _) => "See `kubernetes.localDisk` in the profile.".to_owned(),
        (_, Part::Executor) => {
            "`%logs executor` and its number shows more while it is there.".to_owned()
        }
        (_, Part::Driver) => "Run the cell again; a new driver is started.".to_owned(),
    }
}

fn not_placed(wants: &[Want], part: Part) -> String {
    let missing = wants.iter().map(|want| match want {
        Want::Resource(name) if name.contains('/') => {
            format!("every {name} is in use, or no node has so many")
        }
        Want::Resource(name) => match name.as_str() {
            "memory" => format!("less {} may fit", part.key("memory")),
            "cpu" => format!("less {} may fit", part.key("millicores")),
            "ephemeral-storage" => "less `kubernetes.localDisk` may fit".to_owned(),
            _ => "the nodes are full".to_owned(),
        },
        Want::Labels => format!(
            "{} asks for labels that no free node has",
            part.nodes("nodes")
        ),
        Want::Toleration => {
            format!("{} lacks taints that nodes have", part.nodes("tolerations"))
        }
        Want::Volume => "see `kubernetes.volumes` and `kubernetes.localDisk`".to_owned(),
    });
    let missing: Vec<String> = missing.collect();
    let wait =
        "Wait until something is free or an autoscaler has made a node, or change the profile";
    if missing.is_empty() {
        format!("{wait}.")
    } else {
        format!("{wait}: {}.", missing.join("; "))
    }
}

fn not_pulled(refusal: Refusal, keeper: bool) -> String {
    let key = if keeper {
        "kubernetes.keeperImage"
    } else {
        "kubernetes.images"
    };
    match refusal {
        Refusal::NotFound | Refusal::BadName => {
            format!("Correct `{key}` in the profile.")
        }
        Refusal::Denied => format!(
            "Correct `{key}` in the profile, or name in `kubernetes.pullSecrets` a Secret that \
             opens the registry."
        ),
        Refusal::Unreachable => {
            "The node cannot talk to the registry; tell whoever runs the cluster.".to_owned()
        }
        Refusal::TooMany => "Wait; the node tries again.".to_owned(),
        Refusal::OtherPlatform => format!(
            "`{key}` in the profile has no variant for the node's processor: use another image, \
             or other nodes by `kubernetes.placement`."
        ),
        Refusal::NoSpace => "The node's disk is full; tell whoever runs the cluster.".to_owned(),
        Refusal::NeverPulled => {
            "Change `kubernetes.pullPolicy` in the profile, or bring the image to the nodes."
                .to_owned()
        }
        Refusal::Unknown => format!(
            "See `{key}` and `kubernetes.pullSecrets` in the profile; the node tries again."
        ),
    }
}

/// Whether the pod itself used too much, not somebody else on its node: the kubelet's words for its
/// own limits of ephemeral storage.
fn is_about_disk(said: &str) -> bool {
    said.contains("exceeds the limit")
        || said.contains("exceeds the total limit")
        || said.contains("exceeded its local ephemeral")
}
