//! A keeper as a process.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::keep;
use crate::backend::{BOUND, Said};
use crate::cause::{Cause, Kind};
use crate::driver::Order;

/// How long what still runs may take when everything is done.
const DRAIN: Duration = Duration::from_secs(2);

/// The variable that says how much a keeper logs.
const LOG_VARIABLE: &str = "FIRESTEEL_LOG";

/// Keeps the driver that the order on the standard input asks for. Says `bound` on the standard
/// output when kernels can connect, or why it cannot begin.
pub fn main() -> ExitCode {
    log();
    own_session();
    match read_order().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tracing::error!(%cause, "the keeper cannot begin");
            say(&serde_json::to_vec(&Said::from(cause)).unwrap_or_default());
            ExitCode::FAILURE
        }
    }
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

fn run(order: Order) -> Result<(), Cause> {
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
    let kept = runtime.block_on(keep(order, || say(BOUND)));
    runtime.shutdown_timeout(DRAIN);
    kept
}

/// Says the one line there is to say on the standard output. Whoever started us reads no more.
fn say(line: &[u8]) {
    let mut out = io::stdout();
    let said = out.write_all(line).and_then(|()| out.write_all(b"\n"));
    if let Err(error) = said.and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody waits for the keeper");
    }
}
