//! A pod's trouble in words, which the table of causes has: what happened, and what to do about it.

use super::{Refusal, TERMINATED, Trouble, Want};
use crate::cause::Cause;
use crate::cluster::causes::{Part, Why};
use crate::cluster::names::mount::KEEPER_VOLUME;

/// SIGKILL as the exit code of a container.
const KILLED: i32 = 137;

/// Exit code of a Java that was told to end when its heap is full (`ExitOnOutOfMemoryError`).
const HEAP_FULL: i32 = 3;

/// Exit codes of Spark's executors, from its `SparkExitCode` and `ExecutorExitCode`.
const UNCAUGHT: i32 = 50;
const UNCAUGHT_MEMORY: i32 = 52;
const NO_FOLDER: i32 = 53;
const NOT_HEARD: i32 = 56;

/// What an executor says at last that never reached its driver.
const NOT_REACHED: [&str; 5] = [
    "Failed to connect to",
    "Cannot receive any reply from",
    "UnknownHostException",
    "No route to host",
    "Could not find CoarseGrainedScheduler",
];

impl Trouble {
    /// What happened, to be said of one pod, or of `many`: begins with the verb.
    pub(crate) fn happened(&self, many: bool) -> String {
        let fields = self.fields(Part::Executor, many);
        let borrowed = borrowed(&fields, "");
        self.why().sentence(&borrowed)
    }

    /// What the reader does about it, in whole sentences.
    pub(crate) fn remedy(&self, part: Part) -> String {
        let fields = self.fields(part, false);
        let mut remedy = self.why().remedy(&borrowed(&fields, part.subject()));
        // What else it wants is said as well.
        if let Self::Unschedulable { wants, .. } = self {
            for want in wants.iter().skip(1) {
                let fields = want.fields(part);
                let other = want.why().remedy(&borrowed(&fields, part.subject()));
                if let Some((_, other)) = other.split_once(": ") {
                    let end = remedy.trim_end_matches('.').len();
                    remedy.truncate(end);
                    remedy.push_str("; ");
                    remedy.push_str(other);
                }
            }
        }
        remedy
    }

    /// What happened, as a sentence without its full stop.
    pub(crate) fn sentence(&self, part: Part) -> String {
        let fields = self.fields(part, false);
        self.why().sentence(&borrowed(&fields, part.subject()))
    }

    /// Why there is no such pod.
    pub(crate) fn cause(&self, part: Part) -> Cause {
        let mut cause = self.why().cause(&[]);
        cause.sentence = self.sentence(part);
        cause.remedy = self.remedy(part);
        cause
    }

    /// Which cause it is.
    pub(crate) fn why(&self) -> Why {
        match self {
            Self::Unschedulable { wants, .. } => wants.first().map_or(Why::NotPlaced, Want::why),
            Self::TooLarge { .. } => Why::TooLarge,
            Self::NodeComes { .. } => Why::NodeComes,
            Self::NodeNeverComes { .. } => Why::NodeNeverComes,
            Self::ClaimUnbound { .. } => Why::ClaimUnbound,
            Self::ImagePull { refusal, .. } => refusal.why(),
            Self::SlowPull { .. } => Why::SlowPull,
            Self::Config { said } => of_config(said),
            Self::NotMounted { .. } => Why::NotMounted,
            Self::NotAttached { .. } => Why::NotAttached,
            Self::NoSandbox { .. } => Why::NoSandbox,
            Self::Stuck => Why::NodeStuck,
            Self::Refused { .. } => Why::NodeRefused,
            Self::OomKilled { .. } => Why::OutOfMemory,
            Self::Evicted { said } if is_about_disk(said) => Why::DiskExceeded,
            Self::Evicted { .. } => Why::Evicted,
            Self::Drained => Why::Drained,
            Self::Preempted => Why::Preempted,
            Self::NodeGone { .. } => Why::NodeGone,
            Self::Deadline => Why::Overrun,
            Self::Exited { code, message, .. } => of_exit(*code, message.as_deref()),
            Self::Deleted => Why::Deleted,
        }
    }

