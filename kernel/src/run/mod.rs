//! The queue of requests, and what executes the cells among them.

pub mod interpreter;
pub mod queue;
