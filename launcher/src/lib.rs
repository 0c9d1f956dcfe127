//! Finds, starts, watches and ends Spark drivers.

pub mod paths;
pub mod runtime;
