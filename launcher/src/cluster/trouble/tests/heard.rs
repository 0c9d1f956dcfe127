use super::*;
use crate::cause::Cause;
use crate::cluster::causes::{Part, Why};

/// An event of the pod, as an API server tells it.
fn event(reason: &str, message: &str, time: &str) -> k8s_openapi::api::core::v1::Event {
    serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {"kind": "Pod", "name": "p"},
        "reason": reason, "message": message, "lastTimestamp": format!("2026-11-21T{time}Z")
    }))
    .unwrap()
}

/// What was heard in these events, at six o'clock one minute after the other.
fn heard(events: &[(&str, &str)]) -> Heard {
    let mut heard = Heard::default();
    for (minute, (reason, message)) in events.iter().enumerate() {
        heard.event(&event(reason, message, &format!("06:{minute:02}:00")));
    }
    heard
}

/// A pod that has a node since six and does not start. `ready`: its volumes and network are there.
fn placed(ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-21T06:00:00Z"},
        {"type": "PodReadyToStartContainers", "status": ready, "lastTransitionTime": "2026-11-21T06:00:00Z"}
    ]})
}

const NO_ROOM: &str =
    "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available.";
const PULLING: (&str, &str) = ("Pulling", "Pulling image \"registry.example/spark:4.3\"");

/// Reasons and words of events, one after the other.
type Said = &'static [(&'static str, &'static str)];

/// Words of Cluster Autoscaler, Karpenter, the kubelet and the controller that attaches volumes.
const HEARD: [(Why, bool, Said); 9] = [
    (
        Why::NodeComes,
        false,
        &[
            (
                "NotTriggerScaleUp",
                "pod didn't trigger scale-up: 1 max node group size reached",
            ),
            (
                "TriggeredScaleUp",
                "pod triggered scale-up: [{spark-pool 1->2 (max: 5)}]",
            ),
        ],
    ),
    (
        Why::NodeComes,
        false,
        &[("Nominated", "Pod should schedule on: nodeclaim/gpu-x7k2q")],
    ),
    (
        Why::NodeNeverComes,
        false,
        &[
            (
                "TriggeredScaleUp",
                "pod triggered scale-up: [{spark-pool 1->2 (max: 2)}]",
            ),
            (
                "NotTriggerScaleUp",
                "pod didn't trigger scale-up: 2 max node group size reached",
            ),
        ],
    ),
    (
        Why::NodeNeverComes,
        false,
        &[(
            "FailedScheduling",
            "Failed to schedule pod, all available instance types exceed limits for nodepool \"gpu\"",
        )],
    ),
    // The scheduler's own words are in the pod's status.
    (
        Why::NoRoom,
        false,
        &[("FailedScheduling", "0/3 nodes are available")],
    ),
    (
        Why::NotMounted,
        true,
        &[(
            "FailedMount",
            "MountVolume.SetUp failed for volume \"home\" : rpc error: code = Internal desc = mount failed: exit status 32",
        )],
    ),
    (
        Why::NotAttached,
        true,
        &[(
            "FailedAttachVolume",
            "Multi-Attach error for volume \"pvc-8f21\" Volume is already exclusively attached to one node and can't be \
             attached to another",
        )],
    ),
    (
        Why::NoSandbox,
        true,
        &[(
            "FailedCreatePodSandBox",
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"6091\": \
             plugin type=\"aws-cni\" failed (add): failed to assign an IP address to container",
        )],
    ),
    (
        Why::NodeStuck,
        true,
        &[
            ("FailedAttachVolume", "Multi-Attach error"),
            (
                "SuccessfulAttachVolume",
                "AttachVolume.Attach succeeded for volume \"pvc-8f21\"",
            ),
        ],
    ),
];

fn nodes(memory: &[&str]) -> Vec<k8s_openapi::api::core::v1::Node> {
    let node =
        |memory| json!({"metadata": {}, "status": {"allocatable": {"memory": memory, "cpu": "4"}}});
    memory
        .iter()
        .map(|memory| serde_json::from_value(node(memory)).unwrap())
        .collect()
}

/// The trouble of a pod that waits, of which this was heard.
fn waits(placed_already: bool, heard: &Heard) -> Option<Trouble> {
    let status = if placed_already {
        placed(false)
    } else {
        unschedulable(NO_ROOM)
    };
    trouble_as_heard(&executor(&status), heard, at("06:10:00"))
}

