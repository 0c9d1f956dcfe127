//! Kept results as Polars holds them: what is drawn or described is counted here first.
//!
//! Only this room knows Polars. Values in, values out: it knows no socket, clock or driver.

mod column;
mod even;
mod names;
mod parts;
mod read;
mod rows;
mod summary;
mod tally;

pub use column::{Column, Kind, Range};
pub use names::{MOST_NAMES, Names};
pub use read::{kind, read};
pub use rows::Rows;
pub use summary::summary;
pub use tally::{Key, Tally, tally};
