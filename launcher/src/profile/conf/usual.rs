//! Settings that a profile's `conf` may have where the operator says nothing else.

use std::sync::LazyLock;

use super::matches;

/// Settings of Spark that tune how it computes and where it finds data, each with the version it came
/// with; sorted. `settings/read` makes the list of what Spark itself knows. What names classes, class
/// paths, programs and plugins, opens a port, or weakens the door is not among them.
const SPARKS: &str = include_str!("../../../settings/allowed.txt");

/// Old names that Spark still takes, each with the name it has now; sorted.
const OLD: &str = include_str!("../../../settings/old.txt");

/// Settings of Spark's surroundings, which no Spark lists. A name that ends in `*` stands for all that
/// begin so, but for those with one of [`WORDS`].
const OTHERS: [&str; 16] = [
    "spark.hadoop.dfs.*",
    "spark.hadoop.fs.azure.*",
    "spark.hadoop.fs.gs.*",
    "spark.hadoop.fs.s3a.*",
    "spark.hadoop.hive.metastore.uris",
    "spark.hadoop.ipc.*",
    "spark.hadoop.mapred.*",
    "spark.hadoop.mapreduce.*",
    "spark.hadoop.orc.*",
    "spark.hadoop.parquet.*",
    "spark.rapids.memory.*",
    "spark.rapids.shuffle.*",
    "spark.rapids.sql.*",
    "spark.shuffle.io.*",
    "spark.sql.catalog.*",
    "spark.sql.iceberg.*",
];

/// What a name of [`OTHERS`] does not have in it, in any case: it would read or write a secret, or have
/// Spark run other code.
const WORDS: [&str; 31] = [
    "accesskey",
    "access-key",
    "access.key",
    "account.key",
    "auth",
    "class",
    "credential",
    "delegation",
    "encryption",
    "extension",
    "factory",
    "impl",
    "interceptor",
    "jar",
    "kerberos",
    "keystore",
    "keytab",
    "listener",
    "passphrase",
    "passwd",
    "password",
    "plugin",
    "principal",
    "private",
    "provider",
    "proxy",
    "secret",
    "shared-key",
    "sign",
    "token",
    "truststore",
];

/// Whose classes a setting may name: Spark's own, and those of the kinds of tables that it is used with.
const CLASSES: [&str; 5] = [
    "io.delta.",
    "org.apache.hudi.",
    "org.apache.iceberg.",
    "org.apache.paimon.",
    "org.apache.spark.",
];

/// A version of Spark, as far as settings tell versions apart: such as (4, 3).
pub(in crate::profile) type Version = (u32, u32);

/// Where a setting that everybody may set comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Spark itself, since this version.
    Spark(Version),
    /// What is around it.
    Elsewhere,
}

impl Origin {
    /// The first version of Spark that knows it, where that can be told.
    pub(super) fn since(self) -> Option<Version> {
        match self {
            Self::Spark(version) => Some(version),
            Self::Elsewhere => None,
        }
    }
}

/// Where a setting comes from; `None`, where only an operator may set it.
pub(super) fn allowed(name: &str) -> Option<Origin> {
    static SINCE: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| table(SPARKS));
    if let Some(since) = found(&SINCE, name) {
        return Some(version(since).map_or(Origin::Elsewhere, Origin::Spark));
    }
    let plain = name.to_ascii_lowercase();
    let fine = OTHERS.iter().any(|pattern| matches(pattern, name))
        && (names_class(name) || !WORDS.iter().any(|word| plain.contains(word)));
    fine.then_some(Origin::Elsewhere)
}

/// The name that a setting of an old name has now.
pub(super) fn renamed(name: &str) -> Option<&'static str> {
    static NOW: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| table(OLD));
    found(&NOW, name)
}

/// Whether a value names a class that is not among those everybody may name.
pub(super) fn foreign_class(name: &str, value: &str) -> bool {
    let value = value.trim();
    let may_be = name == "spark.serializer" || name.ends_with(".codec") || names_class(name);
    // Codecs and serializers have short names too.
    may_be && value.contains('.') && !CLASSES.iter().any(|ours| value.starts_with(ours))
}

/// Whether it is the class of a catalog, or of a part of one, as Iceberg's are named.
fn names_class(name: &str) -> bool {
    name.strip_prefix("spark.sql.catalog.")
        .is_some_and(|rest| match rest.split_once('.') {
            None => true,
            Some((_, key)) => ["catalog-impl", "io-impl"].contains(&key),
        })
}