    /// What is known of it, for the words.
    fn fields(&self, part: Part, many: bool) -> Vec<(&'static str, String)> {
        let one = |one: &'static str, more: &'static str| if many { more } else { one }.to_owned();
        let mut fields = vec![
            ("was", one("was", "were")),
            ("its", one("its", "their")),
            ("nodes", one("node", "nodes")),
            ("memory", part.key("memory")),
            ("overhead", part.key("overhead")),
            ("again", again(part).to_owned()),
            ("disk", disk(part).to_owned()),
        ];
        match self {
            Self::Unschedulable { wants, said } => {
                fields.push(("said", said.clone()));
                fields.extend(wants.first().into_iter().flat_map(|want| want.fields(part)));
            }
            Self::TooLarge {
                resource,
                asked,
                largest,
                said,
            } => fields.extend([
                ("key", part.keys_of(resource)),
                ("asked", amount(asked, resource)),
                ("largest", amount(largest, resource)),
                ("said", said.clone()),
            ]),
            Self::NodeComes { said }
            | Self::NodeNeverComes { said }
            | Self::NotAttached { said }
            | Self::Config { said }
            | Self::Evicted { said } => fields.push(("said", said.clone())),
            Self::ClaimUnbound { claim, said } => fields.extend([
                ("claim", claim.clone()),
                ("said", said.clone()),
                (
                    "key",
                    "`kubernetes.volumes` or `kubernetes.localDisk`".to_owned(),
                ),
            ]),
            Self::ImagePull {
                image,
                said,
                keeper,
                ..
            } => {
                let key = if *keeper { "keeperImage" } else { "images" };
                fields.extend([
                    ("image", image.clone()),
                    ("said", said.clone()),
                    ("key", format!("kubernetes.{key}")),
                ]);
            }
            Self::SlowPull { image, seconds } => {
                fields.extend([("image", image.clone()), ("time", spoken(*seconds))]);
            }
            Self::NotMounted { volume, said } => fields.extend([
                ("volume", volume.clone()),
                ("said", said.clone()),
                ("see", see(volume).to_owned()),
            ]),
            Self::NoSandbox { node, said } => fields.extend([
                ("node", node.clone().unwrap_or_default()),
                ("said", said.clone()),
            ]),
            Self::Refused { reason, said } => {
                fields.extend([("reason", reason.clone()), ("said", said.clone())]);
            }
            Self::OomKilled { limit, heap } => fields.extend([
                ("limit", limit.clone().unwrap_or_else(|| "share".to_owned())),
                (
                    "heap",
                    heap.as_ref().map_or_else(String::new, |heap| {
                        format!(", of which {heap} are Java's heap")
                    }),
                ),
            ]),
            Self::NodeGone { node } => {
                let name = node.clone().filter(|_| !many);
                fields.push(("name", name.unwrap_or_default()));
            }
            Self::Exited { code, message, .. } => fields.extend([
                ("code", code.to_string()),
                ("said", message.clone().unwrap_or_default()),
            ]),
            Self::Stuck | Self::Drained | Self::Preempted | Self::Deadline | Self::Deleted => {}
        }
        if matches!(
            (self.why(), part),
            (Why::Exited | Why::Uncaught, Part::Executor)
        ) {
            let more = "`%logs executor` and its number shows more while it is there.";
            fields.retain(|(name, _)| *name != "again");
            fields.push(("again", more.to_owned()));
        }
        fields
    }
}

impl Want {
    /// Which cause it is that no node has it.
    fn why(&self) -> Why {
        match self {
            Self::Resource(name) if name.contains('/') => Why::NoDevice,
            Self::Resource(name)
                if ["memory", "cpu", "ephemeral-storage"].contains(&name.as_str()) =>
            {
                Why::NoRoom
            }
            Self::Resource(_) => Why::NotPlaced,
            Self::Labels(_) => Why::LabelsUnmet,
            Self::Toleration => Why::TaintsUnmet,
            Self::Volume => Why::ClaimPending,
        }
    }

    /// What is known of it, for the words.
    fn fields(&self, part: Part) -> [(&'static str, String); 2] {
        let labels = match self {
            Self::Labels(labels) if !labels.is_empty() => format!("the labels `{labels}`"),
            _ => "labels".to_owned(),
        };
        [("key", self.key(part)), ("labels", labels)]
    }

    /// What it is asked for by.
    fn key(&self, part: Part) -> String {
        match self {
            Self::Resource(name) => match name.as_str() {
                "memory" => part.key("memory"),
                "cpu" => part.key("millicores"),
                "ephemeral-storage" => "`kubernetes.localDisk`".to_owned(),
                _ => name.clone(),
            },
            Self::Labels(_) => part.nodes("nodes"),
            Self::Toleration => part.nodes("tolerations"),
            Self::Volume => "`kubernetes.volumes`".to_owned(),
        }
    }
}

impl Refusal {
    /// Which cause it is.
    fn why(self) -> Why {
        match self {
            Self::NotFound => Why::ImageNotFound,
            Self::BadName => Why::ImageNameWrong,
            Self::Denied => Why::ImageDenied,
            Self::Unreachable => Why::RegistryUnreachable,
            Self::TooMany => Why::RegistryBusy,
            Self::OtherPlatform => Why::ImageOfOtherPlatform,
            Self::NoSpace => Why::NodeFull,
            Self::NeverPulled => Why::ImageNeverPulled,
            Self::Unknown => Why::ImageNotPulled,
        }
    }
}

fn borrowed<'f>(
    fields: &'f [(&'static str, String)],
    subject: &'f str,
) -> Vec<(&'static str, &'f str)> {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    fields.chain([("pod", subject)]).collect()
}

