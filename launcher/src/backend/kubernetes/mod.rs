//! Drivers in a Kubernetes cluster, each a Job with a keeper in its pod.

mod access;
mod find;
mod follow;
mod holders;
mod look;
mod refused;
mod rehearse;
mod seen;
mod shelf;
mod waiting;
mod way;

use std::time::Duration;

use async_trait::async_trait;
use firesteel_session::address::{Address, Token};
use firesteel_session::dial::Dialer;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Attachee, Attachment, Backend};
use crate::attach::client::NotAttached;
use crate::attach::line::{Board, Words};
use crate::attach::state::{DriverState, Phase};
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::cluster::tls::pinned;
use crate::environment::Environment;
use crate::profile::{self, Profile, Runs};

use access::Access;
use find::{Found, ends, find_or_make};
use follow::Follow;
pub(crate) use shelf::{Kept, Shelf};
use way::Way;

/// How long a keeper that does not answer is taken for one that has just ended, which Kubernetes
/// tells later than its closed door does. After that the way to it is taken for broken.
const SILENT: Duration = Duration::from_secs(5);

/// Pause before another look at a keeper that does not answer.
const AGAIN: Duration = Duration::from_millis(200);

/// Drivers in clusters.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    environment: Environment,
}

impl Kubernetes {
    /// A backend that finds its clusters as `environment` says.
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }
}

impl Kubernetes {
    /// The drivers of a user where a profile's drivers are.
    pub(crate) async fn shelf(
        &self,
        spec: &profile::Kubernetes,
        user: String,
    ) -> Result<Shelf, Cause> {
        let access = Access::open(spec, &self.environment).await?;
        Ok(Shelf::new(access, user))
    }
}

/// Every cause that is told here.
#[cfg(test)]
pub(crate) fn examples() -> Vec<(crate::cluster::causes::Why, Cause)> {
    let mut all = refused::tests::examples();
    all.extend(seen::tests::examples());
    all
}

#[async_trait]
impl Backend for Kubernetes {
    async fn attach(
        &self,
        claim: &Claim,
        profile: &Profile,
        who: &Attachee,
    ) -> Result<Attachment, Cause> {
        let Runs::Kubernetes(spec) = &profile.runs else {
            return Err(Cause::new(
                Kind::Profile,
                format!("Profile `{}` names no cluster", profile.name),
                "Set `kubernetes` in the profile.",
            ));
        };
        let access = Access::open(spec, &self.environment).await?;
        let mut silent = None;
        loop {
            let found = find_or_make(&access, claim, profile, spec).await?;
            let (spot, follow_spot) = watch::channel(found.spot.clone());
            let connector = pinned(&found.certificate).map_err(|error| foreign(&found, &error))?;
            let dialer = Dialer::new(Way::new(access.clone(), connector, follow_spot));
            let follow = Follow {
                access: access.clone(),
                found: found.clone(),
                claim: claim.clone(),
                profile_hash: profile.hash(),
                who: who.clone(),
                heap: spec.driver.memory.to_string(),
                deadline: spec.start_deadline.duration(),
                ahead: waiting::ahead(profile),
                dialer: dialer.clone(),
                spot,
            };
            // One that runs already is greeted at once: it may be about to end, and then the next
            // is to be made.
            let line = if found.spot.is_some() {
                match follow.greet().await {
                    Ok(line) => Some(line),
                    Err(NotAttached::Refused(cause)) => return Err(cause),
                    Err(NotAttached::Unreachable(why)) => {
                        tracing::debug!(why, "the keeper is tried again");
                        let since = *silent.get_or_insert_with(Instant::now);
                        if since.elapsed() < SILENT {
                            sleep(AGAIN).await;
                            continue;
                        }
                        None
                    }
                    Err(NotAttached::Ending) => {
                        ends(&access, &found.job, &found.uid).await?;
                        continue;
                    }
                }
            } else {
                None
            };
            return Ok(attached(follow, found, dialer, line));
        }
    }
}

fn attached(
    follow: Follow,
    found: Found,
    dialer: Dialer,
    line: Option<crate::attach::line::Line>,
) -> Attachment {
    let mut address = Address::dialed(dialer, follow.claim.user.clone())
        .with_token(Token::new(found.token))
        .with_incarnation(found.incarnation);
    address.session_id = Some(follow.who.session_id);
    let (board, news) = Board::new(DriverState::Starting {
        phase: Phase::Scheduling,
        since: std::time::Instant::now(),
        passed: Vec::new(),
        trouble: None,
    });
    let (say, spoken) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(follow.run(board, Words::new(spoken), line));
    Attachment::new(address, news, Some(say), tasks)
}

fn foreign(found: &Found, error: &dyn std::error::Error) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!(
            "The certificate of the Spark driver `{}` cannot be used: {error}",
            found.job
        ),
        "Stop the driver by `firesteel drivers stop`, and run the cell again.",
    )
}
