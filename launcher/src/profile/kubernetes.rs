//! A driver in a cluster, as a profile describes it once all layers are taken together.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;
use serde::{Deserialize, Serialize};

use super::package::Package;
use super::units::{Memory, Span};

/// A driver in a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kubernetes {
    /// How long it may take to be ready, from its Job's creation on.
    pub start_deadline: Span,
    /// Context of the kubeconfig; without it the current one. Inside a cluster there is none.
    pub context: Option<String>,
    /// Where everything is made.
    pub namespace: String,
    /// The Spark version in the image, such as `4.3` or `4.3.0`.
    pub spark_version: String,
    /// The image of driver and executors.
    pub image: String,
    /// The image with the keeper's program, for the init container.
    pub keeper_image: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub pull_policy: String,
    /// Names of the Secrets by which images are pulled.
    pub pull_secrets: Vec<String>,
    /// What Spark in the driver may do: make executors.
    pub driver_account: String,
    /// What executors may do: nothing.
    pub executor_account: String,
    /// What the keeper may do: look after its Job and pods.
    pub keeper_account: String,
    /// The driver's pod.
    pub driver: Size,
    /// One executor's pod.
    pub executor: Size,
    /// How many executors there are, and for how long.
    pub executors: Executors,
    /// GPUs of each executor. The driver never takes one.
    pub gpu: Option<Gpu>,
    /// Where pods may run.
    pub placement: Placement,
    /// The number of the user that the images run as, where they do not say so themselves.
    pub run_as_user: Option<u32>,
    /// Where executors keep shuffle data and what does not fit into memory.
    pub local_disk: LocalDisk,
    /// What else is mounted.
    pub volumes: Vec<Volume>,
    /// Certificates of authorities that the driver and executors trust beside the usual ones.
    pub ca_bundle: Option<Bundle>,
    /// How the driver and executors reach what is outside.
    pub proxy: Option<Proxy>,
    /// Variables of the driver and executors, by name. No name is one of ours or of Spark's.
    pub environment: BTreeMap<String, Variable>,
    /// What it costs.
    pub prices: Option<Prices>,
    /// Whether a headless Service gives the driver a name in the cluster's DNS.
    pub service: bool,
    /// The class by which pods preempt others and are preempted.
    pub priority_class: Option<String>,
    /// Another scheduler than the cluster's own.
    pub scheduler: Option<String>,
    /// Spark settings, by their right names. Those of catalogs and of the warehouse are among them.
    pub conf: BTreeMap<String, String>,
    /// Packages on the class path of driver and executors.
    pub packages: Vec<Package>,
}

/// What one pod of Spark gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Processors in thousandths, as Kubernetes is asked for them.
    pub millicores: u32,
    /// How many tasks an executor runs at a time; of a driver, how many threads plan.
    pub cores: u16,
    /// Java's heap.
    pub memory: Memory,
    /// Memory outside the heap. The pod's limit is the sum.
    pub overhead: Memory,
}

/// How many executors there are, and when they are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executors {
    /// So many stay while the driver lives.
    pub min: u32,
    /// There are never more.
    pub max: u32,
    /// How long one is idle before it goes.
    pub idle: Span,
    /// How long one that is idle is kept for the shuffle data it holds.
    pub shuffle: Span,
    /// How long one that is idle is kept for the cached data it holds.
    pub cached: Span,
}

/// GPUs of an executor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// How many each executor has.
    pub amount: u16,
    /// Domain of the resource: `nvidia.com` stands for `nvidia.com/gpu`.
    pub vendor: String,
    /// The program in the image that prints the GPUs' addresses.
    pub discovery_script: String,
    /// Whether SQL runs on the GPUs, by the RAPIDS plugin in the image.
    pub rapids: bool,
}

/// Where pods may run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Labels of a driver's node.
    pub driver_nodes: BTreeMap<String, String>,
    /// Taints that a driver bears.
    pub driver_tolerations: Vec<Toleration>,
    /// Labels of an executor's node.
    pub executor_nodes: BTreeMap<String, String>,
    /// Taints that an executor bears.
    pub executor_tolerations: Vec<Toleration>,
}

/// Where executors keep shuffle data and what does not fit into memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDisk {
    /// The most it may hold.
    pub size: Option<Memory>,
    /// The class of a volume made for each executor and deleted with it. Without one it is a folder
    /// of the node.
    pub storage_class: Option<String>,
}

/// A volume that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name in pods, a DNS label that is none of ours.
    pub name: String,
    /// What it is.
    pub source: VolumeSource,
    /// Where it is mounted.
    pub path: String,
    /// Whether nobody writes to it.
    pub read_only: bool,
    /// Whether the driver has it.
    pub driver: bool,
    /// Whether executors have it.
    pub executors: bool,
}

/// What a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeSource {
    /// A PersistentVolumeClaim, by name.
    Claim(String),
    /// A folder of an NFS server. Namespaces that enforce `restricted` refuse it; there a claim is
    /// bound to a volume of the server's.
    Nfs {
        /// The server.
        server: String,
        /// Its folder.
        path: String,
    },
}

/// A key of a ConfigMap or of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Of which kind it is.
    pub source: BundleSource,
    /// The key with certificates, PEM.
    pub key: String,
}

/// Where certificates are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleSource {
    /// In a ConfigMap, by name.
    ConfigMap(String),
    /// In a Secret, by name.
    Secret(String),
}

/// How what is outside is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// For `http`.
    pub http: Option<String>,
    /// For `https`.
    pub https: Option<String>,
    /// What is reached without it: names, endings of names, networks.
    pub no_proxy: Vec<String>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variable {
    /// Said in the profile.
    Plain(String),
    /// A key of a Secret, which the profile only names.
    Secret {
        /// The Secret's name.
        secret: String,
        /// The key in it.
        key: String,
    },
}

/// What an hour costs, in whatever currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// The currency, as it is shown.
    pub currency: String,
    /// One processor for an hour.
    pub cpu: Option<f64>,
    /// A gibibyte of memory for an hour.
    pub memory: Option<f64>,
    /// One GPU for an hour.
    pub gpu: Option<f64>,
    /// A whole node for an hour.
    pub node: Option<f64>,
}
