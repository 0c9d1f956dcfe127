//! `firesteel kernel`: what a front end starts.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use jupyter_protocol::LanguageInfo;
use rustix::process::{PidfdFlags, getppid, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
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
    let parent = Parent::watch();
    let ends = stop.clone();
    tokio::spawn(async move {
        let orphaned = parent.ended();
        tokio::pin!(orphaned);
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

/// The process that started us, if it says that the kernel is to end with it: jupyter_client sets
/// `JPY_PARENT_PID` where the kernel is not meant to outlive it.
struct Parent(Option<AsyncFd<std::os::fd::OwnedFd>>);

impl Parent {
    fn watch() -> Self {
        let watched = var("JPY_PARENT_PID").and_then(|pid| {
            let parent = getppid()?;
            // Another process in between, such as a wrapper script, has its own lifetime.
            if parent.as_raw_nonzero().to_string() != pid {
                return None;
            }
            let descriptor = pidfd_open(parent, PidfdFlags::NONBLOCK).ok()?;
            AsyncFd::register_with_interest(descriptor, Interest::READABLE).ok()
        });
        Self(watched)
    }

    async fn ended(self) {
        match self.0 {
            // Readable when the process has ended.
            Some(descriptor) if descriptor.readable().await.is_ok() => {}
            _ => std::future::pending().await,
        }
    }
}
