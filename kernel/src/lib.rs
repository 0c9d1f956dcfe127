//! The Jupyter kernel, and the command line around it.

pub mod cell;
pub mod chart;
pub mod cli;
pub mod display;
pub mod engine;
pub mod frame;
mod glob;
pub mod history;
pub mod kept;
pub mod run;
pub mod serve;
pub mod wire;
