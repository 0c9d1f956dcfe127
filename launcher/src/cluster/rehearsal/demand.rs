//! What a driver and its executors ask of a cluster.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::cluster::quantity::Amount;

/// How much of each resource, by its name.
pub(super) type Amounts = BTreeMap<String, Amount>;

/// What a pod asks of its node: of each resource what its containers ask for together, or the
/// largest of those that run before them.
pub(super) fn requests(pod: &Pod) -> Amounts {
    sum(pod, |container| {
        let resources = container.resources.as_ref();
        let limits = resources.and_then(|resources| resources.limits.as_ref());
        let requests = resources.and_then(|resources| resources.requests.as_ref());
        // What is only limited is asked for in that amount.
        let mut all = limits.map(amounts).unwrap_or_default();
        all.extend(requests.map(amounts).unwrap_or_default());
        all
    })
}

/// The most that a pod may take of what it is limited in.
fn limits(pod: &Pod) -> Amounts {
    sum(pod, |container| {
        let limits = container.resources.as_ref();
        let limits = limits.and_then(|resources| resources.limits.as_ref());
        limits.map(amounts).unwrap_or_default()
    })
}

/// What a pod counts for in a quota, by the names that quotas have for it.
pub(super) fn counted(pod: &Pod) -> Amounts {
    let mut all =
        Amounts::from(["pods", "count/pods"].map(|name| (name.to_owned(), Amount::of(1))));
    for (name, amount) in requests(pod) {
        all.insert(format!("requests.{name}"), amount);
        if ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()) {
            all.insert(name, amount);
        }
    }
    for (name, amount) in limits(pod) {
        all.insert(format!("limits.{name}"), amount);
    }
    for claim in claims(pod) {
        for (name, amount) in claim {
            add(&mut all, name, amount);
        }
    }
    all
}

/// What the volume claims count for that are made with a pod.
fn claims(pod: &Pod) -> impl Iterator<Item = Amounts> {
    let volumes = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| {
        let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
        let mut all: Amounts = ["persistentvolumeclaims", "count/persistentvolumeclaims"]
            .map(|name| (name.to_owned(), Amount::of(1)))
            .into();
        let requests = template.spec.resources.as_ref()?.requests.as_ref()?;
        if let Some(size) = requests
            .get("storage")
            .and_then(|size| Amount::read(&size.0))
        {
            all.insert("requests.storage".to_owned(), size);
        }
        Some(all)
    })
}

fn sum(pod: &Pod, of: impl Fn(&Container) -> Amounts) -> Amounts {
    let nothing = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&nothing);
    let mut all = Amounts::new();
    for container in &spec.containers {
        for (name, amount) in of(container) {
            add(&mut all, name, amount);
        }
    }
    for container in spec.init_containers.iter().flatten() {
        for (name, amount) in of(container) {
            let entry = all.entry(name).or_default();
            *entry = amount.max(*entry);
        }
    }
    all
}

fn add(all: &mut Amounts, name: String, amount: Amount) {
    let entry = all.entry(name).or_default();
    *entry = entry.plus(amount);
}

/// What can be read of a map of quantities.
pub(super) fn amounts(quantities: &BTreeMap<String, Quantity>) -> Amounts {
    let read = quantities
        .iter()
        .filter_map(|(name, quantity)| Some((name.clone(), Amount::read(&quantity.0)?)));
    read.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_counts_as_kubernetes_counts_it() {
        let pod: Pod = serde_json::from_value(json!({"spec": {
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "10m", "memory": "2Gi"}}}],
            "containers": [
                {"name": "a", "resources": {
                    "requests": {"cpu": "200m", "memory": "1Gi"},
                    "limits": {"memory": "1Gi", "nvidia.com/gpu": "2"}}},
                {"name": "b", "resources": {"requests": {"cpu": "1"}}}],
            "volumes": [
                {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
                    "resources": {"requests": {"storage": "5Gi"}}}}}},
                {"name": "w", "emptyDir": {}}]
        }}))
        .unwrap();
        let counted: Vec<String> = counted(&pod)
            .into_iter()
            .map(|(name, amount)| format!("{name}={}", amount.words(&name)))
            .collect();
        assert_eq!(
            counted,
            [
                "count/persistentvolumeclaims=1",
                "count/pods=1",
                "cpu=1.2 processors",
                "limits.memory=1 GiB",
                "limits.nvidia.com/gpu=2",
                "memory=2 GiB",
                "persistentvolumeclaims=1",
                "pods=1",
                "requests.cpu=1.2 processors",
                "requests.memory=2 GiB",
                "requests.nvidia.com/gpu=2",
                "requests.storage=5 GiB",
            ]
        );
    }
}
