//! One method for each of the service's twelve calls.

use tonic::Streaming;

use super::Client;
use crate::call::Call;
use crate::failure::Failure;
use crate::proto;
use crate::retry::{Failures, Moment};

/// Makes an attempt, and further ones as the client's policy says, each within the call's
/// deadline.
macro_rules! attempts {
    ($client:expr, $call:expr, $message:expr, $method:ident) => {{
        let (client, call, message): (&Client, Call, _) = ($client, $call, $message);
        let retry = &client.shared.options.retry;
        let mut failures = Failures::default();
        loop {
            let mut stub = client.shared.stub.clone();
            let attempt = stub.$method(client.request(message.clone()));
            let failure = match tokio::time::timeout(client.deadline(call), attempt).await {
                Ok(Ok(response)) => break Ok(response.into_inner()),
                Ok(Err(status)) => Failure::from(status),
                Err(_) => Failure::deadline(client.deadline(call)),
            };
            let again = failure
                .is_transient()
                .then(|| failures.next(retry, failure.retry_after, Moment::now()));
            match again.flatten() {
                Some(wait) => {
                    tracing::debug!(%call, %failure, ?wait, "call is made again");
                    tokio::time::sleep(wait).await;
                }
                None => break Err(failure),
            }
        }
    }};
}

/// All fail with what the last attempt failed with.
impl Client {
    /// Opens the first stream of an execution. Made once: what follows a failure depends on what
    /// ran, see [`Session`](crate::session::Session).
    pub async fn execute_plan(
        &self,
        request: proto::ExecutePlanRequest,
    ) -> Result<Streaming<proto::ExecutePlanResponse>, Failure> {
        let mut stub = self.shared.stub.clone();
        let response = stub.execute_plan(self.request(request)).await?;
        Ok(response.into_inner())
    }

    /// Opens a further stream of an execution. Made once.
    pub async fn reattach_execute(
        &self,
        request: proto::ReattachExecuteRequest,
    ) -> Result<Streaming<proto::ExecutePlanResponse>, Failure> {
        let mut stub = self.shared.stub.clone();
        let response = stub.reattach_execute(self.request(request)).await?;
        Ok(response.into_inner())
    }

    /// Lets go of responses or of a whole operation, which it also interrupts.
    pub async fn release_execute(
        &self,
        request: proto::ReleaseExecuteRequest,
    ) -> Result<proto::ReleaseExecuteResponse, Failure> {
        attempts!(self, Call::ReleaseExecute, request, release_execute)
    }

    /// Asks about a plan.
    pub async fn analyze_plan(
        &self,
        request: proto::AnalyzePlanRequest,
    ) -> Result<proto::AnalyzePlanResponse, Failure> {
        attempts!(self, Call::AnalyzePlan, request, analyze_plan)
    }

    /// Reads and writes the session's settings.
    pub async fn config(
        &self,
        request: proto::ConfigRequest,
    ) -> Result<proto::ConfigResponse, Failure> {
        attempts!(self, Call::Config, request, config)
    }

    /// Sends files, all parts in one stream.
    pub async fn add_artifacts(
        &self,
        parts: Vec<proto::AddArtifactsRequest>,
    ) -> Result<proto::AddArtifactsResponse, Failure> {
        let parts = futures::stream::iter(parts);
        attempts!(self, Call::AddArtifacts, parts, add_artifacts)
    }

    /// Asks which files are there.
    pub async fn artifact_status(
        &self,
        request: proto::ArtifactStatusesRequest,
    ) -> Result<proto::ArtifactStatusesResponse, Failure> {
        attempts!(self, Call::ArtifactStatus, request, artifact_status)
    }

    /// Cancels operations.
    pub async fn interrupt(
        &self,
        request: proto::InterruptRequest,
    ) -> Result<proto::InterruptResponse, Failure> {
        attempts!(self, Call::Interrupt, request, interrupt)
    }

    /// Asks what operations do.
    pub async fn get_status(
        &self,
        request: proto::GetStatusRequest,
    ) -> Result<proto::GetStatusResponse, Failure> {
        attempts!(self, Call::GetStatus, request, get_status)
    }

    /// Ends the session.
    pub async fn release_session(
        &self,
        request: proto::ReleaseSessionRequest,
    ) -> Result<proto::ReleaseSessionResponse, Failure> {
        attempts!(self, Call::ReleaseSession, request, release_session)
    }

    /// Copies the session. Made once: a copy that was made and whose answer was lost would stay.
    pub async fn clone_session(
        &self,
        request: proto::CloneSessionRequest,
    ) -> Result<proto::CloneSessionResponse, Failure> {
        let mut stub = self.shared.stub.clone();
        let deadline = self.deadline(Call::CloneSession);
        match tokio::time::timeout(deadline, stub.clone_session(self.request(request))).await {
            Ok(response) => Ok(response?.into_inner()),
            Err(_) => Err(Failure::deadline(deadline)),
        }
    }

    /// Asks for all of an error. Made once: the error in the cell waits for it.
    pub async fn fetch_error_details(
        &self,
        request: proto::FetchErrorDetailsRequest,
    ) -> Result<proto::FetchErrorDetailsResponse, Failure> {
        let mut stub = self.shared.stub.clone();
        let deadline = self.deadline(Call::FetchErrorDetails);
        match tokio::time::timeout(deadline, stub.fetch_error_details(self.request(request))).await
        {
            Ok(response) => Ok(response?.into_inner()),
            Err(_) => Err(Failure::deadline(deadline)),
        }
    }
}
