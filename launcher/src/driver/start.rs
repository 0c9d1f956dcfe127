//! Starting a driver: attempts with fresh ports and tokens, until one takes calls.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use firesteel_session::address::{Address, Token};
use firesteel_session::client::{Client, Options};
use firesteel_session::proto;
use firesteel_session::retry::Retry;
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::explain::{Failed, Home, Setting, explain, is_hopeless};
use super::jars::jars;
use super::output::Output;
use super::plan::{Attempt, FAIR_POOL, LISTENER, Plan};
use super::process::{Exit, Jvm};
use crate::archive::Whole;
use crate::attach::state::Phase;
use crate::cause::{Cause, Kind};
use crate::cluster::executors;
use crate::machine;
use crate::place::unusable;
use crate::secret::Secret;

/// How often another port is tried where one was taken between our look and Spark's.
const ATTEMPTS: usize = 3;

/// Time between two questions whether Spark takes calls.
const ASK: Duration = Duration::from_millis(25);

/// How long one of these questions may take; the first ones wait for classes to be loaded.
const ANSWER: Duration = Duration::from_secs(20);

/// How long a driver may take to end when asked to, before it is killed.
const ENDING: Duration = Duration::from_secs(8);

/// The same of one that never took a call.
const HOPELESS: Duration = Duration::from_secs(1);

/// How long what it printed may take to be read, once it has ended. A process it left behind may
/// hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How many lines of the log are looked at to explain an end.
const LOOK_BACK: usize = 300;

/// What a driver is started from.
pub(crate) struct Starter<'a> {
    pub(crate) plan: &'a Plan,
    /// Told how far the start is.
    pub(crate) phase: &'a (dyn Fn(Phase) + Send + Sync),
}

/// A driver's process, from its start to its end.
pub(crate) struct Driver {
    jvm: Jvm,
    output: Output,
    /// What the cluster refused it last.
    refused: watch::Receiver<Option<Cause>>,
    /// How many processes had been killed for want of memory when it started.
    kills: Option<u64>,
}

/// What is known of a driver that takes calls.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) spark_version: String,
    /// Calls the driver without passing the door.
    pub(crate) client: Client,
    /// Opens the driver. Known to it and to us alone.
    pub(crate) token: Secret,
}

