//! What is open, in words.

use std::time::{Duration, SystemTime};

use firesteel_launcher::attach::state::{DriverState, Home, OwnFacts};
use firesteel_launcher::backend::Attachment;
use firesteel_launcher::launcher::{Executor, Listed};
use firesteel_launcher::profile::{Chosen, Profile, Profiles, Source, Span};
use uuid::Uuid;

/// A session, its driver and who shares it.
pub(super) fn session(
    profile: &Profile,
    session: Uuid,
    attachment: &Attachment,
    driver: Option<&Listed>,
) -> String {
    let mut lines = vec![format!("profile   {}", profile.name)];
    match &*attachment.state().borrow() {
        DriverState::Ready(facts) => {
            let version = facts
                .spark_version
                .as_deref()
                .unwrap_or("of unknown version");
            lines.push(format!("Spark     {version}"));
            match &facts.own {
                Some(own) => lines.extend(own_driver(own)),
                None => lines.push("driver    an existing server, not ended by us".to_owned()),
            }
        }
        DriverState::Starting { phase, since, .. } => {
            let waited = spoken(since.elapsed());
            lines.push(format!("driver    {}, {waited}", phase.words()));
        }
        DriverState::Ended(cause) => lines.push(format!("driver    ended: {}", cause.sentence)),
    }
    if let Some(driver) = driver {
        lines.push(format!("now       {}", now(driver, profile)));
        lines.extend(executors(&driver.executors));
        lines.push(format!(
            "used by   {}, {} running",
            count(driver.attachments, "notebook"),
            count(driver.operations as usize, "statement"),
        ));
    }
    lines.push(format!("session   {session}"));
    lines.push(format!(
        "Firesteel {} · `%logs` shows the driver's log",
        env!("CARGO_PKG_VERSION")
    ));
    lines.join("\n")
}

fn own_driver(own: &OwnFacts) -> Vec<String> {
    let age = SystemTime::now().duration_since(own.started_at);
    let age = spoken(age.unwrap_or_default());
    match &own.home {
        Home::Process { driver, log, .. } => vec![
            format!("driver    process {driver}, {age} old"),
            format!("log       {}", log.display()),
        ],
        Home::Pod(pod) => vec![
            format!("driver    pod {}, {age} old", pod.name),
            format!("namespace {}", pod.namespace),
        ],
    }
}

/// Whether it is busy, and what becomes of it when it is not.
fn now(driver: &Listed, profile: &Profile) -> String {
    let mut said = match driver.idle {
        None => "busy".to_owned(),
        Some(idle) => format!("idle for {}", spoken(idle)),
    };
    match (driver.kept, profile.idle_limit) {
        (Some(kept), _) => said.push_str(&format!(", kept for another {}", spoken(kept))),
        (None, Some(limit)) => said.push_str(&format!(
            ", given back when idle for {}",
            spoken(limit.duration())
        )),
        (None, None) => {}
    }
    said
}

fn executors(executors: &[Executor]) -> Vec<String> {
    executors
        .iter()
        .enumerate()
        .map(|(at, executor)| {
            let label = if at == 0 { "executors" } else { "" };
            let node = match executor.node.as_str() {
                "" => String::new(),
                node => format!(" on {node}"),
            };
            format!(
                "{label:<9} {} {}{node}, {} old ({})",
                executor.id,
                executor.state,
                spoken(executor.age),
                executor.pod,
            )
        })
        .collect()
}

/// How long a driver is kept from being given back; `idle_limit` is what its profile says.
pub(super) fn kept(kept: Option<Duration>, idle_limit: Option<Span>) -> String {
    match (kept, idle_limit) {
        (Some(kept), _) => format!(
            "The driver is kept for {} whoever uses it; `%keep off` takes that back, `%stop` gives it back now.",
            spoken(kept)
        ),
        (None, Some(limit)) => format!(
            "The driver is given back when it is idle for {}; `%keep 2h` keeps it for so long.",
            spoken(limit.duration())
        ),
        (None, None) => {
            "The driver stays while a notebook uses it: its profile has no `idleLimit`.".to_owned()
        }
    }
}

/// The profiles there are, the chosen one marked, and who chose it.
pub(super) fn profiles(profiles: &Profiles, chosen: &Chosen) -> String {
    let by = match chosen.by {
        Source::Cell => "chosen by %profile",
        Source::Variable => "chosen by FIRESTEEL_PROFILE",
        Source::Kernelspec => "chosen by this kernel",
        Source::Default => "the default",
    };
    let mut lines: Vec<String> = profiles
        .names()
        .into_iter()
        .map(|name| {
            if name == chosen.name {
                format!("* {name}  ({by})")
            } else {
                format!("  {name}")
            }
        })
        .collect();
    lines.push("`%profile NAME` chooses another.".to_owned());
    lines.join("\n")
}

/// A time as people say it, without what is too small to matter.
pub(super) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_counts_read_as_people_say_them() {
        for (seconds, said) in [
            (59, "59 s"),
            (60, "1 min"),
            (7200, "2 h"),
            (7260, "2 h 1 min"),
        ] {
            assert_eq!(spoken(Duration::from_secs(seconds)), said);
        }
        assert_eq!(count(1, "notebook"), "1 notebook");
        assert_eq!(count(0, "statement"), "0 statements");
    }
}
