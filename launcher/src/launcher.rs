//! What kernels and the command line ask for drivers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::attach::client::Keeper;
use crate::attach::proto::{self, Description};
use crate::attach::state::{DriverState, Home, PodName};
use crate::backend::{Attachee, Attachment, Backend, Kept, Kubernetes, Local, Remote, Shelf};
use crate::cause::{Cause, Kind};
use crate::claim::{Claim, ClaimId, user};
use crate::driver::tail_of;
use crate::environment::Environment;
use crate::paths::Paths;
use crate::place::{HeldElsewhere, Place, Places, sweep, unusable};
use crate::profile::{Profile, Profiles, Runs};
use crate::rehearsal::{self, Rehearsal};

/// How long a driver that was told to end may take to be gone: to end, to be killed, to be swept.
const GONE: Duration = Duration::from_secs(20);

/// Why a driver was stopped, as its kernels are told.
const ASKED: &str = "somebody asked for it by `%stop` or `firesteel drivers stop`";

/// How long one driver may take to say what it is, when all are listed.
const DESCRIBE: Duration = Duration::from_secs(3);

/// Finds, makes, lists and ends drivers.
#[derive(Debug, Clone)]
pub struct Launcher {
    paths: Paths,
    local: Local,
    remote: Remote,
    kubernetes: Kubernetes,
    environment: Environment,
}

/// A driver on this machine, as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its id, for [`Launcher::stop`] and [`Launcher::logs`].
    pub id: ClaimId,
    /// What it is for.
    pub claim: Claim,
    /// What state it is in.
    pub state: DriverState,
    /// How many kernels use it.
    pub attachments: usize,
    /// How many cells run, over all of them.
    pub cells: u32,
    /// How many operations and other calls run, whichever client made them.
    pub operations: u32,
    /// Where it is, as far as known: of one that only starts it may not be.
    pub home: Option<Home>,
    /// Its executors, where it has any apart from itself.
    pub executors: Vec<Executor>,
    /// Since when it has been idle; none while it is busy.
    pub idle: Option<Duration>,
    /// How long it is kept from being given back, as somebody asked.
    pub kept: Option<Duration>,
}

/// An executor of a driver, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executor {
    /// Its number.
    pub id: String,
    /// Its pod.
    pub pod: String,
    /// The node it is on; empty while there is none.
    pub node: String,
    /// How it is, in a word: pending, running, leaving.
    pub state: String,
    /// Since it was asked for.
    pub age: Duration,
}

/// Whose log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogsOf {
    /// The driver's.
    Driver,
    /// That of its executor with this number.
    Executor(String),
}

impl Listed {
    /// A driver as its keeper describes it; `pod` is where the keeper was met, if that was not on
    /// this machine.
    pub(crate) fn told(id: ClaimId, mut told: Description, pod: Option<&PodName>) -> Self {
        let mut welcome = told.driver.take().unwrap_or_default();
        let state = welcome.state.take().unwrap_or_default();
        let state = DriverState::read(state, &welcome, pod, Instant::now());
        let home = match &state {
            DriverState::Ready(facts) => facts.own.as_ref().map(|own| own.home.clone()),
            DriverState::Starting { .. } | DriverState::Ended(_) => pod.cloned().map(Home::Pod),
        };
        Self {
            id,
            claim: Claim {
                user: told.user,
                profile: told.profile,
                kernel: told.kernel,
            },
            state,
            home,
            attachments: told.attachments.len(),
            cells: told.attachments.iter().map(|kernel| kernel.cells).sum(),
            operations: told.operations,
            executors: told.executors.into_iter().map(Executor::from).collect(),
            idle: told.idle_milliseconds.map(Duration::from_millis),
            kept: told.kept_milliseconds.map(Duration::from_millis),
        }
    }
}

impl From<proto::Executor> for Executor {
    fn from(told: proto::Executor) -> Self {
        Self {
            id: told.id,
            pod: told.pod,
            node: told.node,
            state: told.state,
            age: Duration::from_millis(told.age_milliseconds),
        }
    }
}

