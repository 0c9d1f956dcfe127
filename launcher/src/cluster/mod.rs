//! Drivers in a Kubernetes cluster: what is made there, what it is called, and how it is watched.

pub(crate) mod assignment;
pub(crate) mod causes;
pub(crate) mod dated;
pub(crate) mod executors;
pub(crate) mod last_words;
pub(crate) mod mounts;
pub(crate) mod names;
pub(crate) mod objects;
mod preview;
pub(crate) mod quantity;
pub(crate) mod rehearsal;
pub(crate) mod tls;
pub(crate) mod trouble;

pub use causes::page as causes_page;
pub use preview::preview;
