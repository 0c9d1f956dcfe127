//! What an executor's pod looks like before Spark fills it in.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Drive;
use super::pod::{self, Mounted};
use crate::cluster::names::{EXECUTOR_CONTAINER, annotation, label, mount};

/// How long an executor has to hand over its blocks, in seconds.
const HANDOVER: i64 = 60;

/// Where Spark looks for a folder for shuffle data: a volume whose name begins so.
const LOCAL_VOLUME: &str = "spark-local-dir-1";

impl Drive<'_> {
    /// The template. Spark sets name, image, resources and GPUs in it, and the pod that owns it;
    /// what autoscalers are told the keeper sets while there is work.
    pub(super) fn executor(&self) -> Pod {
        let mut annotations = self.annotations();
        annotations.remove(annotation::PROFILE_HASH);
        Pod {
            metadata: ObjectMeta {
                labels: Some(self.labels(Some(label::EXECUTOR))),
                annotations: Some(annotations),
                ..ObjectMeta::default()
            },
            spec: Some(self.executor_spec()),
            status: None,
        }
    }

    fn executor_spec(&self) -> PodSpec {
        let spec = self.spec;
        let mounted = self.executor_mounts();
        let mut tolerations = spec.placement.executor_tolerations.clone();
        tolerations.extend(spec.gpu.as_ref().map(|gpu| Toleration {
            key: Some(format!("{}/gpu", gpu.vendor)),
            operator: Some("Exists".to_owned()),
            ..Toleration::default()
        }));
        PodSpec {
            service_account_name: Some(spec.executor_account.clone()),
            termination_grace_period_seconds: Some(HANDOVER),
            containers: vec![Container {
                name: EXECUTOR_CONTAINER.to_owned(),
                image: Some(spec.image.clone()),
                // Where Spark puts files that a session adds.
                working_dir: Some(mount::RUN.to_owned()),
                env: pod::some_list(&pod::environment(spec)),
                volume_mounts: Some(mounted.iter().map(|one| one.mount.clone()).collect()),
                ..pod::container(spec)
            }],
            volumes: Some(mounted.into_iter().map(|one| one.volume).collect()),
            node_selector: pod::some_map(&spec.placement.executor_nodes),
            tolerations: pod::some_list(&tolerations),
            ..pod::basis(spec)
        }
    }

    fn executor_mounts(&self) -> Vec<Mounted> {
        let own = self.owned_name();
        let mut mounted = vec![
            Mounted::secret("firesteel-rpc", &own, &[mount::RPC_SECRET], mount::RPC),
            Mounted::scratch("firesteel-run", mount::RUN),
            Mounted::scratch("firesteel-tmp", pod::TMP),
            Mounted::disk(LOCAL_VOLUME, &self.spec.local_disk, pod::LOCAL),
        ];
        mounted.extend(pod::volumes(self.spec, |volume| volume.executors));
        mounted
    }
}
