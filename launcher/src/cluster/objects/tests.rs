use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use k8s_openapi::api::core::v1::PodSpec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::environment::Environment;
use crate::profile::{Layer, Profiles, Runs};

const INCARNATION: &str = "5e1f0c2a-9b7d-4c3e-8f60-112233445566";

const SMALL: &str = "
profiles:
  small:
    kubernetes:
      namespace: sparks
      images: {'4.3': 'localhost/spark:4.3'}
      keeperImage: 'localhost/firesteel:1'
";

const EVERYTHING: &str = "
profiles:
  gpu:
    sparkVersion: '4.3'
    startDeadline: 20m
    packages: ['org.apache.hadoop:hadoop-aws:3.5.0']
    conf: {spark.sql.ansi.enabled: true}
    kubernetes:
      namespace: 'sparks-{user}'
      images: {'4.3': 'registry.example.org/spark:4.3'}
      keeperImage: 'registry.example.org/firesteel@sha256:00'
      pullPolicy: Always
      pullSecrets: [registry]
      accounts: {driver: '{user}-driver', executor: nobody, keeper: '{user}-keeper'}
      runAsUser: 1000
      driver: {cores: 2, memory: 4g, overhead: 1g}
      executor: {cores: 8, millicores: 7500, memory: 32g, overhead: 16g}
      executors: {max: 4}
      gpu: {rapids: true}
      localDisk: {size: 500Gi, storageClass: fast}
      volumes:
        home: {claim: home, path: /home/jovyan}
        data: {nfs: {server: nas.example.org, path: /data}, path: /data, readOnly: true, on: [executors]}
      caBundle: {configMap: authorities, key: bundle.pem}
      proxy: {https: 'http://proxy.example.org:3128', noProxy: [.svc, 10.0.0.0/8]}
      placement:
        driver: {nodes: {pool: cpu}, tolerations: [{key: on-demand}]}
        executors: {nodes: {pool: 'gpu-{user}'}, tolerations: [{key: team, value: data, effect: NoSchedule}]}
      priorityClass: notebooks
      scheduler: yunikorn
      catalogs: {lake: {type: rest, uri: 'https://lake.example.org', warehouse: 's3://lake/{user}'}}
      warehouse: 's3a://tables/{user}'
      environment: {AWS_REGION: eu-central-1, PRICE: '5$(HOME)', PASSWORD: {secret: db, key: password}}
      prices: {currency: EUR, cpu: 0.04, gpu: 2.5}
      service: true
";

/// What a user may be called who wants to be somebody else, or a manifest.
const HOSTILE: &str = "ada\"\n  labels: {firesteel.dev/claim: \"x\"} #';--<script>../\u{202e}ädä";

fn profile(file: &str, name: &str, user: &str) -> Profile {
    // Reading the same text for every case of a property takes longer than all else.
    static READ: LazyLock<Mutex<HashMap<String, Layer>>> = LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap();
    let layer = read
        .entry(file.to_owned())
        .or_insert_with(|| Layer::parse(Path::new("profiles.yaml"), file).unwrap())
        .clone();
    drop(read);
    let environment = Environment::from_iter([("JUPYTERHUB_USER", user)]);
    let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
    profiles.get(name).unwrap()
}

fn fresh(incarnation: &str) -> Fresh {
    let secret = |text: &str| secret::Secret::given(text).unwrap();
    Fresh {
        incarnation: incarnation.to_owned(),
        token: secret("the-token-that-opens-the-keepers-door"),
        rpc: secret("the-rpc-secret-of-driver-and-executors"),
        identity: Identity {
            certificate_pem: "the-certificate".to_owned(),
            key_pem: "the-key".to_owned(),
        },
    }
}

fn claim(profile: &Profile, user: &str, kernel: Option<&str>) -> Claim {
    Claim {
        user: user.to_owned(),
        profile: profile.name.clone(),
        kernel: kernel.map(str::to_owned),
    }
}

fn spec(profile: &Profile) -> &Kubernetes {
    match &profile.runs {
        Runs::Kubernetes(spec) => spec,
        other => panic!("{other:?}"),
    }
}

