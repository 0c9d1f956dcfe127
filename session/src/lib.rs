//! A Spark Connect client: statements in, events out.
//!
//! [`Client`](client::Client) makes single calls, [`Session`](session::Session) is what most need:
//! it keeps one identity on one server, and is an [`Engine`](engine::Engine).

pub mod address;
pub mod call;
pub mod client;
pub mod dial;
pub mod engine;
pub mod error;
mod execution;
pub mod failure;
mod ipc;
pub mod proto;
pub mod retry;
pub mod session;
