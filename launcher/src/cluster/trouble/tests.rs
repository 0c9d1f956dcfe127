pub(super) mod heard;

use serde_json::{Value, json};

use super::*;
use crate::attach::state::Phase;
use crate::cause::Kind;

fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().unwrap()
}

/// An executor's pod with this status, as an API server tells it.
fn executor(status: &Value) -> Pod {
    pod(&json!({}), "executor", status)
}

fn pod(metadata: &Value, container: &str, status: &Value) -> Pod {
    let resources =
        json!({"limits": {"memory": "1408Mi"}, "requests": {"cpu": "1", "memory": "1408Mi"}});
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "nodeName": "node-7",
            "initContainers": [{"name": "firesteel-keeper", "image": "registry.example/keeper:1"}],
            "containers": [{"name": container, "image": "registry.example/spark:4.3", "resources": resources}]
        },
        "status": status
    }))
    .unwrap()
}

fn ended(reason: &str, code: i32, message: Option<&str>) -> Value {
    json!({
        "phase": "Failed",
        "containerStatuses": [{
            "name": "executor", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {
                "exitCode": code, "reason": reason, "message": message,
                "startedAt": "2026-11-21T06:00:00Z", "finishedAt": "2026-11-21T06:05:00Z"
            }}
        }]
    })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{
            "name": "executor", "image": "registry.example/spark:4.3", "imageID": "", "ready": false,
            "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}
        }]
    })
}

fn unschedulable(message: &str) -> Value {
    json!({
        "phase": "Pending",
        "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message
        }]
    })
}

fn disrupted(reason: &str, message: &str) -> Value {
    json!({
        "phase": "Running",
        "conditions": [
            {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message},
            {"type": "PodScheduled", "status": "True"}
        ]
    })
}

fn failed(reason: &str, message: &str) -> Value {
    json!({"phase": "Failed", "reason": reason, "message": message})
}

