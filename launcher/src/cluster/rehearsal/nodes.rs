//! Whether the cluster has nodes that a pod fits on.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

use super::demand::{Amounts, amounts, requests};
use super::facts::Seen;
use crate::cluster::trouble::{Part, Trouble, Want};
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "nodes";

/// What is said of the nodes, for each of the pods where they are known.
pub(super) fn findings(driver: &Pod, executor: &Pod, nodes: &Seen<Vec<Node>>) -> Vec<Finding> {
    let unknown = |why: &str| {
        let found = format!("Whether nodes take the driver and its executors is not known: {why}");
        vec![Finding::untried(NAME, found)]
    };
    match nodes {
        Seen::Forbidden => unknown("you may not list nodes"),
        Seen::Failed(said) => unknown(said),
        Seen::Missing => unknown("the cluster lists none"),
        Seen::Found(nodes) => vec![
            fitting(Part::Driver, driver, nodes),
            fitting(Part::Executor, executor, nodes),
        ],
    }
}

fn fitting(part: Part, pod: &Pod, nodes: &[Node]) -> Finding {
    let who = match part {
        Part::Driver => "the driver",
        Part::Executor => "an executor",
    };
    let spec = pod.spec.as_ref();
    let labels = spec.and_then(|spec| spec.node_selector.clone());
    let labels = labels.unwrap_or_default();
    let tolerations = spec.and_then(|spec| spec.tolerations.as_deref());
    let tolerations = tolerations.unwrap_or_default();
    let wanted = requests(pod);
    let all = nodes.len();

    let usable: Vec<&Node> = nodes.iter().filter(|node| is_usable(node)).collect();
    let labelled: Vec<&Node> = kept(&usable, |node| has(node, &labels));
    let open: Vec<&Node> = kept(&labelled, |node| untolerated(node, tolerations).is_none());
    let fitting = open.iter().filter(|node| lacks(node, &wanted).is_none());
    let fitting = fitting.count();
    if fitting > 0 {
        let of = if all == 1 {
            "The only node takes".to_owned()
        } else {
            format!("{fitting} of {all} nodes can take")
        };
        return Finding::good(
            NAME,
            format!(
                "{of} {who}, where nothing else is in the way: it asks for {}",
                asks(&wanted)
            ),
        );
    }
    let (why, wants) = if usable.is_empty() {
        ("none is ready and open for pods".to_owned(), Vec::new())
    } else if labelled.is_empty() {
        let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        (
            format!("none has the labels {labels}"),
            vec![Want::Labels(labels)],
        )
    } else if let Some(taint) = labelled
        .first()
        .filter(|_| open.is_empty())
        .and_then(|node| untolerated(node, tolerations))
    {
        let why = format!("those that could have the taint {}", written(taint));
        (why, vec![Want::Toleration])
    } else {
        let short = open.iter().filter_map(|node| lacks(node, &wanted));
        let short: BTreeSet<&str> = short.collect();
        let wants = short
            .into_iter()
            .map(|name| Want::Resource(name.to_owned()));
        (too_small(&open, &wanted), wants.collect())
    };
    // What the scheduler would say of a pod that is there.
    let said = String::new();
    let remedy = Trouble::Unschedulable { wants, said }.remedy(part);
    Finding::poor(
        NAME,
        format!(
            "No node takes {who}, which asks for {}: of {all}, {why}; whether an autoscaler would add \
             one cannot be told from here",
            asks(&wanted)
        ),
        remedy,
    )
}

fn kept<'n>(nodes: &[&'n Node], keep: impl Fn(&Node) -> bool) -> Vec<&'n Node> {
    nodes.iter().copied().filter(|node| keep(node)).collect()
}

/// Whether it is ready, and not closed to new pods.
fn is_usable(node: &Node) -> bool {
    let closed = node.spec.as_ref().and_then(|spec| spec.unschedulable);
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions
        .filter(|condition| condition.type_ == "Ready")
        .all(|condition| condition.status == "True");
    ready && closed != Some(true)
}

fn has(node: &Node, labels: &BTreeMap<String, String>) -> bool {
    let own = node.metadata.labels.as_ref();
    labels
        .iter()
        .all(|(name, value)| own.and_then(|own| own.get(name)) == Some(value))
}

/// A taint of the node that keeps such a pod away.
fn untolerated<'n>(node: &'n Node, tolerations: &[Toleration]) -> Option<&'n Taint> {
    let taints = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten());
    taints
        .filter(|taint| taint.effect != "PreferNoSchedule")
        .find(|taint| {
            !tolerations
                .iter()
                .any(|toleration| bears(toleration, taint))
        })
}

/// Whether a toleration is for a taint, as the scheduler has it.
fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let (key, effect) = (said(&toleration.key), said(&toleration.effect));
    let same_effect = effect.is_empty() || effect == taint.effect;
    let same_key = key.is_empty() || key == taint.key;
    let same_value = match said(&toleration.operator).as_str() {
        "Exists" => true,
        // Without a key, only `Exists` says something.
        _ if key.is_empty() => false,
        _ => said(&toleration.value) == said(&taint.value),
    };
    same_effect && same_key && same_value
}

fn written(taint: &Taint) -> String {
    match taint.value.as_deref() {
        Some(value) if !value.is_empty() => format!("{}={value}:{}", taint.key, taint.effect),
        _ => format!("{}:{}", taint.key, taint.effect),
    }
}

fn allocatable(node: &Node) -> Amounts {
    let allocatable = node
        .status
        .as_ref()
        .and_then(|status| status.allocatable.as_ref());
    allocatable.map(amounts).unwrap_or_default()
}

