//! What the front end asked for, in order, and what executes the cells among it.

mod cells;
mod chart;
mod completion;
mod describe;
mod explain;
mod failure;
mod folder;
mod inspection;
pub mod interpreter;
mod keep;
mod limits;
mod magics;
mod margin;
mod parameters;
pub mod queue;
mod search;
mod statement;
mod total;
mod vars;
mod view;

pub use cells::Cells;