/// Every cause that a pod and what was heard of it may tell.
pub(crate) fn examples() -> Vec<(Why, Cause)> {
    let now = at("06:10:00");
    let of = |status: &Value| trouble(&executor(status), now).unwrap_or_else(|| panic!("{status}"));
    let pull = |said: &str| of(&waiting("ErrImagePull", said));
    let config = |said: &str| of(&waiting("CreateContainerConfigError", said));
    let exited = |code, said| of(&ended("Error", code, said));
    let mut found: Vec<(Why, Trouble)> = vec![
        (Why::NoRoom, of(&unschedulable(NO_ROOM))),
        (
            Why::NoDevice,
            of(&unschedulable(
                "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
            )),
        ),
        (
            Why::LabelsUnmet,
            of(&unschedulable(
                "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            )),
        ),
        (
            Why::TaintsUnmet,
            of(&unschedulable(
                "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.",
            )),
        ),
        (
            Why::ClaimPending,
            of(&unschedulable(
                "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            )),
        ),
        (
            Why::NotPlaced,
            of(&unschedulable("no nodes available to schedule pods")),
        ),
        (
            Why::ImageNotFound,
            pull("failed to resolve reference \"x\": registry.example/spark:4.3: not found"),
        ),
        (
            Why::ImageDenied,
            pull("pull access denied, repository does not exist or may require authorization"),
        ),
        (
            Why::ImageNameWrong,
            of(&waiting(
                "InvalidImageName",
                "Failed to apply default image tag \"A:b\": couldn't parse image name \"A:b\": invalid reference format",
            )),
        ),
        (
            Why::ImageOfOtherPlatform,
            pull("no match for platform in manifest: not found"),
        ),
        (
            Why::ImageNeverPulled,
            of(&waiting(
                "ErrImageNeverPull",
                "Container image \"x\" is not present with pull policy of Never",
            )),
        ),
        (
            Why::RegistryUnreachable,
            pull("dial tcp 10.0.0.1:443: i/o timeout"),
        ),
        (Why::RegistryBusy, pull("429 Too Many Requests")),
        (Why::NodeFull, pull("write /var/x: no space left on device")),
        (Why::ImageNotPulled, pull("the stars are wrong")),
        (Why::SecretMissing, config("secret \"s3\" not found")),
        (Why::ConfigMapMissing, config("configmap \"cas\" not found")),
        (
            Why::KeyMissing,
            config("couldn't find key access in Secret sparks/s3"),
        ),
        (
            Why::RunsAsRoot,
            config("container has runAsNonRoot and image will run as root (pod: \"p\")"),
        ),
        (
            Why::NoSuchProgram,
            of(&ended(
                "StartError",
                128,
                Some(
                    "exec: \"/opt/entrypoint.sh\": stat /opt/entrypoint.sh: no such file or directory",
                ),
            )),
        ),
        // It is made after the pod.
        (
            Why::NotStarted,
            config("secret \"firesteel-1-2\" not found"),
        ),
        (
            Why::NodeRefused,
            of(&failed(
                "OutOfmemory",
                "Node didn't have enough resource: memory",
            )),
        ),
        (Why::OutOfMemory, of(&ended("OOMKilled", 137, None))),
        (
            Why::Evicted,
            of(&failed("Evicted", "The node was low on resource: memory.")),
        ),
        (
            Why::DiskExceeded,
            of(&failed(
                "Evicted",
                "Usage of EmptyDir volume \"x\" exceeds the limit \"1Gi\".",
            )),
        ),
        (
            Why::Drained,
            of(&disrupted(
                "EvictionByEvictionAPI",
                "Eviction API: evicting",
            )),
        ),
        (
            Why::Preempted,
            of(&disrupted("PreemptionByScheduler", "preempting")),
        ),
        (
            Why::NodeGone,
            of(&disrupted("DeletionByTaintManager", "NoExecute taint")),
        ),
        (Why::Overrun, of(&failed("DeadlineExceeded", "too long"))),
        (Why::Deleted, Trouble::Deleted),
        (
            Why::HeapFull,
            exited(52, Some("java.lang.OutOfMemoryError: Java heap space")),
        ),
        (Why::KilledByOthers, exited(137, None)),
        (Why::ToldToEnd, exited(143, None)),
        (Why::NoFolder, exited(53, None)),
        (Why::DriverNotHeard, exited(56, None)),
        (
            Why::DriverUnreachable,
            exited(
                1,
                Some("Caused by: java.io.IOException: Failed to connect to /10.244.0.9:7078"),
            ),
        ),
        (Why::Uncaught, exited(50, None)),
        (Why::Exited, exited(1, Some("boo"))),
    ];
    for (why, placed_already, events) in HEARD {
        let trouble = waits(placed_already, &heard(events));
        found.push((why, trouble.unwrap_or_else(|| panic!("{why:?}"))));
    }
    let pulls = trouble_as_heard(&executor(&placed(true)), &heard(&[PULLING]), now);
    found.push((Why::SlowPull, pulls.unwrap()));
    let mut small = Heard::default();
    small.nodes(&nodes(&["512Mi", "1Gi"]));
    found.push((Why::TooLarge, waits(false, &small).unwrap()));
    found.push((Why::ClaimUnbound, unbound().unwrap()));
    let parts = |(why, trouble): (Why, Trouble)| {
        let causes = [Part::Driver, Part::Executor].map(|part| trouble.cause(part));
        causes.map(|cause| (why, cause))
    };
    found.into_iter().flat_map(parts).collect()
}

/// A pod whose volume's class does not exist.
fn unbound() -> Option<Trouble> {
    let mut pod = executor(&unschedulable(
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    ));
    let volumes = json!([{"name": "home", "persistentVolumeClaim": {"claimName": "ada"}}]);
    pod.spec.as_mut()?.volumes = serde_json::from_value(volumes).unwrap();
    let mut heard = Heard::default();
    for (claim, said) in [
        ("bobs", "no persistent volumes available for this claim"),
        ("ada", "storageclass.storage.k8s.io \"fast\" not found"),
    ] {
        let mut event = event("ProvisioningFailed", said, "06:00:00");
        event.involved_object.name = Some(claim.to_owned());
        heard.claim(&event);
    }
    trouble_as_heard(&pod, &heard, at("06:10:00"))
}

#[test]
fn events_tell_what_a_pod_waits_for() {
    for (why, placed_already, events) in HEARD {
        let trouble = waits(placed_already, &heard(events)).unwrap();
        assert_eq!(trouble.why(), why, "{events:?}");
        assert!(trouble.may_pass());
    }
    let comes = waits(false, &heard(HEARD[0].2)).unwrap();
    assert_eq!(
        comes.sentence(Part::Driver),
        "The Spark driver's pod waits for a node that the autoscaler makes: pod triggered scale-up: [{spark-pool 1->2 \
         (max: 5)}]"
    );
    let never = waits(false, &heard(HEARD[2].2)).unwrap();
    assert_eq!(
        never.happened(false),
        "cannot be placed on any node, and the autoscaler makes none for it: 2 max node group size reached"
    );
    let mount = waits(true, &heard(HEARD[5].2)).unwrap();
    assert_eq!(
        mount.happened(false),
        "waits for its volume home: mount failed: exit status 32"
    );
    // Older autoscalers give no reason.
    let silent = heard(&[("NotTriggerScaleUp", "pod didn't trigger scale-up:")]);
    let silent = waits(false, &silent).unwrap();
    assert!(
        silent
            .happened(false)
            .ends_with("for it: 0/3 nodes are available: 3 Insufficient memory"),
        "{silent:?}"
    );
}

#[test]
fn what_mostly_fails_at_first_is_told_only_when_it_stays() {
    let mount = heard(&[(
        "FailedMount",
        "MountVolume.SetUp failed for volume \"x\" : no",
    )]);
    let of = |status: &Value, heard: &Heard, time| {
        trouble_as_heard(&executor(status), heard, at(time)).map(|trouble| trouble.why())
    };
    assert_eq!(of(&placed(false), &mount, "06:00:09"), None);
    assert_eq!(
        of(&placed(false), &mount, "06:00:10"),
        Some(Why::NotMounted)
    );
    // The volume is there meanwhile.
    assert_eq!(of(&placed(true), &mount, "06:00:10"), None);

    let pulling = heard(&[PULLING]);
    assert_eq!(of(&placed(true), &pulling, "06:00:29"), None);
    assert_eq!(of(&placed(true), &pulling, "06:00:30"), Some(Why::SlowPull));
    let pulled = heard(&[PULLING, ("Pulled", "Successfully pulled image")]);
    assert_eq!(of(&placed(true), &pulled, "06:05:00"), None);
}

#[test]
fn an_older_event_does_not_replace_a_newer() {
    let mut heard = Heard::default();
    heard.event(&event("Pulling", "Pulling image \"new\"", "06:05:00"));
    heard.event(&event("Pulling", "Pulling image \"old\"", "06:01:00"));
    let slow = trouble_as_heard(&executor(&placed(true)), &heard, at("06:10:00")).unwrap();
    assert_eq!(
        slow.happened(false),
        "waits for image new, which its node has been fetching for 5 min"
    );
}

/// Times of events are whole seconds, and a pod's keeper and Spark are two images.
#[test]
fn an_image_that_was_there_does_not_hide_one_that_is_fetched() {
    let of = |reason, said, container: &str| {
        let mut event = event(reason, said, "06:00:00");
        event.involved_object.field_path = Some(format!("spec.containers{{{container}}}"));
        event
    };
    let mut heard = Heard::default();
    heard.event(&of(
        "Pulled",
        "Container image \"keeper\" already present",
        "keeper",
    ));
    heard.event(&of("Pulling", PULLING.1, "driver"));
    let slow = || trouble_as_heard(&executor(&placed(true)), &heard, at("06:01:00"));
    assert_eq!(slow().map(|trouble| trouble.why()), Some(Why::SlowPull));
    heard.event(&of("Pulled", "Successfully pulled image", "driver"));
    let slow = trouble_as_heard(&executor(&placed(true)), &heard, at("06:01:00"));
    assert_eq!(slow, None);
}

#[test]
fn a_pull_secret_that_is_missing_is_named() {
    let said = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.";
    let heard = heard(&[("FailedToRetrieveImagePullSecret", said)]);
    let denied = waiting("ErrImagePull", "pull access denied");
    let denied = trouble_as_heard(&executor(&denied), &heard, at("06:10:00")).unwrap();
    assert_eq!(denied.why(), Why::ImageDenied);
    let happened = denied.happened(false);
    assert!(
        happened
            .contains("pull access denied; Unable to retrieve some image pull secrets (regcred)"),
        "{happened}"
    );
}

/// The scheduler's words of Kubernetes 1.25 to 1.34, in `pkg/scheduler/framework/plugins`.
#[test]
fn labels_that_a_pod_wants_are_named_and_told_from_where_its_volumes_are() {
    let of = |said: &str| {
        let mut pod = executor(&unschedulable(said));
        let selector = [("disk", "ssd"), ("zone", "a")];
        let selector = selector.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pod.spec.as_mut().unwrap().node_selector = Some(selector.into_iter().collect());
        trouble(&pod, at("06:10:00")).unwrap()
    };
    let labels =
        of("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
    assert_eq!(labels.why(), Why::LabelsUnmet);
    let remedy = labels.remedy(Part::Driver);
    assert!(
        remedy.contains("asks for the labels `disk=ssd, zone=a` that no free node has"),
        "{remedy}"
    );
    for said in [
        "0/3 nodes are available: 3 node(s) had volume node affinity conflict.",
        "0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity.",
        "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
    ] {
        assert_eq!(of(said).why(), Why::ClaimPending, "{said}");
    }
}

#[test]
fn the_keepers_right_that_is_missing_is_told_from_a_volume_of_the_profile() {
    let of = |volume: &str| {
        let said = format!("MountVolume.SetUp failed for volume \"{volume}\" : secret not found");
        let heard = heard(&[("FailedMount", &said)]);
        let pod = executor(&placed(false));
        trouble_as_heard(&pod, &heard, at("06:10:00"))
            .unwrap()
            .remedy(Part::Driver)
    };
    assert!(of("firesteel-kube").contains("deploy/rbac"));
    assert!(of("home").contains("`kubernetes.volumes`"));
}

#[test]
fn the_largest_node_is_named_where_it_is_too_small() {
    let told = |memory: &[&str]| {
        let mut heard = Heard::default();
        heard.nodes(&nodes(memory));
        waits(false, &heard).unwrap().happened(false)
    };
    assert_eq!(
        told(&["512Mi", "1Gi"]),
        "cannot be placed on any node: it asks for 1.38 GiB of memory, and the largest node has 1 GiB of memory (0/3 nodes are \
         available: 3 Insufficient memory)"
    );
    let others = "cannot be placed on any node: 0/3 nodes are available: 3 Insufficient memory";
    assert_eq!(told(&["512Mi", "8Gi"]), others);
    // Nobody may see the nodes.
    assert_eq!(told(&[]), others);
}

#[test]
fn memory_is_told_apart_from_the_heap_in_it() {
    let mut pod = executor(&ended("OOMKilled", 137, None));
    let heap = json!([{"name": "SPARK_EXECUTOR_MEMORY", "value": "1024m"}]);
    pod.spec.as_mut().unwrap().containers[0].env = serde_json::from_value(heap).unwrap();
    let killed = trouble(&pod, at("06:10:00")).unwrap();
    assert_eq!(
        killed.happened(false),
        "was killed for using more than its 1408Mi of memory (OOMKilled), of which 1024m are Java's heap"
    );
}
