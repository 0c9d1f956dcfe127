//! What the scheduler says of a pod that no node takes.

use super::reading::line;

/// What a pod wants and no node has for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Want {
    /// Enough of a resource, such as `cpu`, `memory` or `nvidia.com/gpu`.
    Resource(String),
    /// A node with the labels it selects: `disk=ssd`, several with commas, as far as they are known.
    Labels(String),
    /// A node whose taints it tolerates.
    Toleration,
    /// A volume, or one that can be where the pod is.
    Volume,
}

impl Want {
    /// The resource that is wanted, where it is one.
    pub(super) fn resource(&self) -> Option<&str> {
        match self {
            Self::Resource(name) => Some(name),
            Self::Labels(_) | Self::Toleration | Self::Volume => None,
        }
    }
}

/// Reads the scheduler's sentence, such as `0/5 nodes are available: 3 Insufficient cpu, 2 node(s)
/// had untolerated taint {gpu: }.` What it says no word of is not among the wants. `labels` are those
/// that the pod selects.
pub(super) fn wants(said: &str, labels: &str) -> Vec<Want> {
    let said = why(said);
    let mut wants = Vec::new();
    for rest in said.split("Insufficient ").skip(1) {
        let end = rest.find([',', ' ', ';']).unwrap_or(rest.len());
        let resource = rest.get(..end).unwrap_or(rest).trim_end_matches('.');
        wants.push(Want::Resource(resource.to_owned()));
    }
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // A volume has an affinity to nodes as well.
    if says(&["Pod's node affinity", "node selector"]) {
        wants.push(Want::Labels(labels.to_owned()));
    }
    if says(&["untolerated taint", "didn't tolerate"]) {
        wants.push(Want::Toleration);
    }
    if says(&["PersistentVolume", "persistentvolumeclaim", "volume"]) {
        wants.push(Want::Volume);
    }
    wants.sort();
    wants.dedup();
    wants
}

/// The scheduler's sentence without what it tried besides.
pub(super) fn shortened(said: &str) -> String {
    line(why(said))
}

fn why(said: &str) -> &str {
    let beside = [". preemption:", ". no new claims", ", preemption:"];
    let ends = beside.iter().filter_map(|words| said.find(words));
    ends.min().and_then(|end| said.get(..end)).unwrap_or(said)
}
