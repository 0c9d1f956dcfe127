//! A Spark Connect client: statements in, events out.

pub mod address;
pub mod engine;
pub mod error;
pub mod proto;
