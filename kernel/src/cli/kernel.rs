//! `firesteel kernel`: what a front end starts.

use std::env;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::thread;

use clap::Args;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use jupyter_protocol::LanguageInfo;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getppid, pidfd_open};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Answer, log, var};
use crate::engine::{Drivers, Settings};
use crate::history::History;
use crate::run::Cells;
use crate::serve::{About, Signals, serve};
use crate::wire::connection::Connection;
use crate::wire::iopub::Limits;

/// `firesteel kernel`.
#[derive(Debug, Args)]
pub(super) struct Kernel {
    /// The connection file that the front end wrote.
    #[arg(short = 'f', long = "connection-file")]
    connection_file: PathBuf,
    /// The profile to use where the user names none.
    #[arg(long)]
    profile: Option<String>,
}

impl Kernel {
    pub(super) async fn run(self) -> Answer {
        let paths = Paths::from_env(var);
        log::start(&paths.state.join("kernel.log"));
        let connection = Connection::read(&self.connection_file)?;
        let history = History::open(&paths.state.join("history.jsonl"));
        let drivers = Drivers::new(Settings {
            paths,
            environment: Environment::of_process(),
            kernelspec_profile: self.profile,
            here: env::current_dir()?,
        });
        let cells = Box::new(Cells::new(Box::new(drivers)));
        let signals = signals()?;
        serve(
            &connection,
            cells,
            about(),
            history,
            Limits::default(),
            signals,
        )
        .await?;
        Ok(ExitCode::SUCCESS)
    }
}

fn about() -> About {
    let mut language = LanguageInfo {
        name: "sql".to_owned(),
        version: firesteel_launcher::runtime::SPARK_VERSION.to_owned(),
        mimetype: Some("text/x-sql".to_owned()),
        file_extension: Some(".sql".to_owned()),
        pygments_lexer: Some("sql".to_owned()),
        codemirror_mode: None,
        nbconvert_exporter: Some("script".to_owned()),
    };
    language.codemirror_mode = Some(jupyter_protocol::CodeMirrorMode::Simple("sql".to_owned()));
    About {
        implementation: "firesteel".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        language,
        banner: concat!(
            "Firesteel ",
            env!("CARGO_PKG_VERSION"),
            ": Spark SQL. `%help` lists the magics."
        )
        .to_owned(),
        help_links: Vec::new(),
    }
}

/// SIGINT interrupts; SIGTERM, and the end of the front end that started us, end the kernel.
fn signals() -> std::io::Result<Signals> {
    let (interrupt, interrupts) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let mut int = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    let ends = stop.clone();
    tokio::spawn(async move {
        let mut orphaned = pin!(parent_ended());
        loop {
            tokio::select! {
                Some(()) = int.recv() => {
                    // One that is not yet served is enough.
                    let _ = interrupt.try_send(());
                }
                _ = term.recv() => break,
                () = &mut orphaned => {
                    tracing::info!("the front end is gone");
                    break;
                }
            }
        }
        ends.cancel();
    });
    Ok(Signals { interrupts, stop })
}

/// Waits for the end of the process that started us, if that process says that the kernel is to
/// end with it: jupyter_client sets `JPY_PARENT_PID` where the kernel is not meant to outlive it.
async fn parent_ended() {
    let Some(parent) = watched_parent() else {
        return std::future::pending().await;
    };
    let (gone, told) = oneshot::channel();
    let watch = move || {
        // Readable when the process has ended.
        let mut ended = [PollFd::new(&parent, PollFlags::IN)];
        while poll(&mut ended, None) == Err(Errno::INTR) {}
        // Nobody listens when the kernel ends by itself.
        let _ = gone.send(());
    };
    // A thread, because the runtime's own way to wait for a descriptor is not safe code.
    let started = thread::Builder::new()
        .name("parent".to_owned())
        .spawn(watch);
    if started.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn watched_parent() -> Option<OwnedFd> {
    let pid = var("JPY_PARENT_PID")?;
    let parent = getppid()?;
    // Another process in between, such as a wrapper script, has its own lifetime.
    if parent.as_raw_nonzero().to_string() != pid {
        return None;
    }
    pidfd_open(parent, PidfdFlags::empty()).ok()
}
