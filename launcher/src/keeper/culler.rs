//! Whether a driver that nobody uses is given back, and when its users are warned.
//!
//! A function of what [`Standing`](super::standing::Standing) knows and of its monotonic clock.

use std::time::Duration;

use super::standing::Clock;

/// How much longer a driver may be idle while a session on it holds something.
const HOLDING: u32 = 3;

/// Into how many parts the time of a warning falls. Each has to be lived through: a clock that
/// jumps while the machine sleeps takes one of them at most.
const PARTS: u32 = 10;

/// The longest and the shortest time between a warning and the end.
const WARNING: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5 * 60));

/// How long a driver stays that nobody uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(super) idle: Option<Duration>,
    pub(super) age: Option<Duration>,
    pub(super) warning: Duration,
}

impl Limits {
    /// So long may a driver be idle, and so old may it be when it is; for ever where nothing is
    /// said. The warning comes a quarter of that before the end: not less than two seconds, not
    /// more than five minutes.
    pub(crate) fn new(idle: Option<Duration>, age: Option<Duration>) -> Self {
        let (shortest, longest) = WARNING;
        let limit = idle.or(age).unwrap_or(longest);
        Self {
            idle,
            age,
            warning: (limit / 4).clamp(shortest, longest),
        }
    }
}

/// A driver that may be given back: a kernel is there, nothing runs, and all that is known is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Idle {
    /// Since when nothing has run.
    pub(crate) since: Clock,
    /// Whether a session holds what is lost with the driver.
    pub(crate) holding: bool,
    /// Somebody asked that it be kept until then.
    pub(crate) kept: Clock,
}

/// Why a driver is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nobody was there.
    Unused,
    /// Nothing ran for so long.
    Idle(Duration),
    /// It was so old, and nothing ran.
    Old(Duration),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Tell the users that the driver ends in so long.
    Warn(Duration),
    /// Tell them that it stays.
    Unwarn,
    /// End it.
    End(Why),
}

/// Decides, and remembers what was warned of.
#[derive(Debug)]
pub(crate) struct Culler {
    limits: Limits,
    warned: Option<Warned>,
}

/// A warning that is out.
#[derive(Debug, Clone, Copy)]
struct Warned {
    /// How much of its time is still to be lived through.
    left: Duration,
    /// When that was counted last.
    counted: Clock,
}

/// When a driver is due, and why.
struct Due {
    at: Clock,
    old: bool,
}

impl Culler {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            warned: None,
        }
    }

    /// Whether a warning is out that has lost its reason. `idle` is `None` where something runs,
    /// nobody is there, or nothing certain is known.
    pub(crate) fn recall(&mut self, idle: Option<Idle>, now: Clock) -> Option<Verdict> {
        let stands = idle
            .and_then(|idle| self.warns(idle))
            .is_some_and(|warns| warns <= now);
        (!stands && self.warned.take().is_some()).then_some(Verdict::Unwarn)
    }

    /// What time has made necessary.
    pub(crate) fn tick(&mut self, idle: Option<Idle>, now: Clock) -> Option<Verdict> {
        if let Some(unwarn) = self.recall(idle, now) {
            return Some(unwarn);
        }
        let idle = idle?;
        let due = self.due(idle)?;
        if let Some(warned) = &mut self.warned {
            let lived = now
                .saturating_sub(warned.counted)
                .min(self.limits.warning / PARTS);
            warned.left = warned.left.saturating_sub(lived);
            warned.counted = now;
            let over = warned.left.is_zero() && now >= due.at;
            return over.then(|| {
                Verdict::End(if due.old {
                    Why::Old(now)
                } else {
                    Why::Idle(now.saturating_sub(idle.since))
                })
            });
        }
        if self.warns(idle)? > now {
            return None;
        }
        let warning = self.limits.warning;
        self.warned = Some(Warned {
            left: warning,
            counted: now,
        });
        Some(Verdict::Warn(due.at.saturating_sub(now).max(warning)))
    }

    /// When [`tick`](Self::tick) has something to say next.
    pub(crate) fn next(&self, idle: Option<Idle>) -> Option<Clock> {
        let idle = idle?;
        let Some(warned) = &self.warned else {
            return self.warns(idle);
        };
        if warned.left.is_zero() {
            return self.due(idle).map(|due| due.at);
        }
        Some(warned.counted + warned.left.min(self.limits.warning / PARTS))
    }

    /// From when on its users are warned.
    fn warns(&self, idle: Idle) -> Option<Clock> {
        let due = self.due(idle)?.at;
        Some(due.saturating_sub(self.limits.warning).max(idle.since))
    }

    /// When the driver ends, where the warning is out by then.
    fn due(&self, idle: Idle) -> Option<Due> {
        let Limits { warning, .. } = self.limits;
        let times = if idle.holding { HOLDING } else { 1 };
        let tired = self.limits.idle.map(|limit| idle.since + limit * times);
        // Twice, so that a user of an old driver is not warned after each cell.
        let old = self.limits.age.map(|age| age.max(idle.since + warning * 2));
        let at = tired.into_iter().chain(old).min()?;
        Some(Due {
            at: at.max(idle.kept),
            old: old == Some(at) && tired != Some(at),
        })
    }
}

#[cfg(test)]
mod tests;
