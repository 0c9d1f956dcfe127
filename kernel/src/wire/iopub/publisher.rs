//! The one task that owns what iopub knows: who listens, to what, and what waits for the first.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Limits;
use super::peer::{self, Happened, PeerId};
use super::queue::Queue;
use super::zmtp;
use crate::wire::connection::Address;
use crate::wire::frames::{Parent, Writer};

/// What the publisher is asked for.
pub(super) enum Order {
    /// Send this message to all who want its topic.
    Publish {
        /// Its topic and its frames, ready to be sent.
        message: Ready,
        /// Its share of what producers may have under way; given back once it is in all queues.
        _share: Option<OwnedSemaphorePermit>,
    },
    /// Tell when everything sent before has left, or a deadline is over.
    Drain(Duration, oneshot::Sender<()>),
}

/// A message, ready to be sent.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) topic: Bytes,
    pub(super) bytes: Bytes,
}

/// Where subscribers come from.
pub(super) enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Listener {
    pub(super) async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(ip, port) => Ok(Self::Tcp(TcpListener::bind((ip.as_str(), *port)).await?)),
            Address::Ipc(path) => Ok(Self::Ipc(UnixListener::bind(path)?)),
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Ipc(listener) => Ok(Stream::Ipc(listener.accept().await?.0)),
        }
    }
}

struct Peer {
    queue: Arc<Queue>,
    topics: Vec<Bytes>,
}

impl Peer {
    fn wants(&self, topic: &[u8]) -> bool {
        self.topics.iter().any(|wanted| topic.starts_with(wanted))
    }
}

/// Messages from before the first subscription, for the first subscriber.
struct Backlog {
    waiting: VecDeque<(Instant, Ready)>,
    bytes: usize,
}

impl Backlog {
    /// Keeps a message; the oldest go when there are too many bytes or they are too old.
    fn keep(&mut self, message: Ready, now: Instant, limits: &Limits) {
        self.bytes += message.bytes.len();
        self.waiting.push_back((now, message));
        while let Some((since, oldest)) = self.waiting.front() {
            if self.bytes <= limits.backlog_bytes && now - *since <= limits.backlog_age {
                break;
            }
            self.bytes -= oldest.bytes.len();
            self.waiting.pop_front();
        }
    }
}

pub(super) struct Publisher {
    limits: Limits,
    writer: Writer,
    peers: BTreeMap<PeerId, Peer>,
    /// `None` once somebody has subscribed.
    backlog: Option<Backlog>,
    happened: mpsc::UnboundedReceiver<Happened>,
}

/// Runs until every sender of `orders` is gone.
pub(super) async fn run(
    listener: Listener,
    limits: Limits,
    writer: Writer,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let (tell, happened) = mpsc::unbounded_channel();
    let mut publisher = Publisher {
        limits,
        writer,
        peers: BTreeMap::new(),
        backlog: Some(Backlog {
            waiting: VecDeque::new(),
            bytes: 0,
        }),
        happened,
    };
    // Dropped with this task, and every connection with it.
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(listener, limits, tell));
    loop {
        tokio::select! {
            // Subscriptions first: who subscribed before a message was made is to have it.
            biased;
            Some(happened) = publisher.happened.recv() => publisher.take_note(happened),
            order = orders.recv() => match order {
                Some(Order::Publish { message, .. }) => publisher.publish(message).await,
                Some(Order::Drain(deadline, done)) => {
                    publisher.drain(deadline).await;
                    // Who asked may have gone.
                    let _ = done.send(());
                }
                None => return,
            },
        }
    }
}

async fn accept(listener: Listener, limits: Limits, tell: mpsc::UnboundedSender<Happened>) {
    let mut connections = JoinSet::new();
    for id in 0.. {
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                // Out of descriptors, most likely: wait for some to come back.
                tracing::warn!(%error, "an iopub connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= limits.connections {
            tracing::warn!(limit = limits.connections, "too many iopub connections");
            continue;
        }
        let tell = tell.clone();
        match stream {
            Stream::Tcp(stream) => connections.spawn(peer::serve(stream, id, limits, tell)),
            Stream::Ipc(stream) => connections.spawn(peer::serve(stream, id, limits, tell)),
        };
    }
}

