//! What the front end asked for, in order, and what executes the cells among it.

mod cells;
mod explain;
mod failure;
pub mod interpreter;
mod limits;
mod magics;
mod margin;
pub mod queue;
mod search;
mod statement;
mod view;

pub use cells::Cells;
