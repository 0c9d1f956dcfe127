//! The rights that `deploy/rbac` gives, and what they allow.

use std::fs;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde::Deserialize as _;
use serde_json::Value;

use super::{Cluster, checkout};

/// Everything in `deploy/rbac`.
///
/// # Panics
/// When a file is not YAML of one or more objects.
pub fn files() -> Vec<Value> {
    let mut paths: Vec<_> = fs::read_dir(checkout("deploy/rbac"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| documents(&text)).collect()
}

fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

/// Applies `deploy/rbac` in the cluster's namespace, as `kubectl apply -n` does.
///
/// # Panics
/// When the cluster refuses a file.
pub async fn apply(cluster: &Cluster) {
    for object in files() {
        let object = DynamicObject::deserialize(object).unwrap();
        let types = object.types.clone().unwrap();
        let kind = GroupVersionKind::try_from(&types).unwrap();
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(cluster.admin.clone(), &cluster.namespace, &resource);
        let how = PatchParams::apply("firesteel-tests").force();
        let applied = api
            .patch(&object.name_any(), &how, &Patch::Apply(&object))
            .await;
        applied.unwrap_or_else(|error| panic!("{} {}: {error}", types.kind, object.name_any()));
    }
}

/// Whether a service account of the namespace may do this to `resource`, written as `kubectl` does:
/// `jobs.batch`, `pods/log`.
///
/// # Panics
/// When the cluster does not answer.
pub async fn may(cluster: &Cluster, account: &str, verb: &str, resource: &str) -> bool {
    let (resource, group) = match resource.split_once('.') {
        Some((resource, group)) => (resource, Some(group.to_owned())),
        None => (resource, None),
    };
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (resource, None),
    };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!(
                "system:serviceaccount:{}:{account}",
                cluster.namespace
            )),
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(cluster.namespace.clone()),
                verb: Some(verb.to_owned()),
                group,
                resource: Some(resource.to_owned()),
                subresource,
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(cluster.admin.clone());
    let answer = reviews
        .create(&PostParams::default(), &review)
        .await
        .unwrap();
    answer.status.unwrap().allowed
}
