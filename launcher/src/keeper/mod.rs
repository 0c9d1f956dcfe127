//! The parent of a driver: starts it, is the only door to it, and ends it when nobody is left.

mod crew;
mod culler;
mod desk;
mod local;
mod office;
mod orphans;
mod pod;
mod program;
mod reasons;
mod serve;
mod service;
mod shown;
mod standing;
mod steer;
mod strangers;
mod upstream;

use std::io;

use crate::cause::{Cause, Kind};
pub use program::{install, main, main_in_pod, main_of_archive};

fn no_signals(error: &io::Error) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The keeper cannot listen for signals: {error}"),
        "See whether the machine has too many open files.",
    )
}

fn mistaken() -> Cause {
    Cause::new(
        Kind::Keeper,
        "A keeper was asked to keep what is no driver of ours",
        "Report this: it is a mistake of ours.",
    )
}
