//! What the doctor looks at, in the order in which one thing stands on another.

mod kernelspec;
mod machine;
mod runtime;
mod statement;

use std::env;
use std::time::{Duration, SystemTime};

use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::profile::{self, Profile, ProfileError, Profiles, Runs};

use super::{Finding, Verdict};
use crate::cli::{var, with_causes};

/// No clock that is right is before the first of November 2026, in seconds of Unix: files in images have
/// no time of their own.
const WRITTEN: u64 = 1_793_491_200;

/// Looks at everything and reports each finding as it comes.
pub(super) async fn all(report: &mut impl FnMut(Finding)) {
    let paths = Paths::from_env(var);
    let environment = Environment::of_process();
    let mut driver_will_start = true;
    let mut note = |name, verdict: Verdict| {
        driver_will_start &= !matches!(verdict, Verdict::Bad { .. });
        report(Finding { name, verdict });
    };

    let made = env::current_exe().and_then(|program| program.metadata()?.modified());
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(WRITTEN);
    let made = made.map_or(written, |made| made.max(written));
    note("clock", machine::clock(made, SystemTime::now()));
    let profile = chosen_profile(&paths, &environment);
    note("profile", of_profile(&profile));
    let local = match &profile {
        Ok(profile) => match &profile.runs {
            Runs::Local(local) => Some(local),
            Runs::Remote(_) | Runs::Kubernetes(_) => None,
        },
        Err(_) => None,
    };
    if local.is_some() || profile.is_err() {
        let java = local.and_then(|local| local.java.as_deref());
        for (name, verdict) in runtime::runtime(&paths, java) {
            note(name, verdict);
        }
        note("memory", machine::memory());
        note("folders", machine::folders(&paths));
        note("disk", machine::disk(&paths));
        note("locale", machine::locale(&environment));
        let packages = local.is_some_and(|local| !local.packages.is_empty());
        note("proxy", machine::proxy(&environment, packages));
    }
    report(Finding {
        name: "kernelspec",
        verdict: kernelspec::kernelspec(),
    });
    let answer = if driver_will_start {
        statement::select_one(paths, environment).await
    } else {
        Verdict::untried("no driver will start before what is BAD above is mended")
    };
    report(Finding {
        name: "SELECT 1",
        verdict: answer,
    });
}

fn chosen_profile(paths: &Paths, environment: &Environment) -> Result<Profile, ProfileError> {
    let profiles = Profiles::load(paths, environment)?;
    let variable = environment.get("FIRESTEEL_PROFILE");
    let chosen = profile::choose(None, variable, None, profiles.default_name());
    profiles.get(&chosen.name)
}

fn of_profile(profile: &Result<Profile, ProfileError>) -> Verdict {
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