fn again(part: Part) -> &'static str {
    match part {
        Part::Driver => "Run the cell again; a new driver is started.",
        Part::Executor => "Spark runs its tasks again.",
    }
}

/// What to look at where a volume cannot be mounted. The one with the keeper's right is not the profile's.
fn see(volume: &str) -> &'static str {
    match volume {
        KEEPER_VOLUME => {
            "Have `kubectl apply -f deploy/rbac` done in the namespace, whose Secret for the keeper's account is missing, or correct `kubernetes.accounts` in the profile"
        }
        _ => {
            "See whether what the profile names in `kubernetes.volumes` and `kubernetes.caBundle` is there"
        }
    }
}

/// Where what takes disk space goes better.
fn disk(part: Part) -> &'static str {
    match part {
        Part::Driver => {
            "Have what it writes go to a volume (`kubernetes.volumes`), or ask whoever runs the cluster for more ephemeral storage."
        }
        Part::Executor => "Raise `kubernetes.localDisk.size` in the profile.",
    }
}

/// So much of a resource, with its name where the figure alone does not tell.
fn amount(figure: &str, resource: &str) -> String {
    match resource {
        "memory" => format!("{figure} of memory"),
        "cpu" => figure.to_owned(),
        other => format!("{figure} {other}"),
    }
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

/// The words are those of the kubelet, which makes containers, and of runc. What is ours is made
/// after the Job, and may be missing for a moment.
fn of_config(said: &str) -> Why {
    let says = |words: &str| said.contains(words);
    if says("\"firesteel-") {
        Why::NotStarted
    } else if says("couldn't find key") {
        Why::KeyMissing
    } else if says("secret \"") && says("not found") {
        Why::SecretMissing
    } else if says("configmap \"") && says("not found") {
        Why::ConfigMapMissing
    } else if says("runAsNonRoot") {
        Why::RunsAsRoot
    } else if says("no such file or directory") || says("executable file not found") {
        Why::NoSuchProgram
    } else {
        Why::NotStarted
    }
}

fn of_exit(code: i32, message: Option<&str>) -> Why {
    let unreached = |said: &str| NOT_REACHED.iter().any(|words| said.contains(words));
    match code {
        KILLED => Why::KilledByOthers,
        TERMINATED => Why::ToldToEnd,
        HEAP_FULL | UNCAUGHT_MEMORY => Why::HeapFull,
        NO_FOLDER => Why::NoFolder,
        NOT_HEARD => Why::DriverNotHeard,
        1 if message.is_some_and(unreached) => Why::DriverUnreachable,
        UNCAUGHT => Why::Uncaught,
        _ => Why::Exited,
    }
}

/// Whether the pod itself used too much, not somebody else on its node: the kubelet's words for its
/// own limits of ephemeral storage.
fn is_about_disk(said: &str) -> bool {
    said.contains("exceeds the limit")
        || said.contains("exceeds the total limit")
        || said.contains("exceeded its local ephemeral")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kubelet's words in `pkg/kubelet/eviction` of Kubernetes 1.34.
    #[test]
    fn who_used_too_much_disk_is_told_from_who_was_in_the_way() {
        for (said, own) in [
            (
                "Usage of EmptyDir volume \"x\" exceeds the limit \"1Gi\". ",
                true,
            ),
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
                true,
            ),
            (
                "Container executor exceeded its local ephemeral storage limit \"1Gi\". ",
                true,
            ),
            ("The node was low on resource: ephemeral-storage. ", false),
        ] {
            assert_eq!(is_about_disk(said), own, "{said}");
        }
    }

    /// The words of runc, which says one or the other of a program by how it is named.
    #[test]
    fn an_image_without_the_program_is_told_however_it_was_looked_for() {
        for said in [
            "exec: \"/opt/entrypoint.sh\": stat /opt/entrypoint.sh: no such file or directory",
            "exec: \"tini\": executable file not found in $PATH",
        ] {
            assert_eq!(of_config(said), Why::NoSuchProgram, "{said}");
        }
    }
}
