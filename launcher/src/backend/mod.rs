//! Where drivers come from.

mod attachment;
mod kubernetes;
mod local;
mod remote;
mod spawn;

use async_trait::async_trait;
use uuid::Uuid;

use crate::cause::Cause;
use crate::claim::Claim;
use crate::profile::Profile;

pub use attachment::Attachment;
pub(crate) use attachment::{News, Notices, Word};
pub use kubernetes::Kubernetes;
#[cfg(test)]
pub(crate) use kubernetes::examples;
pub(crate) use kubernetes::{Kept, Shelf};
pub use local::Local;
pub use remote::Remote;
pub(crate) use spawn::{BOUND, Said};

/// Who attaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachee {
    /// The kernel's id, the same for as long as its process lives.
    pub kernel: String,
    /// Its Spark Connect session. It is released when the attachment ends.
    pub session_id: Uuid,
}

/// Something that has drivers.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Finds the claim's driver or makes one, and attaches to it. There is one driver of a claim
    /// at most, however many ask at once; those who come while it starts join in.
    ///
    /// Answers as soon as there is something to watch; the driver may still be starting.
    ///
    /// # Errors
    /// When there is no driver and none can be started, with the reason and what to do about it.
    async fn attach(
        &self,
        claim: &Claim,
        profile: &Profile,
        who: &Attachee,
    ) -> Result<Attachment, Cause>;
}
