//! The attach service: how a kernel stands with a keeper.

pub mod proto;
pub mod state;
