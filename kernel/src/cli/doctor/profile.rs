//! `firesteel doctor --profile NAME`: what `%dryrun` says in a notebook.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::rehearsal::{Rehearsal, Verdict};
use serde::Serialize;

use crate::cli::{Answer, var};
use crate::display::rehearsal_text;
use crate::engine::{Drivers, Settings, Source as _, Unavailable};

/// What is printed for machines.
#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    #[serde(flatten)]
    rehearsed: &'a Rehearsal,
}

/// Goes through the start of a driver by the profile of this name.
pub(super) async fn rehearse(name: &str, json: bool) -> Answer {
    let drivers = Drivers::new(Settings {
        paths: Paths::from_env(var),
        environment: Environment::of_process(),
        kernelspec_profile: None,
        here: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    });
    let rehearsed = match drivers.rehearse(Some(name)).await {
        Ok(rehearsed) => rehearsed,
        Err(refused) => return Ok(no_profile(name, json, &refused)),
    };
    let healthy = rehearsed.count(Verdict::Bad) == 0;
    if json {
        let report = Report {
            healthy,
            rehearsed: &rehearsed,
        };
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{}", rehearsal_text(&rehearsed));
    }
    Ok(code(healthy))
}

/// A profile that cannot be had is what would refuse its driver.
fn no_profile(name: &str, json: bool, refused: &Unavailable) -> ExitCode {
    if json {
        let report = serde_json::json!({
            "healthy": false,
            "profile": name,
            "findings": [{
                "name": "profile",
                "verdict": "bad",
                "found": refused.sentence,
                "remedy": refused.remedy,
            }],
        });
        say!("{report:#}");
    } else {
        say!("BAD   profile       {}", refused.sentence);
        say!("                    → {}", refused.remedy);
    }
    code(false)
}

fn code(healthy: bool) -> ExitCode {
    if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
