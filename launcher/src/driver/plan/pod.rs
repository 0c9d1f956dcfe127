//! A driver in a pod: Spark in client mode on Kubernetes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;

use super::{Plan, Settings, everywhere, file_url, over, packages};
use crate::archive::Whole;
use crate::cluster::assignment::Assignment;
use crate::cluster::mounts::Mounts;
use crate::cluster::names::{BLOCK_PORT, RPC_PORT};
use crate::driver::explain::Home;
use crate::driver::image::Image;
use crate::profile::{Gpu, Kubernetes, Span};

/// What a keeper knows of the pod it is in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    /// Where the cluster's API is, as `https://…`.
    pub(crate) api: String,
    /// What is in the image.
    pub(crate) image: Image,
    /// The container's environment.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) mounts: Mounts,
}

/// The port of Spark's UI, on the pod's loopback.
const UI_PORT: u16 = 4040;

/// For how long a lost executor counts against the driver, which ends itself when it lost too many:
/// nodes that come and go over days are no reason to.
const LOSSES_COUNT: &str = "15m";

/// How many executors may be lost before the driver ends itself, with all that its users have in it. Spark
/// bears twice as many as there may be, which a few that cannot start reach within seconds.
fn bearable(runs: &Kubernetes) -> u32 {
    runs.executors.max.saturating_mul(4).max(20)
}

/// How long an executor that is to go may take to hand over what it holds.
const HAND_OVER: &str = "60s";

impl Plan {
    /// The plan of a driver in a pod. `runs` is what the assignment's profile runs.
    pub(crate) fn pod(assignment: &Assignment, runs: &Kubernetes, pod: &Pod) -> Self {
        let profile = &assignment.profile;
        let scratch = pod.mounts.run();
        let heap = runs.driver.memory;

        let mut usual = vec![
            (
                "spark.sql.warehouse.dir",
                file_url(&scratch.join("warehouse")),
            ),
            ("spark.executor.maxNumFailures", bearable(runs).to_string()),
        ];
        usual.extend(
            runs.gpu
                .iter()
                .filter(|gpu| gpu.rapids)
                .flat_map(|_| rapids()),
        );
        let mut conf = over(&BTreeMap::new(), usual);
        conf.extend(runs.conf.clone());

        let mut ours = everywhere(profile, heap, &scratch);
        ours.extend(driver(pod));
        ours.extend(secrecy(pod));
        ours.extend(pods(assignment, runs, pod));
        ours.extend(executors(runs));
        ours.extend(
            runs.gpu
                .iter()
                .flat_map(|gpu| gpus(gpu, runs.executor.cores)),
        );
        ours.extend(packages(&runs.packages));
        ours.push(("spark.jars.ivy", text(&scratch.join("ivy"))));

        Self {
            profile: profile.name.clone(),
            user: assignment.claim.user.clone(),
            home: Home::Image(runs.image.clone()),
            parts: pod.image.parts.clone(),
            heap,
            cores: NonZeroU16::new(runs.driver.cores).unwrap_or(NonZeroU16::MIN),
            conf: over(&conf, ours),
            archive: archive(pod),
            java: [java(pod), profile.compiler.flags()].concat(),
            environment: environment(pod),
            packages: !runs.packages.is_empty(),
            log: scratch.join("driver.log"),
            scratch,
            start_deadline: runs.start_deadline.duration(),
        }
    }
}

/// The container's environment, but for what is the keeper's alone. Spark's client of the cluster
/// heeds a proxy, and the cluster is not behind it.
fn environment(pod: &Pod) -> BTreeMap<String, String> {
    let mut environment = pod.environment.clone();
    environment.retain(|name, _| !name.starts_with("FIRESTEEL_"));
    let inside = ["KUBERNETES_SERVICE_HOST"]
        .into_iter()
        .filter_map(|name| environment.get(name).cloned());
    let inside: Vec<String> = inside
        .chain(["localhost", "127.0.0.1", ".svc"].map(str::to_owned))
        .collect();
    for (proxy, without) in [("HTTPS_PROXY", "NO_PROXY"), ("https_proxy", "no_proxy")] {
        if environment.contains_key(proxy) {
            let said = environment.remove(without).filter(|said| !said.is_empty());
            let all: Vec<String> = said.into_iter().chain(inside.clone()).collect();
            environment.insert(without.to_owned(), all.join(","));
        }
    }
    environment
}

