//! A keeper as process 1 of a driver's pod: what it is told is mounted, its port is open to the
//! cluster with TLS, and its last words go to Kubernetes.

mod brief;
mod port;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::office::{Ending, Office, Outcome, Terms, When};
use super::service::Distance;
use super::steer::Steer;
use super::{no_signals, orphans};
use crate::cause::{Cause, Kind};
use crate::cluster::mounts::Mounts;
use crate::cluster::{last_words, tls};
use crate::driver::Plan;
use crate::environment::Environment;
use brief::Brief;

/// A pod has half a minute to end by default; within it, after this, sessions are let go of and Java
/// ends.
const ENDING: Ending = Ending {
    why: told_to_end,
    patience: Duration::from_secs(10),
};

/// Keeps the driver of the pod we are in, from its start to its end.
///
/// # Errors
/// Why the keeper could not begin.
pub(super) async fn keep(mounts: Mounts, environment: &Environment) -> Result<Outcome, Cause> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
    orphans::adopt();
    let brief = Brief::read(mounts, environment)?;
    let plan = Plan::pod(&brief.assignment, &brief.runs, &brief.pod);
    let tls =
        tls::server(&brief.identity).map_err(|error| brief::unreadable("certificate", &error))?;
    let steer = Steer::new(
        &brief.pod.mounts,
        &brief.pod.api,
        &brief.runs.namespace,
        &brief.assignment,
        plan.start_deadline,
    )?;
    let listeners = port::bind(brief.pod.address).await?;

    let clearing = steer.clearing();
    let fate = steer.fate(&brief.pod.name);

    let mut office = Office::new(Terms {
        incarnation: brief.assignment.incarnation.clone(),
        claim: &brief.assignment.claim,
        profile: &brief.assignment.profile,
        plan: &plan,
        distance: Distance::Network,
        lockwork: brief.lockwork,
    });
    office.open(|server| port::accept(server, listeners, tls));
    office.beside(|_reception| orphans::reap());
    office.beside(|reception| steer.run(reception));

    let outcome = match office.attend(&mut terminate, ENDING).await {
        Outcome::Told(guess) => Outcome::Told(fate.cause().await.unwrap_or(guess)),
        outcome => outcome,
    };
    last_words::say(&brief.pod.mounts.termination_log(), outcome.cause());
    let close = office.close(outcome.cause().clone());
    match outcome {
        // Nobody needs to find out why.
        Outcome::Given(_) | Outcome::Told(_) => {
            futures::future::join(close, clearing.soon()).await;
        }
        Outcome::NotStarted(_) | Outcome::Lost(_) => close.await,
    }
    Ok(outcome)
}

/// Kubernetes tells a pod to end and not why: somebody deleted it, its node is drained or goes,
/// something more important takes its place, or its Job's deadline has passed, which is that of the
/// start until the driver is ready, and kept ahead from then on.
fn told_to_end(when: When) -> Cause {
    match when {
        When::Starting => Cause::new(
            Kind::Stopped,
            "The Spark driver's pod was told to end before Spark was ready: its start deadline has \
             passed, it was deleted or evicted, or its node is going",
            "Run the cell again; if that happens again, set `startDeadline` in the profile to more.",
        ),
        When::Ready => Cause::new(
            Kind::Stopped,
            "The Spark driver's pod was told to end: it was deleted or evicted, or its node is going",
            "The next cell starts a new driver.",
        ),
    }
}
