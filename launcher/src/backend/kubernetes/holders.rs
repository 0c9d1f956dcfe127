//! Who uses what a quota has.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt as _;

use crate::cluster::causes::Shortage;
use crate::cluster::names::annotation;
use crate::cluster::quantity::Amount;
use crate::cluster::trouble;

/// The most that are named.
const NAMED: usize = 3;

/// Who uses what there is too little of, those first who use most; empty where nobody is seen to.
pub(super) fn holders(shortage: &Shortage, pods: &[Pod]) -> String {
    let Some(lack) = shortage.lacks.first() else {
        return String::new();
    };
    let mut by_user: BTreeMap<&str, Amount> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !trouble::ended(pod)) {
        let user = pod.annotations().get(annotation::USER);
        let user = user.map_or("what is not Firesteel's", String::as_str);
        let sum = by_user.entry(user).or_default();
        *sum = sum.plus(used(pod, &lack.resource));
    }
    let mut all: Vec<(&str, Amount)> = by_user
        .into_iter()
        .filter(|(_, used)| *used > Amount::NONE)
        .collect();
    all.sort_by_key(|(_, used)| Reverse(*used));
    let named = all.iter().take(NAMED).map(|(user, used)| {
        let used = used.words(&lack.resource);
        format!("{used} by {}", visible(user))
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return String::new();
    }
    let more = if all.len() > NAMED { " and others" } else { "" };
    format!("in use are {}{more}", named.join(", "))
}

/// How much of what a quota counts a pod uses.
fn used(pod: &Pod, resource: &str) -> Amount {
    if ["pods", "count/pods"].contains(&resource) {
        return Amount::of(1);
    }
    let (of_limits, name) = match resource.split_once('.') {
        Some(("limits", name)) => (true, name),
        Some(("requests", name)) => (false, name),
        _ => (false, resource),
    };
    let of = |container: &Container| {
        let resources = container.resources.as_ref()?;
        let list = if of_limits {
            resources.limits.as_ref()
        } else {
            resources.requests.as_ref().or(resources.limits.as_ref())
        };
        Amount::read(&list?.get(name)?.0)
    };
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.filter_map(of).fold(Amount::NONE, Amount::plus)
}

/// A name from outside, short and on one line.
fn visible(name: &str) -> String {
    let name = name.chars().filter(|c| !c.is_control());
    name.take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::causes::{Refused, read};

    fn pod(user: Option<&str>, memory: &str, phase: &str) -> Pod {
        let annotations =
            user.map_or_else(|| json!({}), |user| json!({"firesteel.dev/user": user}));
        let resources =
            json!({"limits": {"memory": memory}, "requests": {"memory": memory, "cpu": "500m"}});
        serde_json::from_value(json!({
            "metadata": {"annotations": annotations},
            "spec": {"containers": [{"name": "a", "resources": resources}]},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn those_who_use_most_are_named_first() {
        let pods = [
            pod(Some("ada"), "2Gi", "Running"),
            pod(Some("bob"), "5Gi", "Running"),
            pod(Some("ada"), "1Gi", "Pending"),
            pod(Some("cleo\n"), "8Gi", "Succeeded"),
            pod(None, "512Mi", "Running"),
        ];
        for (resource, used) in [
            (
                "limits.memory",
                "in use are 5 GiB by bob, 3 GiB by ada, 512 MiB by what is not Firesteel's",
            ),
            (
                "requests.cpu",
                "in use are 1 processor by ada, 0.5 processors by bob, 0.5 processors by what is not Firesteel's",
            ),
            (
                "pods",
                "in use are 2 by ada, 1 by bob, 1 by what is not Firesteel's",
            ),
            ("services", ""),
        ] {
            let said = format!(
                "exceeded quota: q, requested: {resource}=9, used: {resource}=9, limited: {resource}=9"
            );
            let Some(Refused::Quota(shortage)) = read(&said) else {
                panic!("{said}");
            };
            assert_eq!(holders(&shortage, &pods), used, "{resource}");
        }
    }
}
