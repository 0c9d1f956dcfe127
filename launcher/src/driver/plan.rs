//! What a driver is started with: its files, its arguments, its environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::paths::Paths;
use crate::profile::{Memory, Package, Profile, Runs};
use crate::runtime::Runtime;

/// Everything a keeper needs to know to start its driver. Reaches it by its standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Where drivers keep their things.
    pub(crate) paths: Paths,
    /// What the driver is for.
    pub(crate) claim: Claim,
    /// What it looks like.
    pub(crate) profile: Profile,
    /// What it is made of.
    pub(crate) parts: Parts,
    /// Its heap.
    pub(crate) heap: Memory,
    /// How many tasks run at a time.
    pub(crate) cores: NonZeroU16,
    /// The variables of the user's environment that it may see.
    pub(crate) environment: BTreeMap<String, String>,
}

/// The runtime a driver is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) spark_home: PathBuf,
    pub(crate) java: PathBuf,
    pub(crate) java_major: u32,
    pub(crate) python: PathBuf,
}

impl From<&Runtime> for Parts {
    fn from(runtime: &Runtime) -> Self {
        Self {
            spark_home: runtime.spark_home.clone(),
            java: runtime.java.clone(),
            java_major: runtime.java_major,
            python: runtime.python.clone(),
        }
    }
}

/// Whether a driver may see this variable of the user's environment: what names the user, the
/// language and the zone, and where credentials are kept. Credentials themselves are not among them.
pub(crate) fn may_see(name: &str) -> bool {
    const NAMES: [&str; 21] = [
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "HADOOP_CONF_DIR",
        "HOME",
        "KRB5CCNAME",
        "KRB5_CONFIG",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TZ",
    ];
    NAMES.contains(&name) || name == "USER" || name.starts_with("LC_")
}

/// One attempt at starting a driver.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) order: &'a Order,
    /// The driver's own folder.
    pub(crate) scratch: &'a Path,
    /// The jars of Spark, in one order for ever.
    pub(crate) jars: &'a [PathBuf],
    /// The port on the loopback for Spark Connect.
    pub(crate) port: u16,
    /// The token between keeper and driver.
    pub(crate) token: &'a str,
}

/// The variable by which Spark is told its token. Its Python workers must not have it.
pub(crate) const TOKEN_VARIABLE: &str = "SPARK_CONNECT_AUTHENTICATE_TOKEN";

/// The variable by which the Python workers' stand-in knows the real Python.
pub(crate) const PYTHON_VARIABLE: &str = "FIRESTEEL_PYTHON";

/// What makes jobs of the pool that all sessions are in by default run side by side;
/// `spark.scheduler.mode` alone only does so between pools.
pub(crate) const FAIR_POOL: &str = r#"<?xml version="1.0"?>
<allocations>
  <pool name="default">
    <schedulingMode>FAIR</schedulingMode>
    <weight>1</weight>
    <minShare>0</minShare>
  </pool>
</allocations>
"#;

/// What Spark needs opened of Java 17 and later, as in `JavaModuleOptions` of Spark 4.3; without
/// `jdk.incubator.vector`, which small Javas lack and which only makes linear algebra faster.
const OPENED: [&str; 15] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
];

/// The class that serves Spark Connect.
const SERVER: &str = "org.apache.spark.sql.connect.service.SparkConnectServer";

