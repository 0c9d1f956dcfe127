use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use kube::Client;
use kube::client::Body;
use serde_json::json;

use super::*;
use crate::environment::Environment;
use crate::profile::{Layer, Profiles, Runs};
use crate::rehearsal::Verdict;

/// What an API server was asked: the method, and the path with its query.
type Asked = (Method, String);

/// Answers to one question, by the same and its body.
type Script = fn(&Asked, &Value) -> (u16, Value);

/// A client of an API server that answers as `script` says, and what it was asked.
fn server(script: Script) -> (Client, Arc<Mutex<Vec<Asked>>>) {
    let log = Arc::<Mutex<Vec<Asked>>>::default();
    let asked = Arc::clone(&log);
    let service = tower::service_fn(move |request: Request<Body>| {
        let asked = Arc::clone(&asked);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let one = (head.method, head.uri.to_string());
            let (code, answer) = script(&one, &serde_json::from_slice(&body).unwrap_or_default());
            asked.lock().unwrap().push(one);
            if code == 0 {
                std::future::pending::<()>().await;
            }
            let answer = Full::from(answer.to_string());
            Ok::<_, Infallible>(Response::builder().status(code).body(answer).unwrap())
        }
    });
    (Client::new(service, "sparks"), log)
}

const EVERYTHING: &str =
    "profiles: {big: {kubernetes: {namespace: sparks, images: {'4.3': r/s:4.3.0},
    keeperImage: 'r/k:1', service: true, pullSecrets: [registry], priorityClass: high,
    localDisk: {size: 1g, storageClass: fast}, caBundle: {configMap: authorities},
    volumes: {home: {claim: home, path: /home/jovyan}},
    environment: {PASSWORD: {secret: db, key: password}}}}}";

/// What comes out of it where the server answers so, and what it was asked.
async fn rehearsed(script: Script) -> (Result<Vec<Finding>, Cause>, Vec<Asked>) {
    let layer = Layer::parse(Path::new("profiles.yaml"), EVERYTHING).unwrap();
    let environment = Environment::from_iter([("USER", "ada")]);
    let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
    let profile = profiles.get("big").unwrap();
    let claim = Claim::new(&profile, &environment, "kernel");
    let Runs::Kubernetes(spec) = &profile.runs else {
        panic!("not in a cluster");
    };
    let (client, log) = server(script);
    let access = Access {
        client,
        namespace: "sparks".to_owned(),
        server: "https://10.0.0.1".to_owned(),
        inside: false,
    };
    let facts = access.facts(&claim, &profile, spec).await;
    let found = facts.map(|facts| findings(&claim, &profile, spec, &facts));
    let asked = log.lock().unwrap().clone();
    (found, asked)
}

fn status(code: u16, message: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": "x", "message": message});
    (code, status)
}

