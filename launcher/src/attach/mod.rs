//! The attach service: how a kernel stands with a keeper.

pub(crate) mod client;
pub mod proto;
pub mod state;
