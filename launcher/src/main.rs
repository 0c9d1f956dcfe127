//! The keeper of one driver, and what operators run by hand.

fn main() {}
