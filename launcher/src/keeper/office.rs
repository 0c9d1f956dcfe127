//! What every keeper is, on a machine and in a pod: it takes callers in, starts the driver, stays
//! with it and sees everyone off.

use std::time::{Duration, SystemTime};

use tokio::signal::unix::Signal;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::desk::{Desk, Reception};
use super::serve::Server;
use super::service::{Distance, Introduction};
use super::upstream::DriverUpstream;
use super::{mistaken, orphans};
use crate::cause::Cause;
use crate::claim::Claim;
use crate::cluster::executors::Complaints;
use crate::driver::{Driver, Failed, Plan, Starter, warm};
use crate::profile::Profile;
use crate::secret::Lockwork;

/// How long those who are connected have to take what is left to say to them.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a driver that is ready waits for its first query before it makes one of its own. On two
/// processors that saves the first query a second or more when it comes later, and costs it up to
/// half a second when it comes at the same time.
const UNASKED: Duration = Duration::from_secs(1);

/// What a keeper keeps.
pub(super) struct Terms<'a> {
    /// Random, new with each driver.
    pub(super) incarnation: String,
    pub(super) claim: &'a Claim,
    pub(super) profile: &'a Profile,
    pub(super) plan: &'a Plan,
    /// How far away its kernels may be.
    pub(super) distance: Distance,
    /// Opens its door.
    pub(super) lockwork: Lockwork,
}

/// A keeper at work.
pub(super) struct Office<'a> {
    plan: &'a Plan,
    desk: Desk,
    reception: Reception,
    server: Server,
    /// Everything that goes on beside the driver.
    tasks: TaskTracker,
    /// Cancelled when nothing of it is to begin any more.
    closing: CancellationToken,
    driver: Option<Driver>,
}

/// How far a driver was when something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It did not take calls yet.
    Starting,
    /// It took calls.
    Ready,
}

/// What a keeper does that is told to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// What is told to kernels.
    pub(super) why: fn(When) -> Cause,
    /// How long what runs may take to come to its own end.
    pub(super) patience: Duration,
}

/// How a keeper's work came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The driver was ended, as somebody or the profile wanted.
    Given(Cause),
    /// The keeper was told to end, which may be for this reason.
    Told(Cause),
    /// It never took calls.
    NotStarted(Cause),
    /// It ended by itself.
    Lost(Cause),
}

impl Outcome {
    /// Why.
    pub(super) fn cause(&self) -> &Cause {
        match self {
            Self::Given(cause)
            | Self::Told(cause)
            | Self::NotStarted(cause)
            | Self::Lost(cause) => cause,
        }
    }
}

impl<'a> Office<'a> {
    /// A keeper that nobody can come to yet.
    pub(super) fn new(terms: Terms<'a>) -> Self {
        let tasks = TaskTracker::new();
        let closing = CancellationToken::new();
        let Terms { claim, profile, .. } = terms;
        let (desk, reception) = Desk::new(claim, profile, Instant::now(), tasks.clone());
        let introduction = Introduction {
            incarnation: terms.incarnation,
            pid: std::process::id(),
            started_at: SystemTime::now(),
            claim: claim.clone(),
            profile_hash: profile.hash(),
            lease: profile.away.duration(),
            log: terms.plan.log.clone(),
            distance: terms.distance,
        };
        let upstream = DriverUpstream::new(reception.clone());
        let server = Server::new(
            introduction,
            reception.clone(),
            upstream,
            terms.lockwork,
            tasks.clone(),
            closing.clone(),
        );
        Self {
            plan: terms.plan,
            desk,
            reception,
            server,
            tasks,
            closing,
            driver: None,
        }
    }

    /// Takes callers as `accept` lets them in, until the office closes.
    pub(super) fn open<F>(&self, accept: impl FnOnce(Server) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(accept(self.server.clone()));
    }

    /// Has something go on beside the driver until the office closes.
    pub(super) fn beside<F>(&self, work: impl FnOnce(Reception) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = work(self.reception.clone());
        beside(&self.tasks, &self.closing, work);
    }

    /// Starts the driver and stays with it until it ends, or is to be ended, as where `terminate`
    /// comes.
    pub(super) async fn attend(&mut self, terminate: &mut Signal, ending: Ending) -> Outcome {
        let state = self.desk.state();
        let phase = |phase| state.starting(phase);
        let starter = Starter {
            plan: self.plan,
            phase: &phase,
        };
        let started = tokio::select! {
            result = starter.start(&mut self.driver) => result,
            cause = self.desk.until_end() => return Outcome::Given(cause),
            _ = terminate.recv() => return Outcome::Told((ending.why)(When::Starting)),
        };
        let running = match started {
            Ok(running) => running,
            Err(cause) => return Outcome::NotStarted(cause),
        };
        tracing::info!(
            pid = running.pid,
            spark = running.spark_version,
            "the driver is ready"
        );
        let client = running.client.clone();
        self.desk.ready(running);
        self.beside(|reception| async move {
            tokio::time::sleep(UNASKED).await;
            if reception.idle().await {
                warm(client).await;
            }
        });
        let crew = self.reception.crew.clone();
        let Some(driver) = &mut self.driver else {
            return Outcome::Lost(mistaken());
        };
        let mut refused = driver.refused();
        beside(&self.tasks, &self.closing, async move {
            let (mut complaints, began) = (Complaints::default(), Instant::now());
            while refused.changed().await.is_ok() {
                let cause = refused.borrow_and_update().clone();
                let told = cause.and_then(|cause| complaints.tell(&cause, began.elapsed()));
                if let Some(sentence) = told {
                    crew.tell(sentence);
                }
            }
        });
        let exit = tokio::select! {
            exit = driver.exit() => exit,
            cause = self.desk.until_end() => return Outcome::Given(cause),
            _ = terminate.recv() => {
                tracing::info!("the keeper was told to end");
                let found = self.desk.finish(ending.patience).await;
                return match found {
                    Some(cause) => Outcome::Given(cause),
                    None => Outcome::Told((ending.why)(When::Ready)),
                };
            }
        };
        Outcome::Lost(driver.explain(Failed::Later(exit), self.plan).await)
    }

    /// Tells everyone why the driver ends, ends it and what it left running, and lets callers go.
    pub(super) async fn close(mut self, cause: Cause) {
        tracing::info!(%cause, "the driver ends");
        self.desk.end(cause).await;
        self.closing.cancel();
        if let Some(driver) = &mut self.driver {
            driver.end().await;
        }
        orphans::kill();
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!("somebody did not take a farewell in time");
        }
    }
}

fn beside(
    tasks: &TaskTracker,
    closing: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let closing = closing.clone();
    tasks.spawn(async move { closing.run_until_cancelled(work).await });
}

#[cfg(test)]
pub(super) mod tests;
