//! What autoscalers are told of a driver's pods.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::cluster::names::annotation;
use crate::cluster::trouble;

/// The annotations of a pod that is not to be moved.
const BUSY: [(&str, &str); 2] = [
    (annotation::SAFE_TO_EVICT, "false"),
    (annotation::DO_NOT_DISRUPT, "true"),
];

/// The merge patch after which a pod says to autoscalers whether it is busy; `None` where it says so
/// already, or says nothing to anyone any more.
pub(crate) fn hint(pod: &Pod, busy: bool) -> Option<Value> {
    let leaves = pod.metadata.deletion_timestamp.is_some() || trouble::ended(pod);
    let has = pod.annotations();
    let wanted = |value: &'static str| busy.then_some(value);
    let right =
        |&(name, value): &(&str, &'static str)| has.get(name).map(String::as_str) == wanted(value);
    if leaves || BUSY.iter().all(right) {
        return None;
    }
    let annotations: Value = BUSY
        .iter()
        .map(|&(name, value)| (name.to_owned(), json!(wanted(value))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    Some(json!({ "metadata": { "annotations": annotations } }))
}
