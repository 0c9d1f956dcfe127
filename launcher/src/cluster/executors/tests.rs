use k8s_openapi::api::core::v1::Pod;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::attach::state::Executors;

fn now(own: u64) -> Now {
    Now {
        day: "2026-11-21T06:10:00Z".parse().unwrap(),
        own: Duration::from_secs(own),
    }
}

/// Executor `id`, with what else its pod has.
fn pod(id: u32, extra: Value) -> Pod {
    let mut pod = json!({
        "metadata": {
            "name": format!("firesteel-x-exec-{id}"),
            "uid": format!("uid-{id}"),
            "creationTimestamp": "2026-11-21T06:00:00Z",
            "labels": {"spark-exec-id": id.to_string(), "firesteel.dev/role": "executor"}
        },
        "spec": {"nodeName": "node-7", "containers": [
            {"name": "executor", "image": "spark", "resources": {"limits": {"memory": "1408Mi"}}}
        ]}
    });
    merge(&mut pod, extra);
    serde_json::from_value(pod).unwrap()
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn container(state: &Value) -> Value {
    json!([{"name": "executor", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

fn pending(id: u32) -> Pod {
    pod(id, json!({"status": {"phase": "Pending"}}))
}

fn without_gpu(id: u32) -> Pod {
    let said = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. preemption: none";
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said});
    pod(
        id,
        json!({"status": {"phase": "Pending", "conditions": [condition]}}),
    )
}

fn running(id: u32) -> Pod {
    let state = json!({"running": {"startedAt": "2026-11-21T06:01:00Z"}});
    pod(
        id,
        json!({"status": {"phase": "Running", "containerStatuses": container(&state)}}),
    )
}

fn ended(id: u32, reason: &str, code: i32) -> Pod {
    let state = json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": "2026-11-21T06:05:00Z"}});
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    pod(
        id,
        json!({"status": {"phase": phase, "containerStatuses": container(&state)}}),
    )
}

fn evicted(id: u32) -> Pod {
    let said = "The node was low on resource: memory. ";
    pod(
        id,
        json!({"status": {"phase": "Failed", "reason": "Evicted", "message": said}}),
    )
}

fn deleted(of: &Pod) -> Pod {
    let mut pod = of.clone();
    pod.metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-11-21T06:07:00Z")).unwrap();
    pod.metadata.deletion_grace_period_seconds = Some(60);
    pod
}

/// Everything that is told of pods shown one after the other, a second apart, until long after.
fn told(pods: &[Pod]) -> Vec<String> {
    let mut muster = Muster::default();
    let mut told = Vec::new();
    for (second, pod) in (0..).zip(pods) {
        muster.there(pod.clone(), now(second));
        told.extend(muster.tell(now(second)));
    }
    for second in pods.len() as u64..200 {
        told.extend(muster.tell(now(second)));
    }
    told
}

const OOM: &str = "Executor 1 was killed for using more than its 1408Mi of memory (OOMKilled). Raise \
    `kubernetes.executor.overhead` (Python workers and buffers) or `kubernetes.executor.memory` (Java's \
    heap) in the profile.";

#[test]
fn a_lost_executor_is_told_once_and_a_released_one_never() {
    let oom = ended(1, "OOMKilled", 137);
    for (pods, expected) in [
        (vec![running(1), oom.clone()], vec![OOM]),
        (
            vec![running(1), oom.clone(), oom.clone(), deleted(&oom)],
            vec![OOM],
        ),
        (
            vec![evicted(1)],
            vec![
                "Executor 1 was evicted by its node: The node was low on resource: memory. Spark runs its tasks again.",
            ],
        ),
        (
            vec![running(1), deleted(&running(1))],
            vec!["Executor 1 was deleted by a person or a program. Spark runs its tasks again."],
        ),
        (
            vec![ended(1, "StartError", 128)],
            vec![
                "Executor 1 cannot be started. See whether everything that the profile names is there, such as \
                  Secrets and their keys, and whether the image runs as another user than root.",
            ],
        ),
        // Idle: Spark tells it to end, and deletes it.
        (
            vec![
                running(1),
                ended(1, "Completed", 0),
                deleted(&ended(1, "Completed", 0)),
            ],
            vec![],
        ),
        // It was asked to end and ended well.
        (
            vec![
                running(1),
                deleted(&running(1)),
                deleted(&ended(1, "Completed", 0)),
            ],
            vec![],
        ),
        // Spark takes back what it asked for.
        (vec![pending(1), deleted(&pending(1))], vec![]),
        (vec![without_gpu(1), deleted(&without_gpu(1))], vec![]),
    ] {
        assert_eq!(told(&pods), expected);
    }
}

#[test]
fn losses_of_one_kind_are_told_together() {
    let pods = [
        running(10),
        evicted(2),
        evicted(10),
        ended(3, "OOMKilled", 137),
        evicted(1),
    ];
    let told = told(&pods);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[0],
        "3 executors (1, 2, 10) were evicted by their nodes: The node was low on resource: memory. \
         Spark runs its tasks again."
    );
    assert!(told[1].starts_with("Executor 3 was killed"), "{told:?}");
}

#[test]
fn executors_that_fail_again_and_again_are_told_every_minute() {
    let mut muster = Muster::default();
    let mut told = Vec::new();
    for second in 0..120_u32 {
        let now = now(second.into());
        if second % 4 == 0 && second < 100 {
            muster.there(ended(second, "Error", 1), now);
        }
        told.extend(muster.tell(now).into_iter().map(|said| (second, said)));
    }
    let at: Vec<u32> = told.iter().map(|(second, _)| *second).collect();
    assert_eq!(at, [3, 12, 63], "{told:?}");
    for (told, begins) in told.iter().zip([
        "Executor 0 ended with exit code 1.",
        "4 executors in a row ended within a minute of their start",
        "15 executors ended with exit code 1.",
    ]) {
        assert!(told.1.starts_with(begins), "{told:?}");
    }
}

#[test]
fn what_hinders_executors_is_told_after_a_while_and_again_when_it_comes_back() {
    let mut muster = Muster::default();
    for id in 1..=2 {
        muster.there(without_gpu(id), now(0));
    }
    assert_eq!(
        muster.count(),
        Executors {
            running: 0,
            pending: 2
        }
    );
    assert_eq!(muster.tell(now(14)), [""; 0]);
    assert!(muster.next(Duration::ZERO) <= Some(Duration::from_secs(15)));
    let told = muster.tell(now(15));
    assert_eq!(
        told,
        [
            "2 executors (1, 2) cannot be placed on any node yet: 0/2 nodes are available: 2 Insufficient \
          nvidia.com/gpu. Wait until something is free or an autoscaler has made a node, or change the \
          profile: every nvidia.com/gpu is in use, or no node has so many."
        ]
    );
    muster.there(without_gpu(3), now(16));
    assert_eq!(muster.tell(now(40)), [""; 0]);

    for id in 1..=3 {
        muster.there(running(id), now(50));
    }
    assert_eq!(muster.tell(now(51)), [""; 0]);
    muster.there(without_gpu(4), now(60));
    assert_eq!(muster.tell(now(75)).len(), 1);
}

#[test]
fn what_only_a_change_mends_is_told_at_once() {
    let mut imageless = pending(1);
    imageless.status = serde_json::from_value(json!({
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{
            "name": "executor", "image": "spark", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ErrImagePull", "message": "spark: not found"}}
        }]
    }))
    .unwrap();
    let mut muster = Muster::default();
    muster.there(imageless, now(0));
    let told = muster.tell(now(0));
    assert!(
        told.iter().any(|said| said.contains("cannot get image")),
        "{told:?}"
    );
    assert_eq!(muster.tell(now(20)), [""; 0]);
}

#[test]
fn executors_are_counted_by_what_they_can_do() {
    let mut muster = Muster::default();
    for pod in [
        running(10),
        running(9),
        pending(3),
        deleted(&running(4)),
        ended(5, "Completed", 0),
        evicted(6),
    ] {
        muster.there(pod, now(0));
    }
    let roster = muster.roster();
    let seen: Vec<(&str, &str)> = roster
        .iter()
        .map(|one| (one.id.as_str(), one.standing.word()))
        .collect();
    assert_eq!(
        seen,
        [
            ("3", "pending"),
            ("4", "leaving"),
            ("9", "running"),
            ("10", "running")
        ]
    );
    assert_eq!(
        muster.count(),
        Executors {
            running: 2,
            pending: 1
        }
    );
    assert_eq!(roster[0].pod, "firesteel-x-exec-3");
    assert_eq!(roster[0].node, "node-7");

    muster.all(vec![running(9)], now(1));
    assert_eq!(
        muster.count(),
        Executors {
            running: 1,
            pending: 0
        }
    );
    // How they went nobody saw.
    let told: Vec<String> = (1..60)
        .flat_map(|second| muster.tell(now(second)))
        .collect();
    assert!(told.iter().all(|said| !said.contains("10")), "{told:?}");
}

#[test]
fn autoscalers_are_told_what_is_busy_and_only_what_has_changed() {
    let idle = running(1);
    let patch = hint(&idle, true).unwrap();
    assert_eq!(
        patch,
        json!({"metadata": {"annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "karpenter.sh/do-not-disrupt": "true"
        }}})
    );
    let busy = pod(1, patch);
    assert_eq!(hint(&busy, true), None);
    assert_eq!(hint(&idle, false), None);
    assert_eq!(
        hint(&busy, false).unwrap(),
        json!({"metadata": {"annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": null,
            "karpenter.sh/do-not-disrupt": null
        }}})
    );
    let half = pod(
        1,
        json!({"metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "true"}}}),
    );
    assert!(hint(&half, true).is_some() && hint(&half, false).is_some());
    for past in [deleted(&busy), evicted(1), ended(1, "Completed", 0)] {
        assert_eq!(hint(&past, false), None);
        assert_eq!(hint(&past, true), None);
    }
}

/// What may happen to one executor, in its order.
fn story() -> impl Strategy<Value = fn(u32) -> Vec<Pod>> {
    prop_oneof![
        Just((|id| vec![pending(id), running(id)]) as fn(u32) -> Vec<Pod>),
        Just(
            (|id| vec![
                running(id),
                ended(id, "OOMKilled", 137),
                deleted(&ended(id, "OOMKilled", 137))
            ]) as fn(u32) -> Vec<Pod>
        ),
        Just((|id| vec![pending(id), evicted(id)]) as fn(u32) -> Vec<Pod>),
        Just(
            (|id| vec![
                running(id),
                ended(id, "Completed", 0),
                deleted(&ended(id, "Completed", 0))
            ]) as fn(u32) -> Vec<Pod>
        ),
        Just((|id| vec![running(id), deleted(&running(id))]) as fn(u32) -> Vec<Pod>),
    ]
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        stories in proptest::collection::vec(story(), 1..6),
        picks in proptest::collection::vec((0..100_usize, 1..3_usize), 0..40),
    ) {
        let stories: Vec<Vec<Pod>> = (1..).zip(&stories).map(|(id, story)| story(id)).collect();
        let mut plain = Muster::default();
        for pod in stories.iter().flatten() {
            plain.there(pod.clone(), now(0));
        }
        let mut mixed = Muster::default();
        let mut left: Vec<_> = stories.into_iter().map(Vec::into_iter).collect();
        let mut picks = picks.into_iter();
        while !left.is_empty() {
            let (pick, times) = picks.next().unwrap_or((0, 1));
            let pick = pick % left.len();
            match left[pick].next() {
                Some(pod) => (0..times).for_each(|_| mixed.there(pod.clone(), now(0))),
                None => drop(left.remove(pick)),
            }
        }
        prop_assert_eq!(plain.roster(), mixed.roster());
        // How many end in a row depends on who ends well in between.
        let in_any_order = |mut told: Vec<String>| {
            told.retain(|said| !said.contains("in a row"));
            told
        };
        let told = in_any_order(plain.tell(now(3)));
        prop_assert_eq!(&told, &in_any_order(mixed.tell(now(3))));
        prop_assert!(plain.tell(now(90)).is_empty());
        let all: Vec<Pod> = plain.pods().cloned().collect();
        for pod in all {
            plain.gone(pod.clone(), now(91));
            plain.there(pod, now(92));
        }
        prop_assert!(plain.roster().is_empty());
        prop_assert!(plain.tell(now(200)).is_empty());
    }
}
