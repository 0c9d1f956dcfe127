//! What else is known of a pod that waits: what Kubernetes says of it in events, what nodes there
//! are, and what is said of its volumes. A user who may not read one of these misses only that.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::reading::{condition, line};
use super::{Refusal, Trouble};
use crate::cluster::quantity::Amount;

/// How long a node may take over what mostly fails at first, such as a Secret that was made after
/// the pod, before that is told.
const AT_FIRST: SignedDuration = SignedDuration::from_secs(10);

/// How long an image may take before that is told.
const SLOW: SignedDuration = SignedDuration::from_secs(30);

/// Events that tell something, by their reasons: those of Cluster Autoscaler, Karpenter, the
/// kubelet and the controller that attaches volumes.
const REASONS: [&str; 11] = [
    "TriggeredScaleUp",
    "NotTriggerScaleUp",
    "Nominated",
    "FailedScheduling",
    "FailedMount",
    "FailedAttachVolume",
    "SuccessfulAttachVolume",
    "FailedCreatePodSandBox",
    PULLING,
    PULLED,
    NO_PULL_SECRET,
];

const PULLING: &str = "Pulling";
const PULLED: &str = "Pulled";
const NO_PULL_SECRET: &str = "FailedToRetrieveImagePullSecret";

/// What else is known of a pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heard {
    /// What was said last, by reason and by the container that it is about.
    said: BTreeMap<(&'static str, String), Word>,
    /// The most of each resource that any node has for pods.
    largest: BTreeMap<String, Amount>,
    /// What is in the way of its volumes, by claim.
    claims: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Word {
    at: Timestamp,
    said: String,
}

impl Heard {
    /// Kubernetes said something of the pod.
    pub(crate) fn event(&mut self, event: &Event) {
        let reason = event.reason.as_deref().unwrap_or_default();
        let Some(reason) = REASONS.into_iter().find(|known| *known == reason) else {
            return;
        };
        let said = event.message.as_deref().unwrap_or_default();
        // The scheduler's own is in the pod's status.
        if reason == "FailedScheduling" && !said.starts_with("Failed to schedule pod") {
            return;
        }
        let Some(at) = time(event) else { return };
        let about = event.involved_object.field_path.clone();
        let about = (reason, about.unwrap_or_default());
        let newer = self.said.get(&about).is_none_or(|known| known.at <= at);
        if newer {
            let said = said.to_owned();
            self.said.insert(about, Word { at, said });
        }
    }

    /// These are all nodes.
    pub(crate) fn nodes(&mut self, nodes: &[Node]) {
        self.largest.clear();
        for node in nodes {
            let allocatable = node.status.iter().filter_map(|s| s.allocatable.as_ref());
            for (name, quantity) in allocatable.flatten() {
                let Some(has) = Amount::read(&quantity.0) else {
                    continue;
                };
                let most = self.largest.entry(name.clone()).or_default();
                *most = has.max(*most);
            }
        }
    }

    /// Kubernetes said something of a claim of a volume; the newest is to come last.
    pub(crate) fn claim(&mut self, event: &Event) {
        let of = &event.involved_object;
        let bad = ["ProvisioningFailed", "FailedBinding"];
        let reason = event.reason.as_deref().unwrap_or_default();
        if let (Some(name), true) = (&of.name, bad.contains(&reason)) {
            let said = line(event.message.as_deref().unwrap_or_default());
            self.claims.insert(name.clone(), said);
        }
    }

    fn last(&self, reasons: &[&str]) -> Option<&Word> {
        let such = self.said.iter();
        let such = such.filter(|((reason, _), _)| reasons.contains(reason));
        such.map(|(_, word)| word).max_by_key(|word| word.at)
    }

    /// What else is known of why no node takes the pod.
    pub(super) fn of_placing(&self, pod: &Pod, known: &Trouble) -> Option<Trouble> {
        let Trouble::Unschedulable { wants, said } = known else {
            return None;
        };
        let comes = self.last(&["TriggeredScaleUp", "Nominated"]);
        let never = self.last(&["NotTriggerScaleUp", "FailedScheduling"]);
        if let Some(comes) = comes.filter(|comes| never.is_none_or(|never| never.at <= comes.at)) {
            return Some(Trouble::NodeComes {
                said: line(&comes.said),
            });
        }
        let too_large = wants.iter().find_map(|want| {
            let resource = want.resource()?;
            let (asked, largest) = (asked(pod, resource)?, *self.largest.get(resource)?);
            (asked > largest).then(|| Trouble::TooLarge {
                resource: resource.to_owned(),
                asked: asked.words(resource),
                largest: largest.words(resource),
                said: said.clone(),
            })
        });
        let unbound = || {
            let mut claims = claims_of(pod).into_iter();
            claims.find_map(|claim| {
                let said = self.claims.get(&claim)?.clone();
                Some(Trouble::ClaimUnbound { claim, said })
            })
        };
        too_large.or_else(unbound).or_else(|| {
            let never = line(&never?.said);
            let reason = [
                "pod didn't trigger scale-up:",
                "pod didn't trigger scale-up",
                "Failed to schedule pod,",
            ];
            let reason = reason.iter().find_map(|words| never.strip_prefix(words));
            let reason = reason.unwrap_or(&never).trim();
            Some(Trouble::NodeNeverComes {
                said: if reason.is_empty() { said } else { reason }.to_owned(),
            })
        })
    }

    /// What keeps a node from starting the pod that it has.
    pub(super) fn of_preparing(&self, pod: &Pod, now: Timestamp) -> Option<Trouble> {
        let status = pod.status.as_ref()?;
        if status.phase.as_deref() != Some("Pending") {
            return None;
        }
        let placed = condition(status, "PodScheduled").filter(|placed| placed.status == "True")?;
        let placed_at = placed.last_transition_time.as_ref()?.0;
        let ready = condition(status, "PodReadyToStartContainers");
        if ready.is_some_and(|ready| ready.status == "True") {
            return self.of_pulling(now);
        }
        if now.duration_since(placed_at) < AT_FIRST {
            return None;
        }
        let troubles = [
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
        ];
        let (reason, word) = troubles
            .iter()
            .filter_map(|reason| Some((*reason, self.last(&[reason])?)))
            .max_by_key(|(_, word)| word.at)?;
        let attached = self.last(&["SuccessfulAttachVolume"]);
        Some(match reason {
            "FailedMount" => {
                let (volume, said) = mounted(&word.said);
                Trouble::NotMounted { volume, said }
            }
            "FailedAttachVolume" if attached.is_some_and(|attached| attached.at > word.at) => {
                return None;
            }
            "FailedAttachVolume" => Trouble::NotAttached {
                said: line(&word.said),
            },
            _ => Trouble::NoSandbox {
                node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
                said: line(innermost(&word.said)),
            },
        })
    }

    fn of_pulling(&self, now: Timestamp) -> Option<Trouble> {
        let over = |about: &str, since| {
            let pulled = self.said.get(&(PULLED, about.to_owned()));
            pulled.is_some_and(|pulled| pulled.at >= since)
        };
        let pulls = self.said.iter().filter(|((reason, about), word)| {
            *reason == PULLING && now.duration_since(word.at) >= SLOW && !over(about, word.at)
        });
        let (_, slowest) = pulls.min_by_key(|(_, word)| word.at)?;
        let image = slowest.said.split('"').nth(1)?;
        Some(Trouble::SlowPull {
            image: line(image),
            seconds: now.duration_since(slowest.at).as_secs().unsigned_abs(),
        })
    }

    /// What else is known of an image that cannot be had: that a Secret is not there which would open
    /// the registry.
    pub(super) fn of_image(&self, known: Trouble) -> Trouble {
        match (known, self.last(&[NO_PULL_SECRET])) {
            (
                Trouble::ImagePull {
                    image,
                    said,
                    refusal: refusal @ Refusal::Denied,
                    keeper,
                },
                Some(word),
            ) => Trouble::ImagePull {
                image,
                said: format!("{said}; {}", line(&word.said).trim_end_matches('.')),
                refusal,
                keeper,
            },
            (known, _) => known,
        }
    }
}

/// Claims of volumes that the pod names or that are made for it.
pub(crate) fn claims_of(pod: &Pod) -> Vec<String> {
    let volumes = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    let mut claims: Vec<String> = volumes
        .filter_map(|volume| {
            let named = volume.persistent_volume_claim.as_ref();
            let made = volume.ephemeral.as_ref();
            let named = named.map(|claim| claim.claim_name.clone());
            named.or_else(|| made.map(|_| format!("{}-{}", pod.name_any(), volume.name)))
        })
        .collect();
    claims.sort();
    claims
}

/// How much of a resource the pod asks for. What prepares it runs before the rest, and asks for
/// less.
fn asked(pod: &Pod, resource: &str) -> Option<Amount> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let asked = containers.filter_map(|container| {
        let resources = container.resources.as_ref()?;
        let of = |list: &Option<BTreeMap<String, _>>| -> Option<Amount> {
            let quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity =
                list.as_ref()?.get(resource)?;
            Amount::read(&quantity.0)
        };
        of(&resources.requests).or_else(|| of(&resources.limits))
    });
    let all = asked.fold(Amount::NONE, Amount::plus);
    (all > Amount::NONE).then_some(all)
}

/// When it was said last.
fn time(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let micro = series.and_then(|series| series.last_observed_time.as_ref());
    let micro = micro.or(event.event_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let first = event.first_timestamp.as_ref().map(|time| time.0);
    let made = event.metadata.creation_timestamp.as_ref();
    let made = made.map(|time| time.0);
    [micro, last, first].into_iter().flatten().max().or(made)
}

/// Which volume, and why: `MountVolume.SetUp failed for volume "home" : …`.
fn mounted(said: &str) -> (String, String) {
    let after = said.split_once("for volume \"");
    match after.and_then(|(_, rest)| rest.split_once('"')) {
        Some((volume, why)) => {
            let why = why.trim_start_matches([' ', ':']);
            (line(volume), line(innermost(why)))
        }
        None => (String::new(), line(innermost(said))),
    }
}

/// What a driver of volumes or networks said, without the names of who passed it on.
fn innermost(said: &str) -> &str {
    said.rsplit_once("desc = ").map_or(said, |(_, said)| said)
}
