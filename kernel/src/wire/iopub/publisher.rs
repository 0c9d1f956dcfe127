//! The one task that owns what iopub knows: who listens, to what, and what waits for whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Limits;
use super::backlog::{Backlog, Position};
use super::peer::{self, Happened, PeerId};
use super::queue::Queue;
use super::standing::{Standing, Verdict};
use super::zmtp;
use crate::wire::frames::{Parent, Writer};
use crate::wire::listener::{Listener, Stream};

/// How many things that happened on connections may wait to be taken note of. A peer that does
/// more waits itself.
const HAPPENED: usize = 256;

/// What the publisher is asked for.
pub(super) enum Order {
    /// Send this message to all who want its topic.
    Publish {
        message: Ready,
        /// Its share of what producers may have under way; given back once it is in all queues.
        _share: Option<OwnedSemaphorePermit>,
    },
    /// Tell when everything published before has left.
    Drain(oneshot::Sender<()>),
}

/// A message, ready to be sent: every peer shares its bytes.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) topic: Bytes,
    pub(super) bytes: Bytes,
}

struct Peer {
    queue: Arc<Queue>,
    standing: Standing,
    interest: Interest,
}

/// What a connection wants to hear.
enum Interest {
    /// It has not said so yet; when it does, it gets what was published since.
    Unknown { since: Position },
    /// What begins with one of these topics.
    Topics(Vec<Bytes>),
}

impl Interest {
    fn covers(&self, topic: &[u8]) -> bool {
        match self {
            Self::Unknown { .. } => false,
            Self::Topics(topics) => topics.iter().any(|wanted| topic.starts_with(wanted)),
        }
    }

    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

struct Publisher {
    limits: Limits,
    writer: Writer,
    peers: BTreeMap<PeerId, Peer>,
    backlog: Backlog,
    /// Whether anybody has ever subscribed. Until then everything is kept for who does first.
    subscribed: bool,
    told_of_loss: bool,
    draining: Vec<oneshot::Sender<()>>,
}

/// Runs until every sender of `orders` is gone; then every connection ends.
pub(super) async fn run(
    listener: Listener,
    limits: Limits,
    writer: Writer,
    orders: mpsc::UnboundedReceiver<Order>,
) {
    let (tell, happened) = mpsc::channel(HAPPENED);
    let progress = Arc::new(Notify::new());
    tokio::select! {
        () = accept(listener, limits, tell, Arc::clone(&progress)) => {}
        () = publish(limits, writer, orders, happened, &progress) => {}
    }
}

async fn publish(
    limits: Limits,
    writer: Writer,
    mut orders: mpsc::UnboundedReceiver<Order>,
    mut happened: mpsc::Receiver<Happened>,
    progress: &Notify,
) {
    let mut publisher = Publisher {
        limits,
        writer,
        peers: BTreeMap::new(),
        backlog: Backlog::default(),
        subscribed: false,
        told_of_loss: false,
        draining: Vec::new(),
    };
    loop {
        let held_until = publisher.judge(Instant::now());
        publisher.tell_if_drained();
        tokio::select! {
            // Subscriptions first: who subscribed before a message was made is to have it.
            biased;
            Some(happened) = happened.recv() => publisher.take_note(happened),
            () = progress.notified() => {}
            () = tokio::time::sleep_until(held_until.unwrap_or_else(Instant::now)),
                if held_until.is_some() => {}
            order = orders.recv(), if held_until.is_none() => match order {
                Some(Order::Publish { message, .. }) => publisher.publish(message),
                Some(Order::Drain(done)) => publisher.draining.push(done),
                None => return,
            },
        }
    }
}

async fn accept(
    listener: Listener,
    limits: Limits,
    tell: mpsc::Sender<Happened>,
    progress: Arc<Notify>,
) {
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
        let queue = Arc::new(Queue::new(Arc::clone(&progress)));
        let connected = Happened::Connected(id, Arc::clone(&queue));
        if tell.send(connected).await.is_err() {
            return;
        }
        let tell = tell.clone();
        match stream {
            Stream::Tcp(stream) => connections.spawn(peer::serve(stream, id, queue, limits, tell)),
            Stream::Ipc(stream) => connections.spawn(peer::serve(stream, id, queue, limits, tell)),
        };
    }
}

