//! Spark Connect servers to test against: a real one, and one that plays scripts.

pub mod outcome;
pub mod real;
pub mod record;
pub mod script;
pub mod scripted;
