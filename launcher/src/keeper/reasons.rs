//! Why a keeper ends its driver, in words.

use std::time::Duration;

use super::culler::Why;
use crate::cause::{Cause, Kind};

/// Somebody asked for it.
pub(super) fn stopped(why: &str) -> Cause {
    Cause::new(
        Kind::Stopped,
        format!("The Spark driver was stopped: {why}"),
        "The next cell starts a new driver.",
    )
}

/// Nobody needs it.
pub(super) fn given_back(why: Why) -> Cause {
    let again = "The next cell starts a new driver.";
    match why {
        Why::Unused => Cause::new(Kind::Unused, "Nobody used the Spark driver any more", again),
        Why::Idle(time) => Cause::new(
            Kind::Idle,
            format!(
                "The Spark driver was idle for {} and was given back",
                spoken(time)
            ),
            format!(
                "{again} `idleLimit` in the profile says how long one may be idle, and `%keep 2h` keeps one."
            ),
        ),
        Why::Old(age) => Cause::new(
            Kind::Idle,
            format!(
                "The Spark driver was {} old and idle, and was given back",
                spoken(age)
            ),
            format!(
                "{again} `maxAge` in the profile says how old one may be, and `%keep 2h` keeps one."
            ),
        ),
    }
}

/// A time as people say it.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_given_back_is_told_what_to_do_about_it() {
        for (why, kind, words) in [
            (Why::Unused, Kind::Unused, "Nobody used"),
            (
                Why::Idle(Duration::from_secs(3600)),
                Kind::Idle,
                "was idle for 60 min",
            ),
            (
                Why::Old(Duration::from_secs(43_200)),
                Kind::Idle,
                "was 12 h 0 min old",
            ),
        ] {
            let cause = given_back(why);
            assert_eq!(cause.kind, kind);
            assert!(cause.sentence.contains(words), "{cause}");
            assert!(cause.remedy.contains("next cell"), "{cause}");
        }
    }
}