impl Publisher {
    fn take_note(&mut self, happened: Happened) {
        match happened {
            Happened::Connected(id, queue) => {
                // The very first gets everything; a later one what it may have caused itself.
                let since = if self.subscribed {
                    self.backlog.recent(Instant::now(), self.limits.recent)
                } else {
                    0
                };
                let peer = Peer {
                    queue,
                    standing: Standing::default(),
                    interest: Interest::Unknown { since },
                };
                self.peers.insert(id, peer);
            }
            Happened::Subscribed(id, topic) => self.subscribe(id, topic),
            Happened::Cancelled(id, topic) => {
                if let Some(peer) = self.peers.get_mut(&id)
                    && let Interest::Topics(topics) = &mut peer.interest
                    && let Some(at) = topics.iter().position(|known| *known == topic)
                {
                    topics.swap_remove(at);
                }
            }
            Happened::Left(id) => {
                self.peers.remove(&id);
            }
        }
        self.backlog.forget_older(Instant::now(), self.kept_for());
    }

    /// Welcomes the peer (JEP 65), and gives it what was published while it could not say yet
    /// what it wants.
    fn subscribe(&mut self, id: PeerId, topic: Bytes) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if let Interest::Topics(topics) = &peer.interest
            && topics.len() >= self.limits.subscriptions
        {
            return tracing::debug!(id, "an iopub peer subscribes too often");
        }
        let subscription = String::from_utf8_lossy(&topic).into_owned();
        let content = jupyter_protocol::IoPubWelcome::new(subscription);
        match self
            .writer
            .write("iopub_welcome", &Parent::none(), &content)
        {
            // Who asks again and again and reads nothing gets no more to read.
            Ok(_) if peer.queue.bytes() > self.limits.queue_bytes => {}
            Ok(mut frames) => {
                frames.insert(0, topic.clone());
                peer.queue.put(zmtp::message(&frames));
            }
            Err(error) => tracing::error!(%error, "a welcome could not be written"),
        }
        match &mut peer.interest {
            Interest::Topics(topics) => topics.push(topic),
            Interest::Unknown { since } => {
                for message in self.backlog.since(*since) {
                    if message.topic.starts_with(&topic) {
                        peer.queue.put(message.bytes.clone());
                    }
                }
                peer.interest = Interest::Topics(vec![topic]);
                self.subscribed = true;
            }
        }
    }

    fn publish(&mut self, message: Ready) {
        for peer in self.peers.values() {
            if peer.interest.covers(&message.topic) {
                peer.queue.put(message.bytes.clone());
            }
        }
        let (most, age) = (self.limits.backlog_bytes, self.kept_for());
        let lost = self.backlog.keep(message, Instant::now(), most, age);
        if lost && !self.subscribed && !self.told_of_loss {
            tracing::warn!("nobody subscribes to iopub, and the oldest messages are dropped");
            self.told_of_loss = true;
        }
    }

    /// How long a message is kept for who has not subscribed yet.
    fn kept_for(&self) -> Duration {
        let awaited =
            !self.subscribed || self.peers.values().any(|peer| peer.interest.is_unknown());
        if awaited {
            self.limits.backlog_age
        } else {
            self.limits.recent
        }
    }

    /// Drops who has held the producer back for too long, and says until when it is held back now.
    fn judge(&mut self, now: Instant) -> Option<Instant> {
        let limits = &self.limits;
        let mut held_until: Option<Instant> = None;
        self.peers.retain(|id, peer| {
            peer.standing = peer.standing.now(peer.queue.bytes(), now, limits);
            match peer.standing.verdict(now, limits) {
                Verdict::Keep => {}
                Verdict::Hold(until) => {
                    held_until = Some(held_until.map_or(until, |earliest| earliest.min(until)));
                }
                Verdict::Drop => {
                    let waiting = peer.queue.bytes();
                    tracing::warn!(
                        id,
                        waiting,
                        "an iopub subscriber does not read and is dropped"
                    );
                    peer.queue.close();
                    return false;
                }
            }
            true
        });
        held_until
    }

    fn tell_if_drained(&mut self) {
        if self.draining.is_empty() || self.peers.values().any(|peer| peer.queue.bytes() > 0) {
            return;
        }
        for done in self.draining.drain(..) {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}