/// The major and minor part of a version.
pub(in crate::profile) fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next()?.parse().ok()?))
}

fn table(text: &'static str) -> Vec<(&'static str, &'static str)> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .collect()
}

fn found(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let at = table.binary_search_by_key(&name, |(name, _)| name).ok()?;
    Some(table[at].1)
}

#[cfg(test)]
mod tests {
    use super::super::ours::OURS;
    use super::*;

    #[test]
    fn what_everybody_may_set_is_in_order_and_reads_no_secret_and_runs_nothing() {
        let (sparks, old) = (table(SPARKS), table(OLD));
        assert!(sparks.len() > 800 && old.len() > 30);
        assert!(sparks.is_sorted() && old.is_sorted());
        for (name, since) in &sparks {
            assert_eq!(super::super::normal(name).as_deref(), Ok(*name));
            assert!(version(since).is_some(), "{name} {since}");
            assert_eq!(renamed(name), None, "{name}");
            let ours = OURS.iter().find(|(ours, _)| matches(ours, name));
            assert!(ours.is_none(), "{name} {ours:?}");
            for end in [
                "class",
                "classes",
                "jars",
                "listeners",
                "extensions",
                "provider",
                "plugins",
            ] {
                assert!(!name.to_ascii_lowercase().ends_with(end), "{name}");
            }
            let secret = [
                "password",
                "secret",
                "token",
                "credential",
                "redaction",
                "plugin.",
            ];
            assert!(!secret.iter().any(|word| name.contains(word)), "{name}");
        }
        for pattern in OTHERS {
            let ours = OURS.iter().find(|(ours, _)| matches(ours, pattern));
            assert!(ours.is_none(), "{pattern} {ours:?}");
        }
    }

    #[test]
    fn settings_of_sparks_surroundings_are_told_from_those_with_secrets_and_classes() {
        for name in [
            "spark.hadoop.fs.s3a.endpoint",
            "spark.hadoop.fs.s3a.path.style.access",
            "spark.hadoop.fs.s3a.bucket.lake.endpoint.region",
            "spark.hadoop.parquet.block.size",
            "spark.sql.catalog.lake",
            "spark.sql.catalog.lake.uri",
            "spark.sql.catalog.lake.io-impl",
            "spark.rapids.sql.concurrentGpuTasks",
        ] {
            assert_eq!(allowed(name), Some(Origin::Elsewhere), "{name}");
        }
        for name in [
            "spark.hadoop.fs.s3a.access.key",
            "spark.hadoop.fs.s3a.bucket.lake.Secret.Key",
            "spark.hadoop.fs.s3a.aws.credentials.provider",
            "spark.hadoop.fs.s3a.impl",
            "spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net",
            "spark.hadoop.fs.file.impl",
            "spark.hadoop.hadoop.proxyuser.ada.hosts",
            "spark.hadoop.hadoop.security.credential.provider.path",
            "spark.hadoop.javax.jdo.option.ConnectionPassword",
            "spark.hadoop.io.compression.codecs",
            "spark.rapids.shims-provider-override",
            "spark.sql.catalog.lake.token",
            "spark.sql.catalog.lake.credential",
            "spark.sql.catalog.lake.jdbc.password",
            "spark.sql.catalog.lake.client.factory",
        ] {
            assert_eq!(allowed(name), None, "{name}");
        }
    }

    #[test]
    fn classes_are_those_of_spark_and_of_its_tables() {
        for (name, value, foreign) in [
            (
                "spark.serializer",
                "org.apache.spark.serializer.KryoSerializer",
                false,
            ),
            ("spark.serializer", "org.example.Serializer", true),
            ("spark.io.compression.codec", "zstd", false),
            ("spark.io.compression.codec", " org.example.Codec", true),
            (
                "spark.sql.catalog.lake",
                "org.apache.iceberg.spark.SparkCatalog",
                false,
            ),
            ("spark.sql.catalog.lake", "org.example.Catalog", true),
            ("spark.sql.catalog.lake.io-impl", "org.example.Files", true),
            (
                "spark.sql.catalog.lake.uri",
                "https://lake.example.org",
                false,
            ),
            ("spark.hadoop.fs.s3a.endpoint", "s3.example.org", false),
        ] {
            assert_eq!(foreign_class(name, value), foreign, "{name} {value}");
        }
    }
}
