//! What a driver is started with: its files, its arguments, its environment.

mod java;
mod local;
mod locale;
mod pod;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::explain::Home;
use super::order::Parts;
use crate::archive::Whole;
use crate::profile::{Memory, Package, Profile};

pub use locale::is_utf8;
pub(crate) use pod::{Pod, host};

/// Everything that decides how a driver is started, wherever that is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The profile it is made from, by name.
    pub(crate) profile: String,
    /// Whose it is.
    pub(crate) user: String,
    /// Where it is.
    pub(crate) home: Home,
    pub(crate) parts: Parts,
    pub(crate) heap: Memory,
    /// How many threads of it work at a time.
    pub(crate) cores: NonZeroU16,
    /// Its settings of Spark, but for those of one attempt.
    pub(crate) conf: BTreeMap<String, String>,
    /// The classes it starts from, where somebody archived them.
    pub(crate) archive: Option<Whole>,
    /// What Java is told beside the usual.
    pub(crate) java: Vec<String>,
    /// Its environment, but for the variables of one attempt.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether packages have to be fetched, which only `spark-submit`'s own class does.
    pub(crate) packages: bool,
    /// The driver's own folder.
    pub(crate) scratch: PathBuf,
    /// What it prints.
    pub(crate) log: PathBuf,
    /// How long it may take to be ready.
    pub(crate) start_deadline: Duration,
}

/// One attempt at starting a driver.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) plan: &'a Plan,
    /// The jars of Spark, in one order for ever.
    pub(crate) jars: &'a [PathBuf],
    /// The port on the loopback for Spark Connect.
    pub(crate) port: u16,
    /// The token between keeper and driver.
    pub(crate) token: &'a str,
    /// Whether it starts from the plan's archive.
    pub(crate) archived: bool,
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

/// What ends the jobs of an interrupted statement that Spark itself would let run; its source and
/// the reason for it are in `listener/Interrupted.java`.
pub(crate) const LISTENER: &[u8] = include_bytes!("../../../listener/firesteel-listener.jar");

/// The setting that has Spark use it. A driver without it does not have it on its class path.
pub(crate) const LISTENERS: &str = "spark.extraListeners";

/// The class in [`LISTENER`].
const LISTENER_CLASS: &str = "firesteel.Interrupted";

/// The class that serves Spark Connect.
const SERVER: &str = "org.apache.spark.sql.connect.service.SparkConnectServer";

impl Attempt<'_> {
    /// The folder in which the driver runs.
    pub(crate) fn working_folder(&self) -> PathBuf {
        self.plan.scratch.join("work")
    }

    /// Where its Python workers' stand-in is.
    pub(crate) fn python_link(&self) -> PathBuf {
        let bin = self.plan.scratch.join("bin");
        bin.join(super::exec::PYTHON_WORKER)
    }

    /// The file of [`FAIR_POOL`].
    pub(crate) fn pools_file(&self) -> PathBuf {
        self.plan.scratch.join("pools.xml")
    }

    /// The file of [`LISTENER`].
    pub(crate) fn listener_file(&self) -> PathBuf {
        self.plan.scratch.join("listener.jar")
    }

    /// The file of [`arguments`](Self::arguments).
    pub(crate) fn arguments_file(&self) -> PathBuf {
        self.plan.scratch.join("arguments")
    }

    /// The file of [`properties`](Self::properties).
    pub(crate) fn properties_file(&self) -> PathBuf {
        self.plan.scratch.join("spark.properties")
    }

    /// Folders that have to be there.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        ["bin", "local", "tmp", "work"]
            .iter()
            .map(|name| self.plan.scratch.join(name))
            .collect()
    }

    /// The whole environment of the driver.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let Plan { parts, scratch, .. } = self.plan;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut environment = self.plan.environment.clone();
        environment.extend([
            (TOKEN_VARIABLE.to_owned(), self.token.to_owned()),
            ("SPARK_HOME".to_owned(), text(&parts.spark_home)),
            // The only way to keep all of Spark's ports on the loopback.
            ("SPARK_LOCAL_IP".to_owned(), "127.0.0.1".to_owned()),
            ("PYSPARK_PYTHON".to_owned(), text(&self.python_link())),
            (PYTHON_VARIABLE.to_owned(), text(&parts.python)),
            ("TMPDIR".to_owned(), text(&scratch.join("tmp"))),
        ]);
        locale::utf8(&mut environment);
        environment
    }

    /// The settings of Spark.
    pub(crate) fn conf(&self) -> BTreeMap<String, String> {
        let mut conf = self.plan.conf.clone();
        let port = "spark.connect.grpc.binding.port";
        conf.insert(port.to_owned(), self.port.to_string());
        let pools = "spark.scheduler.allocation.file";
        conf.insert(pools.to_owned(), file_url(&self.pools_file()));
        conf
    }

    /// The arguments of Java, as the text of an argument file: what stands in a file of the user's
    /// own cannot be read by others on the machine, as a command line can.
    pub(crate) fn arguments(&self) -> String {
        // Last, for an archive of classes is valid for a class path that begins as its own.
        let listener = self.plan.conf.get(LISTENERS);
        let listener = listener.map(|_class| self.listener_file());
        let class_path = self.jars.iter().chain(&listener);
        let mut arguments = java::usual(class_path, self.plan.heap, self.plan.cores);
        if let Some(archive) = self.plan.archive.as_ref().filter(|_| self.archived) {
            arguments.extend(archive.flags());
        }
        arguments.extend_from_slice(&self.plan.java);
        let tmp = self.plan.scratch.join("tmp");
        arguments.push(format!("-Djava.io.tmpdir={}", tmp.display()));
        if self.plan.packages {
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
        java::argument_file(&arguments)
    }

    /// The settings as `spark-submit` reads them, for a driver with packages.
    pub(crate) fn properties(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.conf() {
            let mut line = String::new();
            for c in value.chars() {
                match c {
                    '\\' => line.push_str("\\\\"),
                    // What ends a line would begin another setting.
                    c if c.is_control() => {
                        let _infallible = write!(line, "\\u{:04x}", u32::from(c));
                    }
                    c => line.push(c),
                }
            }
            let _infallible = writeln!(text, "{key}={line}");
        }
        text
    }
}

