//! The Jupyter kernel, and the command line around it.

pub mod cell;
pub mod cli;