impl Launcher {
    /// A launcher that keeps its things in `paths` and hands parts of `environment` to drivers.
    pub fn new(paths: Paths, environment: Environment) -> Self {
        Self {
            local: Local::new(paths.clone(), environment.clone()),
            kubernetes: Kubernetes::new(environment.clone()),
            environment,
            remote: Remote,
            paths,
        }
    }

    /// Makes the archive of classes that drivers on this machine start from in a third of the time, and
    /// waits for it; nothing where it is there.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn make_archive(&self) -> Result<(), Cause> {
        self.local.make_archive().await
    }

    /// Has that archive made by a process of its own and does not wait.
    ///
    /// # Errors
    /// Why no driver could start on this machine at all.
    pub async fn begin_archive(&self) -> Result<(), Cause> {
        self.local.begin_archive().await
    }

    /// Finds the claim's driver or makes one, and attaches to it, see [`Backend::attach`].
    ///
    /// # Errors
    /// When there is no driver and none can be started.
    pub async fn attach(
        &self,
        claim: &Claim,
        profile: &Profile,
        who: &Attachee,
    ) -> Result<Attachment, Cause> {
        match &profile.runs {
            Runs::Local(_) => self.local.attach(claim, profile, who).await,
            Runs::Remote(_) => self.remote.attach(claim, profile, who).await,
            Runs::Kubernetes(_) => self.kubernetes.attach(claim, profile, who).await,
        }
    }

    /// What would be made for a driver of `claim`, and what would refuse it. Makes nothing; where a
    /// cluster is asked, every question has a deadline.
    pub async fn rehearse(&self, claim: &Claim, profile: &Profile) -> Rehearsal {
        match &profile.runs {
            Runs::Local(local) => self.local.rehearse(claim, profile, local),
            Runs::Remote(_) => rehearsal::remote(profile, &claim.user),
            Runs::Kubernetes(spec) => self.kubernetes.rehearse(claim, profile, spec).await,
        }
    }

    /// The drivers of this user on this machine. What a dead keeper left is swept and not listed;
    /// a keeper that does not answer is left out.
    ///
    /// # Errors
    /// When the folder of drivers cannot be used.
    pub async fn list(&self) -> Result<Vec<Listed>, Cause> {
        let places = Places::open(&self.paths)?;
        let mut drivers = Vec::new();
        for id in places.all() {
            let place = places.of(&id);
            match timeout(DESCRIBE, describe(&place)).await {
                Ok(Ok(Some(listed))) => {
                    drivers.push(listed);
                    continue;
                }
                Ok(Ok(None)) => {}
                Ok(Err(cause)) => tracing::debug!(%id, %cause, "a driver cannot be described"),
                Err(_) => tracing::debug!(%id, "a driver does not say what it is"),
            }
            // One that died a moment ago may have let us in. Of one that lives nothing is swept.
            sweep_quietly(place).await;
        }
        for shelf in self.shelves().await {
            match shelf.list().await {
                Ok(kept) => drivers.extend(kept.into_iter().map(in_cluster)),
                Err(cause) => tracing::warn!(%cause, "the drivers in a cluster are not listed"),
            }
        }
        Ok(drivers)
    }

    /// The places in clusters where this user's drivers may be, as the profiles say. One that cannot
    /// be used is left out: it is told when a driver there is asked for.
    async fn shelves(&self) -> Vec<Shelf> {
        let profiles = match Profiles::load(&self.paths, &self.environment) {
            Ok(profiles) => profiles,
            Err(error) => {
                tracing::warn!(%error, "the profiles cannot be read");
                return Vec::new();
            }
        };
        let mut places = BTreeSet::new();
        let mut shelves = Vec::new();
        for name in profiles.names() {
            let Ok(profile) = profiles.get(&name) else {
                continue;
            };
            let Runs::Kubernetes(spec) = &profile.runs else {
                continue;
            };
            let user = user(&profile, &self.environment);
            if !places.insert((spec.context.clone(), spec.namespace.clone(), user.clone())) {
                continue;
            }
            match self.kubernetes.shelf(spec, user).await {
                Ok(shelf) => shelves.push(shelf),
                Err(cause) => tracing::warn!(%cause, "a cluster cannot be looked at"),
            }
        }
        shelves
    }

    /// Ends a driver, whoever uses it, and waits until it is gone. Its kernels are told that somebody
    /// asked for it. Gives whether there was one.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(&self, id: &ClaimId) -> Result<bool, Cause> {
        let place = Places::open(&self.paths)?.of(id);
        let Some(mut keeper) = Keeper::connect(&place).await? else {
            sweep_quietly(place).await;
            for shelf in self.shelves().await {
                if shelf.stop(id, ASKED).await?.is_some() {
                    return Ok(true);
                }
            }
            return Ok(false);
        };
        let lock = place.keep_lock();
        let kept = HeldElsewhere::find(&lock).map_err(|error| unusable(&lock, &error))?;
        keeper.stop(ASKED).await?;
        if let Some(kept) = kept {
            let deadline = tokio::time::Instant::now() + GONE;
            let given_back = kept.given_back(deadline).await;
            if !given_back.map_err(|error| unusable(&lock, &error))? {
                return Err(Cause::new(
                    Kind::Keeper,
                    format!("The Spark driver did not end within {} s", GONE.as_secs()),
                    "See `firesteel drivers list`, and end its keeper's process if it is there still.",
                ));
            }
        }
        sweep_quietly(place).await;
        Ok(true)
    }

    /// The last lines of a driver's log, also of one that has ended, or of an executor's.
    ///
    /// # Errors
    /// When there is no log.
    pub async fn logs(&self, id: &ClaimId, of: &LogsOf, lines: usize) -> Result<String, Cause> {
        if let LogsOf::Executor(executor) = of {
            let found = self.logs_in_clusters(id, lines, Some(executor)).await?;
            return found.ok_or_else(|| no_executor(executor));
        }
        let log = Places::open(&self.paths)?.of(id).log;
        let path = log.clone();
        let read = tokio::task::spawn_blocking(move || tail_of(&path, lines)).await;
        match read {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                let found = self.logs_in_clusters(id, lines, None).await?;
                found.ok_or_else(|| no_driver(id))
            }
            Ok(Err(error)) => Err(unusable(&log, &error)),
            Err(error) => Err(unusable(&log, &std::io::Error::other(error))),
        }
    }

    async fn logs_in_clusters(
        &self,
        id: &ClaimId,
        lines: usize,
        executor: Option<&str>,
    ) -> Result<Option<String>, Cause> {
        for shelf in self.shelves().await {
            if let Some(text) = shelf.logs(id, lines, executor).await? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}

async fn describe(place: &Place) -> Result<Option<Listed>, Cause> {
    let Some(mut keeper) = Keeper::connect(place).await? else {
        return Ok(None);
    };
    let told = keeper.describe().await?;
    Ok(Some(Listed::told(place.id.clone(), told, None)))
}

/// A driver as it is found in a cluster. Of one whose keeper does not answer yet nobody knows who
/// uses it.
fn in_cluster(kept: Kept) -> Listed {
    match kept.said {
        Ok(told) => Listed::told(kept.id, *told, kept.pod.as_ref()),
        Err(state) => Listed {
            id: kept.id,
            claim: kept.claim,
            state,
            home: kept.pod.map(Home::Pod),
            attachments: 0,
            cells: 0,
            operations: 0,
            executors: Vec::new(),
            idle: None,
            kept: None,
        },
    }
}

/// Sweeps after a driver that is gone; where that fails, the next who looks tries again.
async fn sweep_quietly(place: Place) {
    let id = place.id.clone();
    match tokio::task::spawn_blocking(move || sweep(&place)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%id, %error, "what a driver left cannot be swept"),
        Err(error) => tracing::warn!(%id, %error, "sweeping ended early"),
    }
}

fn no_driver(id: &ClaimId) -> Cause {
    Cause::new(
        Kind::KeeperLost,
        format!("There is no Spark driver {id}"),
        "`firesteel drivers list` shows those there are.",
    )
}

fn no_executor(executor: &str) -> Cause {
    Cause::new(
        Kind::KeeperLost,
        format!("There is no executor {executor}: on one machine the driver does their work"),
        "Ask for the driver's log.",
    )
}
