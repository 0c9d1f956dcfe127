//! What the pods of drivers and executors have in common.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, ConfigMapProjection, ConfigMapVolumeSource, Container,
    DownwardAPIProjection, DownwardAPIVolumeFile, EmptyDirVolumeSource, EnvVar, EnvVarSource,
    EphemeralVolumeSource, KeyToPath, LocalObjectReference, NFSVolumeSource, NodeAffinity,
    NodeSelectorRequirement, NodeSelectorTerm, ObjectFieldSelector, PersistentVolumeClaimSpec,
    PersistentVolumeClaimTemplate, PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec,
    PreferredSchedulingTerm, ProjectedVolumeSource, ResourceRequirements, SeccompProfile,
    SecretKeySelector, SecretVolumeSource, SecurityContext, ServiceAccountTokenProjection, Volume,
    VolumeMount, VolumeProjection, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::profile::{self, BundleSource, Gpu, Kubernetes, LocalDisk, Variable, VolumeSource};

/// Where programs that know no better put temporary files.
pub(super) const TMP: &str = "/tmp";

/// Where an executor keeps shuffle data.
pub(super) const LOCAL: &str = "/firesteel/local";

/// Where the authorities' certificates are.
const AUTHORITIES: &str = "/firesteel/authorities";

/// The group that may read a pod's Secrets and write its folders, whichever user it runs as: that
/// of Spark's own images.
const GROUP: i64 = 185;

/// Readable for that group alone.
const GROUP_READS: i32 = 0o440;

/// How long a token of a pod's account is good; Kubernetes renews it.
const TOKEN_SECONDS: i64 = 3600;

/// What holds for every pod: the whole of Pod Security's `restricted`, and nobody's token but what
/// is mounted by name.
pub(super) fn basis(spec: &Kubernetes) -> PodSpec {
    let secrets = spec
        .pull_secrets
        .iter()
        .map(|name| LocalObjectReference { name: name.clone() });
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        automount_service_account_token: Some(false),
        // Variables about other Services in the namespace, which might be taken for Spark's own.
        enable_service_links: Some(false),
        image_pull_secrets: some_list(&secrets.collect::<Vec<_>>()),
        priority_class_name: spec.priority_class.clone(),
        scheduler_name: spec.scheduler.clone(),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: spec.run_as_user.map(i64::from),
            fs_group: Some(GROUP),
            // A home with a million files is not walked through at every start.
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

/// What holds for every container.
pub(super) fn container(spec: &Kubernetes) -> Container {
    Container {
        image_pull_policy: Some(spec.pull_policy.clone()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                ..Capabilities::default()
            }),
            ..SecurityContext::default()
        }),
        // Whoever asks why it ended is shown the end of its log.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// As much memory as is asked for and no more, so that a node's memory is never promised twice; and
/// processors that nobody else wants.
pub(super) fn resources(millicores: u32, mebibytes: u64) -> ResourceRequirements {
    let memory = ("memory".to_owned(), Quantity(format!("{mebibytes}Mi")));
    let cpu = ("cpu".to_owned(), Quantity(format!("{millicores}m")));
    ResourceRequirements {
        requests: Some([cpu, memory.clone()].into()),
        limits: Some([memory].into()),
        ..ResourceRequirements::default()
    }
}

