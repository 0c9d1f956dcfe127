//! Messages for connections that have not subscribed yet.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Limits;
use super::publisher::Ready;

/// Counts the messages published, so that a connection knows from which on it may want them.
pub(super) type Position = u64;

/// The last messages, as many as may still be wanted.
#[derive(Default)]
pub(super) struct Backlog {
    waiting: VecDeque<(Instant, Ready)>,
    bytes: usize,
    /// The position of the first that waits.
    first: Position,
    /// Whether a loss was told.
    told: bool,
}

impl Backlog {
    /// The position of the next message.
    pub(super) fn next(&self) -> Position {
        self.first + self.waiting.len() as Position
    }

    /// Keeps a message; the oldest go when there are too many bytes or they are too old.
    pub(super) fn keep(&mut self, message: Ready, now: Instant, limits: &Limits) {
        self.bytes += message.bytes.len();
        self.waiting.push_back((now, message));
        while let Some((since, _)) = self.waiting.front() {
            let too_much = self.bytes > limits.backlog_bytes;
            if !too_much && now - *since <= limits.backlog_age {
                break;
            }
            if too_much && !self.told {
                tracing::warn!("nobody subscribes to iopub, and the oldest messages are dropped");
                self.told = true;
            }
            self.forget_first();
        }
    }

    /// Counts a message that nobody may want later.
    pub(super) fn pass(&mut self) {
        self.forget();
        self.first += 1;
    }

    /// Those that still wait, from a position on.
    pub(super) fn since(&self, position: Position) -> impl Iterator<Item = &Ready> {
        let known = position.saturating_sub(self.first);
        let skip = usize::try_from(known).unwrap_or(usize::MAX);
        self.waiting.iter().skip(skip).map(|(_, message)| message)
    }

    /// Forgets all that waits, because everybody has subscribed.
    pub(super) fn forget(&mut self) {
        while !self.waiting.is_empty() {
            self.forget_first();
        }
        self.waiting.shrink_to_fit();
    }

    fn forget_first(&mut self) {
        if let Some((_, message)) = self.waiting.pop_front() {
            self.bytes -= message.bytes.len();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn ready(size: usize) -> Ready {
        Ready {
            topic: Bytes::new(),
            bytes: Bytes::from(vec![0; size]),
        }
    }

    fn sizes(backlog: &Backlog, since: Position) -> Vec<usize> {
        backlog.since(since).map(|m| m.bytes.len()).collect()
    }

    #[test]
    fn what_is_too_much_or_too_old_is_forgotten_and_positions_stay() {
        let limits = Limits {
            backlog_bytes: 100,
            backlog_age: Duration::from_secs(10),
            ..Limits::default()
        };
        let start = Instant::now();
        let mut backlog = Backlog::default();
        for size in [40, 41, 42] {
            backlog.keep(ready(size), start, &limits);
        }
        assert_eq!(sizes(&backlog, 0), [41, 42]);
        assert_eq!(backlog.next(), 3);
        assert_eq!(sizes(&backlog, 2), [42]);
        backlog.keep(ready(1), start + Duration::from_secs(11), &limits);
        assert_eq!(sizes(&backlog, 0), [1]);
        assert_eq!(sizes(&backlog, 3), [1]);
        assert_eq!(sizes(&backlog, 4), [0; 0]);
    }

    #[test]
    fn messages_that_nobody_may_want_are_only_counted() {
        let mut backlog = Backlog::default();
        backlog.keep(ready(1), Instant::now(), &Limits::default());
        backlog.pass();
        assert_eq!((backlog.next(), backlog.bytes), (2, 0));
        assert_eq!(sizes(&backlog, 0), [0; 0]);
    }
}
