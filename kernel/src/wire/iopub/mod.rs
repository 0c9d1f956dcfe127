//! iopub: what a kernel tells everybody. Only this room writes to it.
//!
//! The publisher is our own, because the library's stops everybody when one subscriber stops
//! reading, or drops messages of those who read. Here each subscriber has a queue of its own,
//! bounded in bytes; a full one holds the producer back for a while, and then its peer alone goes.

mod output;
mod peer;
mod publisher;
mod queue;
mod zmtp;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::connection::Address;
use super::frames::{Parent, Writer};
use publisher::{Listener, Order, Ready};

pub use output::{Bracket, Captured, DisplayId, Output};

/// How much the publisher bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that may wait for one subscriber before it holds the producer back.
    pub queue_bytes: usize,
    /// How long one subscriber may hold the producer back before it is dropped.
    pub hold: Duration,
    /// Bytes of messages that wait for the very first subscriber.
    pub backlog_bytes: usize,
    /// How long they wait for it.
    pub backlog_age: Duration,
    /// How long a new connection may take to shake hands.
    pub handshake: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Bytes that producers may have on their way to the publisher.
    pub under_way: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_bytes: 16 << 20,
            hold: Duration::from_secs(10),
            backlog_bytes: 8 << 20,
            backlog_age: Duration::from_secs(60),
            handshake: Duration::from_secs(5),
            connections: 128,
            subscriptions: 64,
            under_way: 4 << 20,
        }
    }
}

/// A handle to the publisher. When the last is gone, the publisher ends.
#[derive(Clone)]
pub(crate) struct Iopub {
    orders: mpsc::UnboundedSender<Order>,
    room: Arc<Semaphore>,
    under_way: usize,
    writer: Writer,
}

impl Iopub {
    /// Listens for subscribers. The task ends when every handle is gone.
    pub(crate) async fn open(
        address: &Address,
        writer: Writer,
        limits: Limits,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let listener = Listener::bind(address).await?;
        let (orders, receiver) = mpsc::unbounded_channel();
        let task = tokio::spawn(publisher::run(listener, limits, writer.clone(), receiver));
        let iopub = Self {
            orders,
            room: Arc::new(Semaphore::new(limits.under_way)),
            under_way: limits.under_way,
            writer,
        };
        Ok((iopub, task))
    }

    /// Publishes a message, after waiting until there is room for it.
    async fn send(&self, message_type: &str, parent: &Parent, content: &impl Serialize) {
        let Some(message) = self.ready(message_type, parent, content) else {
            return;
        };
        let share = message.bytes.len().min(self.under_way);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let share = Arc::clone(&self.room).acquire_many_owned(share).await.ok();
        self.order(message, share);
    }

    /// Publishes a message at once. For those that are short and few: a state, a comm's end.
    fn send_now(&self, message_type: &str, parent: &Parent, content: &impl Serialize) {
        if let Some(message) = self.ready(message_type, parent, content) {
            self.order(message, None);
        }
    }

    fn order(&self, message: Ready, share: Option<tokio::sync::OwnedSemaphorePermit>) {
        let order = Order::Publish {
            message,
            _share: share,
        };
        if self.orders.send(order).is_err() {
            tracing::error!("a message came after iopub had ended");
        }
    }

    fn ready(
        &self,
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
    ) -> Option<Ready> {
        match self.writer.write(message_type, parent, content) {
            Ok(mut frames) => {
                let topic = Bytes::copy_from_slice(message_type.as_bytes());
                frames.insert(0, topic.clone());
                Some(Ready {
                    topic,
                    bytes: zmtp::message(&frames),
                })
            }
            Err(error) => {
                tracing::error!(%error, message_type, "a message could not be written");
                None
            }
        }
    }

    /// Waits until everything published so far has left, or `within` is over.
    pub(crate) async fn drain(&self, within: Duration) {
        let (done, drained) = oneshot::channel();
        if self.orders.send(Order::Drain(within, done)).is_ok() {
            // An error means that the publisher has ended and nothing waits.
            let _ = drained.await;
        }
    }

    /// Says that the kernel starts; belongs to no request.
    pub(crate) fn starting(&self) {
        let content = serde_json::json!({ "execution_state": "starting" });
        self.send_now("status", &Parent::none(), &content);
    }
}