fn made(file: &str, name: &str, user: &str, kernel: Option<&str>) -> Objects {
    let profile = profile(file, name, user);
    let claim = claim(&profile, user, kernel);
    objects(&claim, &profile, spec(&profile), &fresh(INCARNATION))
}

fn driver(objects: &Objects) -> &PodSpec {
    let job = objects.job.spec.as_ref().unwrap();
    job.template.spec.as_ref().unwrap()
}

/// The executors' template, read back as Spark reads it.
fn template(objects: &Objects) -> Pod {
    let data = objects.config_map.data.as_ref().unwrap();
    serde_json::from_str(&data[mount::EXECUTOR_TEMPLATE]).unwrap()
}

/// All objects as a reader wants to see them: documents in documents unfolded.
fn shown(objects: &Objects) -> Value {
    let mut config_map = serde_json::to_value(&objects.config_map).unwrap();
    for text in config_map["data"].as_object_mut().unwrap().values_mut() {
        *text = serde_json::from_str(text.as_str().unwrap()).unwrap();
    }
    json!({
        "job": objects.job,
        "secret": objects.secret,
        "configMap": config_map,
        "service": objects.service,
    })
}

/// Compares with what is stored under the name; `FIRESTEEL_ACCEPT=1` stores it.
fn assert_snapshot(name: &str, value: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster/objects/snapshots");
    let path = folder.join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("FIRESTEEL_ACCEPT").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let different = stored
        .lines()
        .zip(text.lines())
        .find(|(old, new)| old != new);
    assert!(
        stored == text,
        "{} is not what is made now, first at {different:?}; FIRESTEEL_ACCEPT=1 stores what is",
        path.display()
    );
}

#[test]
fn a_small_driver_is_these_objects() {
    assert_snapshot(
        "small",
        &shown(&made(SMALL, "small", "ada", None).owned_by("the-uid")),
    );
}

#[test]
fn a_driver_with_everything_is_these_objects() {
    let objects = made(EVERYTHING, "gpu", "ada", None).owned_by("the-uid");
    assert_snapshot("everything", &shown(&objects));
}

#[test]
fn a_driver_of_one_kernel_of_a_hostile_user_is_these_objects() {
    let file = SMALL.replace("namespace: sparks", "namespace: 'sparks-{user}'");
    let objects = made(&file, "small", HOSTILE, Some("kernel: \"1\""));
    assert_snapshot("hostile", &shown(&objects));
}

