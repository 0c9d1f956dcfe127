//! Faults at named points, in an order that a seed brings back.
//!
//! [`relay`] breaks the way to a Spark Connect server at a response of one's choice, [`stage`] brings a
//! kernel to every moment of its driver's life, [`disk`] is full when it is told to.

pub mod disk;
mod frames;
pub mod relay;
mod responses;
pub mod seed;
pub mod stage;

use std::fmt;
use std::io::Write as _;

/// Prints what was tried, also where the test goes well: who reads a run sees what it covered.
///
/// # Panics
/// When the standard error cannot be written to.
pub fn tell(what: impl fmt::Display) {
    // Not by a macro, whose output is kept from who runs the tests.
    let mut shown = std::io::stderr().lock();
    writeln!(shown, "{what}").unwrap();
}

/// Whether every point is to be tried, and not only some that chance chooses: `FIRESTEEL_FAULTS=all`.
pub fn all() -> bool {
    std::env::var("FIRESTEEL_FAULTS").is_ok_and(|asked| asked == "all")
}
