//! The sockets that answer: shell, control and stdin.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::mpsc;
use zeromq::{
    RouterRecvHalf, RouterSocket, Socket as _, SocketRecv as _, SocketSend as _, ZmqMessage,
};

use super::BindError;
use super::connection::Address;
use super::frames::{Parent, Reader, Received, Writer};

/// How long one answer may take to leave before its reader is given up.
const SEND: Duration = Duration::from_secs(10);

/// Sends answers. Clones send on the same socket.
#[derive(Clone)]
pub(crate) struct Answers {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    writer: Writer,
}

enum Outgoing {
    Message(Vec<Bytes>),
    /// Tells when everything before it has left.
    Drained(tokio::sync::oneshot::Sender<()>),
}

/// What comes in on one socket.
pub(crate) struct Requests {
    socket: RouterRecvHalf,
    reader: Reader,
    name: &'static str,
}

/// Binds one socket. The task that sends ends when the last [`Answers`] is gone.
pub(crate) async fn bind(
    name: &'static str,
    address: &Address,
    reader: Reader,
    writer: Writer,
) -> Result<(Requests, Answers), BindError> {
    let endpoint = address.endpoint();
    let mut socket = RouterSocket::new();
    if let Err(error) = socket.bind(&endpoint).await {
        return Err(BindError {
            endpoint,
            source: error.into(),
        });
    }
    let (sending, socket) = socket.split();
    let (outgoing, queue) = mpsc::unbounded_channel();
    tokio::spawn(send(name, sending, queue));
    let requests = Requests {
        socket,
        reader,
        name,
    };
    Ok((requests, Answers { outgoing, writer }))
}

/// One task sends, so that who answers never waits for a reader that does not read.
async fn send(
    name: &'static str,
    socket: zeromq::RouterSendHalf,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
) {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Message(frames) => {
                let Ok(message) = ZmqMessage::try_from(frames) else {
                    continue;
                };
                let mut socket = socket.clone();
                match tokio::time::timeout(SEND, socket.send(message)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(name, %error, "an answer found no reader"),
                    Err(_) => tracing::warn!(name, "an answer was not taken in time"),
                }
            }
            Outgoing::Drained(done) => {
                // Who asked may have gone.
                let _ = done.send(());
            }
        }
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
        let frames = match self.writer.write(message_type, parent, content) {
            Ok(frames) => frames,
            Err(error) => {
                return tracing::error!(%error, message_type, "an answer could not be written");
            }
        };
        let mut whole = route.to_vec();
        whole.extend(frames);
        if self.outgoing.send(Outgoing::Message(whole)).is_err() {
            tracing::error!(message_type, "an answer came after its socket had ended");
        }
    }

    /// Waits until every answer so far was handed to its connection, or `within` is over.
    pub(crate) async fn drain(&self, within: Duration) {
        let (done, drained) = tokio::sync::oneshot::channel();
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
                Ok(message) => match self.reader.read(message.into_vec()) {
                    Ok(received) => return received,
                    Err(refused) => {
                        tracing::warn!(name = self.name, %refused, "a message is dropped");
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
