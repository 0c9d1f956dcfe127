//! What runs statements: a session on a driver that is found or made when it is first needed.

mod aside;
mod catalog;
mod describe;
mod drivers;
mod keep_alive;
mod ledger;
mod source;
mod start;

pub use aside::Aside;
pub use catalog::{Background, CatalogCache};
pub use drivers::{Drivers, Settings};
pub use ledger::Ledger;
pub use source::{Opened, Source, Unavailable};
