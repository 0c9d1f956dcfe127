//! Settings that Firesteel makes itself.

/// Settings that Firesteel makes itself, each with what to write instead. Refused to everyone: with
/// them a driver could not be reached, or could be reached by others, or would not be given back. A
/// name that ends in `*` stands for all names that begin so; the first that fits counts.
pub(super) const OURS: [(&str, &str); 50] = [
    ("spark.app.id", "Spark makes it"),
    ("spark.authenticate*", "the driver makes its own secret"),
    (
        "spark.connect.authenticate.token",
        "each driver has a random token",
    ),
    (
        "spark.connect.execute.manager.detachedTimeout",
        "set `away`",
    ),
    (
        "spark.connect.grpc.binding.*",
        "the keeper chooses a port on the loopback",
    ),
    (
        "spark.connect.grpc.interceptor.classes",
        "the door is the only way to a driver",
    ),
    (
        "spark.connect.grpc.port.maxRetries",
        "the keeper chooses a free port",
    ),
    (
        "spark.connect.progress.reportInterval",
        "a statement is shown, and interrupted, by what it reports",
    ),
    (
        "spark.connect.session.manager.*",
        "the keeper ends sessions",
    ),
    (
        "spark.decommission.*",
        "executors hand over what they hold before they go",
    ),
    ("spark.driver.bindAddress", LISTENS),
    ("spark.driver.blockManager.port", LISTENS),
    (
        "spark.driver.cores",
        "set `cores`, or `kubernetes.driver.cores`",
    ),
    ("spark.driver.host", LISTENS),
    (
        "spark.driver.memory",
        "set `memory`, or `kubernetes.driver.memory`",
    ),
    (
        "spark.driver.memoryOverhead*",
        "set `kubernetes.driver.overhead`",
    ),
    ("spark.driver.port", LISTENS),
    ("spark.driver.resource.*", "a driver takes no GPU"),
    (
        "spark.dynamicAllocation.cachedExecutorIdleTimeout",
        "set `kubernetes.executors.cached`",
    ),
    (
        "spark.dynamicAllocation.executorIdleTimeout",
        "set `kubernetes.executors.idle`",
    ),
    (
        "spark.dynamicAllocation.maxExecutors",
        "set `kubernetes.executors.max`",
    ),
    (
        "spark.dynamicAllocation.minExecutors",
        "set `kubernetes.executors.min`",
    ),
    (
        "spark.dynamicAllocation.shuffleTracking.timeout",
        "set `kubernetes.executors.shuffle`",
    ),
    (
        "spark.dynamicAllocation.*",
        "executors come and go as `kubernetes.executors` says",
    ),
    (
        "spark.executor.cores",
        "set `cores`, or `kubernetes.executor.cores`",
    ),
    (
        "spark.executor.instances",
        "set `kubernetes.executors.min` and `max`",
    ),
    (
        "spark.executor.memory",
        "set `memory`, or `kubernetes.executor.memory`",
    ),
    (
        "spark.executor.memoryOverhead*",
        "set `kubernetes.executor.overhead`",
    ),
    ("spark.executor.resource.*", "set `kubernetes.gpu`"),
    (
        "spark.executorEnv.*",
        "set `kubernetes.environment`, which Secrets can be named in",
    ),
    ("spark.jars.packages", "set `packages`"),
    (
        "spark.kubernetes.authenticate.*",
        "set `kubernetes.accounts`",
    ),
    (
        "spark.kubernetes.container.image",
        "set `kubernetes.images`",
    ),
    (
        "spark.kubernetes.container.image.pullPolicy",
        "set `kubernetes.pullPolicy`",
    ),
    (
        "spark.kubernetes.container.image.pullSecrets",
        "set `kubernetes.pullSecrets`",
    ),
    ("spark.kubernetes.context", "set `kubernetes.context`"),
    (
        "spark.kubernetes.driver.*",
        "the driver's pod is made of the profile's `kubernetes`",
    ),
    (
        "spark.kubernetes.executor.*",
        "executors' pods are made of the profile's `kubernetes`",
    ),
    ("spark.kubernetes.namespace", "set `kubernetes.namespace`"),
    (
        "spark.kubernetes.node.selector.*",
        "set `kubernetes.placement`",
    ),
    ("spark.kubernetes.scheduler.*", "set `kubernetes.scheduler`"),
    (
        "spark.local.dir",
        "the keeper sweeps a folder of the driver's own; executors have `kubernetes.localDisk`",
    ),
    (
        "spark.master",
        "set `cores`, or `connect` for an existing server, or `kubernetes`",
    ),
    (
        "spark.network.crypto.*",
        "what drivers and executors send each other is encrypted",
    ),
    (
        "spark.plugins",
        "plugins run before the door does; for GPUs set `kubernetes.gpu.rapids`",
    ),
    ("spark.port.maxRetries", "the keeper chooses a free port"),
    (
        "spark.scheduler.*",
        "notebooks of one driver are scheduled fairly",
    ),
    (
        "spark.sql.warehouse.dir",
        "set `warehouse`, or `kubernetes.warehouse`",
    ),
    ("spark.submit.*", "the keeper starts the driver"),
    (
        "spark.ui.*",
        "the UI would be open to every user of the machine",
    ),
];

/// Why nobody sets where a driver listens.
const LISTENS: &str = "the keeper chooses where a driver listens";
