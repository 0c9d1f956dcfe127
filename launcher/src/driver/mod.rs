//! A driver: what it is started with, its process, its log, and why it failed.

pub mod exec;
mod explain;
mod image;
mod jars;
mod order;
mod output;
mod plan;
mod process;
mod start;
mod warm;

pub(crate) use explain::Failed;
#[cfg(test)]
pub(crate) use explain::{Home, examples};
pub(crate) use image::{Image, is_version};
pub(crate) use jars::jars;
pub(crate) use order::{Order, Parts, may_see};
pub(crate) use output::tail_of;
pub use plan::is_utf8;
pub(crate) use plan::{LISTENERS, Plan, Pod, host};
pub(crate) use process::Exit;
pub(crate) use start::{Driver, Running, Starter, no_random};
pub(crate) use warm::warm;
