use std::path::{Path, PathBuf};

use serde_json::json;

use super::facts::{Answer, Seen, Thing, Tried};
use super::*;
use crate::environment::Environment;
use crate::profile::{Layer, Profiles, Runs};
use crate::rehearsal::Verdict;

/// A profile of drivers in a cluster that says `more` of them.
fn profile(more: &str) -> Profile {
    let file = format!(
        "profiles: {{big: {{kubernetes: {{namespace: sparks, images: {{'4.3': r/spark:4.3.0}},
            keeperImage: 'r/keeper:1'{more}}}}}}}"
    );
    let layer = Layer::parse(Path::new("profiles.yaml"), &file).unwrap();
    let environment = Environment::default();
    let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
    profiles.get("big").unwrap()
}

/// What such a profile runs.
pub(super) fn kubernetes(more: &str) -> Kubernetes {
    match profile(more).runs {
        Runs::Kubernetes(spec) => *spec,
        Runs::Local(_) | Runs::Remote(_) => panic!("not in a cluster"),
    }
}

/// What was found with this verdict.
pub(super) fn said(findings: &[Finding], verdict: Verdict) -> Vec<&str> {
    let findings = findings.iter().filter(|one| one.verdict == verdict);
    findings.map(|one| one.found.as_str()).collect()
}

fn claim() -> Claim {
    Claim {
        user: "ada".to_owned(),
        profile: "big".to_owned(),
        kernel: None,
    }
}

/// A cluster in which nothing is in the way of the driver.
fn fine(spec: &Kubernetes) -> Facts {
    let whats = [
        What::Job,
        What::DriverPod,
        What::ExecutorPod,
        What::Secret,
        What::ConfigMap,
    ];
    let node = json!({"metadata": {"name": "n"}, "status": {
        "allocatable": {"cpu": "64", "memory": "512Gi"}}});
    Facts {
        rights: needed(spec, true)
            .into_iter()
            .map(|right| (right, Answer::Yes))
            .collect(),
        tries: whats
            .map(|what| Tried {
                what,
                outcome: Outcome::Taken,
            })
            .into(),
        quotas: Seen::Found(Vec::new()),
        nodes: Seen::Found(vec![serde_json::from_value(node).unwrap()]),
        named: named(spec)
            .into_iter()
            .map(|named| {
                let keys = named.key.iter().cloned().collect();
                let state = String::new();
                (named, Seen::Found(Thing { keys, state }))
            })
            .collect(),
    }
}

fn found(change: impl Fn(&mut Facts)) -> Vec<Finding> {
    let profile = profile("");
    let spec = kubernetes("");
    let mut facts = fine(&spec);
    change(&mut facts);
    findings(&claim(), &profile, &spec, &facts)
}

#[test]
fn where_nothing_is_in_the_way_all_is_good() {
    let found = found(|_| {});
    assert!(
        found.iter().all(|one| one.verdict == Verdict::Good),
        "{found:#?}"
    );
    let names: Vec<&str> = found.iter().map(|one| one.name).collect();
    for name in ["rights", "admission", "quota", "names", "images", "nodes"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn who_may_ask_nothing_is_refused_nothing_and_told_what_is_not_known() {
    let found = found(|facts| {
        for (right, answer) in &mut facts.rights {
            if right.who != rights::Who::You {
                *answer = Answer::Forbidden;
            }
        }
        for tried in &mut facts.tries {
            if matches!(tried.what, What::DriverPod | What::ExecutorPod) {
                tried.outcome = Outcome::Forbidden;
            }
        }
        facts.quotas = Seen::Forbidden;
        facts.nodes = Seen::Forbidden;
        for (_, seen) in &mut facts.named {
            *seen = Seen::Forbidden;
        }
    });
    assert!(said(&found, Verdict::Bad).is_empty(), "{found:#?}");
    assert_eq!(said(&found, Verdict::Untried).len(), 6, "{found:#?}");
}

#[test]
fn a_driver_that_is_there_is_counted_once() {
    let quota = json!({
        "metadata": {"name": "one"}, "spec": {},
        "status": {"hard": {"count/jobs.batch": "1"}, "used": {"count/jobs.batch": "1"}}});
    let full = |facts: &mut Facts| {
        facts.quotas = Seen::Found(vec![serde_json::from_value(quota.clone()).unwrap()]);
    };
    assert_eq!(said(&found(full), Verdict::Bad).len(), 1);
    let joined = found(|facts| {
        full(facts);
        facts.tries[0].outcome = Outcome::There;
    });
    assert!(said(&joined, Verdict::Bad).is_empty(), "{joined:#?}");
}

#[test]
fn what_would_be_made_is_shown_whole_and_without_secrets() {
    let more = ", gpu: {}, service: true, environment: {MY_PASSWORD: hunter2, PLAIN: fine}";
    let profile = profile(more);
    let rehearsal = unasked(&claim(), &profile, &kubernetes(more));
    let titles: Vec<&str> = rehearsal
        .made
        .iter()
        .map(|one| one.title.as_str())
        .collect();
    let kinds: Vec<&str> = titles
        .iter()
        .map(|title| title.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["Job", "Pod", "Pod", "Secret", "ConfigMap", "Service"]
    );
    let job = format!("Job firesteel-{}", claim().id());
    assert_eq!(titles[0], job);
    let all = serde_json::to_string(&rehearsal).unwrap();
    assert!(!all.contains("hunter2") && all.contains("fine"), "{all}");
    assert!(all.contains(&profile.hash()), "{all}");
    let conf = |name: &str| rehearsal.conf.get(name).map_or("", String::as_str);
    assert_eq!(conf("spark.driver.host"), "(the pod's address)");
    assert_eq!(conf("spark.executor.resource.gpu.amount"), "1");
    assert_eq!(conf("spark.kubernetes.namespace"), "sparks");
    assert!(!all.contains("0.0.0.0"), "{all}");
    for made in &rehearsal.made {
        let read: Value = serde_saphyr::from_str(&made.text).unwrap();
        assert_eq!(read["kind"], made.title.split(' ').next().unwrap());
    }
}
