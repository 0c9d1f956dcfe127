//! What would be made in a cluster, for people and for the API server's dry run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::names::EXECUTOR_CONTAINER;
use super::objects::{Fresh, Objects, executor_template, objects};
use super::tls::Identity;
use crate::claim::Claim;
use crate::profile::{Kubernetes, Profile, Runs};
use crate::secret::Secret;

/// Stands for what is random in a driver that was not made.
pub(super) const NOT_MADE: &str = "00000000-0000-4000-8000-000000000000";

/// What would be made for a driver of `claim` by `profile`, in this order: the Job, its pod, one
/// executor as Spark would ask for it, the Secret without its values, the ConfigMap, and the Service
/// where the profile wants one. Nothing, where the profile's driver is not in a cluster.
pub fn preview(claim: &Claim, profile: &Profile) -> Vec<Value> {
    let Runs::Kubernetes(spec) = &profile.runs else {
        return Vec::new();
    };
    // As long as a real one, and none.
    let Some(nothing) = Secret::given(&"0".repeat(64)) else {
        return Vec::new();
    };
    let fresh = Fresh {
        incarnation: NOT_MADE.to_owned(),
        token: nothing.clone(),
        rpc: nothing,
        identity: Identity {
            certificate_pem: String::new(),
            key_pem: String::new(),
        },
    };
    let Objects {
        job,
        mut secret,
        config_map,
        service,
    } = objects(claim, profile, spec, &fresh);
    for value in secret.data.iter_mut().flat_map(BTreeMap::values_mut) {
        value.0.clear();
    }
    let name = job.metadata.name.clone().unwrap_or_default();
    let template = job.spec.as_ref().map(|spec| spec.template.clone());
    let driver = pod_of(&name, spec, template.unwrap_or_default());
    let executor = as_spark_asks(
        executor_template(claim, profile, spec, NOT_MADE),
        &name,
        spec,
    );
    let mut all = vec![
        serde_json::to_value(&job),
        serde_json::to_value(&driver),
        serde_json::to_value(&executor),
        serde_json::to_value(&secret),
        serde_json::to_value(&config_map),
    ];
    all.extend(service.as_ref().map(serde_json::to_value));
    all.into_iter().flatten().collect()
}

/// The pod that Kubernetes makes of a Job.
fn pod_of(job: &str, spec: &Kubernetes, template: PodTemplateSpec) -> Pod {
    let mut metadata = template.metadata.unwrap_or_default();
    metadata.name = Some(job.to_owned());
    metadata.namespace = Some(spec.namespace.clone());
    Pod {
        metadata,
        spec: template.spec,
        status: None,
    }
}

/// The pod that Spark makes of an executor's template, in what admission looks at: its name, its
/// size, its GPUs, and how often it may be started.
fn as_spark_asks(mut pod: Pod, job: &str, spec: &Kubernetes) -> Pod {
    pod.metadata.name = Some(format!("{job}-exec-1"));
    pod.metadata.namespace = Some(spec.namespace.clone());
    let memory = spec.executor.memory.in_mebibytes() + spec.executor.overhead.in_mebibytes();
    let memory = ("memory".to_owned(), Quantity(format!("{memory}Mi")));
    let cpu = Quantity(format!("{}m", spec.executor.millicores));
    let gpus = spec.gpu.as_ref().map(|gpu| {
        let resource = format!("{}/gpu", gpu.vendor);
        (resource, Quantity(gpu.amount.to_string()))
    });
    let resources = ResourceRequirements {
        requests: Some([("cpu".to_owned(), cpu), memory.clone()].into()),
        limits: Some([memory].into_iter().chain(gpus).collect()),
        ..ResourceRequirements::default()
    };
    let containers = pod.spec.iter_mut().flat_map(|pod| &mut pod.containers);
    for container in containers.filter(|container| container.name == EXECUTOR_CONTAINER) {
        container.args = Some(vec!["executor".to_owned()]);
        container.resources = Some(resources.clone());
    }
    pod
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::environment::Environment;
    use crate::profile::{Layer, Profiles};

    fn kinds(file: &str) -> (Vec<Value>, Vec<String>) {
        let layer = Layer::parse(Path::new("profiles.yaml"), file).unwrap();
        let environment = Environment::from_iter([("USER", "ada")]);
        let profiles = Profiles::new(PathBuf::new(), None, Some(layer), &environment).unwrap();
        let profile = profiles.get("c").unwrap();
        let all = preview(&Claim::new(&profile, &environment, "k"), &profile);
        let kinds = all
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect();
        (all, kinds)
    }

    #[test]
    fn all_that_would_be_made_is_shown_without_a_secret() {
        let (all, kinds) = kinds(
            "profiles: {c: {kubernetes: {namespace: a, images: {'4.3': b}, keeperImage: c,
                gpu: {}, service: true}}}",
        );
        assert_eq!(
            kinds,
            ["Job", "Pod", "Pod", "Secret", "ConfigMap", "Service"]
        );
        let values = all[3]["data"].as_object().unwrap().values();
        assert!(values.into_iter().all(|value| value == ""), "{}", all[3]);
        let gpus = |pod: &Value| {
            pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"].clone()
        };
        assert_eq!((gpus(&all[1]), gpus(&all[2])), (Value::Null, "1".into()));
    }

    #[test]
    fn a_driver_that_is_not_in_a_cluster_makes_nothing_there() {
        assert!(kinds("profiles: {c: {cores: 1}}").0.is_empty());
    }
}
