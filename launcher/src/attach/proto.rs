//! The messages and the service of `firesteel.keeper.v1`.
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated code; its documentation is the proto's"
)]

tonic::include_proto!("firesteel.keeper.v1");

/// The version of the protocol that this code speaks.
pub const PROTOCOL: u32 = 1;
