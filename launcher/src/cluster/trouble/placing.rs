//! What the scheduler says of a pod that no node takes.

use super::reading::line;

/// What a pod wants and no node has for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Want {
    /// Enough of a resource, such as `cpu`, `memory` or `nvidia.com/gpu`.
    Resource(String),
    /// A node with the labels it selects.
    Labels,
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
            Self::Labels | Self::Toleration | Self::Volume => None,
        }
    }
}

/// Reads the scheduler's sentence, such as `0/5 nodes are available: 3 Insufficient cpu, 2 node(s)
/// had untolerated taint {gpu: }.` What it says no word of is not among the wants.
pub(super) fn wants(said: &str) -> Vec<Want> {
    let said = why(said);
    let mut wants = Vec::new();
    for rest in said.split("Insufficient ").skip(1) {
        let end = rest.find([',', ' ', ';']).unwrap_or(rest.len());
        let resource = rest.get(..end).unwrap_or(rest).trim_end_matches('.');
        wants.push(Want::Resource(resource.to_owned()));
    }
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["node affinity", "node selector"]) {
        wants.push(Want::Labels);
    }
    if says(&["untolerated taint", "didn't tolerate"]) {
        wants.push(Want::Toleration);
    }
    if says(&["PersistentVolumeClaim", "persistentvolumeclaim", "volume"]) {
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
