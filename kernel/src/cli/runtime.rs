//! `firesteel runtime`: installs and shows what drivers on this machine are made of.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use firesteel_launcher::environment::Environment;
use firesteel_launcher::launcher::Launcher;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::{self, Progress};

use super::{Answer, var};

/// `firesteel runtime …`.
#[derive(Debug, Subcommand)]
pub(super) enum Runtime {
    /// Put Spark, Python and, where there is none, Java into a folder of your own.
    Install(Install),
    /// Make the archive of Spark's classes that drivers start from in a third of the time. It is made in the
    /// background after an installation; this waits for it.
    Archive,
    /// Say what is installed and where.
    Show,
}

/// `firesteel runtime install`.
#[derive(Debug, Args)]
pub(super) struct Install {
    /// Make it anew even where it is whole.
    #[arg(long)]
    again: bool,
    /// Bring a Java even where the machine has one.
    #[arg(long)]
    with_java: bool,
}

impl Runtime {
    pub(super) async fn run(&self) -> Answer {
        let paths = Paths::from_env(var);
        let launcher = Launcher::new(paths.clone(), Environment::of_process());
        let found = match self {
            Self::Install(Install { again, with_java }) => {
                let installed =
                    runtime::install(&paths, var, *again, *with_java, &mut Steps::default())?;
                // Notebooks run without it.
                if let Err(cause) = launcher.begin_archive().await {
                    say!("No archive of Spark's classes is made: {cause}");
                }
                installed
            }
            Self::Archive => {
                let mut steps = Steps::default();
                let step = "reading and checking Spark's classes";
                let found = runtime::Runtime::locate(&paths, None, var)?;
                steps.step(step, &found.spark_home.join("archives"));
                launcher.make_archive().await?;
                return Ok(ExitCode::SUCCESS);
            }
            Self::Show => runtime::Runtime::locate(&paths, None, var)?,
        };
        show(&found);
        Ok(ExitCode::SUCCESS)
    }
}

fn show(found: &runtime::Runtime) {
    say!("runtime  {}", found.home.display());
    say!(
        "Spark    {}  {}",
        found.spark_version,
        found.spark_home.display()
    );
    say!("Java     {}  {}", found.java_major, found.java.display());
    say!("Python   {}", found.python.display());
}

/// How often a step that takes long says that it goes on: where a person watches, and in a log.
const TICKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Prints each step as it begins, how long it has taken so far, and what it took.
#[derive(Debug, Default)]
pub(super) struct Steps {
    running: Option<Running>,
}

/// A step that is being done: dropping `done` ends its clock.
#[derive(Debug)]
struct Running {
    done: mpsc::Sender<()>,
    clock: thread::JoinHandle<()>,
}

impl Progress for Steps {
    fn step(&mut self, what: &str, into: &Path) {
        if self.running.is_none() {
            say!("Installing into {}", into.display());
        }
        self.end();
        let (done, ended) = mpsc::channel();
        let what = what.to_owned();
        self.running = Some(Running {
            done,
            clock: thread::spawn(move || tick(&what, &ended)),
        });
    }
}

/// Tells the time until `ended` is closed.
fn tick(what: &str, ended: &mpsc::Receiver<()>) {
    let since = Instant::now();
    let watched = io::stdout().is_terminal();
    let (again, pause) = if watched {
        ("\r", TICKS.0)
    } else {
        ("\n", TICKS.1)
    };
    loop {
        print!("  {what} … {:.0} s{again}", since.elapsed().as_secs_f64());
        // Nothing is lost when the terminal is gone.
        let _ = io::stdout().flush();
        if ended.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Disconnected) {
            break;
        }
    }
    say!("  {what}: {:.1} s", since.elapsed().as_secs_f64());
}

impl Steps {
    fn end(&mut self) {
        if let Some(Running { done, clock }) = self.running.take() {
            drop(done);
            // A clock that failed keeps nobody from going on.
            let _ = clock.join();
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.end();
    }
}
