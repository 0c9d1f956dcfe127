//! What is made in a cluster for one driver: typed values out of a claim and a profile.
//!
//! The Job's name is the same for all drivers of a claim, so that making it is the lock in a race.
//! Everything else is the Job's: it carries the incarnation in its name and goes when the Job goes.

mod executor;
mod job;
mod pod;

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::assignment::Assignment;
use super::names::{BLOCK_PORT, KEEPER_PORT, RPC_PORT, annotation, label, mount};
use super::tls::Identity;
use crate::claim::{Claim, ClaimId};
use crate::profile::{Kubernetes, Profile};
use crate::secret;

/// What is new with each driver of a claim.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    /// Names the driver among all that its claim ever had: a UUID, as text.
    pub(crate) incarnation: String,
    /// Opens the door.
    pub(crate) token: secret::Secret,
    /// Between driver and executors.
    pub(crate) rpc: secret::Secret,
    /// The keeper's certificate.
    pub(crate) identity: Identity,
}

/// All that is made for a driver. The Job is made first; when its uid is known, the rest is
/// [owned](Objects::owned_by) by it. The pod waits for what it mounts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Objects {
    /// The driver.
    pub(crate) job: Job,
    /// What opens its door, and what it and its executors have in common.
    pub(crate) secret: Secret,
    /// What its keeper is told, and what its executors look like.
    pub(crate) config_map: ConfigMap,
    /// Its name in the cluster's DNS, where the profile asks for one.
    pub(crate) service: Option<Service>,
}

impl Objects {
    /// The same, where all but the Job belongs to the Job of this uid and is cleared with it.
    #[must_use]
    pub(crate) fn owned_by(mut self, job_uid: &str) -> Self {
        let owner = OwnerReference {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            name: self.job.metadata.name.clone().unwrap_or_default(),
            uid: job_uid.to_owned(),
            controller: Some(true),
            block_owner_deletion: Some(false),
        };
        let service = self.service.as_mut().map(|service| &mut service.metadata);
        for metadata in [&mut self.secret.metadata, &mut self.config_map.metadata]
            .into_iter()
            .chain(service)
        {
            metadata.owner_references = Some(vec![owner.clone()]);
        }
        self
    }
}

/// The name of the Job of a claim's drivers.
pub(crate) fn job_name(claim: &ClaimId) -> String {
    format!("firesteel-{claim}")
}

/// The name of all that the Job of one driver owns.
pub(crate) fn owned_name(claim: &ClaimId, incarnation: &str) -> String {
    format!("{}-{}", job_name(claim), short(incarnation))
}

/// The part of an incarnation that is in names.
fn short(incarnation: &str) -> String {
    let digits = incarnation.chars().filter(char::is_ascii_hexdigit);
    digits.take(8).collect::<String>().to_ascii_lowercase()
}

/// What is made for a driver of `claim`. `spec` is what `profile` runs.
pub(crate) fn objects(
    claim: &Claim,
    profile: &Profile,
    spec: &Kubernetes,
    fresh: &Fresh,
) -> Objects {
    let drive = Drive {
        claim,
        id: claim.id(),
        profile,
        spec,
        incarnation: &fresh.incarnation,
    };
    Objects {
        job: drive.job(),
        secret: drive.secret(fresh),
        config_map: drive.config_map(),
        service: spec.service.then(|| drive.service()),
    }
}

/// What an executor of the driver looks like before Spark fills it in.
pub(crate) fn executor_template(
    claim: &Claim,
    profile: &Profile,
    spec: &Kubernetes,
    incarnation: &str,
) -> Pod {
    let drive = Drive {
        claim,
        id: claim.id(),
        profile,
        spec,
        incarnation,
    };
    drive.executor()
}

/// What the keeper of the driver is told.
pub(crate) fn assignment(
    claim: &Claim,
    profile: &Profile,
    spec: &Kubernetes,
    incarnation: &str,
) -> Assignment {
    let drive = Drive {
        claim,
        id: claim.id(),
        profile,
        spec,
        incarnation,
    };
    drive.assignment()
}