impl Starter<'_> {
    /// Starts the driver and waits until it takes calls. Dropped before that, it leaves the process
    /// to the end of the keeper; a caller that goes on has to take `driver` back and end it.
    pub(crate) async fn start(&self, driver: &mut Option<Driver>) -> Result<Running, Cause> {
        let give_up = Instant::now() + self.plan.start_deadline;
        let mut taken = 0;
        let mut archive = self.plan.archive.as_ref();
        loop {
            let Some(attempted) = self.attempt_from(archive, driver, give_up).await else {
                end_unused(driver).await;
                if let Some(archive) = archive.take() {
                    archive.spoiled("it is not as it was made");
                }
                continue;
            };
            match attempted {
                Err(cause) if cause.kind == Kind::Port && taken + 1 < ATTEMPTS => {
                    tracing::info!("the driver's port was taken; another is tried");
                    taken += 1;
                }
                Err(cause) => match archive.take() {
                    Some(archive) if died(driver).await => archive.spoiled("Java died of it"),
                    _ => return Err(cause),
                },
                Ok(running) => return Ok(running),
            }
        }
    }

    /// An attempt from `archive`, which is checked meanwhile; `None` where it is not as it was made,
    /// which may make Java fail in any way, at any time.
    async fn attempt_from(
        &self,
        archive: Option<&Whole>,
        driver: &mut Option<Driver>,
        give_up: Instant,
    ) -> Option<Result<Running, Cause>> {
        let sound = async {
            match archive {
                Some(archive) => archive.is_sound().await,
                None => true,
            }
        };
        let mut sound = pin!(sound);
        let mut attempt = pin!(self.attempt(driver, archive.is_some(), give_up));
        tokio::select! {
            sound = &mut sound => {
                if sound { Some(attempt.await) } else { None }
            }
            attempted = &mut attempt => sound.await.then_some(attempted),
        }
    }

    async fn attempt(
        &self,
        driver: &mut Option<Driver>,
        archived: bool,
        give_up: Instant,
    ) -> Result<Running, Cause> {
        (self.phase)(Phase::Preparing);
        let spark_home = &self.plan.parts.spark_home;
        let jars = jars(spark_home).map_err(|error| no_jars(spark_home, &error))?;
        let port = free_port().map_err(|error| {
            Cause::new(
                Kind::Port,
                format!("There is no free port for the Spark driver: {error}"),
                "End some programs and run the cell again.",
            )
        })?;
        let token = Secret::random().map_err(|_unspecified| no_random())?;
        let attempt = Attempt {
            plan: self.plan,
            jars: &jars,
            port,
            token: token.reveal(),
            archived,
        };
        prepare(&attempt).map_err(|error| unusable(&self.plan.scratch, &error))?;
        let packages = self.plan.packages;
        (self.phase)(if packages {
            Phase::ResolvingPackages
        } else {
            Phase::StartingJava
        });
        let kills = kills();
        let started = Jvm::spawn(
            &self.plan.parts.java,
            &attempt.arguments_file(),
            &attempt.working_folder(),
            &attempt.environment(),
        );
        let (jvm, pipe) = started.map_err(|error| {
            Cause::new(
                Kind::Runtime,
                format!("Java cannot be started: {error}"),
                "See whether the machine has too many processes, and run `firesteel doctor`.",
            )
        })?;
        let echo: Box<dyn io::Write + Send> = match self.plan.home {
            Home::Machine => Box::new(io::sink()),
            // Whoever asks Kubernetes for a pod's log expects Spark's there.
            Home::Image(_) => Box::new(io::stdout()),
        };
        let (tell, refused) = watch::channel(None);
        let hopeless = CancellationToken::new();
        let gives_up = hopeless.clone();
        let heed = move |line: &str| {
            if let Some(cause) = executors::refused(line) {
                tell.send_replace(Some(cause));
            }
            if is_hopeless(line) {
                gives_up.cancel();
            }
        };
        let output = Output::read(pipe, &self.plan.log, echo, heed)
            .map_err(|error| unusable(&self.plan.log, &error))?;
        let driver = driver.insert(Driver {
            jvm,
            output,
            refused,
            kills,
        });
        if !packages {
            (self.phase)(Phase::WaitingForSpark);
        }

        let client = client(port, &token, &self.plan.user)?;
        let ready = timeout_at(give_up, hopeless.run_until_cancelled(driver.ready(&client))).await;
        let failed = match ready {
            Ok(Some(Ok(spark_version))) => {
                return Ok(Running {
                    pid: driver.jvm.pid(),
                    port,
                    spark_version,
                    client,
                    token,
                });
            }
            Ok(Some(Err(exit))) => Failed::ToStart(exit),
            Ok(None) => {
                driver.end_within(HOPELESS).await;
                Failed::ToStart(driver.exit().await)
            }
            Err(_) => {
                driver.end().await;
                Failed::ToStartWithin(self.plan.start_deadline)
            }
        };
        Err(driver.explain(failed, self.plan).await)
    }
}

impl Driver {
    /// Follows what the cluster refuses it; what it refused already is news.
    pub(crate) fn refused(&self) -> watch::Receiver<Option<Cause>> {
        self.refused.clone()
    }

    /// Waits for the end of the process. Cancel-safe.
    pub(crate) async fn exit(&mut self) -> Exit {
        self.jvm.exit().await
    }

    /// Ends the process: asked first, then killed. Does nothing where it has ended.
    pub(crate) async fn end(&mut self) {
        self.end_within(ENDING).await;
    }

    /// Ends the process: asked first, then killed where it takes longer than this. Gives how it ended.
    pub(crate) async fn end_within(&mut self, time: Duration) -> Exit {
        self.jvm.signal(Signal::TERM);
        if let Ok(exit) = timeout(time, self.jvm.exit()).await {
            return exit;
        }
        tracing::warn!("the driver did not end when asked to, and is killed");
        self.jvm.signal(Signal::KILL);
        self.jvm.exit().await
    }

    /// Says why it failed, once all it printed was read.
    pub(crate) async fn explain(&mut self, failed: Failed, plan: &Plan) -> Cause {
        if timeout(LAST_WORDS, self.output.ended()).await.is_err() {
            tracing::debug!("something the driver started still holds its output");
        }
        let setting = Setting {
            home: &plan.home,
            out_of_memory: self
                .kills
                .zip(kills())
                .is_some_and(|(then, now)| now > then),
            limit: machine::limit(|path| fs::read_to_string(path).ok()),
            heap: plan.heap,
            java: &plan.parts.java,
            spark_home: &plan.parts.spark_home,
            scratch: &plan.scratch,
            packages: plan.packages,
            profile: &plan.profile,
        };
        explain(failed, &self.output.tail(LOOK_BACK), &setting)
    }

