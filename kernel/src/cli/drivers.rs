//! `firesteel drivers`: which drivers run, and how to end one.

use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use firesteel_launcher::attach::state::DriverState;
use firesteel_launcher::claim::ClaimId;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::launcher::{Launcher, Listed};
use firesteel_launcher::paths::Paths;
use serde_json::{Value, json};

use super::{Answer, var};

/// `firesteel drivers …`.
#[derive(Debug, Subcommand)]
pub(super) enum Drivers {
    /// List your drivers on this machine.
    List(List),
    /// End a driver, whoever uses it.
    Stop(Stop),
    /// Show the end of a driver's log, also of one that has ended.
    Logs(Logs),
}

/// `firesteel drivers list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Answer as JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// `firesteel drivers stop`.
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// The driver's id; its beginning is enough.
    id: String,
}

/// `firesteel drivers logs`.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// The driver's id; its beginning is enough for one that runs.
    id: String,
    /// How many lines are shown.
    #[arg(long, default_value_t = 50)]
    lines: usize,
}

/// Which driver is meant cannot be told.
#[derive(Debug, thiserror::Error)]
enum WhichError {
    /// None has that id.
    #[error("no driver's id begins with `{0}`; `firesteel drivers list` shows them")]
    None(String),
    /// Several have.
    #[error("the ids of {1} drivers begin with `{0}`; give more of it")]
    Several(String, usize),
}

impl Drivers {
    pub(super) async fn run(self) -> Answer {
        let launcher = Launcher::new(Paths::from_env(var), Environment::of_process());
        match self {
            Self::List(List { json }) => {
                let listed = launcher.list().await?;
                if json {
                    let listed: Vec<Value> = listed.iter().map(as_json).collect();
                    say!("{:#}", Value::from(listed));
                } else {
                    print(&listed);
                }
            }
            Self::Stop(Stop { id }) => {
                let id = which(&id, &launcher.list().await?)?;
                launcher.stop(&id).await?;
                say!("Stopped {id}");
            }
            Self::Logs(Logs { id, lines }) => {
                let id = match id.parse() {
                    Ok(whole) => whole,
                    Err(_) => which(&id, &launcher.list().await?)?,
                };
                say!("{}", launcher.logs(&id, lines).await?);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn which(start: &str, listed: &[Listed]) -> Result<ClaimId, WhichError> {
    let mut found = listed
        .iter()
        .map(|driver| &driver.id)
        .filter(|id| id.as_str().starts_with(start));
    match (found.next(), found.count()) {
        (None, _) => Err(WhichError::None(start.to_owned())),
        (Some(id), 0) => Ok(id.clone()),
        (Some(_), more) => Err(WhichError::Several(start.to_owned(), more + 1)),
    }
}

fn print(listed: &[Listed]) {
    if listed.is_empty() {
        return say!("No driver runs.");
    }
    say!(
        "{:<8}  {:<12}  {:<10}  {:>8}  {:>9}  {:>7}  STATE",
        "ID",
        "PROFILE",
        "USER",
        "PROCESS",
        "NOTEBOOKS",
        "RUNNING"
    );
    for driver in listed {
        say!(
            "{:<8}  {:<12}  {:<10}  {:>8}  {:>9}  {:>7}  {}",
            &driver.id.as_str()[..8],
            driver.claim.profile,
            driver.claim.user,
            process(&driver.state).map_or_else(String::new, |pid| pid.to_string()),
            driver.attachments,
            driver.operations,
            state(&driver.state),
        );
    }
}

fn state(state: &DriverState) -> String {
    match state {
        DriverState::Starting { phase, since, .. } => {
            format!("{}, {} s", phase.words(), since.elapsed().as_secs())
        }
        DriverState::Ready(facts) => {
            let version = facts.spark_version.as_deref().unwrap_or("?");
            format!("ready, Spark {version}")
        }
        DriverState::Ended(cause) => format!("ended: {}", cause.sentence),
    }
}

fn process(state: &DriverState) -> Option<u32> {
    match state {
        DriverState::Ready(facts) => facts.own.as_ref().map(|own| own.driver),
        _ => None,
    }
}

fn as_json(driver: &Listed) -> Value {
    let own = match &driver.state {
        DriverState::Ready(facts) => facts.own.as_ref(),
        _ => None,
    };
    let since = own.and_then(|own| own.started_at.duration_since(SystemTime::UNIX_EPOCH).ok());
    json!({
        "id": driver.id.as_str(),
        "profile": driver.claim.profile,
        "user": driver.claim.user,
        "state": match driver.state {
            DriverState::Starting { .. } => "starting",
            DriverState::Ready(_) => "ready",
            DriverState::Ended(_) => "ended",
        },
        "pid": own.map(|own| own.driver),
        "keeper_pid": own.map(|own| own.keeper),
        "started_at": since.map(|since| since.as_secs()),
        "log": own.map(|own| own.log.display().to_string()),
        "kernels": driver.attachments,
        "running": driver.operations,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use firesteel_launcher::attach::state::Phase;
    use firesteel_launcher::claim::Claim;

    use super::*;

    fn driver(profile: &str) -> Listed {
        let claim = Claim {
            user: "ada".to_owned(),
            profile: profile.to_owned(),
            kernel: None,
        };
        Listed {
            id: claim.id(),
            claim,
            state: DriverState::Starting {
                phase: Phase::Preparing,
                since: Instant::now(),
                passed: Vec::new(),
                trouble: None,
            },
            attachments: 1,
            cells: 0,
            operations: 0,
        }
    }

    #[test]
    fn the_beginning_of_an_id_is_enough_where_it_names_one() {
        let listed = [driver("local"), driver("big")];
        let first = listed[0].id.as_str();
        assert_eq!(which(&first[..8], &listed).unwrap(), listed[0].id);
        assert!(matches!(which("zz", &listed), Err(WhichError::None(_))));
        assert!(matches!(which("", &listed), Err(WhichError::Several(_, 2))));
    }
}
