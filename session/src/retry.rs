//! How often and after which waits a failed call is made again.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::Failure;

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

/// The failures of one call so far.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    policy: &'a Retry,
    attempt: u32,
    since: Option<Instant>,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(policy: &'a Retry) -> Self {
        Self {
            policy,
            attempt: 0,
            since: None,
        }
    }

    /// How long to wait after this failure before the next try; `None` when it is final.
    pub(crate) fn after(&mut self, failure: &Failure) -> Option<Duration> {
        if !failure.is_transient() {
            return None;
        }
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        self.attempt += 1;
        let wait = next_wait(self.policy, self.attempt, failure.retry_after, chance())?;
        ((now - since) + wait <= self.policy.total).then_some(wait)
    }
}

/// A random number between 0 and 1.
pub(crate) fn chance() -> f64 {
    // 53 bits are what a f64 holds.
    let bits = uuid::Uuid::new_v4().as_u64_pair().1 & ((1 << 53) - 1);
    bits as f64 / (1_u64 << 53) as f64
}
