//! Messages for connections that have not subscribed yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

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
}

impl Backlog {
    /// Keeps a message; the oldest go when there are more bytes than `most` or they are older than
    /// `age`. Says whether one went because there were too many.
    pub(super) fn keep(
        &mut self,
        message: Ready,
        now: Instant,
        most: usize,
        age: Duration,
    ) -> bool {
        self.bytes += message.bytes.len();
        self.waiting.push_back((now, message));
        self.forget_older(now, age);
        let too_many = self.bytes > most;
        while self.bytes > most && self.forget_first() {}
        too_many
    }

    /// Forgets what is older than `age`.
    pub(super) fn forget_older(&mut self, now: Instant, age: Duration) {
        while let Some((since, _)) = self.waiting.front()
            && now.duration_since(*since) > age
        {
            self.forget_first();
        }
    }

    /// The position of the first message that is no older than `age`.
    pub(super) fn recent(&self, now: Instant, age: Duration) -> Position {
        let older = |(since, _): &&(Instant, Ready)| now.duration_since(*since) > age;
        self.first + self.waiting.iter().take_while(older).count() as Position
    }

    /// Those that still wait, from a position on.
    pub(super) fn since(&self, position: Position) -> impl Iterator<Item = &Ready> {
        let known = position.saturating_sub(self.first);
        let skip = usize::try_from(known).unwrap_or(usize::MAX);
        self.waiting.iter().skip(skip).map(|(_, message)| message)
    }

    fn forget_first(&mut self) -> bool {
        let Some((_, message)) = self.waiting.pop_front() else {
            return false;
        };
        self.bytes -= message.bytes.len();
        self.first += 1;
        true
    }
}

#[cfg(test)]
mod tests {
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
        let age = Duration::from_secs(10);
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut backlog = Backlog::default();
        assert!(!backlog.keep(ready(40), at(0), 100, age));
        assert!(!backlog.keep(ready(41), at(1), 100, age));
        assert!(backlog.keep(ready(42), at(2), 100, age));
        assert_eq!(sizes(&backlog, 0), [41, 42]);
        assert_eq!(sizes(&backlog, 2), [42]);
        assert_eq!(sizes(&backlog, 3), [0; 0]);
        assert_eq!(backlog.recent(at(11), age), 1);
        assert_eq!(backlog.recent(at(12), age), 2);
        assert_eq!(backlog.recent(at(13), age), 3);
        assert!(!backlog.keep(ready(1), at(12), 100, age));
        assert_eq!(sizes(&backlog, 0), [42, 1]);
        backlog.forget_older(at(23), age);
        assert_eq!((sizes(&backlog, 0), backlog.bytes), (vec![], 0));
        assert_eq!(backlog.recent(at(23), age), 4);
    }
}
