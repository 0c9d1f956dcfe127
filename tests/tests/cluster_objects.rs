//! What is made for drivers passes the API server of a real cluster, in a namespace that enforces
//! Pod Security's `restricted`; and their rights are enough and no more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly, where it is"
)]

use std::path::{Path, PathBuf};

use firesteel_launcher::claim::Claim;
use firesteel_launcher::cluster::preview;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::profile::{Layer, Profiles};
use firesteel_tests::cluster::{Cluster, rights};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use kube::Resource;
use kube::api::PostParams;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const USER: &str = "Ada \"L\" <ada@example.org>";

/// What would be made of a profile that says this over the least.
fn made(cluster: &Cluster, more: &str) -> Vec<Value> {
    let file = format!(
        "profiles:
  c:
    kubernetes:
      namespace: {}
      images: {{'4.3': '{}'}}
      keeperImage: 'localhost/firesteel:test'
{more}",
        cluster.namespace, cluster.image
    );
    let layer = Layer::parse(Path::new("profiles.yaml"), &file).unwrap();
    let environment = Environment::from_iter([("JUPYTERHUB_USER", USER)]);
    let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
    let profile = profiles.get("c").unwrap();
    preview(&Claim::new(&profile, &environment, "kernel"), &profile)
}

/// Everything a profile can say that `restricted` allows.
const EVERYTHING: &str = "
      pullSecrets: [registry]
      runAsUser: 1000
      gpu: {rapids: true}
      localDisk: {size: 1g, storageClass: fast}
      volumes: {home: {claim: home, path: /home/jovyan}}
      caBundle: {configMap: authorities}
      proxy: {https: 'http://proxy.example.org:3128', noProxy: [.svc]}
      placement:
        driver: {nodes: {pool: cpu}, tolerations: [{key: on-demand}]}
        executors: {nodes: {pool: '{user}'}, tolerations: [{}]}
      environment: {AWS_REGION: eu-central-1, PASSWORD: {secret: db, key: password}}
      service: true
";

/// What the API server says to one object, without making it.
async fn dry<K>(cluster: &Cluster, object: &Value) -> Result<(), String>
where
    K: Resource<Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
    K::DynamicType: Default,
{
    let object: K = serde_json::from_value(object.clone()).unwrap();
    let how = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let created = cluster.api::<K>().create(&how, &object).await;
    created.map(|_| ()).map_err(|error| error.to_string())
}

async fn dry_any(cluster: &Cluster, object: &Value) -> Result<(), String> {
    match object["kind"].as_str().unwrap() {
        "Job" => dry::<Job>(cluster, object).await,
        "Pod" => dry::<Pod>(cluster, object).await,
        "Secret" => dry::<Secret>(cluster, object).await,
        "ConfigMap" => dry::<ConfigMap>(cluster, object).await,
        "Service" => dry::<Service>(cluster, object).await,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn all_that_is_made_passes_where_restricted_is_enforced() {
    let Some(cluster) = Cluster::here().await else {
        return;
    };
    for (more, count) in [("", 5), (EVERYTHING, 6)] {
        let all = made(&cluster, more);
        assert_eq!(all.len(), count);
        for object in &all {
            let said = dry_any(&cluster, object).await;
            assert_eq!(said, Ok(()), "{} of {more}: {object:#}", object["kind"]);
        }
    }
}

#[tokio::test]
async fn a_pod_that_is_not_restricted_is_refused() {
    let Some(cluster) = Cluster::here().await else {
        return;
    };
    let all = made(&cluster, "");
    for pod in &all[1..3] {
        let volume = &pod["spec"]["volumes"][0]["name"];
        let host = json!({"name": volume, "hostPath": {"path": "/"}});
        let spec = "/spec/securityContext";
        let container = "/spec/containers/0/securityContext";
        for (at, key, value) in [
            (container, "allowPrivilegeEscalation", json!(true)),
            (container, "capabilities", json!({})),
            (container, "runAsNonRoot", json!(false)),
            (spec, "seccompProfile", json!({"type": "Unconfined"})),
            (spec, "runAsUser", json!(0)),
            ("/spec", "hostNetwork", json!(true)),
            ("/spec/volumes", "0", host),
        ] {
            let mut loose = pod.clone();
            match loose.pointer_mut(at).unwrap() {
                Value::Array(list) => list[0] = value,
                other => other[key] = value,
            }
            let said = dry::<Pod>(&cluster, &loose).await.unwrap_err();
            assert!(said.contains("violates PodSecurity"), "{at}/{key}: {said}");
        }
    }
    // The one thing a profile can say that `restricted` does not allow, as its documents say.
    let nfs = "      volumes: {d: {nfs: {server: nas.example.org, path: /}, path: /data}}\n";
    let said = dry::<Pod>(&cluster, &made(&cluster, nfs)[1])
        .await
        .unwrap_err();
    assert!(said.contains("restricted volume types"), "{said}");
}

/// A resource and what may be done to it.
type Rule = (&'static str, &'static [&'static str]);

#[tokio::test]
async fn each_account_may_do_what_it_needs_and_no_more() {
    let Some(cluster) = Cluster::here().await else {
        return;
    };
    const ALL: [&str; 8] = [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ];
    let table: [(&str, &[Rule]); 4] = [
        (
            "firesteel-driver",
            &[(
                "pods",
                &[
                    "create",
                    "delete",
                    "deletecollection",
                    "get",
                    "list",
                    "watch",
                ],
            )],
        ),
        ("firesteel-executor", &[]),
        (
            "firesteel-keeper",
            &[
                ("jobs.batch", &["get", "patch"]),
                ("pods", &["get", "list", "patch", "watch"]),
                ("pods/log", &["get"]),
            ],
        ),
        (
            "firesteel-user",
            &[
                ("configmaps", &["create", "get"]),
                ("events", &["list", "watch"]),
                (
                    "jobs.batch",
                    &["create", "delete", "get", "list", "patch", "watch"],
                ),
                (
                    "localsubjectaccessreviews.authorization.k8s.io",
                    &["create"],
                ),
                ("persistentvolumeclaims", &["get"]),
                ("pods", &["create", "list", "watch"]),
                ("pods/log", &["get"]),
                ("pods/portforward", &["create", "get"]),
                ("resourcequotas", &["list"]),
                ("secrets", &["create", "get"]),
                ("serviceaccounts", &["get"]),
                ("services", &["create"]),
            ],
        ),
    ];
    let resources = [
        "configmaps",
        "events",
        "jobs.batch",
        "localsubjectaccessreviews.authorization.k8s.io",
        "persistentvolumeclaims",
        "pods",
        "pods/exec",
        "pods/log",
        "pods/portforward",
        "resourcequotas",
        "roles.rbac.authorization.k8s.io",
        "secrets",
        "serviceaccounts",
        "serviceaccounts/token",
        "services",
    ];
    for (account, rules) in table {
        for resource in resources {
            let needs = rules.iter().find(|(of, _)| *of == resource);
            let needs: &[&str] = needs.map_or(&[], |(_, verbs)| verbs);
            for verb in ALL {
                let may = rights::may(&cluster, account, verb, resource).await;
                assert_eq!(may, needs.contains(&verb), "{account}: {verb} {resource}");
            }
        }
    }
}