/// Rather where no GPUs are: a driver has no use for one.
pub(super) fn away_from_gpus(gpu: &Gpu) -> Affinity {
    let absent = NodeSelectorRequirement {
        // What the vendors' feature discovery puts on nodes with GPUs.
        key: format!("{}/gpu.present", gpu.vendor),
        operator: "DoesNotExist".to_owned(),
        values: None,
    };
    Affinity {
        node_affinity: Some(NodeAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![
                PreferredSchedulingTerm {
                    weight: 100,
                    preference: NodeSelectorTerm {
                        match_expressions: Some(vec![absent]),
                        ..NodeSelectorTerm::default()
                    },
                },
            ]),
            ..NodeAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// The profile's variables, its proxy and its authorities, as the programs in a pod read them.
pub(super) fn environment(spec: &Kubernetes) -> Vec<EnvVar> {
    let plain = |name: &str, value: &str| EnvVar {
        name: name.to_owned(),
        // Kubernetes would put other variables in for `$(NAME)`.
        value: Some(value.replace('$', "$$")),
        ..EnvVar::default()
    };
    let mut all = BTreeMap::new();
    if let Some(bundle) = &spec.ca_bundle {
        let path = format!("{AUTHORITIES}/{}", bundle.key);
        for name in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
            all.insert(name.to_owned(), plain(name, &path));
        }
    }
    if let Some(proxy) = &spec.proxy {
        let without = proxy.no_proxy.join(",");
        let without = (!without.is_empty()).then_some(without);
        for (upper, value) in [
            ("HTTP_PROXY", &proxy.http),
            ("HTTPS_PROXY", &proxy.https),
            ("NO_PROXY", &without),
        ] {
            let Some(value) = value else { continue };
            // Some programs read the one, some the other.
            for name in [upper.to_owned(), upper.to_ascii_lowercase()] {
                all.insert(name.clone(), plain(&name, value));
            }
        }
    }
    for (name, value) in &spec.environment {
        let variable = match value {
            Variable::Plain(text) => plain(name, text),
            Variable::Secret { secret, key } => EnvVar {
                name: name.clone(),
                value_from: Some(EnvVarSource {
                    secret_key_ref: Some(SecretKeySelector {
                        name: secret.clone(),
                        key: key.clone(),
                        optional: None,
                    }),
                    ..EnvVarSource::default()
                }),
                ..EnvVar::default()
            },
        };
        all.insert(name.clone(), variable);
    }
    all.into_values().collect()
}

/// The profile's volumes that `wanted` says, and its authorities.
pub(super) fn volumes(
    spec: &Kubernetes,
    wanted: impl Fn(&profile::Volume) -> bool,
) -> Vec<Mounted> {
    let volumes = spec.volumes.iter().filter(|volume| wanted(volume));
    let mut mounted: Vec<Mounted> = volumes.map(Mounted::given).collect();
    mounted.extend(spec.ca_bundle.as_ref().map(|bundle| {
        let name = "firesteel-authorities";
        match &bundle.source {
            BundleSource::ConfigMap(of) => Mounted::config_map(name, of, AUTHORITIES),
            BundleSource::Secret(of) => Mounted::secret(name, of, &[&bundle.key], AUTHORITIES),
        }
    }));
    mounted
}

/// A volume of a pod and where its one container has it.
pub(super) struct Mounted {
    pub(super) volume: Volume,
    pub(super) mount: VolumeMount,
}

impl Mounted {
    fn new(path: &str, volume: Volume) -> Self {
        let mount = VolumeMount {
            name: volume.name.clone(),
            mount_path: path.to_owned(),
            ..VolumeMount::default()
        };
        Self { volume, mount }
    }

    pub(super) fn read_only(mut self) -> Self {
        self.mount.read_only = Some(true);
        self
    }

    /// A folder that goes with the pod.
    pub(super) fn scratch(name: &str, path: &str) -> Self {
        Self::disk(name, &LocalDisk::default(), path)
    }

    /// A folder, or a volume of a class, that goes with the pod.
    pub(super) fn disk(name: &str, disk: &LocalDisk, path: &str) -> Self {
        let size = disk
            .size
            .map(|size| Quantity(format!("{}Mi", size.in_mebibytes())));
        let named = Volume {
            name: name.to_owned(),
            ..Volume::default()
        };
        let volume = match &disk.storage_class {
            None => Volume {
                empty_dir: Some(EmptyDirVolumeSource {
                    size_limit: size,
                    ..EmptyDirVolumeSource::default()
                }),
                ..named
            },
            Some(class) => Volume {
                ephemeral: Some(EphemeralVolumeSource {
                    volume_claim_template: Some(claim_of(class, size)),
                }),
                ..named
            },
        };
        Self::new(path, volume)
    }

    pub(super) fn config_map(name: &str, of: &str, path: &str) -> Self {
        let source = ConfigMapVolumeSource {
            name: of.to_owned(),
            ..ConfigMapVolumeSource::default()
        };
        let volume = Volume {
            name: name.to_owned(),
            config_map: Some(source),
            ..Volume::default()
        };
        Self::new(path, volume).read_only()
    }

    /// These keys of a Secret; all, where none is named.
    pub(super) fn secret(name: &str, of: &str, keys: &[&str], path: &str) -> Self {
        let items = keys.iter().map(|key| item(key));
        let source = SecretVolumeSource {
            secret_name: Some(of.to_owned()),
            default_mode: Some(GROUP_READS),
            items: some_list(&items.collect::<Vec<_>>()),
            optional: None,
        };
        let volume = Volume {
            name: name.to_owned(),
            secret: Some(source),
            ..Volume::default()
        };
        Self::new(path, volume).read_only()
    }

    /// The right of the pod's own account, as programs expect it.
    pub(super) fn account_token(name: &str, path: &str) -> Self {
        let token = VolumeProjection {
            service_account_token: Some(ServiceAccountTokenProjection {
                path: "token".to_owned(),
                expiration_seconds: Some(TOKEN_SECONDS),
                audience: None,
            }),
            ..VolumeProjection::default()
        };
        let authority = VolumeProjection {
            // In every namespace by Kubernetes itself.
            config_map: Some(ConfigMapProjection {
                name: "kube-root-ca.crt".to_owned(),
                items: Some(vec![item("ca.crt")]),
                optional: None,
            }),
            ..VolumeProjection::default()
        };
        let namespace = VolumeProjection {
            downward_api: Some(DownwardAPIProjection {
                items: Some(vec![DownwardAPIVolumeFile {
                    path: "namespace".to_owned(),
                    field_ref: Some(ObjectFieldSelector {
                        field_path: "metadata.namespace".to_owned(),
                        ..ObjectFieldSelector::default()
                    }),
                    ..DownwardAPIVolumeFile::default()
                }]),
            }),
            ..VolumeProjection::default()
        };
        let volume = Volume {
            name: name.to_owned(),
            projected: Some(ProjectedVolumeSource {
                default_mode: Some(GROUP_READS),
                sources: Some(vec![token, authority, namespace]),
            }),
            ..Volume::default()
        };
        Self::new(path, volume).read_only()
    }

    fn given(volume: &profile::Volume) -> Self {
        let read_only = Some(volume.read_only);
        let named = Volume {
            name: volume.name.clone(),
            ..Volume::default()
        };
        let given = match &volume.source {
            VolumeSource::Claim(claim) => Volume {
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim.clone(),
                    read_only,
                }),
                ..named
            },
            VolumeSource::Nfs { server, path } => Volume {
                nfs: Some(NFSVolumeSource {
                    server: server.clone(),
                    path: path.clone(),
                    read_only,
                }),
                ..named
            },
        };
        let mounted = Self::new(&volume.path, given);
        if volume.read_only {
            mounted.read_only()
        } else {
            mounted
        }
    }
}

/// A claim that is made with a pod and goes with it.
fn claim_of(class: &str, size: Option<Quantity>) -> PersistentVolumeClaimTemplate {
    PersistentVolumeClaimTemplate {
        metadata: None,
        spec: PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: Some(class.to_owned()),
            resources: Some(VolumeResourceRequirements {
                requests: size.map(|size| [("storage".to_owned(), size)].into()),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        },
    }
}

fn item(key: &str) -> KeyToPath {
    KeyToPath {
        key: key.to_owned(),
        path: key.to_owned(),
        mode: None,
    }
}

/// A list, or nothing where nothing is in it, as the API server writes it.
pub(super) fn some_list<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// A map, or nothing where nothing is in it.
pub(super) fn some_map(map: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!map.is_empty()).then(|| map.clone())
}
