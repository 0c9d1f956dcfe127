//! One Spark Connect session: an identity on a server, and everything asked in its name.

mod analyze;
mod artifacts;
mod config;
mod control;
mod identity;
mod plan;
mod run;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::call::Call;
use crate::client::Client;
use crate::error::{self, Error};
use crate::failure::Failure;
use crate::proto;

pub use analyze::ExplainMode;
pub use artifacts::Artifact;
pub use control::{OperationState, OperationStatus};
pub use identity::Identity;
pub use plan::plan_of;

/// How long [`Session::close`] waits for executions to be interrupted and released.
const CLOSING: Duration = Duration::from_secs(5);

/// A session. Clones are the same session.
///
/// Nothing is sent before the first call. It ends on the server with [`close`](Self::close), or
/// when the server finds it idle for too long. After an error for which
/// [`session_is_gone`](Error::session_is_gone) holds, a new one has to be made.
#[derive(Debug, Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    identity: Identity,
    tags: Vec<String>,
    /// Owns the executions. They have deadlines once nobody listens, so none is left for long.
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Session {
    /// A session on the client's server: the one its address names, else a new one.
    pub fn new(client: Client) -> Self {
        Self::tagged(client, Vec::new())
    }

    /// A session each of whose executions carries these tags, by which they can be interrupted
    /// together. Spark refuses a tag that is empty or holds a comma.
    pub fn tagged(client: Client, tags: Vec<String>) -> Self {
        let address = client.address();
        let session_id = address.session_id.unwrap_or_else(Uuid::new_v4);
        let identity = Identity::new(address.user_id.clone(), session_id);
        Self::with(client, identity, tags)
    }

    fn with(client: Client, identity: Identity, tags: Vec<String>) -> Self {
        let shared = Shared {
            client,
            identity,
            tags,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The same session on the server, for questions that nobody asked for: its calls are marked
    /// as background and do not count as activity. It is not to be [closed](Self::close).
    #[must_use]
    pub fn background(&self) -> Self {
        let identity = Identity::new(
            self.identity().user_id().to_owned(),
            self.identity().session_id(),
        );
        Self::with(self.client().background(), identity, Vec::new())
    }

    /// Who the session is.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The client its calls go through.
    pub fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Interrupts what runs, waits a few seconds for it to end, and releases the session on the
    /// server: its views and settings are gone, and its id cannot be used again.
    ///
    /// # Errors
    /// As any call. A session that the server does not know counts as closed.
    pub async fn close(&self) -> Result<(), Error> {
        self.shared.closing.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(CLOSING, self.shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("executions were still ending when their session was closed");
        }
        let request = proto::ReleaseSessionRequest {
            session_id: self.id(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            allow_reconnect: false,
        };
        match self.shared.client.release_session(request).await {
            Ok(_) => Ok(()),
            Err(failure) => match self.explain(Call::ReleaseSession, failure).await {
                error if error.session_is_gone() => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Runs a task that belongs to the session.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(task);
    }

    /// Cancelled when the session is closed.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.shared.closing.clone()
    }

    pub(crate) fn tags(&self) -> &[String] {
        &self.shared.tags
    }

    pub(crate) fn id(&self) -> String {
        self.shared.identity.session_id().to_string()
    }

    pub(crate) fn client_type(&self) -> Option<String> {
        Some(self.shared.client.options().client_type.clone())
    }

    /// Makes of a failed call what the caller can be told.
    pub(crate) async fn explain(&self, call: Call, failure: Failure) -> Error {
        let details = match failure.error_id() {
            Some(error_id) => self.details(error_id).await,
            None => None,
        };
        let client = &self.shared.client;
        let place = error::Place {
            server: client.address().transport.to_string(),
            call,
            deadline: client.options().deadlines.of(call),
        };
        error::explain(failure, details, place)
    }

    /// All the server knows of an error; `None` when it cannot be had in time.
    async fn details(&self, error_id: &str) -> Option<proto::FetchErrorDetailsResponse> {
        let request = proto::FetchErrorDetailsRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            error_id: error_id.to_owned(),
            client_type: self.client_type(),
        };
        match self.shared.client.fetch_error_details(request).await {
            Ok(details) => Some(details),
            Err(failure) => {
                tracing::debug!(%failure, "the details of an error cannot be had");
                None
            }
        }
    }
}
