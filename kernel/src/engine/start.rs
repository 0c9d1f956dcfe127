//! Waiting for a driver, and telling how its start goes.

use std::time::{Duration, Instant};

use firesteel_launcher::attach::state::{DriverState, Facts, Home, Phase};
use firesteel_launcher::backend::Attachment;
use firesteel_launcher::cause::Cause;
use tokio::sync::watch;

use crate::display::{Start, Started};

/// Waits until the driver takes calls, and tells how far it is. Gives what the start took, where it
/// was waited for and the driver is in a cluster: on one machine there is little to tell apart.
pub(super) async fn ready(
    attachment: &Attachment,
    start: &watch::Sender<Start>,
) -> Result<Option<Started>, Cause> {
    let mut state = attachment.state();
    let mut seen = None;
    let tell = async {
        loop {
            if let DriverState::Starting {
                phase,
                since,
                passed,
                trouble,
            } = &*state.borrow_and_update()
            {
                start.send_replace(Start {
                    phase: phase.words().to_owned(),
                    passed: words(passed),
                    trouble: trouble.clone(),
                });
                seen = Some((*phase, *since, passed.clone()));
            }
            if state.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let facts = tokio::select! {
        ready = attachment.ready() => ready?,
        () = tell => return Ok(None),
    };
    Ok(seen.and_then(|seen| started(seen, facts, Instant::now())))
}

/// What a start took that was last seen in one of its phases, and is over `now`.
fn started(
    (phase, since, mut passed): (Phase, Instant, Vec<(Phase, Duration)>),
    facts: Facts,
    now: Instant,
) -> Option<Started> {
    let in_pod = facts
        .own
        .is_some_and(|own| matches!(own.home, Home::Pod(_)));
    let took = now.saturating_duration_since(since);
    let before: Duration = passed.iter().map(|(_, took)| *took).sum();
    passed.push((phase, took.saturating_sub(before)));
    in_pod.then(|| Started {
        spark: facts.spark_version,
        took,
        phases: words(&passed),
    })
}

fn words(phases: &[(Phase, Duration)]) -> Vec<(&'static str, Duration)> {
    phases
        .iter()
        .map(|(phase, took)| (phase.words(), *took))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use firesteel_launcher::attach::state::{OwnFacts, PodName};

    use super::*;

    fn facts(home: Home) -> Facts {
        Facts {
            spark_version: Some("4.3.0".to_owned()),
            own: Some(OwnFacts {
                incarnation: "i".to_owned(),
                started_at: SystemTime::UNIX_EPOCH,
                home,
            }),
        }
    }

    #[test]
    fn the_last_phase_takes_what_the_others_left() {
        let since = Instant::now();
        let now = since + Duration::from_secs(9);
        let passed = vec![(Phase::Scheduling, Duration::from_secs(2))];
        let pod = Home::Pod(PodName {
            namespace: "n".to_owned(),
            name: "p".to_owned(),
        });
        let seen = (Phase::WaitingForSpark, since, passed);
        let told = started(seen.clone(), facts(pod), now).unwrap();
        assert_eq!(told.took, Duration::from_secs(9));
        assert_eq!(
            told.phases,
            [
                ("waiting for a node", Duration::from_secs(2)),
                ("waiting for Spark", Duration::from_secs(7))
            ]
        );
        let process = Home::Process {
            keeper: 1,
            driver: 2,
            log: "/log".into(),
        };
        assert_eq!(started(seen, facts(process), now), None);
    }
}
