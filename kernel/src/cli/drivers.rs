//! `firesteel drivers`: which drivers run, and how to end one.

use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use firesteel_launcher::attach::state::{DriverState, Home};
use firesteel_launcher::claim::ClaimId;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::launcher::{Launcher, Listed, LogsOf};
use firesteel_launcher::paths::Paths;
use serde_json::{Value, json};

use super::{Answer, var};

/// `firesteel drivers …`.
#[derive(Debug, Subcommand)]
pub(super) enum Drivers {
    /// List your drivers.
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
    /// Show the log of its executor with this number instead.
    #[arg(long, value_name = "NUMBER")]
    executor: Option<String>,
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
                if launcher.stop(&id).await? {
                    say!("Stopped {id}");
                } else {
                    say!("{id} had ended already");
                }
            }
            Self::Logs(Logs {
                id,
                executor,
                lines,
            }) => {
                let id = match id.parse() {
                    Ok(whole) => whole,
                    Err(_) => which(&id, &launcher.list().await?)?,
                };
                let of = executor.map_or(LogsOf::Driver, LogsOf::Executor);
                say!("{}", launcher.logs(&id, &of, lines).await?);
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
        "{:<8}  {:<12}  {:<10}  {:<24}  {:>9}  {:>9}  {:>7}  STATE",
        "ID",
        "PROFILE",
        "USER",
        "WHERE",
        "EXECUTORS",
        "NOTEBOOKS",
        "RUNNING"
    );
    for driver in listed {
        say!(
            "{:<8}  {:<12}  {:<10}  {:<24}  {:>9}  {:>9}  {:>7}  {}",
            &driver.id.as_str()[..8],
            driver.claim.profile,
            driver.claim.user,
            place(driver),
            executors(driver),
            driver.attachments,
            driver.operations,
            state(driver),
        );
    }
}

fn place(driver: &Listed) -> String {
    match &driver.home {
        Some(Home::Process { driver, .. }) => format!("process {driver}"),
        Some(Home::Pod(pod)) => format!("{}/{}", pod.namespace, pod.name),
        None => String::new(),
    }
}

/// How many take tasks; of a driver without any, nothing.
fn executors(driver: &Listed) -> String {
    if driver.executors.is_empty() {
        return String::new();
    }
    let running = driver.executors.iter().filter(|e| e.state == "running");
    format!("{} of {}", running.count(), driver.executors.len())
}

fn state(driver: &Listed) -> String {
    match &driver.state {
        DriverState::Starting { phase, since, .. } => {
            format!("{}, {} s", phase.words(), since.elapsed().as_secs())
        }
        DriverState::Ready(facts) => {
            let version = facts.spark_version.as_deref().unwrap_or("?");
            let mut said = format!("Spark {version}, ");
            match driver.idle {
                None => said.push_str("busy"),
                Some(idle) => said.push_str(&format!("idle for {} s", idle.as_secs())),
            }
            if let Some(kept) = driver.kept {
                said.push_str(&format!(", kept for {} s", kept.as_secs()));
            }
            said
        }
        DriverState::Ended(cause) => format!("ended: {}", cause.sentence),
    }
}

fn as_json(driver: &Listed) -> Value {
    let own = match &driver.state {
        DriverState::Ready(facts) => facts.own.as_ref(),
        _ => None,
    };
    let since = own.and_then(|own| own.started_at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let executors: Vec<Value> = driver
        .executors
        .iter()
        .map(|executor| {
            json!({
                "id": executor.id,
                "pod": executor.pod,
                "node": executor.node,
                "state": executor.state,
                "age": executor.age.as_secs(),
            })
        })
        .collect();
    let mut told = json!({
        "id": driver.id.as_str(),
        "profile": driver.claim.profile,
        "user": driver.claim.user,
        "state": match driver.state {
            DriverState::Starting { .. } => "starting",
            DriverState::Ready(_) => "ready",
            DriverState::Ended(_) => "ended",
        },
        "started_at": since.map(|since| since.as_secs()),
        "kernels": driver.attachments,
        "running": driver.operations,
        "executors": executors,
        "idle": driver.idle.map(|idle| idle.as_secs()),
        "kept": driver.kept.map(|kept| kept.as_secs()),
    });
    match &driver.home {
        Some(Home::Process {
            keeper,
            driver,
            log,
        }) => {
            told["pid"] = json!(driver);
            told["keeper_pid"] = json!(keeper);
            told["log"] = json!(log.display().to_string());
        }
        Some(Home::Pod(pod)) => {
            told["namespace"] = json!(pod.namespace);
            told["pod"] = json!(pod.name);
        }
        None => {}
    }
    told
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
            home: None,
            attachments: 1,
            cells: 0,
            operations: 0,
            executors: Vec::new(),
            idle: None,
            kept: None,
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
