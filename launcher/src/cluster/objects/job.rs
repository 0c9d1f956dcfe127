//! The Job of a driver and its pod.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, EnvVarSource, ObjectFieldSelector, PodSpec, PodTemplateSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Drive;
use super::pod::{self, Mounted};
use crate::cluster::names::{
    BLOCK_PORT, DRIVER_CONTAINER, INIT_CONTAINER, KEEPER_PORT, RPC_PORT, annotation, label, mount,
    variable,
};

/// How long a driver has to drain, in seconds.
const DRAIN: i64 = 30;

/// How long a driver that died can be looked at before Kubernetes clears it away, in seconds. The
/// keeper of one that is ended on purpose makes it less.
const KEPT: i32 = 30;

impl Drive<'_> {
    /// The driver. It is never made again by Kubernetes: a new one would have nothing of what the
    /// old one's users left in it.
    pub(super) fn job(&self) -> Job {
        let deadline = self.spec.start_deadline.duration().as_secs();
        Job {
            metadata: self.metadata(self.job_name()),
            spec: Some(JobSpec {
                backoff_limit: Some(0),
                active_deadline_seconds: Some(i64::try_from(deadline).unwrap_or(i64::MAX)),
                ttl_seconds_after_finished: Some(KEPT),
                template: PodTemplateSpec {
                    metadata: Some(self.driver_metadata()),
                    spec: Some(self.driver()),
                },
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    fn driver_metadata(&self) -> ObjectMeta {
        let mut annotations = self.annotations();
        // Who waits for a driver's start is served badly by an autoscaler that moves it. The keeper
        // takes these away when the driver is idle.
        for (name, value) in [
            (annotation::SAFE_TO_EVICT, "false"),
            (annotation::DO_NOT_DISRUPT, "true"),
        ] {
            annotations.insert(name.to_owned(), value.to_owned());
        }
        ObjectMeta {
            labels: Some(self.labels(Some(label::DRIVER))),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        }
    }

    fn driver(&self) -> PodSpec {
        let spec = self.spec;
        let mounted = self.driver_mounts();
        PodSpec {
            service_account_name: Some(spec.driver_account.clone()),
            termination_grace_period_seconds: Some(DRAIN),
            init_containers: Some(vec![self.installer()]),
            containers: vec![self.keeper(&mounted)],
            volumes: Some(mounted.into_iter().map(|one| one.volume).collect()),
            node_selector: pod::some_map(&spec.placement.driver_nodes),
            tolerations: pod::some_list(&spec.placement.driver_tolerations),
            affinity: spec.gpu.as_ref().map(pod::away_from_gpus),
            ..pod::basis(spec)
        }
    }

    fn driver_mounts(&self) -> Vec<Mounted> {
        let own = self.owned_name();
        let doors = [mount::TOKEN, mount::CERTIFICATE, mount::KEY];
        let right = format!("{}-token", self.spec.keeper_account);
        let mut mounted = vec![
            Mounted::scratch("firesteel-bin", mount::BIN).read_only(),
            Mounted::config_map("firesteel-order", &own, mount::ORDER),
            Mounted::secret("firesteel-secret", &own, &doors, mount::SECRET),
            Mounted::secret("firesteel-rpc", &own, &[mount::RPC_SECRET], mount::RPC),
            // Never that of the pod's own account: it goes to the JVM, where users run code.
            Mounted::secret(mount::KEEPER_VOLUME, &right, &[], mount::KEEPER_RIGHT),
            Mounted::account_token("firesteel-account", mount::DRIVER_RIGHT),
            Mounted::scratch("firesteel-run", mount::RUN),
            Mounted::scratch("firesteel-tmp", pod::TMP),
        ];
        mounted.extend(pod::volumes(self.spec, |volume| volume.driver));
        mounted
    }

    /// Copies the keeper's program to where any Spark image finds it.
    fn installer(&self) -> Container {
        Container {
            name: INIT_CONTAINER.to_owned(),
            image: Some(self.spec.keeper_image.clone()),
            command: Some(
                ["/firesteel-launcher", "install", mount::BIN]
                    .map(str::to_owned)
                    .into(),
            ),
            volume_mounts: Some(vec![Mounted::scratch("firesteel-bin", mount::BIN).mount]),
            resources: Some(pod::resources(10, 64)),
            ..pod::container(self.spec)
        }
    }

    fn keeper(&self, mounted: &[Mounted]) -> Container {
        let size = self.spec.driver;
        let memory = size.memory.in_mebibytes() + size.overhead.in_mebibytes();
        let ports = [
            ("keeper", KEEPER_PORT),
            ("rpc", RPC_PORT),
            ("blocks", BLOCK_PORT),
        ];
        let ports = ports.map(|(name, port)| ContainerPort {
            name: Some(name.to_owned()),
            container_port: port.into(),
            ..ContainerPort::default()
        });
        let fields = [
            (variable::POD_NAME, "metadata.name"),
            (variable::POD_IP, "status.podIP"),
            (variable::POD_UID, "metadata.uid"),
        ];
        let mut env = fields.map(|(name, path)| field(name, path)).to_vec();
        env.extend(pod::environment(self.spec));
        Container {
            name: DRIVER_CONTAINER.to_owned(),
            image: Some(self.spec.image.clone()),
            command: Some([mount::PROGRAM, "keep-pod"].map(str::to_owned).into()),
            working_dir: Some(mount::RUN.to_owned()),
            env: Some(env),
            ports: Some(ports.into()),
            resources: Some(pod::resources(size.millicores, memory)),
            volume_mounts: Some(mounted.iter().map(|one| one.mount.clone()).collect()),
            ..pod::container(self.spec)
        }
    }
}

/// A variable that tells a container about its pod.
fn field(name: &str, path: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: path.to_owned(),
                ..ObjectFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}