#[test]
fn every_end_of_an_executor_is_told_in_words() {
    let now = at("06:10:00");
    for (status, happened, remedy) in [
        (
            ended("OOMKilled", 137, None),
            "was killed for using more than its 1408Mi of memory (OOMKilled)",
            "Raise `kubernetes.executor.overhead` (Python workers and buffers) or \
             `kubernetes.executor.memory` (Java's heap) in the profile.",
        ),
        (
            failed(
                "Evicted",
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 53324Ki. ",
            ),
            "was evicted by its node: The node was low on resource: memory. Threshold quantity: 100Mi, available: 53324Ki",
            "Spark runs its tasks again.",
        ),
        (
            failed(
                "Evicted",
                "Usage of EmptyDir volume \"spark-local-dir-1\" exceeds the limit \"1Gi\". ",
            ),
            "was evicted by its node: Usage of EmptyDir volume \"spark-local-dir-1\" exceeds the limit \"1Gi\"",
            "Raise `kubernetes.localDisk.size` in the profile.",
        ),
        (
            failed(
                "Terminated",
                "Pod was terminated in response to imminent node shutdown.",
            ),
            "was lost with its node node-7",
            "Spark runs its tasks again.",
        ),
        (
            failed("Preempting", "Preempted in order to admit critical pod"),
            "was preempted by pods of higher priority",
            "Spark runs its tasks again.",
        ),
        (
            failed(
                "OutOfnvidia.com/gpu",
                "Pod was rejected: Node didn't have enough resource: nvidia.com/gpu, requested: 1, used: 2, capacity: 2",
            ),
            "was refused by its node (OutOfnvidia.com/gpu): Pod was rejected: Node didn't have enough resource: \
             nvidia.com/gpu, requested: 1, used: 2, capacity: 2",
            "What the node had free was taken meanwhile. Run the cell again.",
        ),
        (
            failed(
                "UnexpectedAdmissionError",
                "Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
            ),
            "was refused by its node (UnexpectedAdmissionError): Pod was rejected: Allocate failed due to no \
             healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
            "What the node had free was taken meanwhile. Run the cell again.",
        ),
        (
            disrupted(
                "PreemptionByScheduler",
                "default-scheduler: preempting to accommodate a higher priority pod",
            ),
            "was preempted by pods of higher priority",
            "Spark runs its tasks again.",
        ),
        (
            disrupted("EvictionByEvictionAPI", "Eviction API: evicting"),
            "was evicted, because its node is drained by a person or an autoscaler",
            "Spark runs its tasks again.",
        ),
        (
            disrupted(
                "DeletionByTaintManager",
                "Taint manager: deleting due to NoExecute taint",
            ),
            "was lost with its node node-7",
            "Spark runs its tasks again.",
        ),
        (
            disrupted(
                "TerminationByKubelet",
                "The node was low on resource: ephemeral-storage.",
            ),
            "was evicted by its node: The node was low on resource: ephemeral-storage",
            "Spark runs its tasks again.",
        ),
        (
            disrupted(
                "TerminationByKubelet",
                "Pod was terminated in response to imminent node shutdown.",
            ),
            "was lost with its node node-7",
            "Spark runs its tasks again.",
        ),
        (
            ended("Error", 137, None),
            "was killed (exit code 137)",
            "Often that is for want of memory: raise `kubernetes.executor.overhead` in the profile if it happens again.",
        ),
        (
            ended(
                "Error",
                52,
                Some("java.lang.OutOfMemoryError: Java heap space\n\tat x.Y.z(Y.scala:1)\nbye\n"),
            ),
            "ran out of Java's heap (exit code 52): java.lang.OutOfMemoryError: Java heap space",
            "Raise `kubernetes.executor.memory` in the profile.",
        ),
        (
            ended(
                "Error",
                1,
                Some("it broke: no ErrorHandler\n\tat x.ErrorHandler.run(Y.scala:1)\n"),
            ),
            "ended with exit code 1: it broke: no ErrorHandler",
            "`%logs executor` and its number shows more while it is there.",
        ),
        (
            ended("Error", 1, Some("one\ntwo\n\n")),
            "ended with exit code 1: two",
            "`%logs executor` and its number shows more while it is there.",
        ),
        (
            ended(
                "StartError",
                128,
                Some(
                    "failed to create containerd task: exec: \"/opt/entrypoint.sh\": no such file or directory: unknown",
                ),
            ),
            "cannot be started: failed to create containerd task: exec: \"/opt/entrypoint.sh\": no such file or directory",
            "The image lacks what is started in it: use an image of Spark with its own entry point in `kubernetes.images`.",
        ),
        (
            ended(
                "ContainerStatusUnknown",
                137,
                Some("The container could not be located when the pod was terminated"),
            ),
            "was lost with its node node-7",
            "Spark runs its tasks again.",
        ),
    ] {
        let trouble = trouble(&executor(&status), now).unwrap_or_else(|| panic!("{status}"));
        assert_eq!(trouble.happened(false), happened);
        assert_eq!(trouble.remedy(Part::Executor), remedy);
        assert!(
            !trouble.may_pass() || happened.contains("cannot"),
            "{happened}"
        );
    }
}

