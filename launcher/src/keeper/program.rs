//! A keeper as a process.

use std::fs::{self, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use tracing_subscriber::EnvFilter;

use super::office::Outcome;
use super::{local, pod};
use crate::archive;
use crate::backend::{BOUND, Said};
use crate::cause::{Cause, Kind};
use crate::cluster::last_words;
use crate::cluster::mounts::Mounts;
use crate::cluster::names::mount;
use crate::driver::Order;
use crate::environment::Environment;

/// How long what still runs may take when everything is done.
const DRAIN: Duration = Duration::from_secs(2);

/// Exit code of a keeper whose driver never took calls.
const NOT_STARTED: u8 = 3;

/// Exit code of a keeper whose driver ended by itself.
const LOST: u8 = 4;

/// How far work that nobody waits for stands behind other work (`nice(2)`).
const LAST_IN_LINE: i32 = 19;

/// The variable that says how much a keeper logs.
const LOG_VARIABLE: &str = "FIRESTEEL_LOG";

/// Keeps the driver that the order on the standard input asks for. Says `bound` on the standard
/// output when kernels can connect, or why it cannot begin.
pub fn main() -> ExitCode {
    log();
    no_core_dumps();
    own_session();
    let kept = read_order().and_then(|order| run(local::keep(order, || say(BOUND))));
    match kept.flatten() {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tracing::error!(%cause, "the keeper cannot begin");
            say(&serde_json::to_vec(&Said::from(cause)).unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// Keeps the driver of the pod we are process 1 of. `root` is where the pod's folders are.
///
/// The exit code tells how it ended: 0 where the driver was given back or told to end, 1 where the
/// keeper could not begin, 3 where the driver did not start, 4 where it ended by itself. Why is left
/// to Kubernetes as the container's termination message.
pub fn main_in_pod(root: &Path) -> ExitCode {
    log();
    no_core_dumps();
    let mounts = Mounts::below(root);
    let last_words_go_to = mounts.termination_log();
    let environment = Environment::of_process();
    match run(pod::keep(mounts, &environment)).flatten() {
        Ok(Outcome::Given(_) | Outcome::Told(_)) => ExitCode::SUCCESS,
        Ok(Outcome::NotStarted(_)) => ExitCode::from(NOT_STARTED),
        Ok(Outcome::Lost(_)) => ExitCode::from(LOST),
        Err(cause) => {
            tracing::error!(%cause, "the keeper cannot begin");
            last_words::say(&last_words_go_to, &cause);
            ExitCode::FAILURE
        }
    }
}

/// Makes the archive of classes that the order on the standard input needs, behind everything else that
/// the machine has to do. Says on the standard output why it cannot.
pub fn main_of_archive(wait: bool) -> ExitCode {
    log();
    if !wait {
        own_session();
    }
    if let Err(error) = rustix::process::nice(LAST_IN_LINE) {
        tracing::debug!(%error, "the archive is made as if it were urgent");
    }
    let made = read_order().and_then(|order| run(archive::make(order, wait)));
    match made.flatten() {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tracing::error!(%cause, "there is no archive of classes");
            say(&serde_json::to_vec(&Said::from(cause)).unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// Copies our own program into `folder`, whole or not at all, so that a container made from any
/// image can run it from there. An image with nothing but this program has no `cp`.
pub fn install(folder: &Path) -> ExitCode {
    let copied = std::env::current_exe().and_then(|program| copy(&program, folder));
    match copied {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let folder = folder.display();
            eprintln!("The keeper's program cannot be copied into {folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn copy(program: &Path, folder: &Path) -> io::Result<()> {
    let name = Path::new(mount::PROGRAM).file_name().unwrap_or_default();
    let half = folder.join(".half");
    fs::copy(program, &half)?;
    fs::set_permissions(&half, Permissions::from_mode(0o755))?;
    fs::rename(half, folder.join(name))
}

fn log() {
    let filter =
        EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_unset| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}

/// Leaves no picture of our memory, or of any program that we start, when one of them crashes: tokens
/// would be in it.
fn no_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a crash may leave a core dump with tokens in it");
    }
}

/// Leaves the process group of whoever started us: Jupyter ends kernels by their group.
fn own_session() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "the keeper leads a process group already");
    }
}

fn read_order() -> Result<Order, Cause> {
    let mut text = Vec::new();
    let read = io::stdin().read_to_end(&mut text);
    read.and_then(|_| serde_json::from_slice(&text).map_err(io::Error::from))
        .map_err(|error| {
            Cause::new(
                Kind::Keeper,
                format!("The keeper did not understand what it was asked: {error}"),
                "Install Firesteel again: its programs are of different versions.",
            )
        })
}

fn run<T>(kept: impl Future<Output = T>) -> Result<T, Cause> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Cause::new(
                Kind::Keeper,
                format!("The keeper cannot start its threads: {error}"),
                "See whether the machine has too many processes.",
            )
        })?;
    let kept = runtime.block_on(kept);
    runtime.shutdown_timeout(DRAIN);
    Ok(kept)
}

/// Says the one line there is to say on the standard output. Whoever started us reads no more.
fn say(line: &[u8]) {
    let mut out = io::stdout();
    let said = out.write_all(line).and_then(|()| out.write_all(b"\n"));
    if let Err(error) = said.and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody waits for the keeper");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_copied_over_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, "new").unwrap();
        let copy_of = dir.path().join("firesteel-launcher");
        fs::write(&copy_of, "older and longer").unwrap();
        copy(&program, dir.path()).unwrap();
        assert_eq!(fs::read(&copy_of).unwrap(), b"new");
        let mode = fs::metadata(&copy_of).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert!(copy(&program, &dir.path().join("none")).is_err());
    }
}
