//! A driver on this machine: what it is started with, its process, its log, and why it failed.

pub mod exec;
mod explain;
mod output;
mod plan;
mod process;
mod start;

pub(crate) use explain::Failed;
pub(crate) use output::tail_of;
pub(crate) use plan::{Order, Parts, may_see};
pub(crate) use start::{Driver, Running, Starter, no_random};
