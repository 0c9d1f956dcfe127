//! What runs statements: a session on a driver that is found or made when it is first needed.

mod ledger;

pub use ledger::Ledger;
