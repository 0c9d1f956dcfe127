//! A driver in a cluster, as a profile says it. What is not said is taken from the layer below, and
//! where no layer says it, what [`Kubernetes`](crate::profile::Kubernetes) calls usual.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::units::{Memory, Span};

/// A driver in a Kubernetes cluster. `{user}` stands for the user, as a legal name, in `namespace`,
/// `accounts`, the labels of `placement`, and each `warehouse`; nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Cluster {
    /// Context of the kubeconfig; without it the current one. Inside a cluster there is none.
    pub context: Option<String>,
    /// Where everything is made.
    pub namespace: Option<String>,
    /// The image of driver and executors, by Spark version such as `4.3`. Of several, `sparkVersion`
    /// chooses; without it the newest is used.
    pub images: Option<BTreeMap<String, String>>,
    /// The image with the keeper's program, which is copied into the driver's pod.
    pub keeper_image: Option<String>,
    /// When images are pulled.
    pub pull_policy: Option<PullPolicy>,
    /// Names of the Secrets by which images are pulled.
    pub pull_secrets: Option<Vec<String>>,
    /// Who acts in the cluster.
    pub accounts: Option<Accounts>,
    /// The number of the user that the images run as, where they do not say so themselves.
    pub run_as_user: Option<u32>,
    /// The driver's pod.
    pub driver: Option<PodSize>,
    /// One executor's pod.
    pub executor: Option<PodSize>,
    /// How many executors there are, and when they are given back.
    pub executors: Option<Count>,
    /// GPUs of each executor. The driver never takes one.
    pub gpu: Option<Gpus>,
    /// Where executors keep shuffle data and what does not fit into memory.
    pub local_disk: Option<Disk>,
    /// Volumes that are there already, by the name they have in pods.
    pub volumes: Option<BTreeMap<String, Mount>>,
    /// Certificates of authorities to trust: mounted, and named by `SSL_CERT_FILE`, `AWS_CA_BUNDLE`
    /// and `REQUESTS_CA_BUNDLE`. Java's own trust store is the image's.
    pub ca_bundle: Option<Authorities>,
    /// How the driver and executors reach what is outside: as variables of the environment, which
    /// Python and most tools read and Java does not.
    pub proxy: Option<Outside>,
    /// Where pods may run.
    pub placement: Option<Where>,
    /// The class by which pods preempt others and are preempted.
    pub priority_class: Option<String>,
    /// Another scheduler than the cluster's own.
    pub scheduler: Option<String>,
    /// Catalogs of tables, by name.
    pub catalogs: Option<BTreeMap<String, Catalog>>,
    /// Where tables without a catalog of their own are kept, such as `s3a://tables/{user}`.
    pub warehouse: Option<String>,
    /// Variables of the driver and executors: a text, or a key of a Secret.
    pub environment: Option<BTreeMap<String, Value>>,
    /// What an hour costs.
    pub prices: Option<Costs>,
    /// Whether a headless Service gives the driver a name in the cluster's DNS.
    pub service: Option<bool>,
}

/// When images are pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// Where the node has them not.
    IfNotPresent,
    /// Never: nodes have them.
    Never,
}

/// Service accounts, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Accounts {
    /// What Spark in the driver may do; `firesteel-driver`.
    pub driver: Option<String>,
    /// What executors may do; `firesteel-executor`.
    pub executor: Option<String>,
    /// What the keeper may do; `firesteel-keeper`. Its token is in the Secret of this name and
    /// `-token`.
    pub keeper: Option<String>,
}

/// What one pod gets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct PodSize {
    /// How many tasks an executor runs at a time; of a driver, how many threads plan.
    pub cores: Option<NonZeroU16>,
    /// Processors in thousandths, as the cluster is asked for them, where they are not `cores`.
    pub millicores: Option<u32>,
    /// Java's heap.
    pub memory: Option<Memory>,
    /// Memory outside the heap: Python workers, buffers, GPU's pinned memory. The pod gets the sum.
    pub overhead: Option<Memory>,
}

/// How many executors there are, and when they are given back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Count {
    /// So many stay while the driver lives; none.
    pub min: Option<u32>,
    /// There are never more.
    pub max: Option<u32>,
    /// How long one is idle before it goes.
    pub idle: Option<Span>,
    /// How long one that is idle is kept for the shuffle data it holds.
    pub shuffle: Option<Span>,
    /// How long one that is idle is kept for the cached data it holds.
    pub cached: Option<Span>,
}

