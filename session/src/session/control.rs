//! Operations that run, seen from outside, and copies of the session.

use uuid::Uuid;

use super::{Identity, Session};
use crate::call::Call;
use crate::error::Error;
use crate::proto;
use crate::proto::get_status_response::operation_status::OperationState as WireState;
use crate::proto::interrupt_request::{Interrupt, InterruptType};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// The server does not know it: it never came, or was released.
    Unknown,
    /// It runs.
    Running,
    /// It is ending.
    Terminating,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It was interrupted.
    Cancelled,
}

/// An operation and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationStatus {
    /// Its id, as whoever started it chose it.
    pub operation_id: String,
    /// What it does.
    pub state: OperationState,
}

impl Session {
    /// Interrupts all that runs in the session, whoever started it, and gives the ids.
    ///
    /// # Errors
    /// As any call.
    pub async fn interrupt_all(&self) -> Result<Vec<String>, Error> {
        self.interrupt(InterruptType::All, None).await
    }

    /// Interrupts what carries this tag, and gives the ids.
    ///
    /// # Errors
    /// As any call.
    pub async fn interrupt_tag(&self, tag: &str) -> Result<Vec<String>, Error> {
        let tag = Interrupt::OperationTag(tag.to_owned());
        self.interrupt(InterruptType::Tag, Some(tag)).await
    }

    /// Interrupts one operation. Gives whether it ran.
    ///
    /// # Errors
    /// As any call.
    pub async fn interrupt_operation(&self, operation_id: &str) -> Result<bool, Error> {
        let operation = Interrupt::OperationId(operation_id.to_owned());
        let interrupted = self
            .interrupt(InterruptType::OperationId, Some(operation))
            .await?;
        Ok(!interrupted.is_empty())
    }

    async fn interrupt(
        &self,
        interrupt_type: InterruptType,
        interrupt: Option<Interrupt>,
    ) -> Result<Vec<String>, Error> {
        let request = proto::InterruptRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            interrupt_type: interrupt_type.into(),
            interrupt,
        };
        match self.shared.client.interrupt(request).await {
            Ok(response) => {
                self.identity()
                    .observe(&response.session_id, &response.server_side_session_id)?;
                Ok(response.interrupted_ids)
            }
            Err(failure) => Err(self.explain(Call::Interrupt, failure).await),
        }
    }

    /// What these operations do; all of the session's when none is named.
    ///
    /// # Errors
    /// As any call.
    pub async fn status(&self, operation_ids: &[&str]) -> Result<Vec<OperationStatus>, Error> {
        let request = proto::GetStatusRequest {
            session_id: self.id(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            operation_status: Some(proto::get_status_request::OperationStatusRequest {
                operation_ids: operation_ids.iter().map(|&id| id.to_owned()).collect(),
                extensions: Vec::new(),
            }),
            extensions: Vec::new(),
        };
        let response = match self.shared.client.get_status(request).await {
            Ok(response) => response,
            Err(failure) => return Err(self.explain(Call::GetStatus, failure).await),
        };
        self.identity()
            .observe(&response.session_id, &response.server_side_session_id)?;
        let status = |status: proto::get_status_response::OperationStatus| OperationStatus {
            state: state(status.state()),
            operation_id: status.operation_id,
        };
        Ok(response
            .operation_statuses
            .into_iter()
            .map(status)
            .collect())
    }

    /// Copies the session: settings, views, functions, files and tags, but nothing that runs. The
    /// copy lives on the same server, under `new_id` or one the server chooses.
    ///
    /// # Errors
    /// As any call.
    pub async fn clone_session(&self, new_id: Option<Uuid>) -> Result<Self, Error> {
        let request = proto::CloneSessionRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            new_session_id: new_id.map(|id| id.to_string()),
        };
        let response = match self.shared.client.clone_session(request).await {
            Ok(response) => response,
            Err(failure) => return Err(self.explain(Call::CloneSession, failure).await),
        };
        self.identity()
            .observe(&response.session_id, &response.server_side_session_id)?;
        let id = Uuid::parse_str(&response.new_session_id).ok();
        let id = id.ok_or_else(|| Error::Malformed {
            what: "the new session's id is no UUID".to_owned(),
            source: None,
        })?;
        let identity = Identity::new(self.identity().user_id().to_owned(), id);
        identity.observe("", &response.new_server_side_session_id)?;
        let shared = &self.shared;
        Ok(Self::with(
            shared.client.clone(),
            identity,
            shared.tags.clone(),
        ))
    }
}

fn state(state: WireState) -> OperationState {
    match state {
        WireState::Unspecified | WireState::Unknown => OperationState::Unknown,
        WireState::Running => OperationState::Running,
        WireState::Terminating => OperationState::Terminating,
        WireState::Succeeded => OperationState::Succeeded,
        WireState::Failed => OperationState::Failed,
        WireState::Cancelled => OperationState::Cancelled,
    }
}
