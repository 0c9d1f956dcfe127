//! A real Spark Connect server, one for each test binary.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::Runtime;
use firesteel_session::address::{Address, Token};
use firesteel_session::client::{Client, Options};
use firesteel_session::session::Session;
use tempfile::TempDir;
use uuid::Uuid;

use crate::ports;

/// How long a server may take until it answers; other tests may be using the machine.
const START: Duration = Duration::from_secs(120);

/// How the servers' folders are named, before the id of the process they belong to.
const PREFIX: &str = "firesteel-tests-spark-";

/// What every driver of ours runs beside Spark, and the class in it.
const LISTENER: (&str, &str) = (
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../launcher/listener/firesteel-listener.jar"
    ),
    "firesteel.Interrupted",
);

/// What Spark's `JavaModuleOptions` has for Java 17 and later.
const MODULES: [&str; 14] = [
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
];

/// Settings of the server that a test binary shares: streams end early, as they do after two
/// minutes or a gigabyte by default, and progress is told often.
const SHARED: [(&str, &str); 3] = [
    (
        "spark.connect.execute.reattachable.senderMaxStreamDuration",
        "1s",
    ),
    (
        "spark.connect.execute.reattachable.senderMaxStreamSize",
        "256k",
    ),
    ("spark.connect.progress.reportInterval", "200ms"),
];

/// The server that all tests of a binary share; `None` when there is none and that is allowed.
pub fn shared() -> Option<&'static Spark> {
    shared_with(&SHARED)
}

/// The server that all tests of a binary share, with these settings, which are the same in all of
/// them; `None` when there is none and that is allowed.
pub fn shared_with(conf: &'static [(&str, &str)]) -> Option<&'static Spark> {
    static SPARK: OnceLock<Option<Spark>> = OnceLock::new();
    let start = || {
        // A thread of its own: it waits, and tests are on tokio's threads.
        std::thread::spawn(|| Spark::start(conf))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    };
    SPARK.get_or_init(start).as_ref()
}

/// A running server. It ends with [`stop`](Self::stop), else with the process that started it.
pub struct Spark {
    port: u16,
    token: String,
    dir: TempDir,
    child: Child,
}

impl Spark {
    /// Starts a server with these settings and waits until it answers. `None` when there is no
    /// Spark on this machine and `FIRESTEEL_SKIP_SPARK` allows that.
    ///
    /// # Panics
    /// When there is no Spark, or it does not start.
    pub fn start(conf: &[(&str, &str)]) -> Option<Self> {
        let var = |name: &str| std::env::var(name).ok();
        let runtime = match Runtime::locate(&Paths::from_env(var), None, var) {
            Ok(runtime) => runtime,
            Err(missing) if var("FIRESTEEL_SKIP_SPARK").is_some() => {
                eprintln!("SKIPPED, NOT TESTED: there is no Spark to test against. {missing}");
                return None;
            }
            Err(missing) => panic!("{missing} Or set FIRESTEEL_SKIP_SPARK to go without."),
        };
        sweep();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let dir = tempfile::Builder::new().prefix(&prefix).tempdir().unwrap();
        let port = ports::free();
        let token = Uuid::new_v4().to_string();
        let command = command(&runtime, dir.path(), port, &token, conf);
        let mut spark = Self {
            port,
            token,
            child: spawn(command).unwrap(),
            dir,
        };
        spark.wait();
        Some(spark)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The token it asks for.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// How to reach it.
    pub fn address(&self) -> Address {
        Address::tcp("localhost", self.port, "tester").with_token(Token::new(&self.token))
    }

    /// A new session on it. Within a tokio runtime.
    pub fn session(&self) -> Session {
        Session::new(Client::new(self.address(), Options::local()).unwrap())
    }

    /// A folder for files, gone with the server.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends the server.
    pub fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until a call with this server's own token succeeds.
    fn wait(&mut self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("Spark ended with {status}:\n{}", self.log());
            }
            // A call is retried for three seconds, which paces the loop.
            let answer = runtime.block_on(async { self.session().spark_version().await });
            if answer.is_ok() {
                return;
            }
        }
        let log = self.log();
        self.child.kill().unwrap();
        panic!("Spark did not answer within {START:?}:\n{log}");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

fn command(
    runtime: &Runtime,
    dir: &Path,
    port: u16,
    token: &str,
    conf: &[(&str, &str)],
) -> Command {
    let mut jars: Vec<String> = fs::read_dir(runtime.spark_home.join("jars"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .filter(|path| path.ends_with(".jar"))
        .collect();
    jars.sort();
    jars.push(LISTENER.0.to_owned());
    let port = port.to_string();
    let warehouse = dir.join("warehouse").to_string_lossy().into_owned();
    let ours = [
        ("spark.master", "local[4]"),
        ("spark.app.name", "firesteel-tests"),
        ("spark.ui.enabled", "false"),
        ("spark.extraListeners", LISTENER.1),
        ("spark.connect.grpc.binding.address", "127.0.0.1"),
        ("spark.connect.grpc.binding.port", &port),
        ("spark.sql.warehouse.dir", &warehouse),
    ];
    let log = File::create(dir.join("log")).unwrap();
    let mut command = Command::new(&runtime.java);
    command
        .args(["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(MODULES.map(|module| format!("--add-opens={module}=ALL-UNNAMED")))
        .args(["-Djdk.reflect.useDirectMethodHandle=false"])
        .args(["-Dio.netty.tryReflectionSetAccessible=true"])
        .args(
            ours.iter()
                .chain(conf)
                .map(|(key, value)| format!("-D{key}={value}")),
        )
        .arg("-cp")
        .arg(jars.join(":"))
        .arg("org.apache.spark.sql.connect.service.SparkConnectServer")
        .current_dir(dir)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .env("SPARK_CONNECT_AUTHENTICATE_TOKEN", token)
        .env("PYSPARK_PYTHON", &runtime.python)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

/// Starts a child that is killed when this process ends, however it does.
fn spawn(mut command: Command) -> io::Result<Child> {
    // The kernel sends the signal when the thread that forked ends, so that thread never does.
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("spark".to_owned())
        .spawn(move || {
            #[expect(
                unsafe_code,
                reason = "the closure makes one system call and allocates nothing"
            )]
            // SAFETY: prctl is safe between fork and exec.
            unsafe {
                command.pre_exec(|| {
                    rustix::process::set_parent_process_death_signal(Some(
                        rustix::process::Signal::KILL,
                    ))?;
                    Ok(())
                });
            }
            let _ = sender.send(command.spawn());
            loop {
                std::thread::park();
            }
        })?;
    receiver.recv().map_err(io::Error::other)?
}

/// Removes what servers of test processes that are no more have left: a process that ends drops
/// nothing that is static.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
