//! What is open, in words.

use std::time::SystemTime;

use firesteel_launcher::attach::state::DriverState;
use firesteel_launcher::backend::Attachment;
use firesteel_launcher::launcher::Listed;
use firesteel_launcher::profile::{Chosen, Profile, Profiles, Source};
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
                Some(own) => {
                    let age = SystemTime::now().duration_since(own.started_at);
                    let age = age.unwrap_or_default().as_secs();
                    lines.push(format!(
                        "driver    process {}, {} old",
                        own.driver,
                        span(age)
                    ));
                    lines.push(format!("log       {}", own.log.display()));
                }
                None => lines.push("driver    an existing server, not ended by us".to_owned()),
            }
        }
        DriverState::Starting { phase, since, .. } => {
            let waited = since.elapsed().as_secs();
            lines.push(format!("driver    {}, {}", phase.words(), span(waited)));
        }
        DriverState::Ended(cause) => lines.push(format!("driver    ended: {}", cause.sentence)),
    }
    if let Some(driver) = driver {
        lines.push(format!(
            "used by   {}, {} running",
            count(driver.attachments, "notebook"),
            count(driver.operations as usize, "statement"),
        ));
    }
    lines.push(format!("session   {session}"));
    lines.join("\n")
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

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
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
        assert_eq!(span(59), "59 s");
        assert_eq!(span(60), "1 min");
        assert_eq!(span(7260), "2 h 1 min");
        assert_eq!(count(1, "notebook"), "1 notebook");
        assert_eq!(count(0, "statement"), "0 statements");
    }
}