impl Attempt<'_> {
    /// The folder in which the driver runs.
    pub(crate) fn working_folder(&self) -> PathBuf {
        self.scratch.join("work")
    }

    /// Where its Python workers' stand-in is.
    pub(crate) fn python_link(&self) -> PathBuf {
        self.scratch.join("bin").join(super::exec::PYTHON_WORKER)
    }

    /// The file of [`FAIR_POOL`].
    pub(crate) fn pools_file(&self) -> PathBuf {
        self.scratch.join("pools.xml")
    }

    /// The file of [`arguments`](Self::arguments).
    pub(crate) fn arguments_file(&self) -> PathBuf {
        self.scratch.join("arguments")
    }

    /// The file of [`properties`](Self::properties).
    pub(crate) fn properties_file(&self) -> PathBuf {
        self.scratch.join("spark.properties")
    }

    /// Folders that have to be there.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        ["bin", "local", "tmp", "work"]
            .iter()
            .map(|name| self.scratch.join(name))
            .collect()
    }

    /// The whole environment of the driver.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut environment = self.order.environment.clone();
        environment.extend([
            (TOKEN_VARIABLE.to_owned(), self.token.to_owned()),
            ("SPARK_HOME".to_owned(), text(&self.order.parts.spark_home)),
            // The only way to keep all of Spark's ports on the loopback.
            ("SPARK_LOCAL_IP".to_owned(), "127.0.0.1".to_owned()),
            ("PYSPARK_PYTHON".to_owned(), text(&self.python_link())),
            (PYTHON_VARIABLE.to_owned(), text(&self.order.parts.python)),
            ("TMPDIR".to_owned(), text(&self.scratch.join("tmp"))),
        ]);
        environment
    }

    /// The settings of Spark: what the profile says, and over it what is ours.
    pub(crate) fn conf(&self) -> BTreeMap<String, String> {
        let Runs::Local(local) = &self.order.profile.runs else {
            return BTreeMap::new();
        };
        let mut conf = local.conf.clone();
        let cores = self.order.cores;
        let away = self.order.profile.away.duration().as_secs();
        let warehouse = local
            .warehouse
            .clone()
            .unwrap_or_else(|| self.scratch.join("warehouse"));
        let mut ours = vec![
            (
                "spark.app.name",
                format!("firesteel {}", self.order.profile.name),
            ),
            ("spark.authenticate", "true".to_owned()),
            (
                "spark.connect.execute.manager.detachedTimeout",
                format!("{away}s"),
            ),
            ("spark.connect.grpc.binding.address", "127.0.0.1".to_owned()),
            ("spark.connect.grpc.binding.port", self.port.to_string()),
            ("spark.connect.grpc.port.maxRetries", "0".to_owned()),
            // The keeper releases sessions itself: one whose kernel is there has no end.
            (
                "spark.connect.session.manager.defaultSessionTimeout",
                "-1".to_owned(),
            ),
            ("spark.driver.bindAddress", "127.0.0.1".to_owned()),
            ("spark.driver.host", "127.0.0.1".to_owned()),
            ("spark.driver.memory", self.order.heap.to_string()),
            (
                "spark.local.dir",
                self.scratch.join("local").to_string_lossy().into_owned(),
            ),
            ("spark.master", format!("local[{cores}]")),
            (
                "spark.scheduler.allocation.file",
                file_url(&self.pools_file()),
            ),
            ("spark.scheduler.mode", "FAIR".to_owned()),
            ("spark.sql.warehouse.dir", file_url(&warehouse)),
            ("spark.ui.enabled", "false".to_owned()),
        ];
        if !local.packages.is_empty() {
            let packages: Vec<&str> = local.packages.iter().map(Package::as_str).collect();
            ours.push(("spark.jars.packages", packages.join(",")));
        }
        conf.extend(ours.into_iter().map(|(key, value)| (key.to_owned(), value)));
        conf
    }

    /// Whether packages have to be fetched, which only `spark-submit`'s own class does.
    pub(crate) fn has_packages(&self) -> bool {
        matches!(&self.order.profile.runs, Runs::Local(local) if !local.packages.is_empty())
    }

    /// The arguments of Java, as the text of an argument file: what stands in a file of the user's
    /// own cannot be read by others on the machine, as a command line can.
    pub(crate) fn arguments(&self) -> String {
        let mut arguments = vec!["-cp".to_owned(), class_path(self.jars)];
        arguments.push(format!("-Xmx{}", self.order.heap));
        if small(self.order.heap, self.order.cores) {
            arguments.push("-XX:+UseSerialGC".to_owned());
        }
        arguments.extend(
            [
                "-XX:+ExitOnOutOfMemoryError",
                // Leaves no file in /tmp when killed.
                "-XX:-UsePerfData",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--sun-misc-unsafe-memory-access=allow",
                "--enable-native-access=ALL-UNNAMED",
                "-Dio.netty.tryReflectionSetAccessible=true",
                "-Dio.netty.allocator.type=pooled",
            ]
            .map(str::to_owned),
        );
        arguments.extend(OPENED.map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
        let tmp = self.scratch.join("tmp");
        arguments.push(format!("-Djava.io.tmpdir={}", tmp.display()));
        if self.has_packages() {
            arguments.extend(
                ["org.apache.spark.deploy.SparkSubmit", "--properties-file"].map(str::to_owned),
            );
            arguments.push(self.properties_file().to_string_lossy().into_owned());
            arguments.extend(["--class", SERVER, "spark-internal"].map(str::to_owned));
        } else {
            let conf = self.conf().into_iter();
            arguments.extend(conf.map(|(key, value)| format!("-D{key}={value}")));
            arguments.push(SERVER.to_owned());
        }
        argument_file(&arguments)
    }

    /// The settings as `spark-submit` reads them, for a driver with packages.
    pub(crate) fn properties(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.conf() {
            // A space that leads a value would be taken for the space before it.
            let value = value
                .replace('\\', "\\\\")
                .replace('\n', "\\n")
                .replace('\t', "\\t");
            let _infallible = writeln!(text, "{key}={value}");
        }
        text
    }
}

/// Where one processor or little heap is, several collectors' threads cost more than they bring.
fn small(heap: Memory, cores: NonZeroU16) -> bool {
    cores.get() <= 2 || heap <= Memory::mebibytes(2048)
}

fn class_path(jars: &[PathBuf]) -> String {
    let jars: Vec<_> = jars.iter().map(|jar| jar.to_string_lossy()).collect();
    jars.join(":")
}

/// A path as Spark's file systems take it; only what would end or change an URL's path is escaped.
fn file_url(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = path
        .replace('%', "%25")
        .replace('#', "%23")
        .replace('?', "%3F");
    format!("file://{}", path.replace(' ', "%20"))
}

/// The text of a Java argument file: one argument a line, quoted, as `java(1)` reads it.
fn argument_file(arguments: &[String]) -> String {
    let mut text = String::new();
    for argument in arguments {
        text.push('"');
        for c in argument.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                _ => text.push(c),
            }
        }
        text.push_str("\"\n");
    }
    text
}

#[cfg(test)]
mod tests;
