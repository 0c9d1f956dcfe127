//! Requests that are made again when they fail.

use std::time::Duration;

use kube::Error;
use tokio::time::timeout;

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(15);

/// The first pause after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The pauses between attempts: each twice as long as the one before, or as long as the server asks
/// for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE.0)
    }
}

impl Pauses {
    /// How long to wait after this failure.
    pub(super) fn after(&mut self, failure: &Failure) -> Duration {
        let own = self.0;
        self.0 = (own * 2).min(PAUSE.1);
        let asked = failure.status().and_then(|status| status.details.as_ref());
        let asked = asked.map_or(0, |details| details.retry_after_seconds);
        own.max(Duration::from_secs(asked.into()).min(2 * PAUSE.1))
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The server said no, or could not be reached.
    #[error("{}", innermost(.0))]
    Refused(#[from] Error),
    /// It did not answer in time.
    #[error("no answer within {} s", REQUEST.as_secs())]
    Late,
}

impl Failure {
    /// The code of the server's answer, where there was one.
    pub(super) fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Refused(Error::Api(status)) => Some(status),
            Self::Refused(_) | Self::Late => None,
        }
    }
}

/// Makes a request, for which there is a deadline.
pub(super) async fn request<T>(
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match timeout(REQUEST, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Late),
    }
}

/// What is at the bottom of an error: "connection refused" says more than what it was wrapped in.
fn innermost(error: &Error) -> String {
    if let Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
