//! What waits for one subscriber: a queue bounded in bytes, between the publisher and the peer's
//! own writer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// One peer's queue. The publisher puts in, the peer's writer takes out.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something was put in.
    filled: Notify,
    /// Something was sent; all queues of a publisher share it.
    progress: Arc<Notify>,
    closed: CancellationToken,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Bytes>,
    /// Bytes put in and not yet sent.
    bytes: usize,
}

impl Queue {
    /// An empty queue that tells by `progress` when something was sent.
    pub(super) fn new(progress: Arc<Notify>) -> Self {
        Self {
            state: Mutex::default(),
            filled: Notify::new(),
            progress,
            closed: CancellationToken::new(),
        }
    }

    pub(super) fn put(&self, message: Bytes) {
        let mut state = self.lock();
        state.bytes += message.len();
        state.waiting.push_back(message);
        drop(state);
        self.filled.notify_one();
    }

    /// Bytes that are not sent yet.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// The next messages, together no larger than `most` unless one alone is.
    pub(super) async fn take(&self, most: usize) -> Vec<Bytes> {
        loop {
            let filled = self.filled.notified();
            let some = self.lock().some(most);
            if !some.is_empty() {
                return some;
            }
            filled.await;
        }
    }

    /// Tells that so many bytes have left.
    pub(super) fn sent(&self, bytes: usize) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.progress.notify_one();
    }

    /// Ends the connection, whatever it does at the moment.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Waits until the publisher gives the connection up.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
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
        let queue = Queue::new(Arc::default());
        for text in ["one", "two", "three"] {
            queue.put(Bytes::from_static(text.as_bytes()));
        }
        assert_eq!(queue.take(6).await, ["one", "two"]);
        assert_eq!(queue.bytes(), 11);
        queue.sent(6);
        assert_eq!(queue.bytes(), 5);
        assert_eq!(queue.take(1).await, ["three"]);
    }
}
