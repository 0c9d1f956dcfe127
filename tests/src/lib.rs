//! What no single crate can test: a real Spark, real front ends, whole processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support fails loudly, where it is"
)]

pub mod cluster;
pub mod connect;
pub mod drivers;
pub mod faults;
pub mod house;
pub mod jupyter;
pub mod notebook;
pub mod ports;
