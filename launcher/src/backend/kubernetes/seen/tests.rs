use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::*;
use crate::cause::Kind;

const SUBJECT: Subject<'_> = Subject {
    profile: "big",
    namespace: "sparks",
    deadline: 60,
    heap: "2g",
};

fn job(conditions: &Value) -> Job {
    let job = json!({ "metadata": { "uid": "u1" }, "status": { "conditions": conditions } });
    serde_json::from_value(job).unwrap()
}

fn pod(status: &Value) -> Pod {
    let pod = json!({
        "metadata": { "name": "p", "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "containers": [{ "name": "driver" }] },
        "status": status,
    });
    serde_json::from_value(pod).unwrap()
}

fn driver(state: &Value) -> Value {
    json!({
        "podIP": "10.0.0.7",
        "phase": "Running",
        "containerStatuses": [{
            "name": "driver", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state,
        }],
    })
}

fn unschedulable() -> Value {
    json!({ "phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
    }]})
}

fn verdict(seen: &mut Seen) -> Verdict {
    seen.verdict("2026-01-01T00:05:00Z".parse().unwrap(), &SUBJECT)
}

fn cause(seen: &mut Seen) -> Cause {
    match verdict(seen) {
        Verdict::Gone(cause) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_start_that_came_too_late_says_what_was_in_its_way() {
    let mut seen = Seen::default();
    seen.job(job(&json!([])), "u1");
    assert_eq!(
        verdict(&mut seen),
        Verdict::Starting(Phase::Scheduling, None)
    );
    seen.pod(pod(&unschedulable()));
    let Verdict::Starting(Phase::Scheduling, Some(trouble)) = verdict(&mut seen) else {
        panic!("a pod that no node takes is in trouble");
    };
    assert!(trouble.sentence.contains("gpu"), "{trouble}");
    let mut leaving = pod(&unschedulable());
    let now = serde_json::from_value(json!("2026-01-01T00:01:00Z")).unwrap();
    leaving.metadata.deletion_timestamp = Some(now);
    seen.pod(leaving);
    verdict(&mut seen);
    let failed = json!([{ "type": "Failed", "status": "True", "reason": "DeadlineExceeded" }]);
    seen.job(job(&failed), "u1");
    seen.no_pod();
    let cause = cause(&mut seen);
    assert_eq!(cause.kind, Kind::Deadline);
    assert!(cause.sentence.contains(&trouble.sentence), "{cause}");
    assert!(cause.remedy.contains("startDeadline"), "{cause}");
    assert!(cause.remedy.starts_with("Wait until something"), "{cause}");
}

#[test]
fn a_pod_that_is_taken_away_before_its_job_says_why_waits_for_its_word() {
    let taken = || {
        let mut pod = pod(&unschedulable());
        pod.metadata.deletion_timestamp = Some(Time("2026-01-01T00:05:00Z".parse().unwrap()));
        pod
    };
    let passed =
        json!([{ "type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded" }]);
    for (said, end, words) in [
        (
            Some(passed),
            Some(pod(&json!({ "phase": "Failed" }))),
            "did not start within 60 s",
        ),
        (None, None, "deleted by a person"),
    ] {
        let mut seen = Seen::default();
        seen.job(job(&json!([])), "u1");
        seen.pod(pod(&unschedulable()));
        verdict(&mut seen);
        seen.pod(end.unwrap_or_else(taken));
        seen.no_pod();
        assert!(matches!(verdict(&mut seen), Verdict::Unclear(_)));
        match said {
            Some(conditions) => seen.job(job(&conditions), "u1"),
            None => seen.no_job(),
        }
        let cause = cause(&mut seen);
        assert!(cause.sentence.contains(words), "{cause}");
    }
}

/// A Job whose deadline was not moved on to the profile's.
fn unwaited() -> Job {
    let failed = json!([{ "type": "Failed", "status": "True", "reason": "DeadlineExceeded" }]);
    let mut job = job(&failed);
    let spec = job.spec.get_or_insert_default();
    spec.active_deadline_seconds = Some(20);
    job
}

#[test]
fn a_driver_that_nobody_waited_for_was_given_up() {
    let mut seen = Seen::default();
    seen.pod(pod(&unschedulable()));
    verdict(&mut seen);
    seen.job(unwaited(), "u1");
    seen.no_pod();
    assert!(cause(&mut seen).sentence.contains("was given up"));
}

#[test]
fn a_keeper_that_runs_is_up_and_its_last_words_count_most() {
    let mut seen = Seen::default();
    seen.pod(pod(&driver(&json!({ "running": {} }))));
    let spot = Spot {
        pod: "p".to_owned(),
        address: "10.0.0.7".parse().unwrap(),
    };
    assert_eq!(verdict(&mut seen), Verdict::Up(spot));
    let words = json!({ "kind": "unused", "sentence": "Nobody", "remedy": "Run." }).to_string();
    let mut ended = driver(&json!({ "terminated": { "exitCode": 0, "message": words } }));
    ended["phase"] = "Succeeded".into();
    seen.pod(pod(&ended));
    assert_eq!(cause(&mut seen).kind, Kind::Unused);
}

#[test]
fn a_pod_that_is_not_let_in_ends_the_wait_where_only_a_change_helps() {
    for (message, ends, remedy) in [
        (
            "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\"",
            true,
            "profile",
        ),
        (
            "error looking up service account s/firesteel-driver",
            true,
            "deploy/rbac",
        ),
        (
            "pods \"p\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2",
            false,
            "Quota `small`",
        ),
    ] {
        let mut seen = Seen::default();
        seen.job(job(&json!([])), "u1");
        seen.event(&failed_create(message));
        match verdict(&mut seen) {
            Verdict::Gone(cause) => assert!(ends && cause.remedy.contains(remedy), "{cause}"),
            Verdict::Starting(_, said) => {
                let said = said.map(|cause| cause.sentence).unwrap_or_default();
                assert!(!ends && said.starts_with(remedy), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Every cause that a Job and its events may tell.
pub(in crate::backend) fn examples() -> Vec<(Why, Cause)> {
    let mut examples: Vec<(Why, Cause)> = COMPLAINTS
        .into_iter()
        .map(|(why, _, said)| {
            let mut seen = Seen::default();
            seen.job(job(&json!([])), "u1");
            seen.event(&failed_create(said));
            let (_, cause) = seen.not_let_in(&SUBJECT).unwrap();
            (why, cause)
        })
        .collect();
    let mut late = Seen::default();
    late.job(job(&json!([])), "u1");
    late.pod(pod(&unschedulable()));
    verdict(&mut late);
    let passed = json!([{ "type": "Failed", "status": "True", "reason": "DeadlineExceeded" }]);
    late.job(job(&passed), "u1");
    late.no_pod();
    let mut left = Seen::default();
    left.job(unwaited(), "u1");
    left.no_pod();
    let mut removed = Seen::default();
    removed.no_job();
    examples.extend([
        (Why::TooLate, cause(&mut late)),
        (Why::NotWaitedFor, cause(&mut left)),
        (Why::Removed, cause(&mut removed)),
        (
            Why::KeeperLost,
            crate::backend::kubernetes::follow::lost("big", "no route to host"),
        ),
    ]);
    examples
}

fn failed_create(message: &str) -> Event {
    let event = json!({ "metadata": {}, "involvedObject": {}, "reason": "FailedCreate", "message": message });
    serde_json::from_value(event).unwrap()
}

/// What a Job's events say of a pod that is not let in, and whether that is final. As Kubernetes'
/// Job controller puts it around the words of the admission plugins.
const COMPLAINTS: [(Why, bool, &str); 12] = [
    (
        Why::QuotaExceeded,
        false,
        "Error creating: pods \"f-x\" is forbidden: exceeded quota: small, requested: \
         limits.memory=2Gi,requests.cpu=1,requests.memory=2Gi, used: limits.memory=3Gi,requests.cpu=1,requests.memory=3Gi, \
         limited: limits.memory=4Gi,requests.cpu=8,requests.memory=4Gi",
    ),
    (
        Why::QuotaTooSmall,
        true,
        "Error creating: pods \"f-x\" is forbidden: exceeded quota: small, requested: limits.memory=5Gi, used: \
         limits.memory=0, limited: limits.memory=4Gi",
    ),
    (
        Why::QuotaWantsFigures,
        true,
        "Error creating: pods \"f-x\" is forbidden: failed quota: small: must specify limits.cpu for: driver; \
         limits.cpu for: firesteel-keeper",
    ),
    (
        Why::LimitRange,
        true,
        "Error creating: pods \"f-x\" is forbidden: [maximum memory usage per Container is 1Gi, but limit is 5Gi, \
         minimum cpu usage per Container is 500m, but request is 200m]",
    ),
    (
        Why::PodSecurity,
        true,
        "Error creating: pods \"f-x\" is forbidden: violates PodSecurity \"restricted:latest\": restricted volume types \
         (volume \"home\" uses restricted volume type \"nfs\")",
    ),
    (
        Why::Webhook,
        true,
        "Error creating: admission webhook \"validation.gatekeeper.sh\" denied the request: [images] no such registry",
    ),
    (
        Why::Policy,
        true,
        "Error creating: pods \"f-x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
    ),
    (
        Why::WebhookFailed,
        false,
        "Error creating: Internal error occurred: failed calling webhook \"inject.example.com\": failed to call webhook: \
         the server could not find the requested resource",
    ),
    (
        Why::AccountMissing,
        true,
        "Error creating: pods \"f-x\" is forbidden: error looking up service account sparks/firesteel-driver: \
         serviceaccount \"firesteel-driver\" not found",
    ),
    (
        Why::PriorityClassMissing,
        true,
        "Error creating: pods \"f-x\" is forbidden: no PriorityClass with name high was found",
    ),
    (
        Why::NamespaceEnding,
        true,
        "Error creating: pods \"f-x\" is forbidden: unable to create new content in namespace sparks because it is \
         being terminated",
    ),
    (
        Why::NotLetIn,
        false,
        "Error creating: pods \"f-x\" is forbidden: the stars are wrong",
    ),
];

/// What a real cluster says of pods that it does not let in, recorded by `tests/cluster/record_refusals.py`.
#[test]
fn what_a_real_cluster_says_of_a_pod_is_understood() {
    let recorded = include_str!("../../../cluster/causes/recorded.json");
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let events = recorded["events"].as_array().unwrap();
    let told: Vec<(&str, String)> = events
        .iter()
        .map(|one| {
            let mut seen = Seen::default();
            seen.event(&failed_create(one["said"].as_str().unwrap()));
            let (_, cause) = seen.not_let_in(&SUBJECT).unwrap();
            (one["case"].as_str().unwrap(), cause.sentence)
        })
        .collect();
    let expected = [
        (
            "QuotaExceeded",
            "Quota `small` of namespace `sparks` has no room for the driver's pod: limits.memory: 4 GiB allowed, 4 \
                 GiB used, 2 GiB more asked for",
        ),
        (
            "QuotaTooSmall",
            "Quota `small` of namespace `sparks` is too small for the driver's pod: limits.memory: 1 GiB allowed, 0 \
                 KiB used, 2 GiB more asked for",
        ),
        (
            "QuotaWantsFigures",
            "Quota `small` of namespace `sparks` takes no pod that does not say its limits.cpu",
        ),
        (
            "LimitRange",
            "The limit range of namespace `sparks` does not let the driver's pod in: minimum cpu usage per Container \
                 is 1500m, but request is 1, maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            "PodSecurity",
            "Pod Security of namespace `sparks` does not let the driver's pod in: restricted:latest: restricted \
                 volume types (volume home uses restricted volume type hostPath)",
        ),
        (
            "Policy",
            "Policy `recorded.firesteel.dev` of the cluster does not let the driver's pod in: no pod uses its node's \
                 network",
        ),
        (
            "AccountMissing",
            "There is no service account `none` in namespace `sparks` for the driver's pod",
        ),
        (
            "PriorityClassMissing",
            "The cluster has no priority class `none`, which the driver's pod is to have",
        ),
    ];
    let told: Vec<(&str, &str)> = told
        .iter()
        .map(|(case, said)| (*case, said.as_str()))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_only_a_change_helps_ends_the_start_and_the_rest_waits() {
    for (why, ends, said) in COMPLAINTS {
        let mut seen = Seen::default();
        seen.job(job(&json!([])), "u1");
        seen.event(&failed_create(said));
        assert_eq!(
            matches!(verdict(&mut seen), Verdict::Gone(_)),
            ends,
            "{why:?}"
        );
    }
}

#[test]
fn a_quota_is_told_with_its_figures_and_those_who_use_it() {
    let mut seen = Seen::default();
    seen.job(job(&json!([])), "u1");
    seen.event(&failed_create(COMPLAINTS[0].2));
    assert_eq!(seen.asks(), [Look::Others]);
    let ada: Pod = serde_json::from_value(json!({
        "metadata": { "annotations": { "firesteel.dev/user": "ada" } },
        "spec": { "containers": [{ "name": "a", "resources": { "limits": { "memory": "3Gi" } } }] },
    }))
    .unwrap();
    seen.others(&[ada]);
    let Verdict::Starting(_, Some(cause)) = verdict(&mut seen) else {
        panic!("a quota may have room in a moment");
    };
    assert_eq!(
        cause.sentence,
        "Quota `small` of namespace `sparks` has no room for the driver's pod: limits.memory: 4 GiB allowed, 3 GiB used, \
         2 GiB more asked for; in use are 3 GiB by ada"
    );
}

#[test]
fn an_image_that_is_not_there_ends_the_start_and_one_that_is_late_does_not() {
    for (said, ends) in [
        ("failed to resolve reference \"x\": x: not found", true),
        ("dial tcp 10.0.0.1:443: i/o timeout", false),
    ] {
        let mut seen = Seen::default();
        let mut status =
            driver(&json!({ "waiting": { "reason": "ErrImagePull", "message": said } }));
        status["phase"] = "Pending".into();
        seen.pod(pod(&status));
        let gone = matches!(verdict(&mut seen), Verdict::Gone(_));
        assert_eq!(gone, ends, "{said}");
    }
}

#[test]
fn what_else_is_in_the_cluster_is_asked_for_a_pod_that_no_node_takes() {
    let mut seen = Seen::default();
    assert_eq!(seen.asks(), []);
    let mut waits = pod(&unschedulable());
    seen.pod(waits.clone());
    verdict(&mut seen);
    assert_eq!(seen.asks(), [Look::Nodes]);
    let claim = json!([{ "name": "home", "persistentVolumeClaim": { "claimName": "home" } }]);
    waits.spec.as_mut().unwrap().volumes = Some(serde_json::from_value(claim).unwrap());
    seen.pod(waits);
    assert_eq!(seen.asks(), [Look::Nodes, Look::Claims]);
    seen.pod(pod(&driver(&json!({ "running": {} }))));
    assert_eq!(seen.asks(), []);
}

#[test]
fn of_a_driver_that_was_killed_for_memory_the_limit_and_the_heap_are_told() {
    let mut seen = Seen::default();
    let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    let mut status = driver(&killed);
    status["phase"] = json!("Failed");
    let mut killed = pod(&status);
    let limit = json!({ "limits": { "memory": "3Gi" } });
    let containers = &mut killed.spec.as_mut().unwrap().containers;
    containers[0].resources = serde_json::from_value(limit).unwrap();
    seen.pod(killed);
    assert_eq!(
        cause(&mut seen).sentence,
        "The Spark driver's pod was killed for using more than its 3Gi of memory (OOMKilled), of which 2g are Java's heap"
    );
}

#[test]
fn a_job_that_was_removed_or_replaced_is_told_as_such() {
    let mut seen = Seen::default();
    seen.no_job();
    assert_eq!(cause(&mut seen).kind, Kind::Stopped);
    let mut seen = Seen::default();
    seen.job(job(&json!([])), "another");
    assert_eq!(cause(&mut seen).kind, Kind::Stopped);
}
