//! Which Spark settings a driver may be started with: those on a list, by their one right name.

use super::error::ConfRefusal;

/// Settings that a profile's `conf` may have where the operator says nothing else. A name that ends
/// in `*` stands for all names that begin so.
///
/// They tune how Spark computes and where it finds data. What opens a port, runs code outside Spark,
/// or weakens the door is not among them.
const STANDARD: [&str; 46] = [
    "spark.broadcast.*",
    "spark.cleaner.*",
    "spark.connect.grpc.arrow.maxBatchSize",
    "spark.connect.progress.reportInterval",
    "spark.connect.session.planCache.*",
    "spark.default.parallelism",
    "spark.driver.maxResultSize",
    "spark.eventLog.compress",
    "spark.eventLog.dir",
    "spark.eventLog.enabled",
    "spark.eventLog.rolling.*",
    "spark.excludeOnFailure.*",
    "spark.executor.heartbeatInterval",
    "spark.executor.maxNumFailures",
    "spark.files.maxPartitionBytes",
    "spark.files.openCostInBytes",
    "spark.hadoop.*",
    "spark.io.compression.*",
    "spark.jars.excludes",
    "spark.jars.ivySettings",
    "spark.jars.repositories",
    "spark.kryo.registrationRequired",
    "spark.kryoserializer.*",
    "spark.locality.wait*",
    "spark.memory.*",
    "spark.network.timeout",
    "spark.python.worker.*",
    "spark.rapids.*",
    "spark.rdd.compress",
    "spark.reducer.*",
    "spark.rpc.askTimeout",
    "spark.scheduler.listenerbus.*",
    "spark.serializer",
    "spark.serializer.objectStreamReset",
    "spark.shuffle.compress",
    "spark.shuffle.file.*",
    "spark.shuffle.io.*",
    "spark.shuffle.sort.*",
    "spark.shuffle.spill.*",
    "spark.speculation*",
    "spark.sql.*",
    "spark.stage.maxConsecutiveAttempts",
    "spark.storage.*",
    "spark.task.cpus",
    "spark.task.maxFailures",
    "spark.task.reaper.*",
];

