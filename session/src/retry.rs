//! How often and after which waits a failed call is made again.

use std::time::Duration;

use tokio::time::Instant;

/// A retry policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How often a call is made again after its first failure.
    pub tries: u32,
    /// Wait before the first of them.
    pub first: Duration,
    /// By how much each wait is longer than the one before.
    pub factor: u32,
    /// Longest wait of our own choosing.
    pub longest: Duration,
    /// Most that chance adds to a wait.
    pub jitter: Duration,
    /// Waits shorter than this are left as they are.
    pub jitter_from: Duration,
    /// Longest wait that a server may ask for.
    pub longest_asked: Duration,
    /// Time from the first failure after which no further try is begun.
    pub total: Duration,
}

impl Retry {
    /// pyspark 4.3's `DefaultPolicy`: at least ten minutes until a server counts as gone.
    pub const OFFICIAL: Self = Self {
        tries: 15,
        first: Duration::from_millis(50),
        factor: 4,
        longest: Duration::from_secs(60),
        jitter: Duration::from_millis(500),
        jitter_from: Duration::from_secs(2),
        longest_asked: Duration::from_secs(600),
        total: Duration::from_secs(3600),
    };

    /// For a server on this machine, which is there or is not: gives up after three seconds.
    pub const PROMPT: Self = Self {
        tries: 6,
        longest: Duration::from_secs(1),
        longest_asked: Duration::from_secs(3),
        total: Duration::from_secs(3),
        ..Self::OFFICIAL
    };

    /// For calls nobody waits for: one attempt.
    pub const NONE: Self = Self {
        tries: 0,
        ..Self::OFFICIAL
    };
}

/// How long to wait before the next try, or `None` when there is none.
///
/// `attempt` counts the failures, from 1; `asked` is the wait the server asked for; `chance` is
/// between 0 and 1. The rule is that of pyspark 4.3's `RetryPolicyState.next_attempt`.
pub fn next_wait(
    policy: &Retry,
    attempt: u32,
    asked: Option<Duration>,
    chance: f64,
) -> Option<Duration> {
    if attempt == 0 || attempt > policy.tries {
        return None;
    }
    let grown = policy
        .factor
        .checked_pow(attempt - 1)
        .and_then(|factor| policy.first.checked_mul(factor))
        .unwrap_or(policy.longest)
        .min(policy.longest);
    let asked = asked.unwrap_or_default().min(policy.longest_asked);
    let wait = grown.max(asked);
    if wait < policy.jitter_from {
        return Some(wait);
    }
    Some(wait + policy.jitter.mul_f64(chance.clamp(0.0, 1.0)))
}

/// When something is decided, and its share of chance, between 0 and 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) chance: f64,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self {
            now: Instant::now(),
            chance: chance(),
        }
    }
}

/// Failures since the last progress.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    count: u32,
    since: Option<Instant>,
}

impl Failures {
    /// Counts a failure. Gives how long to wait before the next try; `None` when it is the last.
    pub(crate) fn next(
        &mut self,
        policy: &Retry,
        asked: Option<Duration>,
        at: Moment,
    ) -> Option<Duration> {
        let since = *self.since.get_or_insert(at.now);
        self.count += 1;
        let wait = next_wait(policy, self.count, asked, at.chance)?;
        (at.now - since + wait <= policy.total).then_some(wait)
    }
}

/// A random number between 0 and 1.
fn chance() -> f64 {
    // 53 bits are what a f64 holds.
    let bits = uuid::Uuid::new_v4().as_u64_pair().1 & ((1 << 53) - 1);
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_waits_are_those_of_spark() {
        let millis = Duration::from_millis;
        let seconds = Duration::from_secs;
        let official = &Retry::OFFICIAL;
        let cases = [
            (0, None, 0.0, None),
            (1, None, 1.0, Some(millis(50))),
            (2, None, 1.0, Some(millis(200))),
            (3, None, 1.0, Some(millis(800))),
            (4, None, 0.0, Some(millis(3200))),
            (4, None, 1.0, Some(millis(3700))),
            (5, None, 0.5, Some(millis(13_050))),
            (6, None, 0.0, Some(millis(51_200))),
            (7, None, 0.0, Some(seconds(60))),
            (15, None, 1.0, Some(millis(60_500))),
            (16, None, 0.0, None),
            (1, Some(seconds(30)), 0.0, Some(seconds(30))),
            (7, Some(seconds(30)), 0.0, Some(seconds(60))),
            (1, Some(seconds(3600)), 0.0, Some(seconds(600))),
        ];
        for (attempt, asked, chance, expected) in cases {
            let wait = next_wait(official, attempt, asked, chance);
            assert_eq!(wait, expected, "{attempt} {asked:?} {chance}");
        }
    }

    #[test]
    fn the_official_policy_waits_ten_minutes_for_a_server() {
        let waits = (1..).map_while(|attempt| next_wait(&Retry::OFFICIAL, attempt, None, 0.0));
        assert!(waits.sum::<Duration>() >= Duration::from_secs(600));
    }

    #[test]
    fn the_prompt_policy_gives_up_within_three_seconds() {
        let begun = Instant::now();
        let mut at = Moment {
            now: begun,
            chance: 1.0,
        };
        let mut failures = Failures::default();
        while let Some(wait) = failures.next(&Retry::PROMPT, None, at) {
            at.now += wait;
        }
        let waited = at.now - begun;
        assert!(waited > Duration::from_secs(1), "{waited:?}");
        assert!(waited <= Duration::from_secs(3), "{waited:?}");
    }

    #[test]
    fn chance_lies_between_nothing_and_all() {
        let drawn: Vec<f64> = (0..1000).map(|_| chance()).collect();
        assert!(drawn.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!(drawn.iter().any(|&chance| chance < 0.1));
        assert!(drawn.iter().any(|&chance| chance > 0.9));
    }
}
