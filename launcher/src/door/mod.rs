//! The door: a Spark Connect endpoint that checks who calls, counts what runs, and passes streams
//! through as they come.
//!
//! What is behind it is an [`Upstream`]. The keeper's is the first.

mod body;
mod call;
mod link;
mod messages;
mod proxy;

use std::net::SocketAddr;

use async_trait::async_trait;
use firesteel_session::address::Token;
use tonic::Status;

pub use call::{Call, Effect, Method};
pub use link::Link;
pub(crate) use link::Tasks;
pub use proxy::Door;

/// Where calls go.
#[derive(Debug, Clone)]
pub struct Target {
    /// A Spark Connect server that speaks plain HTTP/2.
    pub address: SocketAddr,
    /// What opens it.
    pub token: Token,
}

/// What is behind a door.
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// Where this call is to go. It may start what is not there and wait for it; the caller waits
    /// with it, as long as its own deadline lasts, and drops the future when it gives up.
    ///
    /// # Errors
    /// The status that the caller gets.
    async fn upstream(&self, call: &Call) -> Result<Target, Status>;

    /// Told what passed. For each call that has a target, [`Seen::Sent`] once and after it
    /// [`Seen::Ended`] once, however it ended: by an answer, by the caller's leaving or by the
    /// server's death. Must not block.
    fn seen(&self, call: &Call, event: Seen);
}

/// What passed a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The call is on its way.
    Sent,
    /// Nothing more of the call will pass.
    Ended,
}

#[cfg(test)]
mod tests;