/// Settings that Firesteel makes itself, each with what to write instead. Refused to everyone: with
/// them a driver could not be reached, or could be reached by others, or would not be given back. A
/// name that ends in `*` stands for all names that begin so; the first that fits counts.
const OURS: [(&str, &str); 50] = [
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

/// Which settings a profile's `conf` may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed(Vec<String>);

impl Allowed {
    /// The list for where nobody chose another.
    pub(super) fn standard() -> Self {
        Self(STANDARD.iter().map(|&name| name.to_owned()).collect())
    }

    /// A list of an operator's own.
    pub(super) fn of(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// This list and more.
    pub(super) fn and(mut self, patterns: &[String]) -> Self {
        self.0.extend_from_slice(patterns);
        self
    }

    /// The one right name of `key`, where it may be set to `value`.
    pub(super) fn check(&self, key: &str, value: &str) -> Result<String, ConfRefusal> {
        let name = normal(key)?;
        if let Some((_, instead)) = OURS.iter().find(|(ours, _)| matches(ours, &name)) {
            return Err(ConfRefusal::Ours { name, instead });
        }
        if !self.0.iter().any(|pattern| matches(pattern, &name)) {
            return Err(ConfRefusal::NotAllowed { name });
        }
        // Measured: 40,000 rows in 35 seconds. Nobody wants that, and nobody would find it.
        let codec = name == "spark.sql.execution.arrow.compression.codec";
        if codec && value.trim().eq_ignore_ascii_case("lz4") {
            return Err(ConfRefusal::SlowCodec);
        }
        if value
            .chars()
            .any(|c| c.is_control() && c != '\t' && c != '\n')
        {
            return Err(ConfRefusal::Control { name });
        }
        Ok(name)
    }
}

/// The name Spark knows a setting by: Spark reads `spark.…` alone, but tools take `jars` for
/// `spark.jars`, so both must meet the same rule.
fn normal(key: &str) -> Result<String, ConfRefusal> {
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if key.is_empty() || !key.chars().all(plain) || key.split('.').any(str::is_empty) {
        return Err(ConfRefusal::NoName {
            key: key.to_owned(),
        });
    }
    let first = key.split('.').next().unwrap_or_default();
    Ok(match first {
        "spark" => key.to_owned(),
        // Hadoop's switch for its settings, with another capital, is none.
        other if other.eq_ignore_ascii_case("spark") => {
            return Err(ConfRefusal::NoName {
                key: key.to_owned(),
            });
        }
        _ => format!("spark.{key}"),
    })
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        // `spark.a.*` does not stand for `spark.a.` itself, which is no name anyway.
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn settings_are_allowed_by_their_right_name_alone() {
        let allowed = Allowed::standard();
        for (key, name) in [
            (
                "spark.sql.shuffle.partitions",
                "spark.sql.shuffle.partitions",
            ),
            ("sql.shuffle.partitions", "spark.sql.shuffle.partitions"),
            (" spark.serializer ", "spark.serializer"),
            (
                "spark.hadoop.fs.s3a.endpoint",
                "spark.hadoop.fs.s3a.endpoint",
            ),
        ] {
            assert_eq!(allowed.check(key, "x").as_deref(), Ok(name), "{key}");
        }
        for key in [
            "spark.driver.extraJavaOptions",
            "spark.driver.extraClassPath",
            "spark.jars",
            "jars",
            "spark.extraListeners",
            "spark.serializerx",
            "hadoop",
        ] {
            let refusal = allowed.check(key, "x").unwrap_err();
            assert!(
                matches!(refusal, ConfRefusal::NotAllowed { .. }),
                "{key}: {refusal}"
            );
        }
        for key in [
            "",
            "spark..sql",
            ".spark.sql.x",
            "Spark.sql.x",
            "spark.sql.x y",
            "spark.sql.ä",
            "spark.sql.x\n",
        ] {
            let refused = allowed.check(key, "x");
            let trimmed = key.trim() != key && refused.is_ok();
            assert!(
                trimmed || matches!(refused, Err(ConfRefusal::NoName { .. })),
                "{key:?}"
            );
        }
    }

    #[test]
    fn what_is_ours_is_refused_to_operators_too() {
        let everything = Allowed::of(&["spark.*".to_owned()]);
        for key in [
            "spark.master",
            "master",
            "ui.enabled",
            "spark.ui.enabled",
            "spark.connect.authenticate.token",
            "sql.warehouse.dir",
            "spark.kubernetes.namespace",
            "kubernetes.executor.podTemplateFile",
            "spark.kubernetes.driver.pod.name",
            "spark.dynamicAllocation.enabled",
            "spark.executor.instances",
            "spark.executor.resource.gpu.amount",
            "spark.network.crypto.enabled",
        ] {
            let refusal = everything.check(key, "x").unwrap_err();
            assert!(
                matches!(refusal, ConfRefusal::Ours { .. }),
                "{key}: {refusal}"
            );
        }
        for key in [
            "spark.driver.extraJavaOptions",
            "spark.kubernetes.allocation.batch.size",
        ] {
            assert!(everything.check(key, "1").is_ok(), "{key}");
        }
    }

    #[test]
    fn who_sets_what_is_ours_is_told_the_nearest_key() {
        for (key, word) in [
            (
                "spark.dynamicAllocation.maxExecutors",
                "`kubernetes.executors.max`",
            ),
            ("spark.dynamicAllocation.enabled", "`kubernetes.executors`"),
            (
                "spark.executor.memoryOverheadFactor",
                "`kubernetes.executor.overhead`",
            ),
            (
                "spark.kubernetes.container.image.pullSecrets",
                "`kubernetes.pullSecrets`",
            ),
        ] {
            let refusal = Allowed::standard().check(key, "1").unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[test]
    fn a_codec_that_would_hang_results_is_refused() {
        let codec = "spark.sql.execution.arrow.compression.codec";
        let allowed = Allowed::standard();
        assert_eq!(allowed.check(codec, " LZ4"), Err(ConfRefusal::SlowCodec));
        assert!(allowed.check(codec, "zstd").is_ok());
    }

    proptest! {
        #[test]
        fn nothing_gets_past_the_list(key in "\\PC{0,40}") {
            let narrow = Allowed::of(&["spark.sql.shuffle.partitions".to_owned()]);
            if let Ok(name) = narrow.check(&key, "1") {
                prop_assert_eq!(name, "spark.sql.shuffle.partitions");
            }
        }
    }
}