impl Plan {
    /// The command of the driver, for a person to read: Java, and its arguments one a line. The
    /// names of Spark's jars and its settings are left out; they are many, and settings of one
    /// attempt are not known before it.
    pub(crate) fn command(&self) -> String {
        let jars = [self.parts.spark_home.join("jars").join("*")];
        let attempt = Attempt {
            plan: self,
            jars: &jars,
            port: 0,
            token: "",
            archived: true,
        };
        let arguments = attempt.arguments();
        let arguments = arguments
            .lines()
            .filter(|argument| !argument.starts_with("\"-Dspark."));
        let java = self.parts.java.to_string_lossy();
        let lines: Vec<&str> = std::iter::once(&*java).chain(arguments).collect();
        lines.join("\n    ")
    }
}

/// Settings as they are written down: names and values.
type Settings = Vec<(&'static str, String)>;

/// What is the same for every driver of ours: who may call it, how long it holds what nobody asks
/// for, and that its sessions are served fairly.
fn everywhere(profile: &Profile, heap: Memory, scratch: &Path) -> Settings {
    let away = profile.away.duration().as_secs();
    let local = scratch.join("local").to_string_lossy().into_owned();
    vec![
        ("spark.app.name", format!("firesteel {}", profile.name)),
        ("spark.authenticate", "true".to_owned()),
        (
            "spark.connect.execute.manager.detachedTimeout",
            format!("{away}s"),
        ),
        // Every 2 s is Spark's own, a long time to look at an old number.
        ("spark.connect.progress.reportInterval", "250ms".to_owned()),
        ("spark.connect.grpc.binding.address", "127.0.0.1".to_owned()),
        ("spark.connect.grpc.port.maxRetries", "0".to_owned()),
        // The keeper releases sessions itself: one whose kernel is there has no end.
        (
            "spark.connect.session.manager.defaultSessionTimeout",
            "-1".to_owned(),
        ),
        ("spark.driver.memory", heap.to_string()),
        (LISTENERS, LISTENER_CLASS.to_owned()),
        ("spark.local.dir", local),
        ("spark.scheduler.mode", "FAIR".to_owned()),
    ]
}

/// What holds where a profile says nothing else.
fn unless_told() -> Settings {
    // They come sooner, and who reads them needs about half the memory (`make bench`).
    let codec = "spark.sql.execution.arrow.compression.codec";
    // By this level a fetch is a fifth quicker than by Spark's own, 3; lower ones gain nothing more.
    let level = "spark.sql.execution.arrow.compression.zstd.level";
    // Spark's own 10,000 rows a batch cost a fetch of millions a tenth of its time. However many, a message's bytes are bounded
    // by `spark.connect.grpc.arrow.maxBatchSize`.
    let batch = "spark.sql.execution.arrow.maxRecordsPerBatch";
    [(codec, "zstd"), (level, "1"), (batch, "40000")]
        .map(|(key, value)| (key, value.to_owned()))
        .to_vec()
}

/// The setting by which packages are fetched, where there are any.
fn packages(packages: &[Package]) -> Option<(&'static str, String)> {
    let names: Vec<&str> = packages.iter().map(Package::as_str).collect();
    (!names.is_empty()).then(|| ("spark.jars.packages", names.join(",")))
}

/// What a profile says, and over it what is ours.
fn over(conf: &BTreeMap<String, String>, ours: Settings) -> BTreeMap<String, String> {
    let settings = |settings: Settings| {
        let settings = settings.into_iter();
        settings.map(|(key, value)| (key.to_owned(), value))
    };
    let mut all: BTreeMap<_, _> = settings(unless_told()).collect();
    all.extend(conf.clone());
    all.extend(settings(ours));
    all
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

#[cfg(test)]
mod tests;