/// One driver to be made.
struct Drive<'a> {
    claim: &'a Claim,
    id: ClaimId,
    profile: &'a Profile,
    spec: &'a Kubernetes,
    incarnation: &'a str,
}

impl Drive<'_> {
    /// The part of the incarnation that is in names.
    fn short(&self) -> String {
        short(self.incarnation)
    }

    fn job_name(&self) -> String {
        job_name(&self.id)
    }

    /// The name of all that the Job owns.
    fn owned_name(&self) -> String {
        owned_name(&self.id, self.incarnation)
    }

    /// What the executors' names begin with: new with each driver, so that none of an old one's
    /// executors is in the way, and short enough for Spark to add a number.
    fn executor_prefix(&self) -> String {
        let id: String = self.id.as_str().chars().take(12).collect();
        format!("firesteel-{id}-{}", self.short())
    }

    fn labels(&self, role: Option<&str>) -> BTreeMap<String, String> {
        let role = role.map(|role| (label::ROLE, role));
        [
            (label::MANAGED_BY, label::MANAGER),
            (label::CLAIM, self.id.as_str()),
            (label::INCARNATION, self.incarnation),
        ]
        .into_iter()
        .chain(role)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// For whom and of what it is. Annotations take any text; labels would not.
    fn annotations(&self) -> BTreeMap<String, String> {
        let kernel = self.claim.kernel.clone();
        [
            (annotation::USER, Some(self.claim.user.clone())),
            (annotation::PROFILE, Some(self.claim.profile.clone())),
            (annotation::KERNEL, kernel),
            (annotation::PROFILE_HASH, Some(self.profile.hash())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }

    fn metadata(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.spec.namespace.clone()),
            labels: Some(self.labels(None)),
            annotations: Some(self.annotations()),
            ..ObjectMeta::default()
        }
    }

    fn secret(&self, fresh: &Fresh) -> Secret {
        let data = [
            (mount::TOKEN, fresh.token.reveal()),
            (mount::CERTIFICATE, fresh.identity.certificate_pem.as_str()),
            (mount::KEY, fresh.identity.key_pem.as_str()),
            (mount::RPC_SECRET, fresh.rpc.reveal()),
        ];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
        Secret {
            metadata: self.metadata(self.owned_name()),
            type_: Some("Opaque".to_owned()),
            // What was mounted at a driver's start stays what it is.
            immutable: Some(true),
            data: Some(data.into()),
            ..Secret::default()
        }
    }

    fn assignment(&self) -> Assignment {
        Assignment {
            claim: self.claim.clone(),
            profile: self.profile.clone(),
            incarnation: self.incarnation.to_owned(),
            job: self.job_name(),
            executor_prefix: self.executor_prefix(),
        }
    }

    fn config_map(&self) -> ConfigMap {
        let data = [
            (mount::ASSIGNMENT, json(&self.assignment())),
            // JSON is YAML of every version: no text of a user's is taken for a number or a truth
            // value by a reader of an older one.
            (mount::EXECUTOR_TEMPLATE, json(&self.executor())),
        ];
        ConfigMap {
            metadata: self.metadata(self.owned_name()),
            immutable: Some(true),
            data: Some(data.map(|(key, text)| (key.to_owned(), text)).into()),
            ..ConfigMap::default()
        }
    }

    fn service(&self) -> Service {
        let ports = [
            ("keeper", KEEPER_PORT),
            ("rpc", RPC_PORT),
            ("blocks", BLOCK_PORT),
        ];
        let ports = ports.map(|(name, port)| ServicePort {
            name: Some(name.to_owned()),
            port: port.into(),
            target_port: Some(IntOrString::Int(port.into())),
            ..ServicePort::default()
        });
        Service {
            metadata: self.metadata(self.owned_name()),
            spec: Some(ServiceSpec {
                cluster_ip: Some("None".to_owned()),
                selector: Some(self.labels(Some(label::DRIVER))),
                // Its executors and kernels come before any probe would say that it is ready.
                publish_not_ready_addresses: Some(true),
                ports: Some(ports.into()),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        }
    }
}

/// Text of a value that has no map with other keys than texts, and so always has one.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
