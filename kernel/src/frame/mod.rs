//! Kept results as Polars holds them: what is drawn or described is counted here first.
//!
//! Only this room knows Polars. Values in, values out: it knows no socket, clock or driver.

mod column;
mod read;

pub use column::{Column, Kind};
pub use read::{kind, read};
