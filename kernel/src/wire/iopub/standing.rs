//! Whether a subscriber keeps up: the decision, from what waits for it and a clock.

use tokio::time::Instant;

use super::Limits;

/// How a subscriber stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// There is room for more.
    #[default]
    Reading,
    /// Too much waits for it.
    Full { since: Instant },
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Keep,
    /// The producer waits for it, until then at most.
    Hold(Instant),
    /// It goes, and nobody waits for it any more.
    Drop,
}

impl Standing {
    /// How it stands now that so many bytes wait for it. Once full, it has room again only when
    /// half has left: one that takes a message now and then gains nothing by it.
    pub(super) fn now(self, bytes: usize, now: Instant, limits: &Limits) -> Self {
        match self {
            Self::Reading if bytes > limits.queue_bytes => Self::Full { since: now },
            Self::Full { .. } if bytes <= limits.queue_bytes / 2 => Self::Reading,
            same => same,
        }
    }

    pub(super) fn verdict(self, now: Instant, limits: &Limits) -> Verdict {
        match self {
            Self::Reading => Verdict::Keep,
            Self::Full { since } if now >= since + limits.hold => Verdict::Drop,
            Self::Full { since } => Verdict::Hold(since + limits.hold),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What waits at which second, and what is decided.
    #[test]
    fn who_takes_half_in_time_is_waited_for_and_others_are_dropped() {
        let limits = Limits {
            queue_bytes: 100,
            hold: Duration::from_secs(10),
            ..Limits::default()
        };
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut standing = Standing::default();
        for (second, bytes, expected) in [
            (0, 100, Verdict::Keep),
            (1, 101, Verdict::Hold(at(11))),
            (2, 99, Verdict::Hold(at(11))),
            (3, 51, Verdict::Hold(at(11))),
            (4, 50, Verdict::Keep),
            (5, 90, Verdict::Keep),
            (6, 300, Verdict::Hold(at(16))),
            (15, 51, Verdict::Hold(at(16))),
            (16, 51, Verdict::Drop),
        ] {
            standing = standing.now(bytes, at(second), &limits);
            assert_eq!(
                standing.verdict(at(second), &limits),
                expected,
                "at {second}"
            );
        }
    }
}
