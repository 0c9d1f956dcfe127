//! Which Spark settings a driver may be started with: those on a list, by their one right name.

mod ours;
mod usual;

use super::error::ConfRefusal;
use ours::OURS;
pub(super) use usual::{Version, version};

/// Which settings a profile's `conf` may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Whether it has those that everybody may set.
    usual: bool,
    /// An operator's own. One that ends in `*` stands for all that begin so.
    patterns: Vec<String>,
}

/// A setting that may be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Its one right name.
    pub(super) name: String,
    /// The first version of Spark that knows it, where an older one would not heed it.
    pub(super) since: Option<Version>,
}

impl Allowed {
    /// What everybody may set.
    pub(super) fn standard() -> Self {
        Self {
            usual: true,
            patterns: Vec::new(),
        }
    }

    /// A list of an operator's own.
    pub(super) fn of(patterns: &[String]) -> Self {
        Self {
            usual: false,
            patterns: patterns.to_vec(),
        }
    }

    /// This list and more.
    pub(super) fn and(mut self, patterns: &[String]) -> Self {
        self.patterns.extend_from_slice(patterns);
        self
    }

    /// The setting that `key` names, where it may be set to `value`.
    pub(super) fn check(&self, key: &str, value: &str) -> Result<Setting, ConfRefusal> {
        let name = normal(key)?;
        // An old name would be a way around what its new one is refused for.
        if let Some(now) = usual::renamed(&name) {
            return Err(ConfRefusal::Renamed { name, now });
        }
        if let Some((_, instead)) = OURS.iter().find(|(ours, _)| matches(ours, &name)) {
            return Err(ConfRefusal::Ours { name, instead });
        }
        let since = self.allows(&name, value)?;
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
        Ok(Setting { name, since })
    }

    fn allows(&self, name: &str, value: &str) -> Result<Option<Version>, ConfRefusal> {
        if self.patterns.iter().any(|pattern| matches(pattern, name)) {
            return Ok(None);
        }
        let refused = || ConfRefusal::NotAllowed {
            name: name.to_owned(),
        };
        if !self.usual {
            return Err(refused());
        }
        let since = usual::allowed(name).ok_or_else(refused)?.since();
        if usual::foreign_class(name, value) {
            return Err(ConfRefusal::Class {
                name: name.to_owned(),
                class: value.trim().to_owned(),
            });
        }
        Ok(since)
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
            let checked = allowed.check(key, "x").map(|setting| setting.name);
            assert_eq!(checked.as_deref(), Ok(name), "{key}");
        }
        for key in [
            "spark.driver.extraJavaOptions",
            "spark.driver.extraClassPath",
            "spark.jars",
            "jars",
            "spark.extraListeners",
            "spark.sql.extensions",
            "spark.sql.queryExecutionListeners",
            "spark.sql.hive.metastore.jars",
            "sql.redaction.options.regex",
            "spark.shuffle.sort.io.plugin.class",
            "spark.python.worker.module",
            "spark.jars.repositories",
            "spark.hadoop.hadoop.proxyuser.ada.hosts",
            "spark.serializerx",
            "spark.SQL.shuffle.partitions",
            "spark.sql.nothingThatSparkKnows",
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
            "spark.sql\n.x",
            "spark.sql.ansi.enabled\0",
        ] {
            let refused = allowed.check(key, "x");
            assert!(
                matches!(refused, Err(ConfRefusal::NoName { .. })),
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
    fn old_names_are_no_way_around() {
        let everything = Allowed::of(&["spark.*".to_owned()]);
        for (key, now) in [
            (
                "spark.yarn.executor.memoryOverhead",
                "spark.executor.memoryOverhead",
            ),
            ("ui.jettyStopTimeout", "spark.ui.jetty.stopTimeout"),
            (
                "spark.files.userClassPathFirst",
                "spark.executor.userClassPathFirst",
            ),
        ] {
            for allowed in [&everything, &Allowed::standard()] {
                let refusal = allowed.check(key, "1").unwrap_err();
                assert!(refusal.to_string().contains(now), "{refusal}");
            }
        }
    }

    #[test]
    fn a_setting_is_known_with_the_version_it_came_with() {
        let since = |key: &str| Allowed::standard().check(key, "1").unwrap().since;
        assert_eq!(
            since("spark.storage.rddBlockChecksum.enabled"),
            Some((4, 3))
        );
        assert_eq!(since("spark.sql.ansi.enabled"), Some((3, 0)));
        assert_eq!(since("spark.sql.catalog.lake"), None);
        let operators = Allowed::of(&["spark.storage.*".to_owned()]);
        let checked = operators.check("spark.storage.rddBlockChecksum.enabled", "1");
        assert_eq!(checked.unwrap().since, None);
    }

    #[test]
    fn a_class_of_nobodys_is_an_operators_to_choose() {
        let key = "spark.serializer";
        let refusal = Allowed::standard()
            .check(key, "org.example.Evil")
            .unwrap_err();
        assert!(
            refusal.to_string().contains("`org.example.Evil`"),
            "{refusal}"
        );
        let operators = Allowed::of(&[key.to_owned()]);
        assert!(operators.check(key, "org.example.Ours").is_ok());
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
            if let Ok(setting) = narrow.check(&key, "1") {
                prop_assert_eq!(setting.name, "spark.sql.shuffle.partitions");
            }
        }
    }
}
