//! The parent of a driver: starts it, is the only door to it, and ends it when nobody is left.

mod desk;
mod orphans;
mod program;
mod serve;
mod service;
mod standing;
mod upstream;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::cause::{Cause, Kind};
use crate::driver::{Driver, Failed, Order, Starter, no_random};
use crate::place::{Lock, Place, Places, sweep, unusable};
use crate::profile::Runs;
use crate::secret::{Lockwork, Secret};
pub use program::main;

use desk::Desk;
use serve::Server;
use service::Introduction;
use upstream::DriverUpstream;

/// How long a keeper waits for the one before it, which may be ending its driver still.
const PREDECESSOR: Duration = Duration::from_secs(30);

/// How long those who are connected have to take what is left to say to them.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps a driver from its start to its end. `bound` is called once kernels can connect; until then
/// an error is for whoever started the keeper, after that every kernel is told.
///
/// # Errors
/// Why the keeper could not begin.
pub(crate) async fn keep(order: Order, bound: impl FnOnce()) -> Result<(), Cause> {
    let place = Places::open(&order.paths)?.of(&order.claim.id());
    place.make_folder()?;
    let lock = only_keeper(&place).await?;
    clear(&place).map_err(|error| unusable(&place.scratch, &error))?;

    let token = Secret::random().map_err(|_unspecified| no_random())?;
    let lockwork = Lockwork::new(&token).map_err(|_unspecified| no_random())?;
    write_token(&place.token(), &token).map_err(|error| unusable(&place.token(), &error))?;
    let listener =
        UnixListener::bind(place.socket()).map_err(|error| unusable(&place.socket(), &error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
    orphans::adopt();

    let tasks = TaskTracker::new();
    let closing = CancellationToken::new();
    let (mut desk, reception) = Desk::new(&order, Instant::now(), tasks.clone());
    let introduction = Introduction {
        incarnation: Uuid::new_v4().to_string(),
        pid: std::process::id(),
        started_at: SystemTime::now(),
        claim: order.claim.clone(),
        profile_hash: order.profile.hash(),
        lease: order.profile.away.duration(),
        log: place.log.clone(),
    };
    let upstream = DriverUpstream::new(reception.clone());
    let server = Server::new(
        introduction,
        reception,
        upstream,
        lockwork,
        tasks.clone(),
        closing.clone(),
    );
    tasks.spawn(server.accept(listener));
    bound();

    let mut driver = None;
    let cause = attend(&order, &place, &mut desk, &mut driver, &mut terminate).await;
    tracing::info!(%cause, "the driver ends");
    leave(&place);
    desk.end(cause).await;
    closing.cancel();
    if let Some(driver) = &mut driver {
        driver.end().await;
    }
    orphans::kill();
    tasks.close();
    if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
        tracing::info!("somebody did not take a farewell in time");
    }
    tidy(&place, lock);
    Ok(())
}

/// Starts the driver and stays with it until it ends, or is to be ended. Gives why.
async fn attend(
    order: &Order,
    place: &Place,
    desk: &mut Desk,
    driver: &mut Option<Driver>,
    terminate: &mut Signal,
) -> Cause {
    let deadline = match &order.profile.runs {
        Runs::Local(local) => local.start_deadline.duration(),
        Runs::Remote(_) | Runs::Kubernetes(_) => return mistaken(),
    };
    let state = desk.state();
    let phase = |phase| state.starting(phase);
    let starter = Starter {
        order,
        place,
        phase: &phase,
    };
    let started = tokio::select! {
        result = starter.start(driver, deadline) => result,
        cause = desk.until_end() => return cause,
        _ = terminate.recv() => return told_to_end(),
    };
    let running = match started {
        Ok(running) => running,
        Err(cause) => return cause,
    };
    tracing::info!(
        pid = running.pid,
        spark = running.spark_version,
        "the driver is ready"
    );
    desk.ready(running);
    let Some(driver) = driver else {
        return mistaken();
    };
    let exit = tokio::select! {
        exit = driver.exit() => exit,
        cause = desk.until_end() => return cause,
        _ = terminate.recv() => return told_to_end(),
    };
    driver.explain(Failed::Later(exit), order, place).await
}

async fn only_keeper(place: &Place) -> Result<Lock, Cause> {
    let path = place.keep_lock();
    match Lock::take(&path, Instant::now() + PREDECESSOR).await {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(Cause::new(
            Kind::Keeper,
            "The Spark driver before this one has not ended yet",
            "Run the cell again in a moment.",
        )),
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Removes what a driver before left.
fn clear(place: &Place) -> io::Result<()> {
    for file in [place.socket(), place.token()] {
        absent(fs::remove_file(file))?;
    }
    absent(fs::remove_dir_all(&place.scratch))?;
    fs::create_dir_all(&place.scratch)
}

/// Takes the way in away, so that who comes now finds nobody and makes the next driver.
fn leave(place: &Place) {
    for file in [place.socket(), place.token()] {
        if let Err(error) = absent(fs::remove_file(file)) {
            tracing::warn!(%error, "a file of the driver cannot be removed");
        }
    }
}

/// Removes what the driver leaves, and its folder where nobody makes the next one in it.
fn tidy(place: &Place, lock: Lock) {
    if let Err(error) = absent(fs::remove_dir_all(&place.scratch)) {
        tracing::warn!(%error, "the driver's scratch space cannot be removed");
    }
    drop(lock);
    if let Err(error) = sweep(place) {
        tracing::warn!(%error, "the driver's folder cannot be removed");
    }
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes the token where only the user can read it, and never half of it.
fn write_token(path: &Path, token: &Secret) -> io::Result<()> {
    let half = path.with_extension("half");
    absent(fs::remove_file(&half))?;
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600);
    options.open(&half)?.write_all(token.reveal().as_bytes())?;
    fs::rename(half, path)
}

fn told_to_end() -> Cause {
    Cause::new(
        Kind::Stopped,
        "The keeper of the Spark driver was told to end",
        "The next cell starts a new driver.",
    )
}

fn mistaken() -> Cause {
    Cause::new(
        Kind::Keeper,
        "A keeper was asked to keep what is no driver of ours",
        "Report this: it is a mistake of ours.",
    )
}

fn no_signals(error: &io::Error) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The keeper cannot listen for signals: {error}"),
        "See whether the machine has too many open files.",
    )
}
