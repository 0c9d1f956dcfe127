//! What becomes of a driver while no cell runs, for the person at the notebook.

use std::time::{Duration, Instant, SystemTime};

use firesteel_launcher::attach::state::{DriverState, Outlook};
use firesteel_launcher::backend::Attachment;
use firesteel_launcher::cause::Kind;

use super::describe::spoken;
use super::ledger::Ledger;
use crate::display::Zone;

/// Something to write beside a result that is shown already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// These words, until something else is so.
    Soon(String),
    /// These words, for good.
    Over(String),
    /// What was written for a while holds no more.
    Nothing,
}

/// What was written of a driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    #[default]
    Nothing,
    /// That it will be given back.
    Plan,
    /// That it was given back.
    End,
}

/// What is known of a driver's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// None is planned, or it came in a way that the next cell tells.
    None,
    /// It is given back in so long.
    Planned(Duration),
    /// It was given back, as this sentence says.
    Given(String),
}

impl Fate {
    fn of(state: &DriverState, outlook: &Outlook) -> Self {
        match state {
            DriverState::Ended(cause) if cause.kind == Kind::Idle => {
                Self::Given(cause.sentence.clone())
            }
            DriverState::Ended(_) => Self::None,
            DriverState::Starting { .. } | DriverState::Ready(_) => {
                outlook.given_back_at.map_or(Self::None, |at| {
                    Self::Planned(at.saturating_duration_since(Instant::now()))
                })
            }
        }
    }

    /// Waits until there is something to tell of a driver's fate beside what was told, and takes
    /// note of that. Cancel-safe.
    pub(super) async fn news(attachment: &Attachment, told: &mut Told) -> Self {
        let mut state = attachment.state();
        let mut outlook = attachment.outlook();
        loop {
            let fate = Self::of(&state.borrow_and_update(), &outlook.borrow_and_update());
            if let Some(tells) = fate.beside(*told) {
                *told = tells;
                return fate;
            }
            tokio::select! {
                Ok(()) = state.changed() => {}
                Ok(()) = outlook.changed() => {}
                // Nobody is left who could tell anything.
                else => return std::future::pending().await,
            }
        }
    }

    /// What is to be told of it, where that is not told yet.
    fn beside(&self, told: Told) -> Option<Told> {
        let tells = match self {
            Self::None => Told::Nothing,
            Self::Planned(_) => Told::Plan,
            Self::Given(_) => Told::End,
        };
        (tells != told).then_some(tells)
    }

    /// It in words, at this time; `ledger` is what goes with the driver.
    pub(super) fn words(&self, ledger: &Ledger, zone: &Zone, now: SystemTime) -> Aside {
        let lost = |when: &str| match ledger.is_empty() {
            true => String::new(),
            false => format!(" Lost {when}: {ledger}."),
        };
        match self {
            Self::None => Aside::Nothing,
            Self::Planned(wait) => Aside::Soon(format!(
                "Idle: the Spark driver is given back at {} (in {}) unless a cell runs.{} `%keep 2h` keeps it.",
                clock(zone, now + *wait),
                spoken(*wait),
                lost("then")
            )),
            Self::Given(sentence) => Aside::Over(format!(
                "{sentence} at {}; the next cell starts a new one.{}",
                clock(zone, now),
                lost("with it")
            )),
        }
    }
}

fn clock(zone: &Zone, at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs();
    zone.clock(i64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use firesteel_launcher::attach::state::Facts;
    use firesteel_launcher::cause::Cause;

    use super::*;
    use crate::cell::{Manner, Subject, Thing};

    #[test]
    fn a_fate_is_told_once_and_taken_back_once() {
        let planned = Fate::Planned(Duration::from_secs(300));
        let given = Fate::Given(String::new());
        for (fate, told, expected) in [
            (&Fate::None, Told::Nothing, None),
            (&planned, Told::Nothing, Some(Told::Plan)),
            (&planned, Told::Plan, None),
            (&Fate::None, Told::Plan, Some(Told::Nothing)),
            (&given, Told::Plan, Some(Told::End)),
            (&given, Told::Nothing, Some(Told::End)),
            (&given, Told::End, None),
        ] {
            assert_eq!(fate.beside(told), expected, "{fate:?} {told:?}");
        }
    }

    #[test]
    fn only_what_was_idle_was_given_back() {
        let ready = DriverState::Ready(Facts {
            spark_version: None,
            own: None,
        });
        let ended = |kind| DriverState::Ended(Cause::new(kind, "It ended", "Run it."));
        let soon = Outlook {
            given_back_at: Some(Instant::now()),
            ..Outlook::default()
        };
        assert_eq!(Fate::of(&ready, &Outlook::default()), Fate::None);
        assert!(matches!(Fate::of(&ready, &soon), Fate::Planned(_)));
        assert_eq!(Fate::of(&ended(Kind::Killed), &soon), Fate::None);
        let given = Fate::Given("It ended".to_owned());
        assert_eq!(Fate::of(&ended(Kind::Idle), &soon), given);
    }

    #[test]
    fn a_warning_says_when_and_what_is_lost() {
        let mut ledger = Ledger::default();
        let zone = Zone::parse("Europe/Berlin").unwrap();
        // 13:05 in Berlin.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_478_700);
        let planned = Fate::Planned(Duration::from_secs(300));
        assert_eq!(
            planned.words(&ledger, &zone, now),
            Aside::Soon(
                "Idle: the Spark driver is given back at 13:10 Europe/Berlin (in 5 min) \
                 unless a cell runs. `%keep 2h` keeps it."
                    .to_owned()
            )
        );
        let view = Subject::Created {
            thing: Thing::TemporaryView,
            name: "v".to_owned(),
            manner: Manner::New,
        };
        ledger.record(&view, true);
        let given = Fate::Given("The Spark driver was idle for 60 min and was given back".into());
        assert_eq!(
            given.words(&ledger, &zone, now),
            Aside::Over(
                "The Spark driver was idle for 60 min and was given back at 13:05 Europe/Berlin; \
                 the next cell starts a new one. Lost with it: view v."
                    .to_owned()
            )
        );
        assert_eq!(Fate::None.words(&ledger, &zone, now), Aside::Nothing);
    }
}