    /// Waits until the driver answers a call with its own token, and gives the version it says; or
    /// its end, if that comes before.
    async fn ready(&mut self, client: &Client) -> Result<String, Exit> {
        let answer = async {
            loop {
                match timeout(ANSWER, version(client)).await {
                    Ok(Ok(version)) => return version,
                    Ok(Err(failure)) => tracing::trace!(%failure, "the driver does not answer yet"),
                    Err(_) => tracing::debug!("the driver took a call and did not answer in time"),
                }
                tokio::time::sleep(ASK).await;
            }
        };
        tokio::select! {
            exit = self.jvm.exit() => Err(exit),
            version = answer => Ok(version),
        }
    }
}

/// Ends a driver that nobody has used, at once.
async fn end_unused(driver: &mut Option<Driver>) {
    if let Some(driver) = driver {
        driver.end_within(Duration::ZERO).await;
    }
}

/// Whether the driver ended as a Java that finds its own memory wrong: aborted, or by a bad access.
async fn died(driver: &mut Option<Driver>) -> bool {
    let bad = [Signal::ABORT, Signal::BUS, Signal::SEGV].map(Signal::as_raw);
    match driver {
        Some(driver) => {
            matches!(driver.exit().await, Exit::Signal(signal) if bad.contains(&signal))
        }
        None => false,
    }
}

/// Asks the driver for its Spark's version, in a session that is gone again at once.
async fn version(client: &Client) -> Result<String, firesteel_session::failure::Failure> {
    let session_id = Uuid::new_v4().to_string();
    let user_context = Some(proto::UserContext {
        user_id: client.address().user_id.clone(),
        ..proto::UserContext::default()
    });
    let request = proto::AnalyzePlanRequest {
        session_id: session_id.clone(),
        user_context: user_context.clone(),
        analyze: Some(proto::analyze_plan_request::Analyze::SparkVersion(
            proto::analyze_plan_request::SparkVersion {},
        )),
        ..proto::AnalyzePlanRequest::default()
    };
    let response = client.analyze_plan(request).await?;
    let release = proto::ReleaseSessionRequest {
        session_id,
        user_context,
        ..proto::ReleaseSessionRequest::default()
    };
    if let Err(failure) = client.release_session(release).await {
        tracing::debug!(%failure, "the session that asked for the version stays");
    }
    Ok(match response.result {
        Some(proto::analyze_plan_response::Result::SparkVersion(answer)) => answer.version,
        _ => String::new(),
    })
}

/// A client of the driver itself, which makes each call once.
fn client(port: u16, token: &Secret, user: &str) -> Result<Client, Cause> {
    let address = Address::tcp("127.0.0.1", port, user).with_token(Token::new(token.reveal()));
    let options = Options {
        retry: Retry::NONE,
        client_type: "firesteel keeper".to_owned(),
        ..Options::local()
    };
    Client::new(address, options).map_err(|error| {
        Cause::new(
            Kind::Keeper,
            format!("The driver's own address cannot be used: {error}"),
            "Report this: it is a mistake of ours.",
        )
    })
}

pub(crate) fn no_random() -> Cause {
    Cause::new(
        Kind::Keeper,
        "The system gives no random numbers",
        "See whether /dev/urandom can be read.",
    )
}

/// How many processes beside us were killed for want of memory so far.
fn kills() -> Option<u64> {
    machine::kills(|path| fs::read_to_string(path).ok())
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn no_jars(spark_home: &Path, error: &io::Error) -> Cause {
    let folder = spark_home.join("jars");
    Cause::new(
        Kind::Jars,
        format!(
            "The jars of Spark in {} cannot be read: {error}",
            folder.display()
        ),
        "Run `firesteel runtime install --again`.",
    )
}

/// Makes the folders and files an attempt needs.
fn prepare(attempt: &Attempt<'_>) -> io::Result<()> {
    for folder in attempt.folders() {
        fs::create_dir_all(folder)?;
    }
    write_private(&attempt.pools_file(), FAIR_POOL)?;
    write_private(&attempt.listener_file(), LISTENER)?;
    write_private(&attempt.arguments_file(), attempt.arguments())?;
    if attempt.plan.packages {
        write_private(&attempt.properties_file(), attempt.properties())?;
    }
    let link = attempt.python_link();
    if link.symlink_metadata().is_err() {
        // By its process, our program is found even when its file was replaced meanwhile.
        symlink(format!("/proc/{}/exe", std::process::id()), link)?;
    }
    Ok(())
}

fn write_private(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    options.open(path)?.write_all(content.as_ref())
}
