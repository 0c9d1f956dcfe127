//! What the machine, or the container we are in, has to give.

mod memory;

use std::num::NonZeroU16;

pub use memory::{heap, kills, limit};

/// How many processors we may use: affinity and cgroup quotas count.
pub fn cores() -> NonZeroU16 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|count| u16::try_from(count.get()).ok())
        .and_then(NonZeroU16::new)
        .unwrap_or(NonZeroU16::MIN)
}
