//! iopub: what a kernel tells everybody. Only this room writes to it.
//!
//! The publisher is our own, because the library's stops everybody when one subscriber stops
//! reading, or drops messages of those who read. Here each subscriber has a queue of its own,
//! bounded in bytes; a full one holds the producer back for a while, and then its peer alone goes.

mod backlog;
mod limits;
mod output;
mod peer;
mod publisher;
mod queue;
mod standing;
pub(super) mod zmtp;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::connection::Bound;
use super::frames::{Parent, Writer};
use crate::wire::listener::Listener;
use crate::wire::sockets::Sockets;
use publisher::{Order, Ready};

pub use limits::Limits;
pub use output::{Bracket, Captured, DisplayId, Output};

/// A handle to the publisher. When the last is gone, the publisher ends.
#[derive(Clone)]
pub(crate) struct Iopub {
    orders: mpsc::UnboundedSender<Order>,
    room: Arc<Semaphore>,
    under_way: usize,
    writer: Writer,
}

impl Iopub {
    /// Listens for subscribers, until every handle is gone or the task's handle is dropped.
    pub(crate) fn open(
        bound: Bound,
        writer: Writer,
        limits: Limits,
        sockets: &Sockets,
    ) -> io::Result<(Self, AbortOnDropHandle<()>)> {
        let listener = {
            let _here = sockets.enter();
            Listener::new(bound)?
        };
        let (orders, receiver) = mpsc::unbounded_channel();
        let publisher = publisher::run(listener, limits, writer.clone(), receiver);
        let iopub = Self {
            orders,
            room: Arc::new(Semaphore::new(limits.under_way)),
            under_way: limits.under_way,
            writer,
        };
        Ok((iopub, sockets.spawn(publisher)))
    }

    /// Publishes a message, after waiting until there is room for it or `stop` is cancelled: who
    /// is stopped has little left to say, and is not to hang on a slow reader.
    async fn send(
        &self,
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
        stop: &CancellationToken,
    ) {
        let Some(message) = self.ready(message_type, parent, content) else {
            return;
        };
        let share = message.bytes.len().min(self.under_way);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let room = Arc::clone(&self.room).acquire_many_owned(share);
        let share = stop.run_until_cancelled(room).await.and_then(Result::ok);
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
        if self.orders.send(Order::Drain(done)).is_ok() {
            // Who does not read in time does not get it.
            let _ = tokio::time::timeout(within, drained).await;
        }
    }

    /// Says that the kernel starts; belongs to no request.
    pub(crate) fn starting(&self) {
        let content = serde_json::json!({ "execution_state": "starting" });
        self.send_now("status", &Parent::none(), &content);
    }
}
