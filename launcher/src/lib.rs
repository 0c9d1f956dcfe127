//! Finds, starts, watches and ends Spark drivers.
//!
//! [`profile::Profiles`] says what a driver looks like, [`claim::Claim`] what it is for, and
//! [`launcher::Launcher`] finds or makes it and attaches a kernel to it.

mod archive;
pub mod attach;
pub mod backend;
pub mod cause;
pub mod claim;
pub mod cluster;
pub mod door;
pub mod driver;
pub mod environment;
pub mod keeper;
pub mod launcher;
pub mod machine;
pub mod paths;
pub mod place;
pub mod profile;
pub mod rehearsal;
pub mod runtime;
mod secret;
