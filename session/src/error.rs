//! What can go wrong between us and a Spark Connect server.

/// Why a call failed, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Placeholder until the client is written.
    #[error("not written yet")]
    Unwritten,
}