/// An address as it stands in URLs, and as Spark wants to be given it.
pub(crate) fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn master(pod: &Pod) -> String {
    format!("k8s://{}", pod.api)
}

/// Where the driver listens: for its executors on the pod's address, for everything else on the
/// loopback, by `SPARK_LOCAL_IP`. Executors are told the address it binds to
/// (`spark.kubernetes.executor.useDriverPodIP`).
fn driver(pod: &Pod) -> Settings {
    let address = host(pod.address);
    vec![
        ("spark.master", master(pod)),
        ("spark.submit.deployMode", "client".to_owned()),
        ("spark.driver.host", address.clone()),
        ("spark.driver.bindAddress", address),
        ("spark.driver.port", RPC_PORT.to_string()),
        ("spark.driver.blockManager.port", BLOCK_PORT.to_string()),
        ("spark.blockManager.port", BLOCK_PORT.to_string()),
        ("spark.port.maxRetries", "0".to_owned()),
        ("spark.ui.enabled", "true".to_owned()),
        ("spark.ui.port", UI_PORT.to_string()),
        (
            "spark.kubernetes.executor.useDriverPodIP",
            "true".to_owned(),
        ),
    ]
}

/// Who is no executor of this driver can neither talk to it nor listen.
///
/// Spark reads a secret from a file only where it knows that its master is Kubernetes, and tells
/// executors that only after they have shown the secret; so they are told by Java's own variable.
fn secrecy(pod: &Pod) -> Settings {
    vec![
        (
            "spark.authenticate.secret.file",
            text(&pod.mounts.rpc_secret()),
        ),
        ("spark.network.crypto.enabled", "true".to_owned()),
        (
            "spark.executorEnv.JDK_JAVA_OPTIONS",
            format!("-Dspark.master={}", master(pod)),
        ),
    ]
}

/// What executors' pods are made from. The driver's own right is not named here: Spark would read a
/// token it is told of once, but looks again for the one at Kubernetes' own place before it expires.
fn pods(assignment: &Assignment, runs: &Kubernetes, pod: &Pod) -> Settings {
    let mut settings = vec![
        ("spark.kubernetes.namespace", runs.namespace.clone()),
        ("spark.kubernetes.driver.pod.name", pod.name.clone()),
        ("spark.kubernetes.container.image", runs.image.clone()),
        (
            "spark.kubernetes.container.image.pullPolicy",
            runs.pull_policy.clone(),
        ),
        (
            "spark.kubernetes.executor.podTemplateFile",
            text(&pod.mounts.executor_template()),
        ),
        (
            "spark.kubernetes.executor.podNamePrefix",
            assignment.executor_prefix.clone(),
        ),
        (
            "spark.kubernetes.authenticate.executor.serviceAccountName",
            runs.executor_account.clone(),
        ),
        // Nothing of the driver's configuration folder is for them; so the driver needs no right to
        // make ConfigMaps.
        (
            "spark.kubernetes.executor.disableConfigMap",
            "true".to_owned(),
        ),
        // Nor any right to Services and volumes, of which it makes none.
        (
            "spark.kubernetes.driver.service.deleteOnTermination",
            "false".to_owned(),
        ),
        (
            "spark.kubernetes.driver.ownPersistentVolumeClaim",
            "false".to_owned(),
        ),
        (
            "spark.kubernetes.driver.reusePersistentVolumeClaim",
            "false".to_owned(),
        ),
        // Whoever watches has seen how one ended before Spark removes it.
        (
            "spark.kubernetes.executor.deleteOnTermination",
            "true".to_owned(),
        ),
        (
            "spark.kubernetes.decommission.script",
            pod.image.decommission.clone(),
        ),
    ];
    if !runs.pull_secrets.is_empty() {
        settings.push((
            "spark.kubernetes.container.image.pullSecrets",
            runs.pull_secrets.join(","),
        ));
    }
    settings
}

