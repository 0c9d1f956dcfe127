//! What everyone may see of a driver's state.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::attach::proto;
use crate::attach::state::Phase;
use crate::cause::Cause;
use crate::driver::Running;

/// The state of the driver, for everyone to see.
#[derive(Clone)]
pub(super) struct State {
    sender: Arc<watch::Sender<Shown>>,
    since: Instant,
}

/// The states of a driver.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    Starting(Starting),
    Ready(Running),
    Ended(Cause),
}

/// How far a start is.
#[derive(Debug, Clone)]
pub(super) struct Starting {
    phase: Phase,
    /// When this phase began.
    since: Instant,
    /// The phases before it.
    passed: Vec<(Phase, Duration)>,
}

impl Starting {
    fn at(now: Instant) -> Self {
        Self {
            phase: Phase::Preparing,
            since: now,
            passed: Vec::new(),
        }
    }

    /// Goes on to a phase; one that it is in already goes on itself.
    fn go_on(&mut self, phase: Phase, now: Instant) {
        if phase != self.phase {
            self.passed.push((self.phase, now - self.since));
            self.phase = phase;
            self.since = now;
        }
    }
}

impl State {
    /// That of a driver whose start begins.
    pub(super) fn new(began: Instant) -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(Shown::Starting(Starting::at(began)))),
            since: began,
        }
    }

    /// Shows that the driver takes calls, or has ended.
    pub(super) fn show(&self, shown: Shown) {
        self.sender.send_replace(shown);
    }

    /// Says how far the start is.
    pub(super) fn starting(&self, phase: Phase) {
        tracing::info!(phase = phase.words(), "the driver starts");
        self.sender.send_if_modified(|shown| match shown {
            Shown::Starting(starting) => {
                starting.go_on(phase, Instant::now());
                true
            }
            // What ended while it started has ended.
            Shown::Ready(_) | Shown::Ended(_) => false,
        });
    }

    /// Follows the state from now on.
    pub(super) fn follow(&self) -> watch::Receiver<Shown> {
        self.sender.subscribe()
    }

    /// The state as it is told to kernels.
    pub(super) fn told(&self, shown: &Shown) -> proto::State {
        let state = match shown {
            Shown::Starting(starting) => proto::state::State::Starting(proto::Starting {
                phase: proto::Phase::from(starting.phase).into(),
                milliseconds: milliseconds(self.since.elapsed()),
                passed: starting
                    .passed
                    .iter()
                    .map(|&(phase, took)| proto::Passed {
                        phase: proto::Phase::from(phase).into(),
                        milliseconds: milliseconds(took),
                    })
                    .collect(),
            }),
            Shown::Ready(running) => proto::state::State::Ready(proto::Ready {
                spark_version: running.spark_version.clone(),
                pid: running.pid,
            }),
            Shown::Ended(cause) => proto::state::State::Ended(cause.clone().into()),
        };
        proto::State { state: Some(state) }
    }
}

/// As the attach service counts time.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_knows_how_long_each_phase_took() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut starting = Starting::at(began);
        for (second, phase) in [
            (0, Phase::Preparing),
            (1, Phase::ResolvingPackages),
            (4, Phase::StartingJava),
            (5, Phase::StartingJava),
            (6, Phase::WaitingForSpark),
        ] {
            starting.go_on(phase, at(second));
        }
        let seconds = Duration::from_secs;
        assert_eq!(starting.phase, Phase::WaitingForSpark);
        assert_eq!(
            starting.passed,
            [
                (Phase::Preparing, seconds(1)),
                (Phase::ResolvingPackages, seconds(3)),
                (Phase::StartingJava, seconds(2)),
            ]
        );
    }
}