/// Where everything is allowed and everything is there.
fn all_is_well(asked: &Asked, body: &Value) -> (u16, Value) {
    let (method, url) = asked;
    let path = url.split('?').next().unwrap();
    if path.ends_with("accessreviews") {
        let mut review = body.clone();
        review["status"] = json!({"allowed": true});
        return (201, review);
    }
    if *method == Method::POST {
        return (201, body.clone());
    }
    let (what, name) = path.rsplit_once('/').unwrap();
    (
        200,
        match (what.rsplit('/').next().unwrap(), name) {
            (_, "nodes") => {
                json!({"metadata": {}, "items": [{"metadata": {"name": "n"}, "status": {
            "allocatable": {"cpu": "64", "memory": "512Gi"}}}]})
            }
            (_, "resourcequotas") => json!({"metadata": {}, "items": []}),
            ("secrets", "registry") => json!({"metadata": {"name": name},
            "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "aHVudGVyMg=="}}),
            ("secrets", _) => json!({"metadata": {"name": name},
            "data": {"token": "aHVudGVyMg==", "password": "aHVudGVyMg=="}}),
            ("configmaps", _) => json!({"metadata": {"name": name}, "data": {"ca.crt": "x"}}),
            ("persistentvolumeclaims", _) => {
                json!({"metadata": {"name": name}, "status": {"phase": "Bound"}})
            }
            ("priorityclasses", _) => json!({"metadata": {"name": name}, "value": 1}),
            ("storageclasses", _) => json!({"metadata": {"name": name}, "provisioner": "x"}),
            _ => json!({"metadata": {"name": name}}),
        },
    )
}

#[tokio::test]
async fn nothing_is_made_and_nothing_is_changed() {
    let (found, asked) = rehearsed(all_is_well).await;
    let found = found.unwrap();
    assert!(
        found.iter().all(|one| one.verdict == Verdict::Good),
        "{found:#?}"
    );
    let mut dry = 0;
    for (method, url) in &asked {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        match *method {
            Method::GET => {}
            Method::POST if path.ends_with("accessreviews") => {}
            Method::POST => {
                assert!(query.contains("dryRun=All"), "{url}");
                dry += 1;
            }
            _ => panic!("{method} {url}"),
        }
    }
    assert_eq!(dry, 6, "{asked:?}");
}

#[tokio::test]
async fn who_may_do_nothing_is_told_all_that_is_missing_and_all_that_is_not_known() {
    let (found, _) = rehearsed(|asked, body| {
        let (method, url) = asked;
        if url.contains("/selfsubjectaccessreviews") {
            let mut review = body.clone();
            review["status"] = json!({"allowed": false});
            return (201, review);
        }
        match *method {
            Method::POST => status(
                403,
                "x is forbidden: User \"ada\" cannot create resource \"x\"",
            ),
            _ => status(
                403,
                "x is forbidden: User \"ada\" cannot get resource \"x\"",
            ),
        }
    })
    .await;
    let found = found.unwrap();
    let of = |verdict| found.iter().filter(move |one| one.verdict == verdict);
    let bad: Vec<_> = of(Verdict::Bad).map(|one| &one.found).collect();
    assert_eq!(bad.len(), 1, "{found:#?}");
    assert!(
        bad[0].starts_with("You may not create, get, watch and delete jobs"),
        "{bad:?}"
    );
    // Both accounts, the pods, quotas, what is named, nodes.
    assert_eq!(of(Verdict::Untried).count(), 6, "{found:#?}");
}

#[tokio::test]
async fn what_is_missing_or_refused_is_told() {
    let (found, _) = rehearsed(|asked, body| {
        let (method, url) = asked;
        if *method == Method::POST && url.contains("/pods?") {
            let said = "pods \"p\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4";
            return status(403, said);
        }
        if url.contains("/secrets/db") || url.contains("/serviceaccounts/firesteel-driver") {
            return status(404, "not found");
        }
        if url.contains("/nodes") {
            return status(500, "etcd is slow");
        }
        all_is_well(asked, body)
    })
    .await;
    let found = found.unwrap();
    let all: Vec<String> = found
        .iter()
        .filter(|one| one.verdict != Verdict::Good)
        .map(|one| one.found.clone())
        .collect();
    for words in [
        "has no room for the driver's pod: pods: 4 allowed, 4 used, 1 more asked for",
        "has no room for an executor's pod",
        "There is no Secret `db`",
        "There is no service account `firesteel-driver`",
        "not known: etcd is slow (500)",
    ] {
        assert!(
            all.iter().any(|said| said.contains(words)),
            "{words}: {all:#?}"
        );
    }
    assert_eq!(all.len(), 5, "{all:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_given_up_at_the_first_question() {
    let (found, asked) = rehearsed(|_, _| (0, Value::Null)).await;
    let cause = found.unwrap_err();
    assert!(cause.sentence.contains("did not answer in time"), "{cause}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn who_is_not_known_is_told_to_log_in() {
    let (found, _) = rehearsed(|_, _| status(401, "Unauthorized")).await;
    let cause = found.unwrap_err();
    assert!(cause.remedy.contains("Log in"), "{cause}");
}