/// GPUs of each executor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Gpus {
    /// How many each executor has; 1. With 0 it is no GPU profile.
    pub amount: Option<u16>,
    /// Domain of the resource, `nvidia.com`; its taint is tolerated.
    pub vendor: Option<String>,
    /// The program in the image that prints the GPUs' addresses.
    pub discovery_script: Option<String>,
    /// Whether SQL runs on the GPUs, by the RAPIDS plugin in the image.
    pub rapids: Option<bool>,
}

/// A disk of each executor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Disk {
    /// The most it may hold.
    pub size: Option<Memory>,
    /// The class of a volume made for each executor and deleted with it. Without one it is a folder
    /// of the node.
    pub storage_class: Option<String>,
}

/// A volume: a `claim`, or a folder by `nfs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Mount {
    /// A PersistentVolumeClaim, by name.
    pub claim: Option<String>,
    /// A folder of an NFS server. A namespace that enforces `restricted` refuses it: there, claim a
    /// volume of the server's.
    pub nfs: Option<Nfs>,
    /// Where it is mounted.
    pub path: Option<String>,
    /// Whether nobody writes to it.
    pub read_only: Option<bool>,
    /// Who has it; both.
    pub on: Option<Vec<Role>>,
}

/// A folder of an NFS server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nfs {
    /// The server.
    pub server: String,
    /// Its folder.
    pub path: String,
}

/// What a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The driver.
    Driver,
    /// Its executors.
    Executors,
}

/// A key with certificates, PEM, in a `configMap` or a `secret`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Authorities {
    /// A ConfigMap, by name.
    pub config_map: Option<String>,
    /// A Secret, by name.
    pub secret: Option<String>,
    /// The key; `ca.crt`.
    pub key: Option<String>,
}

/// A proxy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Outside {
    /// For `http`.
    pub http: Option<String>,
    /// For `https`.
    pub https: Option<String>,
    /// What is reached without it: names, endings of names, networks.
    pub no_proxy: Option<Vec<String>>,
}

/// Where pods may run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Where {
    /// The driver.
    pub driver: Option<Pool>,
    /// Its executors.
    pub executors: Option<Pool>,
}

/// Nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Pool {
    /// Labels that a node must have.
    pub nodes: Option<BTreeMap<String, String>>,
    /// Taints that a node may have.
    pub tolerations: Option<Vec<Bears>>,
}

/// A taint that is borne.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Bears {
    /// The taint's key.
    pub key: Option<String>,
    /// The taint's value. Without it, any.
    pub value: Option<String>,
    /// The taint's effect. Without it, any.
    pub effect: Option<Effect>,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Effect {
    /// No pod comes that does not bear it.
    NoSchedule,
    /// Others are preferred.
    PreferNoSchedule,
    /// Pods that do not bear it have to go.
    NoExecute,
}

/// A catalog: of Iceberg tables by `type`, or any other by its `class`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Catalog {
    /// How Iceberg keeps it: `rest`, `hive`, `hadoop`, `glue`, `jdbc` or `nessie`.
    #[serde(rename = "type")]
    pub kind: Option<CatalogType>,
    /// The class that implements it.
    pub class: Option<String>,
    /// Where it is served.
    pub uri: Option<String>,
    /// Where its tables are kept.
    pub warehouse: Option<String>,
    /// What else it is told.
    pub properties: Option<BTreeMap<String, super::Scalar>>,
}

/// How Iceberg keeps a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they are Iceberg's names")]
pub enum CatalogType {
    Rest,
    Hive,
    Hadoop,
    Glue,
    Jdbc,
    Nessie,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A text.
    Plain(String),
    /// A key of a Secret.
    Secret(SecretKey),
}

/// A key of a Secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    /// The Secret, by name.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// What an hour costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Costs {
    /// The currency, as it is shown; `USD`.
    pub currency: Option<String>,
    /// One processor.
    pub cpu: Option<f64>,
    /// A gibibyte of memory.
    pub memory: Option<f64>,
    /// One GPU.
    pub gpu: Option<f64>,
    /// A whole node.
    pub node: Option<f64>,
}
