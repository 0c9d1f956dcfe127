//! Keeps a session alive on a server that is not ours.

use std::time::Duration;

use firesteel_session::session::Session;
use tokio::task::JoinSet;

/// Spark forgets a session that was silent for an hour, by default.
const BETWEEN: Duration = Duration::from_secs(10 * 60);

/// Touches the session from time to time until it is dropped.
pub(super) struct KeepAlive {
    _task: JoinSet<()>,
}

impl KeepAlive {
    pub(super) fn start(session: &Session) -> Self {
        let session = session.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                tokio::time::sleep(BETWEEN).await;
                if let Err(error) = session.keep_alive().await {
                    tracing::debug!(%error, "a session could not be kept alive");
                }
            }
        });
        Self { _task: task }
    }
}
