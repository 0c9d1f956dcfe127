//! Executors that end as soon as they are there: Kubernetes does not start them again, Spark does.

use std::time::Duration;

use crate::cause::Cause;
use crate::cluster::causes::{Part, Why};
use crate::cluster::trouble::Trouble;

/// One that lived for less did not live.
pub(super) const SHORT: Duration = Duration::from_secs(60);

/// So many in a row are no chance.
const MANY: u32 = 4;

/// Those that ended early, one after the other.
#[derive(Debug, Default)]
pub(super) struct Crashes {
    count: u32,
    last: Option<Trouble>,
    told: bool,
}

impl Crashes {
    /// One was lost that had lived so long.
    pub(super) fn lost(&mut self, why: &Trouble, lived: Duration) {
        // Who is evicted or preempted is not at fault.
        let by_itself = matches!(
            why,
            Trouble::Exited { .. } | Trouble::OomKilled { .. } | Trouble::Config { .. }
        );
        if lived >= SHORT {
            *self = Self::default();
        } else if by_itself {
            self.count += 1;
            self.last = Some(why.clone());
        }
    }

    /// What is to be said of them, once.
    pub(super) fn tell(&mut self) -> Option<String> {
        let cause = self.cause().filter(|_| !self.told)?;
        self.told = true;
        let mut told = cause.to_string();
        if let Some(tail) = &cause.tail {
            told.push_str("\nIts log ends:");
            for line in tail.lines() {
                told.push_str("\n    ");
                told.push_str(line);
            }
        }
        Some(told)
    }

    fn cause(&self) -> Option<Cause> {
        let last = self.last.as_ref().filter(|_| self.count >= MANY)?;
        let cause = Why::CrashLoop.cause(&[
            ("count", &self.count.to_string()),
            ("said", &last.happened(false)),
            ("remedy", &last.remedy(Part::Executor)),
        ]);
        // One line is in the sentence.
        Some(match last {
            Trouble::Exited { last, .. } if last.len() > 1 => cause.with_tail(last.join("\n")),
            _ => cause,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The cause that executors end again and again.
    pub(crate) fn example() -> (Why, Cause) {
        let mut crashes = Crashes::default();
        let killed = Trouble::OomKilled {
            limit: None,
            heap: None,
        };
        for _ in 0..MANY {
            crashes.lost(&killed, Duration::ZERO);
        }
        (Why::CrashLoop, crashes.cause().unwrap())
    }

    #[test]
    fn executors_that_never_live_are_told_once_until_one_lives() {
        let exited = Trouble::Exited {
            code: 1,
            message: Some("boo".to_owned()),
            last: vec!["boo".to_owned(), "at Ghost.scala:13".to_owned()],
        };
        let (soon, late) = (Duration::from_secs(3), Duration::from_secs(90));
        let mut crashes = Crashes::default();
        for told in [false, false, false, true, false] {
            crashes.lost(&exited, soon);
            crashes.lost(&Trouble::Preempted, soon);
            let said = crashes.tell();
            assert_eq!(said.is_some(), told, "{said:?}");
            if let Some(said) = said {
                assert!(
                    said.starts_with("4 executors in a row ended within a minute"),
                    "{said}"
                );
                assert!(
                    said.contains("the last one ended with exit code 1: boo"),
                    "{said}"
                );
                assert!(
                    said.ends_with("Its log ends:\n    boo\n    at Ghost.scala:13"),
                    "{said}"
                );
            }
        }
        crashes.lost(&exited, late);
        for _ in 0..3 {
            crashes.lost(&exited, soon);
        }
        assert_eq!(crashes.tell(), None);
    }
}