impl Publisher {
    fn take_note(&mut self, happened: Happened) {
        match happened {
            Happened::Joined(id, queue) => {
                let topics = Vec::new();
                self.peers.insert(id, Peer { queue, topics });
            }
            Happened::Subscribed(id, topic) => self.subscribe(id, topic),
            Happened::Cancelled(id, topic) => {
                if let Some(peer) = self.peers.get_mut(&id)
                    && let Some(at) = peer.topics.iter().position(|known| *known == topic)
                {
                    peer.topics.swap_remove(at);
                }
            }
            Happened::Left(id) => {
                self.peers.remove(&id);
            }
        }
    }

    /// Welcomes the peer (JEP 65), and gives the very first what was said before it came.
    fn subscribe(&mut self, id: PeerId, topic: Bytes) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.topics.len() >= self.limits.subscriptions {
            return;
        }
        let subscription = String::from_utf8_lossy(&topic).into_owned();
        peer.topics.push(topic);
        let content = jupyter_protocol::IoPubWelcome::new(subscription.clone());
        match self
            .writer
            .write("iopub_welcome", &Parent::none(), &content)
        {
            Ok(mut frames) => {
                frames.insert(0, Bytes::from(subscription));
                peer.queue.put(zmtp::message(&frames));
            }
            Err(error) => tracing::error!(%error, "a welcome could not be written"),
        }
        for (_, message) in self.backlog.take().into_iter().flat_map(|b| b.waiting) {
            if peer.wants(&message.topic) {
                peer.queue.put(message.bytes);
            }
        }
    }

    async fn publish(&mut self, message: Ready) {
        if let Some(backlog) = &mut self.backlog {
            return backlog.keep(message, Instant::now(), &self.limits);
        }
        for peer in self
            .peers
            .values()
            .filter(|peer| peer.wants(&message.topic))
        {
            peer.queue.put(message.bytes.clone());
        }
        self.hold_back().await;
    }

    /// Waits while a peer's queue is full, each peer for so long and no longer: then it is dropped.
    async fn hold_back(&mut self) {
        let deadline = Instant::now() + self.limits.hold;
        for (id, peer) in &self.peers {
            let room = async {
                while peer.queue.bytes() > self.limits.queue_bytes && !peer.queue.is_closed() {
                    peer.queue.progress().await;
                }
            };
            if tokio::time::timeout_at(deadline, room).await.is_err() {
                tracing::warn!(id, "an iopub subscriber does not read and is dropped");
                peer.queue.close();
            }
        }
        self.peers.retain(|_, peer| !peer.queue.is_closed());
    }

    async fn drain(&mut self, within: Duration) {
        let deadline = Instant::now() + within;
        while let Ok(happened) = self.happened.try_recv() {
            self.take_note(happened);
        }
        for peer in self.peers.values() {
            let empty = async {
                while peer.queue.bytes() > 0 && !peer.queue.is_closed() {
                    peer.queue.progress().await;
                }
            };
            // Who does not read in time does not get it.
            let _ = tokio::time::timeout_at(deadline, empty).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(size: usize) -> Ready {
        Ready {
            topic: Bytes::new(),
            bytes: Bytes::from(vec![0; size]),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_backlog_forgets_what_is_too_much_or_too_old() {
        let limits = Limits {
            backlog_bytes: 100,
            backlog_age: Duration::from_secs(10),
            ..Limits::default()
        };
        let mut backlog = Backlog {
            waiting: VecDeque::new(),
            bytes: 0,
        };
        for _ in 0..3 {
            backlog.keep(ready(40), Instant::now(), &limits);
        }
        assert_eq!((backlog.waiting.len(), backlog.bytes), (2, 80));
        tokio::time::advance(Duration::from_secs(11)).await;
        backlog.keep(ready(1), Instant::now(), &limits);
        assert_eq!((backlog.waiting.len(), backlog.bytes), (1, 1));
    }
}
