//! The connections between a door and what is behind it.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;

use super::body::server_gone;

/// How long connecting to a server on this machine may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How much of one answer may be on its way before its caller takes it, in bytes.
const STREAM_WINDOW: u32 = 2 << 20;

/// How much of all answers may be, so that a caller who does not take one gets the others.
const CONNECTION_WINDOW: u32 = 1 << 30;

/// One caller's way to the server: a connection of its own, made when it is needed and again when
/// it is lost. So callers do not wait for each other.
pub struct Link {
    tasks: Tasks,
    connection: Mutex<Option<(SocketAddr, SendRequest<Body>)>>,
}

impl Link {
    /// A way that is not gone yet. Its connections belong to `tasks`.
    pub fn new(tasks: TaskTracker) -> Self {
        Self {
            tasks: Tasks(tasks),
            connection: Mutex::new(None),
        }
    }

    /// A connection to the server that takes requests.
    pub(super) async fn connection(&self, server: SocketAddr) -> Result<SendRequest<Body>, Status> {
        if let Some(sender) = self.held(server) {
            return Ok(sender);
        }
        let connect = async {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http2::Builder::new(self.tasks.clone())
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .handshake::<_, Body>(TokioIo::new(stream))
                .await
                .map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>((sender, connection))
        };
        let (sender, connection) = match tokio::time::timeout(CONNECT, connect).await {
            Ok(Ok(made)) => made,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the server cannot be reached");
                return Err(server_gone());
            }
            Err(_) => return Err(server_gone()),
        };
        self.tasks.0.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the server ended");
            }
        });
        *self.slot() = Some((server, sender.clone()));
        Ok(sender)
    }

    fn held(&self, server: SocketAddr) -> Option<SendRequest<Body>> {
        let slot = self.slot();
        let (to, sender) = slot.as_ref()?;
        (*to == server && !sender.is_closed()).then(|| sender.clone())
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<(SocketAddr, SendRequest<Body>)>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives hyper's tasks an owner.
#[derive(Clone)]
pub(crate) struct Tasks(pub(crate) TaskTracker);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
