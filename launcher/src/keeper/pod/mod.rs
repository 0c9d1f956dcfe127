//! A keeper as process 1 of a driver's pod: what it is told is mounted, its port is open to the
//! cluster with TLS, and its last words go to Kubernetes.

mod brief;
mod port;

use tokio::signal::unix::{SignalKind, signal};

use super::office::{Office, Outcome, Terms};
use super::service::Distance;
use super::steer::Steer;
use super::{no_signals, orphans};
use crate::cause::{Cause, Kind};
use crate::cluster::mounts::Mounts;
use crate::cluster::{last_words, tls};
use crate::driver::Plan;
use crate::environment::Environment;
use brief::Brief;

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
    )?;
    let listeners = port::bind(brief.pod.address).await?;

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

    let outcome = office.attend(&mut terminate, told_to_end).await;
    last_words::say(&brief.pod.mounts.termination_log(), outcome.cause());
    office.close(outcome.cause().clone()).await;
    Ok(outcome)
}

/// Kubernetes tells a pod to end and not why: its node is drained or goes, something more important
/// takes its place, or somebody deleted it.
fn told_to_end() -> Cause {
    Cause::new(
        Kind::Stopped,
        "The Spark driver's pod was told to end: it was deleted or evicted, or its node is going",
        "The next cell starts a new driver.",
    )
}