#[test]
fn what_keeps_a_pod_from_starting_is_told_in_words() {
    let now = at("06:10:00");
    let wait =
        "Wait until something is free or an autoscaler has made a node, or change the profile";
    for (status, happened, remedy) in [
        (
            unschedulable(
                "0/5 nodes are available: 2 Insufficient cpu, 3 Insufficient nvidia.com/gpu. preemption: \
                 0/5 nodes are available: 5 Preemption is not helpful for scheduling.",
            ),
            "cannot be placed on any node: 0/5 nodes are available: 2 Insufficient cpu, 3 Insufficient nvidia.com/gpu",
            format!("{wait}: less `kubernetes.executor.millicores` may fit; every nvidia.com/gpu is in use, or no node has so many."),
        ),
        (
            unschedulable(
                "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: \
                 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
            ),
            "cannot be placed on any node: 0/1 nodes are available: 1 Insufficient memory",
            format!("{wait}: less `kubernetes.executor.memory` may fit."),
        ),
        (
            unschedulable(
                "0/4 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}, 3 node(s) \
                 didn't match Pod's node affinity/selector. preemption: none",
            ),
            "cannot be placed on any node: 0/4 nodes are available: 1 node(s) had untolerated taint \
             {nvidia.com/gpu: present}, 3 node(s) didn't match Pod's node affinity/selector",
            format!(
                "{wait}: `kubernetes.placement.executors.nodes` asks for labels that no free node has; \
                 `kubernetes.placement.executors.tolerations` lacks taints that nodes have."
            ),
        ),
        (
            unschedulable("0/1 nodes are available: persistentvolumeclaim \"home\" not found. preemption: x"),
            "cannot be placed on any node: 0/1 nodes are available: persistentvolumeclaim \"home\" not found",
            format!(
                "{wait}: see `kubernetes.volumes` and `kubernetes.localDisk`. A volume can be bound to some nodes, \
                 such as those of one zone, and then room has to be there."
            ),
        ),
        (
            unschedulable("no nodes available to schedule pods"),
            "cannot be placed on any node: no nodes available to schedule pods",
            format!("{wait}."),
        ),
        (
            waiting(
                "ImagePullBackOff",
                "Back-off pulling image \"registry.example/spark:4.3\": ErrImagePull: rpc error: code = NotFound desc = \
                 failed to pull and unpack image \"registry.example/spark:4.3\": failed to resolve reference \
                 \"registry.example/spark:4.3\": registry.example/spark:4.3: not found",
            ),
            "cannot get image registry.example/spark:4.3: registry.example/spark:4.3: not found",
            "Correct `kubernetes.images` in the profile.".to_owned(),
        ),
        (
            waiting(
                "ErrImagePull",
                "rpc error: code = Unknown desc = failed to pull and unpack image \"registry.example/spark:4.3\": failed to \
                 resolve reference \"registry.example/spark:4.3\": failed to do request: Head \
                 \"https://registry.example/v2/spark/manifests/4.3\": dial tcp: lookup registry.example on 10.96.0.10:53: no such host",
            ),
            "cannot get image registry.example/spark:4.3: Head \"https://registry.example/v2/spark/manifests/4.3\": \
             dial tcp: lookup registry.example on 10.96.0.10:53: no such host",
            "The node cannot talk to the registry; tell whoever runs the cluster.".to_owned(),
        ),
        (
            waiting("CreateContainerConfigError", "couldn't find key access in Secret spark/s3"),
            "cannot be started: couldn't find key access in Secret spark/s3",
            "Have the key put in, or correct it in `kubernetes.environment` or `kubernetes.caBundle` of the profile."
                .to_owned(),
        ),
        (
            json!({
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "PodReadyToStartContainers", "status": "False", "lastTransitionTime": "2026-11-21T06:09:00Z"}
                ]
            }),
            "cannot be started: its node did not get volumes and network ready",
            "See whether the profile's volumes are there and free; `kubectl describe pod` shows what the \
             node waits for."
                .to_owned(),
        ),
    ] {
        let trouble = trouble(&executor(&status), now).unwrap_or_else(|| panic!("{status}"));
        assert_eq!(trouble.happened(false), happened);
        assert_eq!(trouble.remedy(Part::Executor), remedy);
        assert!(trouble.may_pass(), "{happened}");
    }
}