/// A resource that a node has too little of, even empty.
fn lacks<'w>(node: &Node, wanted: &'w Amounts) -> Option<&'w str> {
    let has = allocatable(node);
    let mut wanted = wanted.iter();
    let (name, _) =
        wanted.find(|(name, amount)| has.get(*name).copied().unwrap_or_default() < **amount)?;
    Some(name)
}

/// The most there is of what is asked for.
fn too_small(nodes: &[&Node], wanted: &Amounts) -> String {
    let largest = wanted.keys().map(|name| {
        let amounts = nodes
            .iter()
            .filter_map(|node| allocatable(node).get(name).copied());
        said(name, &amounts.max().unwrap_or_default().words(name))
    });
    let largest = largest.collect::<Vec<_>>().join(", ");
    format!("the largest have {largest}")
}

fn asks(wanted: &Amounts) -> String {
    let wanted = wanted
        .iter()
        .map(|(name, amount)| said(name, &amount.words(name)));
    wanted.collect::<Vec<_>>().join(", ")
}

/// `2 processors`, `4 GiB memory`, `1 nvidia.com/gpu`.
fn said(name: &str, words: &str) -> String {
    match name {
        "cpu" => words.to_owned(),
        name => format!("{words} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rehearsal::Verdict;

    fn pod(spec: &Value) -> Pod {
        let mut spec = spec.clone();
        spec["containers"] = json!([{"name": "c", "resources": {
            "requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "4Gi"}}}]);
        serde_json::from_value(json!({ "spec": spec })).unwrap()
    }

    fn node(labels: &Value, spec: &Value, cpu: &str, memory: &str) -> Node {
        let node = json!({
            "metadata": {"name": "n", "labels": labels},
            "spec": spec,
            "status": {
                "allocatable": {"cpu": cpu, "memory": memory},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        });
        serde_json::from_value(node).unwrap()
    }

    #[test]
    fn what_keeps_a_pod_from_every_node_is_named() {
        let plain = || node(&json!({}), &json!({}), "8", "16Gi");
        let gpu = json!({"taints": [{"key": "gpu", "value": "a", "effect": "NoSchedule"}]});
        let tainted = || node(&json!({}), &gpu, "8", "16Gi");
        let small = || node(&json!({}), &json!({}), "1500m", "32Gi");
        let closed = || node(&json!({}), &json!({"unschedulable": true}), "8", "16Gi");
        let none = json!({});
        let tolerates = |toleration: Value| json!({ "tolerations": [toleration] });
        for (spec, nodes, verdict, words) in [
            (
                &none,
                vec![plain()],
                Verdict::Good,
                "The only node takes an executor",
            ),
            (
                &none,
                vec![plain(), small()],
                Verdict::Good,
                "1 of 2 nodes can take",
            ),
            (
                &none,
                vec![closed()],
                Verdict::Poor,
                "of 1, none is ready and open for pods",
            ),
            (&none, vec![], Verdict::Poor, "of 0, none is ready"),
            (
                &none,
                vec![small(), node(&json!({}), &json!({}), "1", "2Gi")],
                Verdict::Poor,
                "asks for 2 processors, 4 GiB memory: of 2, the largest have 1.5 processors, 32 GiB memory",
            ),
            (
                &json!({"nodeSelector": {"pool": "gpu"}}),
                vec![plain()],
                Verdict::Poor,
                "of 1, none has the labels pool=gpu",
            ),
            (
                &json!({"nodeSelector": {"pool": "gpu"}}),
                vec![node(&json!({"pool": "gpu"}), &json!({}), "8", "16Gi")],
                Verdict::Good,
                "takes an executor",
            ),
            (
                &none,
                vec![tainted(), tainted()],
                Verdict::Poor,
                "those that could have the taint gpu=a:NoSchedule",
            ),
            (
                &tolerates(json!({"key": "gpu", "value": "a"})),
                vec![tainted()],
                Verdict::Good,
                "takes",
            ),
            (
                &tolerates(json!({"key": "gpu", "value": "b"})),
                vec![tainted()],
                Verdict::Poor,
                "taint",
            ),
            (
                &tolerates(json!({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"})),
                vec![tainted()],
                Verdict::Good,
                "takes",
            ),
            (
                &tolerates(json!({"operator": "Exists", "effect": "NoExecute"})),
                vec![tainted()],
                Verdict::Poor,
                "taint",
            ),
            (
                &tolerates(json!({"operator": "Exists"})),
                vec![tainted()],
                Verdict::Good,
                "takes",
            ),
        ] {
            let found = fitting(Part::Executor, &pod(spec), &nodes);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.found.contains(words), "{found:?}");
            assert_eq!(found.remedy.is_some(), verdict == Verdict::Poor);
        }
    }

    #[test]
    fn the_remedy_names_the_key_to_change() {
        let nodes = [node(&json!({}), &json!({}), "8", "2Gi")];
        for (spec, key) in [
            (json!({}), "kubernetes.executor.memory"),
            (
                json!({"nodeSelector": {"pool": "gpu"}}),
                "kubernetes.placement.executors.nodes",
            ),
        ] {
            let found = fitting(Part::Executor, &pod(&spec), &nodes);
            let remedy = found.remedy.unwrap_or_default();
            assert!(
                remedy.contains(key) && remedy.contains("autoscaler"),
                "{remedy}"
            );
        }
    }

    #[test]
    fn nodes_that_are_not_known_are_told_as_such() {
        for (seen, words) in [
            (
                Seen::Forbidden,
                "the driver and its executors is not known: you may not list nodes",
            ),
            (Seen::Failed("slow".to_owned()), "slow"),
        ] {
            let pod = pod(&json!({}));
            let found = findings(&pod, &pod, &seen);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].verdict, Verdict::Untried);
            assert!(found[0].found.contains(words), "{found:?}");
        }
    }
}
