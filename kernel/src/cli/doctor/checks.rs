//! What the doctor looks at, one function each.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use firesteel_launcher::environment::Environment;
use firesteel_launcher::machine;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::profile::{self, Profile, Profiles, Runs};
use firesteel_launcher::runtime::Runtime;
use firesteel_session::engine::{Event, Statement};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Finding, Verdict};
use crate::cli::{kernelspec, var, with_causes};
use crate::engine::{Drivers, Settings, Source as _};

/// A driver with less memory than this stumbles over the first larger join, in MiB.
const COMFORTABLE_MEMORY: u64 = 2048;

/// Free space that a driver's shuffles and logs need at least, in MiB.
const LEAST_DISK: u64 = 1024;

/// Looks at everything and reports each finding as it comes.
pub(super) async fn all(report: &mut impl FnMut(Finding)) {
    let paths = Paths::from_env(var);
    let environment = Environment::of_process();
    let mut note = |name, verdict| report(Finding { name, verdict });

    let profile = chosen_profile(&paths, &environment);
    let elsewhere = profile
        .as_ref()
        .is_ok_and(|profile| !matches!(profile.runs, Runs::Local(_)));
    note("profile", of_profile(&profile));
    if !elsewhere {
        for (name, verdict) in runtime(&paths, profile.as_ref().ok()) {
            note(name, verdict);
        }
        note("memory", memory());
        note("disk", disk(&paths.state));
    }
    note("kernelspec", kernelspec());
    note("SELECT 1", select_one(paths, environment).await);
}

fn chosen_profile(
    paths: &Paths,
    environment: &Environment,
) -> Result<Profile, profile::ProfileError> {
    let profiles = Profiles::load(paths, environment)?;
    let variable = environment.get("FIRESTEEL_PROFILE");
    let chosen = profile::choose(None, variable, None, profiles.default_name());
    profiles.get(&chosen.name)
}

fn of_profile(profile: &Result<Profile, profile::ProfileError>) -> Verdict {
    match profile {
        Ok(profile) => match &profile.runs {
            Runs::Local(_) => Verdict::good(format!("{}, a driver on this machine", profile.name)),
            Runs::Remote(_) => Verdict::good(format!("{}, an existing server", profile.name)),
            Runs::Kubernetes(spec) => Verdict::good(format!(
                "{}, a driver in a cluster; whoever may make pods in namespace `{}` can reach it and \
                 its data",
                profile.name, spec.namespace
            )),
        },
        Err(error) => Verdict::bad(
            with_causes(error),
            "Correct the file; `firesteel profiles check` looks at it again.",
        ),
    }
}

fn runtime(paths: &Paths, profile: Option<&Profile>) -> Vec<(&'static str, Verdict)> {
    let java = profile.and_then(|profile| match &profile.runs {
        Runs::Local(local) => local.java.as_deref(),
        Runs::Remote(_) | Runs::Kubernetes(_) => None,
    });
    match Runtime::locate(paths, java, var) {
        Err(missing) => vec![("runtime", Verdict::bad(missing.what, missing.remedy))],
        Ok(found) => {
            let spark = format!("{} in {}", found.spark_version, found.spark_home.display());
            let java = format!("{} in {}", found.java_major, found.java.display());
            vec![
                ("Spark", Verdict::good(spark)),
                ("Java", Verdict::good(java)),
                ("Python", Verdict::good(found.python.display().to_string())),
            ]
        }
    }
}

fn memory() -> Verdict {
    let Some(limit) = machine::limit(|file| std::fs::read_to_string(file).ok()) else {
        return Verdict::poor(
            "how much memory there is cannot be told",
            "Set `memory` in a profile.",
        );
    };
    let mebibytes = limit.in_mebibytes();
    let found = format!("{mebibytes} MiB may be used");
    if mebibytes < COMFORTABLE_MEMORY {
        return Verdict::poor(
            found,
            format!("Spark wants {COMFORTABLE_MEMORY} MiB or more to be comfortable."),
        );
    }
    Verdict::good(found)
}

fn disk(folder: &Path) -> Verdict {
    // The folder itself may not be there yet.
    let there = folder.ancestors().find(|folder| folder.exists());
    let Some(stat) = there.and_then(|folder| rustix::fs::statvfs(folder).ok()) else {
        return Verdict::bad(
            format!("{} cannot be looked at", folder.display()),
            "Check $HOME and $XDG_STATE_HOME.",
        );
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    let found = format!("{free} MiB free for {}", folder.display());
    if free < LEAST_DISK {
        return Verdict::bad(found, format!("Make room for {LEAST_DISK} MiB or more."));
    }
    Verdict::good(found)
}

fn kernelspec() -> Verdict {
    let found = kernelspec::search_path()
        .into_iter()
        .map(|folder| folder.join("firesteel/kernel.json"))
        .find(|file| file.is_file());
    let Some(file) = found else {
        return Verdict::bad(
            "Jupyter does not know this kernel",
            "Run `firesteel install --user`.",
        );
    };
    let remedy = "Run `firesteel install --user` again.";
    let text = std::fs::read(&file).unwrap_or_default();
    let spec: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(program) = spec["argv"][0].as_str().map(PathBuf::from) else {
        return Verdict::bad(format!("{} is broken", file.display()), remedy);
    };
    if !program.is_file() {
        let found = format!(
            "{} starts {}, which is not there",
            file.display(),
            program.display()
        );
        return Verdict::bad(found, remedy);
    }
    let version = spec["metadata"]["firesteel"].as_str().unwrap_or("unknown");
    if version != env!("CARGO_PKG_VERSION") {
        let found = format!("{} is of version {version}", file.display());
        return Verdict::poor(found, remedy);
    }
    Verdict::good(format!("{} in {}", program.display(), file.display()))
}

/// The main job itself: a driver as a notebook gets one, and one statement.
async fn select_one(paths: Paths, environment: Environment) -> Verdict {
    let since = Instant::now();
    let mut drivers = Drivers::new(Settings {
        paths,
        environment,
        kernelspec_profile: None,
        here: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    });
    let (phase, _phases) = watch::channel(crate::display::Start::default());
    let opened = match drivers.open(phase).await {
        Ok(opened) => opened,
        Err(error) => {
            let tail = error.log_tail.map(|tail| format!("\n{tail}"));
            return Verdict::bad(error.sentence + tail.as_deref().unwrap_or(""), error.remedy);
        }
    };
    let statement = Statement {
        sql: "SELECT 1".to_owned(),
        pure: true,
        ..Statement::default()
    };
    let mut events = opened.engine.run(statement, CancellationToken::new());
    let mut verdict = Verdict::bad("Spark gave no answer", "Look at `firesteel drivers logs`.");
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Done(done)) if done.rows == 1 => {
                let seconds = since.elapsed().as_secs_f64();
                verdict = Verdict::good(format!("answered after {seconds:.1} s"));
            }
            Ok(_) => {}
            Err(error) => {
                verdict = Verdict::bad(with_causes(&error), "Look at `firesteel drivers logs`.");
            }
        }
    }
    drop(events);
    drivers.close().await;
    verdict
}
