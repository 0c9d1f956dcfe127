//! What things in a cluster are called and where they are mounted. Whoever makes them, whoever
//! looks for them and whoever runs among them takes the names from here.

/// The port of a keeper: the door and the attach service, with TLS.
pub(crate) const KEEPER_PORT: u16 = 7443;

/// The driver's port for its executors, on the pod's address.
pub(crate) const RPC_PORT: u16 = 7078;

/// The driver's port for blocks, on the pod's address.
pub(crate) const BLOCK_PORT: u16 = 7079;

/// The name that a keeper's certificate is for, whatever its address is.
pub(crate) const SERVER_NAME: &str = "keeper.firesteel";

/// The container of the driver, in its pod.
pub(crate) const DRIVER_CONTAINER: &str = "driver";

/// The container of an executor, in its pod.
pub(crate) const EXECUTOR_CONTAINER: &str = "executor";

/// The container that copies the keeper's program into the pod.
pub(crate) const INIT_CONTAINER: &str = "firesteel-keeper";

/// Labels.
pub(crate) mod label {
    /// Says that a thing is ours; the value is [`MANAGER`].
    pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The value of [`MANAGED_BY`].
    pub(crate) const MANAGER: &str = "firesteel";
    /// The claim's id.
    pub(crate) const CLAIM: &str = "firesteel.dev/claim";
    /// Which driver of the claim: random, new with each.
    pub(crate) const INCARNATION: &str = "firesteel.dev/incarnation";
    /// What a pod is: [`DRIVER`] or [`EXECUTOR`].
    pub(crate) const ROLE: &str = "firesteel.dev/role";
    /// The value of [`ROLE`] at a driver's pod.
    pub(crate) const DRIVER: &str = "driver";
    /// The value of [`ROLE`] at an executor's pod.
    pub(crate) const EXECUTOR: &str = "executor";
    /// Spark's own label of an executor with its number.
    pub(crate) const SPARK_EXECUTOR: &str = "spark-exec-id";
}

/// Annotations.
pub(crate) mod annotation {
    /// The claim's user, as it is.
    pub(crate) const USER: &str = "firesteel.dev/user";
    /// The claim's profile, as it is.
    pub(crate) const PROFILE: &str = "firesteel.dev/profile";
    /// The claim's kernel, where the driver is not shared.
    pub(crate) const KERNEL: &str = "firesteel.dev/kernel";
    /// The profile's hash.
    pub(crate) const PROFILE_HASH: &str = "firesteel.dev/profile-hash";
    /// Tells Cluster Autoscaler whether it may move a pod: `"false"` while it is busy.
    pub(crate) const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
    /// Tells Karpenter whether it may disturb a pod: `"true"` while it is busy.
    pub(crate) const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";
}

/// Where things are mounted in a driver's pod, and the keys of their sources.
pub(crate) mod mount {
    /// The keeper's program, [`PROGRAM`]; an `emptyDir` that the init container fills.
    pub(crate) const BIN: &str = "/firesteel/bin";
    /// The keeper's program.
    pub(crate) const PROGRAM: &str = "/firesteel/bin/firesteel-launcher";
    /// The ConfigMap: [`ASSIGNMENT`] and [`EXECUTOR_TEMPLATE`].
    pub(crate) const ORDER: &str = "/firesteel/order";
    /// Key of the [`Assignment`](crate::cluster::assignment::Assignment), as JSON.
    pub(crate) const ASSIGNMENT: &str = "assignment.json";
    /// Key of the executors' pod template.
    pub(crate) const EXECUTOR_TEMPLATE: &str = "executor.yaml";
    /// The Secret, but for [`RPC_SECRET`]: [`TOKEN`], [`CERTIFICATE`], [`KEY`].
    pub(crate) const SECRET: &str = "/firesteel/secret";
    /// Key of the token that opens the door.
    pub(crate) const TOKEN: &str = "token";
    /// Key of the keeper's certificate, PEM.
    pub(crate) const CERTIFICATE: &str = "tls.crt";
    /// Key of its private key, PEM.
    pub(crate) const KEY: &str = "tls.key";
    /// The Secret's [`RPC_SECRET`] alone, in the driver's pod and in its executors'.
    pub(crate) const RPC: &str = "/firesteel/rpc";
    /// Key of the secret between driver and executors.
    pub(crate) const RPC_SECRET: &str = "secret";
    /// The keeper's own right to the cluster: `token`, `ca.crt`, `namespace`. The JVM's is where
    /// Spark looks for it.
    pub(crate) const KEEPER_RIGHT: &str = "/firesteel/kube";
    /// The volume with it.
    pub(crate) const KEEPER_VOLUME: &str = "firesteel-kube";
    /// The JVM's right to make executors.
    pub(crate) const DRIVER_RIGHT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    /// What keeper and driver write; an `emptyDir`.
    pub(crate) const RUN: &str = "/firesteel/run";
}

/// Variables that the downward API sets in the driver's container.
pub(crate) mod variable {
    /// The pod's name.
    pub(crate) const POD_NAME: &str = "FIRESTEEL_POD_NAME";
    /// The pod's address.
    pub(crate) const POD_IP: &str = "FIRESTEEL_POD_IP";
    /// The pod's uid.
    pub(crate) const POD_UID: &str = "FIRESTEEL_POD_UID";
}