/// Statuses of pods as a real kubelet and a real scheduler left them, recorded by `tests/cluster/record_pods.py`.
#[test]
fn what_a_real_cluster_says_is_understood() {
    let recorded: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let newest = cases
        .iter()
        .filter_map(|one| one["pod"]["metadata"]["creationTimestamp"].as_str())
        .max();
    let now = newest.unwrap().parse::<Timestamp>().unwrap() + SignedDuration::from_mins(30);
    let told: Vec<(&str, String)> = cases
        .iter()
        .map(|one| {
            let pod: Pod = serde_json::from_value(one["pod"].clone()).unwrap();
            let trouble = trouble(&pod, now);
            (
                one["case"].as_str().unwrap(),
                trouble.map_or_else(String::new, |trouble| trouble.happened(false)),
            )
        })
        .collect();
    let expected = [
        (
            "badcommand",
            "cannot be started: exec: \"/no/such\": stat /no/such: no such file or directory",
        ),
        (
            "deleted while it runs",
            "was deleted by a person or a program",
        ),
        ("deleted", "was deleted by a person or a program"),
        (
            "disk",
            "was evicted by its node: Usage of EmptyDir volume \"spark-local-dir-1\" exceeds the limit \"5Mi\"",
        ),
        (
            "evicted while it runs",
            "was evicted, because its node is drained by a person or an autoscaler",
        ),
        (
            "evicted",
            "was evicted, because its node is drained by a person or an autoscaler",
        ),
        (
            "exit1",
            "ended with exit code 1: java.lang.IllegalStateException: boo",
        ),
        (
            "nogpu",
            "cannot be placed on any node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu",
        ),
        (
            "noimage",
            "cannot get image registry.invalid/none:1: Head \"https://registry.invalid/v2/none/manifests/1\": dial \
             tcp: lookup registry.invalid on 192.0.2.53:53: no such host",
        ),
        ("nosecret", "cannot be started: secret \"none\" not found"),
        (
            "novolume",
            "cannot be started: its node did not get volumes and network ready",
        ),
        (
            "oom",
            "was killed for using more than its 40Mi of memory (OOMKilled)",
        ),
        (
            "preempted while it runs",
            "was preempted by pods of higher priority",
        ),
        ("preempted", "was preempted by pods of higher priority"),
        ("sigkill", "was killed (exit code 137)"),
    ];
    assert_eq!(told, expected.map(|(case, words)| (case, words.to_owned())));
}

#[test]
fn registries_say_no_in_many_ways() {
    for (said, refusal) in [
        ("manifest unknown", Refusal::NotFound),
        (
            "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            Refusal::Denied,
        ),
        (
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized",
            Refusal::Denied,
        ),
        (
            "unexpected status from HEAD request: 429 Too Many Requests",
            Refusal::TooMany,
        ),
        (
            "no match for platform in manifest: not found",
            Refusal::OtherPlatform,
        ),
        ("dial tcp 10.0.0.1:443: i/o timeout", Refusal::Unreachable),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Refusal::Unreachable,
        ),
        (
            "write /var/lib/containerd/x: no space left on device",
            Refusal::NoSpace,
        ),
        (
            "Container image \"x\" is not present with pull policy of Never",
            Refusal::NeverPulled,
        ),
        (
            "Failed to apply default image tag \"A:b\": couldn't parse image name \"A:b\": invalid reference format",
            Refusal::BadName,
        ),
        ("unexpected status code 401", Refusal::Denied),
        (
            "failed to resolve reference \"registry.example/spark:20260401\": not found",
            Refusal::NotFound,
        ),
        ("Back-off pulling image \"x\"", Refusal::Unknown),
    ] {
        assert_eq!(Refusal::read(said), refusal, "{said}");
    }
}

#[test]
fn who_ended_first_decides_between_a_program_and_its_deletion() {
    let asked_at = |time: &str| json!({"deletionTimestamp": format!("2026-11-21T{time}Z"), "deletionGracePeriodSeconds": 60});
    let program = |code| Trouble::Exited {
        code,
        message: None,
        last: Vec::new(),
    };
    for (code, deleted, expected) in [
        (1, None, Some(program(1))),
        (0, None, None),
        // Asked at 06:04:00, ended at 06:05:00.
        (143, Some("06:05:00"), Some(Trouble::Deleted)),
        (143, Some("06:07:00"), Some(Trouble::Deleted)),
        (0, Some("06:05:00"), None),
        // Asked at 06:06:00, a minute after it had ended.
        (1, Some("06:07:00"), Some(program(1))),
        (0, Some("06:07:00"), None),
    ] {
        let metadata = deleted.map_or_else(|| json!({}), asked_at);
        let pod = pod(&metadata, "executor", &ended("Error", code, None));
        assert_eq!(
            trouble(&pod, at("06:10:00")),
            expected,
            "{code} {deleted:?}"
        );
    }
    let running = json!({"phase": "Running"});
    let pod = pod(&asked_at("06:05:00"), "executor", &running);
    assert_eq!(trouble(&pod, at("06:04:30")), Some(Trouble::Deleted));
}

