//! The heartbeat: an echo on a thread of its own, so that it answers whatever else goes on.

use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use zeromq::{RepSocket, Socket as _, SocketRecv as _, SocketSend as _};

use super::BindError;
use super::connection::Address;

/// How long an answer may take to leave before its asker is given up.
const SEND: Duration = Duration::from_secs(5);

/// Answers until it is dropped.
pub(crate) struct Heartbeat {
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Heartbeat {
    /// Starts to answer.
    pub(crate) async fn start(address: &Address) -> Result<Self, BindError> {
        let endpoint = address.endpoint();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| BindError {
            endpoint: endpoint.clone(),
            source,
        };
        let stop = CancellationToken::new();
        let (bound, whether) = tokio::sync::oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.into()))?;
        let thread = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn({
                let (stop, endpoint) = (stop.clone(), endpoint.clone());
                move || {
                    runtime.block_on(async move {
                        let mut socket = RepSocket::new();
                        let outcome = socket.bind(&endpoint).await;
                        let good = outcome.is_ok();
                        // Who started us waits for this.
                        let _ = bound.send(outcome);
                        if good {
                            stop.run_until_cancelled(echo(socket)).await;
                        }
                    });
                }
            })
            .map_err(|error| failed(error.into()))?;
        match whether.await {
            Ok(Ok(_)) => Ok(Self {
                stop,
                thread: Some(thread),
            }),
            Ok(Err(error)) => Err(failed(error.into())),
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the heartbeat panicked");
        }
    }
}

/// Sends back what comes. The library's own heartbeat answers "pong", which no front end checks
/// for, but Jupyter asks for an echo.
async fn echo(mut socket: RepSocket) {
    loop {
        // An error is one peer's, and the others go on.
        if let Ok(message) = socket.recv().await {
            let _ = tokio::time::timeout(SEND, socket.send(message)).await;
        }
    }
}
