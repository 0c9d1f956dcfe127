//! A keeper on this machine: one per claim by a lock, behind a socket that only its user can open.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use uuid::Uuid;

use super::office::{Ending, Office, Terms, When};
use super::service::Distance;
use super::{mistaken, no_signals, orphans};
use crate::archive::Archive;
use crate::cause::{Cause, Kind};
use crate::driver::{Order, Plan, no_random};
use crate::place::{Lock, Place, Places, sweep_own, unusable};
use crate::profile::Runs;
use crate::secret::{Lockwork, Secret};

/// How long a keeper waits for the one before it, which may be ending its driver still.
const PREDECESSOR: Duration = Duration::from_secs(30);

/// Who ends a keeper here wants its driver gone.
const ENDING: Ending = Ending {
    why: told_to_end,
    patience: Duration::ZERO,
};

/// Keeps a driver from its start to its end. `bound` is called once kernels can connect; until then
/// an error is for whoever started the keeper, after that every kernel is told.
///
/// # Errors
/// Why the keeper could not begin.
pub(super) async fn keep(order: Order, bound: impl FnOnce()) -> Result<(), Cause> {
    let Runs::Local(local) = &order.profile.runs else {
        return Err(mistaken());
    };
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

    let mut plan = Plan::local(&order, local, &place);
    match Archive::of(&order.parts) {
        Ok(archive) => plan.archive = archive.ready(),
        Err(error) => tracing::debug!(%error, "the driver starts without an archive of classes"),
    }
    let mut office = Office::new(Terms {
        incarnation: Uuid::new_v4().to_string(),
        claim: &order.claim,
        profile: &order.profile,
        plan: &plan,
        distance: Distance::Machine,
        lockwork,
    });
    office.open(|server| server.accept(listener));
    bound();

    let outcome = office.attend(&mut terminate, ENDING).await;
    leave(&place);
    office.close(outcome.cause().clone()).await;
    tidy(&place, lock);
    Ok(())
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
    if let Err(error) = sweep_own(place, &lock) {
        tracing::warn!(%error, "what the driver leaves cannot be removed");
    }
    // It is given back by the end of this process: whoever waits for it finds no process any more.
    std::mem::forget(lock);
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

fn told_to_end(_when: When) -> Cause {
    Cause::new(
        Kind::Stopped,
        "The keeper of the Spark driver was told to end",
        "The next cell starts a new driver.",
    )
}
