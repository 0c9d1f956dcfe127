//! The sockets that answer: shell, control and stdin.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use zeromq::{RouterRecvHalf, RouterSendHalf, SocketRecv as _, SocketSend as _, ZmqMessage};

use super::BindError;
use super::connection::{Channel, Connection};
use super::frames::{Parent, Reader, Received, Writer};
use super::sockets::Sockets;

/// How long an answer waits for a reader whose queue in the library (100,000 messages) is full.
/// Short, because others wait meanwhile.
const SEND: Duration = Duration::from_millis(100);

/// Sends answers. Clones send on the same socket.
#[derive(Clone)]
pub(crate) struct Answers {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    writer: Writer,
}

enum Outgoing {
    Message {
        frames: Vec<Bytes>,
        /// Told whether a reader was there.
        taken: Option<oneshot::Sender<bool>>,
    },
    /// Tells when everything before it has left.
    Drained(oneshot::Sender<()>),
}

/// What comes in on one socket.
pub(crate) struct Requests {
    socket: RouterRecvHalf,
    reader: Reader,
    name: &'static str,
}

/// One socket, both ways. It sends as long as `sending` is there.
pub(crate) struct Router {
    pub(crate) requests: Requests,
    pub(crate) answers: Answers,
    pub(crate) sending: AbortOnDropHandle<()>,
}

/// Binds one of a connection's sockets.
pub(crate) async fn bind(
    sockets: &Sockets,
    connection: &Connection,
    channel: Channel,
    writer: Writer,
) -> Result<Router, BindError> {
    let address = connection.address(channel);
    let failed = |error| BindError::new(&address, error);
    let bound = address.bind().map_err(failed)?;
    let socket = sockets.router(bound).await.map_err(failed)?;
    let (sending, socket) = socket.split();
    let (outgoing, queue) = mpsc::unbounded_channel();
    let name = channel.name();
    Ok(Router {
        requests: Requests {
            socket,
            reader: Reader::new(connection.key()),
            name,
        },
        answers: Answers { outgoing, writer },
        sending: sockets.spawn(send(name, sending, queue)),
    })
}

/// One task sends, so that who answers never waits for a reader that does not read.
async fn send(
    name: &'static str,
    socket: RouterSendHalf,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
) {
    let mut sender = Sender {
        name,
        socket,
        stuck: HashSet::new(),
    };
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Message { frames, taken } => {
                let there = sender.send(frames).await;
                if let Some(taken) = taken {
                    // Who asked may have gone.
                    let _ = taken.send(there);
                }
            }
            Outgoing::Drained(done) => {
                let _ = done.send(());
            }
        }
    }
}

struct Sender {
    name: &'static str,
    socket: RouterSendHalf,
    /// Readers that let an answer wait too long; nobody waits for them again until they read.
    stuck: HashSet<Bytes>,
}

impl Sender {
    /// Whether the answer was taken.
    async fn send(&mut self, frames: Vec<Bytes>) -> bool {
        let reader = frames.first().cloned().unwrap_or_default();
        let Ok(message) = ZmqMessage::try_from(frames) else {
            return false;
        };
        let patience = if self.stuck.contains(&reader) {
            Duration::ZERO
        } else {
            SEND
        };
        match tokio::time::timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => {
                self.stuck.remove(&reader);
                return true;
            }
            Ok(Err(error)) => {
                self.stuck.remove(&reader);
                tracing::debug!(name = self.name, %error, "an answer found no reader");
            }
            Err(_) => {
                tracing::warn!(name = self.name, "an answer was not taken in time");
                self.stuck.insert(reader);
            }
        }
        false
    }
}

impl Answers {
    /// Answers the request that came from `route`.
    pub(crate) fn send(
        &self,
        route: &[Bytes],
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
    ) {
        match self.writer.write(message_type, parent, content) {
            Ok(frames) => self.order(route, frames, None),
            Err(error) => tracing::error!(%error, message_type, "an answer could not be written"),
        }
    }

    /// Sends a message with this id and tells whether its reader was there.
    pub(crate) async fn deliver(
        &self,
        id: Uuid,
        route: &[Bytes],
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
    ) -> bool {
        let (taken, there) = oneshot::channel();
        match self.writer.write_as(id, message_type, parent, content) {
            Ok(frames) => self.order(route, frames, Some(taken)),
            Err(error) => tracing::error!(%error, message_type, "an answer could not be written"),
        }
        there.await.unwrap_or(false)
    }

    fn order(&self, route: &[Bytes], frames: Vec<Bytes>, taken: Option<oneshot::Sender<bool>>) {
        let mut whole = route.to_vec();
        whole.extend(frames);
        let order = Outgoing::Message {
            frames: whole,
            taken,
        };
        if self.outgoing.send(order).is_err() {
            tracing::error!("an answer came after its socket had ended");
        }
    }

    /// Waits until every answer so far was handed to its connection, or `within` is over.
    pub(crate) async fn drain(&self, within: Duration) {
        let (done, drained) = oneshot::channel();
        if self.outgoing.send(Outgoing::Drained(done)).is_ok() {
            // Who does not read in time does not get it.
            let _ = tokio::time::timeout(within, drained).await;
        }
    }
}

impl Requests {
    /// The next message that is one. Others are dropped with a word in the log.
    ///
    /// Safe to be cancelled: a message is either taken whole or waits.
    pub(crate) async fn next(&mut self) -> Received {
        loop {
            match self.socket.recv().await {
                Ok(message) => match self.reader.read(&message.into_vec()) {
                    Ok(received) => return received,
                    Err(refused) => {
                        let so_far = self.reader.refused();
                        tracing::warn!(name = self.name, %refused, so_far, "a message is dropped");
                    }
                },
                // One peer's fault; the others go on. Without any peer the library fails at once,
                // so this must not spin.
                Err(error) => {
                    tracing::debug!(name = self.name, %error, "receiving failed");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}
