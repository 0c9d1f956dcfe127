//! Jupyter's sockets and messages. Nothing outside this room knows that there are sockets.

pub mod connection;
pub(crate) mod frames;
mod heartbeat;
pub mod iopub;
pub(crate) mod router;
pub mod stdin;

pub(crate) use heartbeat::Heartbeat;

/// Why a kernel cannot listen where its connection file says.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}; another process may have taken the port")]
pub struct BindError {
    /// The address, as ZeroMQ writes it.
    pub endpoint: String,
    /// What the system says.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