/// How large executors are, how many, and how long each stays.
fn executors(runs: &Kubernetes) -> Settings {
    let (size, count) = (&runs.executor, &runs.executors);
    let seconds = |span: Span| format!("{}s", span.duration().as_secs());
    vec![
        ("spark.executor.cores", size.cores.to_string()),
        ("spark.executor.memory", size.memory.to_string()),
        ("spark.executor.memoryOverhead", size.overhead.to_string()),
        (
            "spark.kubernetes.executor.request.cores",
            format!("{}m", size.millicores),
        ),
        (
            "spark.executor.failuresValidityInterval",
            LOSSES_COUNT.to_owned(),
        ),
        ("spark.dynamicAllocation.enabled", "true".to_owned()),
        (
            "spark.dynamicAllocation.initialExecutors",
            count.min.to_string(),
        ),
        (
            "spark.dynamicAllocation.minExecutors",
            count.min.to_string(),
        ),
        (
            "spark.dynamicAllocation.maxExecutors",
            count.max.to_string(),
        ),
        (
            "spark.dynamicAllocation.executorIdleTimeout",
            seconds(count.idle),
        ),
        (
            "spark.dynamicAllocation.cachedExecutorIdleTimeout",
            seconds(count.cached),
        ),
        (
            "spark.dynamicAllocation.shuffleTracking.enabled",
            "true".to_owned(),
        ),
        (
            "spark.dynamicAllocation.shuffleTracking.timeout",
            seconds(count.shuffle),
        ),
        ("spark.decommission.enabled", "true".to_owned()),
        ("spark.storage.decommission.enabled", "true".to_owned()),
        (
            "spark.executor.decommission.forceKillTimeout",
            HAND_OVER.to_owned(),
        ),
    ]
}

/// GPUs of executors; the driver asks for none. As many tasks share one as have processors.
fn gpus(gpu: &Gpu, cores: u16) -> Settings {
    vec![
        ("spark.executor.resource.gpu.amount", gpu.amount.to_string()),
        ("spark.executor.resource.gpu.vendor", gpu.vendor.clone()),
        (
            "spark.executor.resource.gpu.discoveryScript",
            gpu.discovery_script.clone(),
        ),
        ("spark.task.resource.gpu.amount", share(gpu.amount, cores)),
    ]
}

/// How much of a GPU one task takes: Spark takes whole numbers, or a part that at least two tasks
/// have of the same one.
fn share(gpus: u16, cores: u16) -> String {
    let tasks = u32::from(cores.max(1)).div_ceil(u32::from(gpus.max(1)));
    if tasks <= 1 {
        return (gpus.max(1) / cores.max(1)).to_string();
    }
    // Rounded down, so that none of the tasks is one too many.
    let parts = 10_000 / tasks;
    format!("0.{:04}", parts.max(1))
}

/// What NVIDIA's guide advises where SQL runs on GPUs. A profile may say otherwise.
fn rapids() -> Settings {
    vec![
        ("spark.plugins", "com.nvidia.spark.SQLPlugin".to_owned()),
        ("spark.rapids.sql.enabled", "true".to_owned()),
        ("spark.rapids.sql.explain", "NOT_ON_GPU".to_owned()),
        ("spark.rapids.sql.concurrentGpuTasks", "2".to_owned()),
        ("spark.sql.files.maxPartitionBytes", "256m".to_owned()),
        ("spark.locality.wait", "0s".to_owned()),
    ]
}

/// The image's archive of classes, which counts only where it was made for exactly this class path.
fn archive(pod: &Pod) -> Option<Whole> {
    let file = pod.image.archive.as_ref()?;
    Some(Whole::of_image(file, pod.image.parts.java_major))
}

/// What Java is told in a pod: that the right to the cluster is the pod's own, whatever lies in
/// a home folder.
fn java(pod: &Pod) -> Vec<String> {
    let mut java = vec!["-Dkubernetes.auth.tryKubeConfig=false".to_owned()];
    if pod.address.is_ipv6() {
        java.push("-Djava.net.preferIPv6Addresses=true".to_owned());
    }
    java
}

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