#[test]
fn what_goes_well_is_no_trouble() {
    let now = at("06:10:00");
    for status in [
        json!({}),
        json!({"phase": "Pending"}),
        waiting("ContainerCreating", ""),
        waiting("PodInitializing", ""),
        json!({"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True"}]}),
        json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "PodReadyToStartContainers", "status": "False", "lastTransitionTime": "2026-11-21T06:09:30Z"}
        ]}),
        ended("Completed", 0, None),
    ] {
        assert_eq!(trouble(&executor(&status), now), None, "{status}");
    }
}

#[test]
fn what_others_put_into_a_pod_is_not_its_trouble() {
    let mut status = ended("Completed", 0, None);
    let proxy = json!({
        "name": "istio-proxy", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 255, "reason": "Error"}}
    });
    status["containerStatuses"]
        .as_array_mut()
        .unwrap()
        .insert(0, proxy);
    assert_eq!(trouble(&executor(&status), at("06:10:00")), None);
}

#[test]
fn a_drivers_trouble_is_the_cause_that_there_is_none() {
    let now = at("06:10:00");
    let mut not_pulled = waiting(
        "ErrImageNeverPull",
        "Container image \"registry.example/keeper:1\" is not present with pull policy of Never",
    );
    let container = not_pulled["containerStatuses"][0].take();
    not_pulled["containerStatuses"] = json!([]);
    not_pulled["initContainerStatuses"] = json!([container]);
    not_pulled["initContainerStatuses"][0]["name"] = json!("firesteel-keeper");
    let cause = trouble(&pod(&json!({}), "driver", &not_pulled), now)
        .unwrap()
        .cause(Part::Driver);
    assert_eq!(cause.kind, Kind::Cluster);
    assert!(
        cause
            .sentence
            .starts_with("The Spark driver's pod cannot get image registry.example/keeper:1"),
        "{cause}"
    );

    let mut killed = ended("OOMKilled", 137, None);
    killed["containerStatuses"][0]["name"] = json!("driver");
    let cause = trouble(&pod(&json!({}), "driver", &killed), now)
        .unwrap()
        .cause(Part::Driver);
    assert_eq!(cause.kind, Kind::Memory);
    assert!(
        cause.remedy.contains("`kubernetes.driver.memory`"),
        "{cause}"
    );
}

#[test]
fn what_others_say_is_one_line_and_not_long() {
    let said = format!("a\n\u{1b}[31mb\t{}", "é".repeat(500));
    let status = failed("Evicted", &said);
    let Some(Trouble::Evicted { said }) = trouble(&executor(&status), at("06:10:00")) else {
        panic!("not evicted")
    };
    assert!(said.starts_with("a [31mb é"), "{said}");
    assert_eq!(said.chars().count(), 241);
}

#[test]
fn a_drivers_pod_goes_through_its_phases() {
    let placed = json!([{"type": "PodScheduled", "status": "True"}]);
    let container = |state: Value| {
        json!([{
            "name": "driver", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state
        }])
    };
    for (status, expected) in [
        (json!({}), Phase::Scheduling),
        (unschedulable("0/1 nodes are available"), Phase::Scheduling),
        (json!({"conditions": placed}), Phase::PreparingPod),
        (
            json!({"conditions": placed, "containerStatuses": container(json!({"waiting": {"reason": "PodInitializing"}}))}),
            Phase::PreparingPod,
        ),
        (
            json!({"conditions": placed, "containerStatuses": container(json!({"running": {"startedAt": "2026-11-21T06:00:00Z"}}))}),
            Phase::StartingContainers,
        ),
    ] {
        assert_eq!(
            phase(&pod(&json!({}), "driver", &status)),
            expected,
            "{status}"
        );
    }
}
