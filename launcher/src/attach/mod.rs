//! The attach service: how a kernel stands with a keeper.

pub(crate) mod client;
pub(crate) mod line;
pub mod proto;
pub mod state;
