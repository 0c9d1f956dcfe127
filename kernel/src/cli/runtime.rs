//! `firesteel runtime`: installs and shows what drivers on this machine are made of.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Subcommand};
use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::{self, Progress};

use super::{Answer, var};

/// `firesteel runtime …`.
#[derive(Debug, Subcommand)]
pub(super) enum Runtime {
    /// Put Spark, Python and, where there is none, Java into a folder of your own.
    Install(Install),
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
    pub(super) fn run(&self) -> Answer {
        let paths = Paths::from_env(var);
        let found = match self {
            Self::Install(Install { again, with_java }) => {
                runtime::install(&paths, var, *again, *with_java, &mut Steps::default())?
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

/// Prints each step as it begins, with the seconds of the one before.
#[derive(Debug, Default)]
pub(super) struct Steps {
    running: Option<Instant>,
}

impl Progress for Steps {
    fn step(&mut self, what: &str, into: &Path) {
        self.end();
        if self.running.is_none() {
            say!("Installing into {}", into.display());
        }
        print!("  {what} … ");
        if !io::stdout().is_terminal() {
            say!();
        }
        // Nothing is lost when the terminal is gone.
        let _ = io::stdout().flush();
        self.running = Some(Instant::now());
    }
}

impl Steps {
    fn end(&mut self) {
        if let Some(since) = self.running {
            say!("{:.1} s", since.elapsed().as_secs_f64());
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.end();
    }
}