#[test]
fn a_driver_never_takes_a_gpu() {
    let objects = made(EVERYTHING, "gpu", "ada", None);
    let pod = driver(&objects);
    let containers = pod
        .containers
        .iter()
        .chain(pod.init_containers.iter().flatten());
    for container in containers {
        let asked = serde_json::to_string(&container.resources).unwrap();
        assert!(!asked.contains("gpu"), "{asked}");
    }
    let tolerations = serde_json::to_string(&pod.tolerations).unwrap();
    assert!(!tolerations.contains("gpu"), "{tolerations}");
    let affinity = serde_json::to_string(&pod.affinity).unwrap();
    assert!(affinity.contains(r#""key":"nvidia.com/gpu.present","operator":"DoesNotExist""#));

    let executor = template(&objects).spec.unwrap();
    let borne: Vec<_> = executor
        .tolerations
        .iter()
        .flatten()
        .map(|one| one.key.clone())
        .collect();
    assert!(
        borne.contains(&Some("nvidia.com/gpu".to_owned())),
        "{borne:?}"
    );
}

#[test]
fn the_jvm_has_its_own_right_and_the_keeper_another() {
    let objects = made(SMALL, "small", "ada", None);
    let pod = driver(&objects);
    assert_eq!(pod.automount_service_account_token, Some(false));
    let mounts = pod.containers[0].volume_mounts.as_ref().unwrap();
    let source = |path: &str| {
        let mount = mounts
            .iter()
            .find(|mount| mount.mount_path == path)
            .unwrap();
        assert_eq!(mount.read_only, Some(true), "{path}");
        let volumes = pod.volumes.as_ref().unwrap();
        volumes
            .iter()
            .find(|volume| volume.name == mount.name)
            .unwrap()
    };
    let of_keeper = source(mount::KEEPER_RIGHT).secret.as_ref().unwrap();
    assert_eq!(
        of_keeper.secret_name.as_deref(),
        Some("firesteel-keeper-token")
    );
    assert!(source(mount::DRIVER_RIGHT).projected.is_some());

    let executor = template(&objects).spec.unwrap();
    assert_eq!(executor.automount_service_account_token, Some(false));
    let volumes = serde_json::to_string(&executor.volumes).unwrap();
    assert!(!volumes.contains("oken"), "{volumes}");
}

#[test]
fn what_is_mounted_is_there_once_and_readable() {
    for objects in [
        made(SMALL, "small", "ada", None),
        made(EVERYTHING, "gpu", "ada", None),
    ] {
        let executor = template(&objects).spec.unwrap();
        for pod in [driver(&objects), &executor] {
            let names: Vec<&str> = pod
                .volumes
                .iter()
                .flatten()
                .map(|v| v.name.as_str())
                .collect();
            let mounts = pod.containers[0].volume_mounts.as_ref().unwrap();
            let mounted: Vec<&str> = mounts.iter().map(|mount| mount.name.as_str()).collect();
            assert_eq!(names, mounted);
            let paths: std::collections::BTreeSet<_> =
                mounts.iter().map(|mount| &mount.mount_path).collect();
            assert_eq!(paths.len(), mounts.len());
            assert!(pod.security_context.as_ref().unwrap().fs_group.is_some());
            for secret in pod
                .volumes
                .iter()
                .flatten()
                .filter_map(|v| v.secret.as_ref())
            {
                assert_eq!(secret.default_mode, Some(0o440));
            }
        }
    }
}

#[test]
fn all_but_the_job_is_the_jobs() {
    let objects = made(EVERYTHING, "gpu", "ada", None);
    assert_eq!(objects.secret.metadata.owner_references, None);
    let owned = objects.owned_by("the-uid");
    assert_eq!(owned.job.metadata.owner_references, None);
    let service = owned.service.as_ref().unwrap();
    for metadata in [
        &owned.secret.metadata,
        &owned.config_map.metadata,
        &service.metadata,
    ] {
        let [owner] = &metadata.owner_references.as_ref().unwrap()[..] else {
            panic!("{metadata:?}");
        };
        assert_eq!(owner.uid, "the-uid");
        assert_eq!(Some(&owner.name), owned.job.metadata.name.as_ref());
    }
}

#[test]
fn what_a_keeper_is_told_reads_back() {
    let profile = profile(EVERYTHING, "gpu", "ada");
    let claim = claim(&profile, "ada", None);
    let objects = objects(&claim, &profile, spec(&profile), &fresh(INCARNATION));
    let data = objects.config_map.data.as_ref().unwrap();
    let told: Assignment = serde_json::from_str(&data[mount::ASSIGNMENT]).unwrap();
    assert_eq!((told.claim, told.profile), (claim, profile));
    assert_eq!(told.incarnation, INCARNATION);
    assert_eq!(Some(told.job), objects.job.metadata.name);
}

#[test]
fn no_variable_of_a_profile_is_taken_for_another() {
    for (text, escaped) in [
        ("plain", "plain"),
        ("$(HOME)", "$$(HOME)"),
        ("a$b$$", "a$$b$$$$"),
    ] {
        let file = format!("{SMALL}      environment: {{A: '{text}'}}\n");
        let objects = made(&file, "small", "ada", None);
        let env = driver(&objects).containers[0].env.as_ref().unwrap();
        let variable = env.iter().find(|variable| variable.name == "A").unwrap();
        assert_eq!(variable.value.as_deref(), Some(escaped));
    }
}

/// Every text of a tree, with where it is.
fn texts(path: &str, tree: &Value, found: &mut Vec<(String, String)>) {
    match tree {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(list) => list.iter().for_each(|item| texts(path, item, found)),
        Value::Object(parts) => {
            for (name, part) in parts {
                found.push((format!("{path}/"), name.clone()));
                texts(&format!("{path}/{name}"), part, found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn names_and_labels_are_legal_for_any_user(
        user in any::<String>(),
        kernel in proptest::option::of(any::<String>()),
    ) {
        let objects = made(EVERYTHING, "gpu", &user, kernel.as_deref()).owned_by("the-uid");
        let service = objects.service.as_ref().unwrap();
        let template = template(&objects);
        let label = |text: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let inner = text.trim_matches('-');
            (1..=63).contains(&text.len()) && inner == text && text.chars().all(plain)
        };
        for metadata in [
            &objects.job.metadata,
            &objects.secret.metadata,
            &objects.config_map.metadata,
            &service.metadata,
        ] {
            prop_assert!(label(metadata.name.as_ref().unwrap()), "{metadata:?}");
            prop_assert!(label(metadata.namespace.as_ref().unwrap()), "{metadata:?}");
            prop_assert_eq!(&metadata.annotations.as_ref().unwrap()[annotation::USER], &user);
        }
        for labels in [&objects.job.metadata.labels, &template.metadata.labels] {
            prop_assert!(labels.as_ref().unwrap().values().all(|value| label(value)));
        }
        let data = objects.config_map.data.as_ref().unwrap();
        let told: Assignment = serde_json::from_str(&data[mount::ASSIGNMENT]).unwrap();
        prop_assert!(label(&told.executor_prefix) && told.executor_prefix.len() <= 47);
    }

    #[test]
    fn a_users_name_stands_as_it_is_in_annotations_and_in_what_the_keeper_is_told_alone(
        name in "[\\PC]{1,20}",
    ) {
        // Long and strange enough to be in nothing by chance.
        let user = format!("«{name}»");
        let tree = shown(&made(EVERYTHING, "gpu", &user, Some(&user)));
        let mut found = Vec::new();
        texts("", &tree, &mut found);
        for (path, text) in found {
            let place = path.contains("/annotations/firesteel.dev/")
                || path.starts_with("/configMap/data/assignment.json/claim/");
            prop_assert!(place || !text.contains(&user), "{path}: {text}");
        }
    }

    #[test]
    fn different_claims_and_incarnations_have_different_names(
        one in "[ab]{0,2}", other in "[ab]{0,2}",
        first in proptest::array::uniform4(0u8..3), second in proptest::array::uniform4(0u8..3),
    ) {
        let profile = profile(SMALL, "small", "ada");
        let make = |user: &str, seed: [u8; 4]| {
            let incarnation = format!("{}-0000-4000-8000-000000000000", hex::encode(seed));
            let claim = claim(&profile, user, None);
            objects(&claim, &profile, spec(&profile), &fresh(&incarnation))
        };
        let (a, b) = (make(&one, first), make(&other, second));
        let same = one == other;
        prop_assert_eq!(a.job.metadata.name == b.job.metadata.name, same);
        let same = same && first == second;
        prop_assert_eq!(a.secret.metadata.name == b.secret.metadata.name, same);
        let prefix = |objects: &Objects| {
            let data = objects.config_map.data.clone().unwrap();
            let told: Assignment = serde_json::from_str(&data[mount::ASSIGNMENT]).unwrap();
            told.executor_prefix
        };
        prop_assert_eq!(prefix(&a) == prefix(&b), same);
    }

    #[test]
    fn secrets_are_in_the_secret_alone(user in any::<String>()) {
        let objects = made(EVERYTHING, "gpu", &user, None);
        let elsewhere = format!(
            "{}{}{}",
            json(&objects.job),
            json(&objects.config_map),
            json(&objects.service),
        );
        for secret in ["the-token", "the-rpc-secret", "the-key", "the-certificate"] {
            prop_assert!(!elsewhere.contains(secret), "{secret}");
        }
        let data = objects.secret.data.unwrap();
        let keys: Vec<&str> = data.keys().map(String::as_str).collect();
        prop_assert_eq!(keys, [mount::RPC_SECRET, mount::CERTIFICATE, mount::KEY, mount::TOKEN]);
    }
}
