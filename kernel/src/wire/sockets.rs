//! The thread of all that speaks to front ends: ZeroMQ's sockets, what takes their messages, and what
//! publishes. A message goes from one to the next without another thread's being woken, and the
//! heartbeat answers whatever else goes on.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Handle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use zeromq::{Listener, RouterSocket, Socket as _, SocketRecv as _, SocketSend as _};

use super::connection::Bound;
use super::gate::Gate;

/// How long an echo may take to leave before its asker is given up.
const ECHO: Duration = Duration::from_millis(100);

/// How often it is looked at whether the library has written everything; it does not tell.
const LOOK: Duration = Duration::from_millis(2);

/// The thread. It runs the library's tasks and those of this room, and nothing that could take long.
pub(crate) struct Sockets {
    handle: Handle,
    /// Let peers in.
    gates: Mutex<Vec<AbortOnDropHandle<()>>>,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sockets {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("zeromq".to_owned())
            .spawn(move || runtime.block_on(stopped.cancelled()))?;
        Ok(Self {
            handle,
            gates: Mutex::default(),
            stop,
            thread: Some(thread),
        })
    }

    /// Runs a task on the thread, until it ends or its handle is dropped.
    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(self.handle.spawn(task))
    }

    /// What is made under this guard hears of its input on the thread.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// A ROUTER socket that takes over what is bound.
    pub(crate) async fn router(&self, bound: Bound) -> io::Result<RouterSocket> {
        let handle = self.handle.clone();
        // The library spawns its tasks on the runtime it is called on.
        let (socket, gate) = self
            .handle
            .spawn(async move {
                let (gate, inside) = Gate::before(bound)?;
                let mut socket = RouterSocket::new();
                socket
                    .bind_listener(Listener::Ipc(inside))
                    .await
                    .map_err(io::Error::other)?;
                Ok::<_, io::Error>((socket, gate.serve(handle)))
            })
            .await
            .map_err(io::Error::other)??;
        let gate = self.spawn(gate);
        self.gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(gate);
        Ok(socket)
    }

    /// Answers heartbeats until the handle is dropped.
    pub(crate) async fn heartbeat(&self, bound: Bound) -> io::Result<AbortOnDropHandle<()>> {
        let socket = self.router(bound).await?;
        Ok(self.spawn(echo(socket)))
    }

    /// Waits until what was sent on sockets that are dropped by now was handed to the system, or
    /// `within` is over. Every task that was spawned here has ended or is aborted.
    ///
    /// The library has no linger: its tasks, each of which lives until its queue is written, are
    /// all there is to wait for.
    pub(crate) async fn linger(self, within: Duration) {
        let deadline = Instant::now() + within;
        let metrics = self.handle.metrics();
        // A gate stays open, and holds the connections that still hand something on.
        let gates = self
            .gates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        while metrics.num_alive_tasks() > gates {
            if Instant::now() >= deadline {
                return tracing::warn!("a front end did not take the last answers in time");
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the sockets panicked");
        }
    }
}

/// Sends back what comes, to the byte. A ROUTER, because it keeps no state between the two: an
/// asker that is gone disturbs no other.
async fn echo(mut socket: RouterSocket) {
    while let Ok(message) = socket.recv().await {
        // An error is one peer's, and the others go on.
        let _ = tokio::time::timeout(ECHO, socket.send(message)).await;
    }
}
