//! One subscriber's connection: a task that reads what it says, and one that writes what waits.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::Limits;
use super::queue::Queue;
use super::zmtp::{self, Said};

/// How much is written at once, where small messages wait.
const WRITE: usize = 128 << 10;

/// A number for each connection, never used twice.
pub(super) type PeerId = u64;

/// What happens on a connection.
pub(super) enum Happened {
    /// It was made. What is published from now on may be for it.
    Connected(PeerId, Arc<Queue>),
    /// It wants messages whose topic begins so.
    Subscribed(PeerId, Bytes),
    /// It no longer wants them.
    Cancelled(PeerId, Bytes),
    /// It is gone.
    Left(PeerId),
}

/// Serves one connection until it ends, is closed by the publisher, or breaks the protocol.
pub(super) async fn serve<S>(
    stream: S,
    id: PeerId,
    queue: Arc<Queue>,
    limits: Limits,
    tell: mpsc::Sender<Happened>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    tokio::select! {
        ended = talk(stream, id, &queue, limits, &tell) => {
            if let Err(error) = ended {
                tracing::debug!(id, %error, "an iopub connection ended");
            }
        }
        () = queue.closed() => {}
    }
    // The publisher may have ended; then nobody needs to know.
    let _ = tell.send(Happened::Left(id)).await;
}

async fn talk<S>(
    mut stream: S,
    id: PeerId,
    queue: &Queue,
    limits: Limits,
    tell: &mpsc::Sender<Happened>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    tokio::time::timeout(limits.handshake, zmtp::handshake(&mut stream)).await??;
    let (mut reading, writing) = tokio::io::split(stream);
    tokio::select! {
        ended = listen(&mut reading, id, queue, tell) => ended,
        ended = write(writing, queue) => ended,
    }
}

async fn listen<S: AsyncRead + Unpin>(
    stream: &mut S,
    id: PeerId,
    queue: &Queue,
    tell: &mpsc::Sender<Happened>,
) -> io::Result<()> {
    loop {
        let happened = match zmtp::read(stream).await? {
            Said::Subscribe(topic) => Happened::Subscribed(id, topic),
            Said::Cancel(topic) => Happened::Cancelled(id, topic),
            Said::Ping(context) => {
                // A peer that pings and never reads gains nothing by it.
                if queue.bytes() < WRITE {
                    queue.put(zmtp::pong(&context));
                }
                continue;
            }
            Said::Other => continue,
        };
        if tell.send(happened).await.is_err() {
            return Ok(());
        }
    }
}

async fn write<S: AsyncWrite + Unpin>(mut stream: S, queue: &Queue) -> io::Result<()> {
    loop {
        let messages = queue.take(WRITE).await;
        match messages.as_slice() {
            [one] => stream.write_all(one).await?,
            many => {
                let mut together = BytesMut::with_capacity(WRITE);
                for message in many {
                    together.extend_from_slice(message);
                }
                stream.write_all(&together).await?;
            }
        }
        stream.flush().await?;
        queue.sent(messages.iter().map(Bytes::len).sum());
    }
}
