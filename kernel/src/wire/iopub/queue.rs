//! What waits for one subscriber: a queue bounded in bytes, between the publisher and the peer's
//! own writer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// One peer's queue. The publisher puts in, the peer's writer takes out.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something was put in, or the queue was closed.
    filled: Notify,
    /// Something was sent.
    sent: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Bytes>,
    /// Bytes put in and not yet sent.
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn put(&self, message: Bytes) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.bytes += message.len();
        state.waiting.push_back(message);
        drop(state);
        self.filled.notify_one();
    }

    /// Bytes that are not sent yet.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Waits until something more was sent.
    pub(super) async fn progress(&self) {
        self.sent.notified().await;
    }

    /// The next messages, together no larger than `most` unless one alone is. `None` when the queue
    /// is closed.
    pub(super) async fn take(&self, most: usize) -> Option<Vec<Bytes>> {
        loop {
            let filled = self.filled.notified();
            {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                if !state.waiting.is_empty() {
                    return Some(state.some(most));
                }
            }
            filled.await;
        }
    }

    /// Tells that so many bytes have left.
    pub(super) fn sent(&self, bytes: usize) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.sent.notify_one();
    }

    /// Forgets what waits; nothing goes in any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        state.bytes = 0;
        drop(state);
        self.filled.notify_one();
        self.sent.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn some(&mut self, most: usize) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(message) = self.waiting.pop_front() {
            bytes += message.len();
            taken.push(message);
            if self
                .waiting
                .front()
                .is_none_or(|next| bytes + next.len() > most)
            {
                break;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_leave_in_order_and_count_until_they_are_sent() {
        let queue = Queue::default();
        for text in ["one", "two", "three"] {
            queue.put(Bytes::from_static(text.as_bytes()));
        }
        assert_eq!(queue.take(6).await.unwrap(), ["one", "two"]);
        assert_eq!(queue.bytes(), 11);
        queue.sent(6);
        assert_eq!(queue.bytes(), 5);
        assert_eq!(queue.take(1).await.unwrap(), ["three"]);
    }

    #[tokio::test]
    async fn a_closed_queue_gives_and_takes_nothing() {
        let queue = Queue::default();
        queue.put(Bytes::from_static(b"one"));
        queue.close();
        queue.put(Bytes::from_static(b"two"));
        assert_eq!(queue.take(100).await, None);
        assert_eq!(queue.bytes(), 0);
    }
}
