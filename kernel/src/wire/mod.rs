//! Jupyter's sockets and messages. Nothing outside this room knows that there are sockets.
//!
//! Why not everything comes from `jupyter-protocol` and `zeromq` is shown, case by case, by the
//! tests in `shortcomings.rs`.

pub mod connection;
pub(crate) mod frames;
mod gate;
pub mod iopub;
mod listener;
pub(crate) mod router;
#[cfg(any(test, fuzzing))]
pub mod rules;
#[cfg(test)]
mod shortcomings;
pub(crate) mod sockets;
pub mod stdin;

use std::error::Error;
use std::io;

use connection::Address;

/// Why a kernel cannot listen where its connection file says.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}{hint}")]
pub struct BindError {
    /// The address, as ZeroMQ writes it.
    pub endpoint: String,
    /// What most likely is the matter, where it can be told.
    hint: &'static str,
    /// What the system says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl BindError {
    pub(crate) fn new(address: &Address, source: io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::AddrInUse => ": another process has taken it",
            io::ErrorKind::AddrNotAvailable => ": this machine has no such address",
            io::ErrorKind::PermissionDenied => ": this user may not",
            _ => "",
        };
        Self {
            endpoint: address.endpoint(),
            hint,
            source: source.into(),
        }
    }
}
