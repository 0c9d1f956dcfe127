//! What an execution says to the server.

use uuid::Uuid;

use super::step::Open;
use crate::failure::Failure;
use crate::proto;
use crate::proto::execute_plan_request::RequestOption;
use crate::proto::execute_plan_request::request_option::RequestOption as Choice;
use crate::proto::interrupt_request::{Interrupt, InterruptType};
use crate::proto::release_execute_request::{Release, ReleaseAll, ReleaseUntil};
use crate::session::Session;

/// A plan, the session it runs in, and the id it runs under.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    session: Session,
    id: Uuid,
    plan: proto::Plan,
}

/// The responses of one stream.
pub(super) type Responses = tonic::Streaming<proto::ExecutePlanResponse>;

impl Operation {
    /// A plan to be run under a new id.
    pub(crate) fn new(session: Session, plan: proto::Plan) -> Self {
        let id = Uuid::new_v4();
        Self { session, id, plan }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Opens a stream of responses.
    pub(super) async fn open(&self, stream: Open) -> Result<Responses, Failure> {
        let client = self.session.client();
        match stream {
            Open::Execute => client.execute_plan(self.execute()).await,
            Open::Reattach(last) => client.reattach_execute(self.reattach(last)).await,
        }
    }

    fn execute(&self) -> proto::ExecutePlanRequest {
        let option = |choice| RequestOption {
            request_option: Some(choice),
        };
        proto::ExecutePlanRequest {
            session_id: self.session.id(),
            client_observed_server_side_session_id: self.session.identity().observed(),
            user_context: self.session.identity().user_context(),
            operation_id: Some(self.id.to_string()),
            plan: Some(self.plan.clone()),
            client_type: self.session.client_type(),
            request_options: vec![
                option(Choice::ReattachOptions(proto::ReattachOptions {
                    reattachable: true,
                })),
                option(Choice::ResultChunkingOptions(
                    proto::ResultChunkingOptions {
                        allow_arrow_batch_chunking: true,
                        preferred_arrow_chunk_size: None,
                    },
                )),
            ],
            tags: self.session.tags().to_vec(),
        }
    }

    fn reattach(&self, last_response_id: Option<String>) -> proto::ReattachExecuteRequest {
        proto::ReattachExecuteRequest {
            session_id: self.session.id(),
            client_observed_server_side_session_id: self.session.identity().observed(),
            user_context: self.session.identity().user_context(),
            operation_id: self.id.to_string(),
            client_type: self.session.client_type(),
            last_response_id,
        }
    }

    /// Lets go of the responses up to this one, or of everything.
    pub(super) async fn release(&self, until: Option<String>) -> Result<(), Failure> {
        let release = match until {
            Some(response_id) => Release::ReleaseUntil(ReleaseUntil { response_id }),
            None => Release::ReleaseAll(ReleaseAll {}),
        };
        let request = proto::ReleaseExecuteRequest {
            session_id: self.session.id(),
            client_observed_server_side_session_id: self.session.identity().observed(),
            user_context: self.session.identity().user_context(),
            operation_id: self.id.to_string(),
            client_type: self.session.client_type(),
            release: Some(release),
        };
        self.session.client().release_execute(request).await?;
        Ok(())
    }

    /// Interrupts the operation. Gives whether the server knew it.
    pub(super) async fn interrupt(&self) -> Result<bool, Failure> {
        let request = proto::InterruptRequest {
            session_id: self.session.id(),
            client_observed_server_side_session_id: self.session.identity().observed(),
            user_context: self.session.identity().user_context(),
            client_type: self.session.client_type(),
            interrupt_type: InterruptType::OperationId.into(),
            interrupt: Some(Interrupt::OperationId(self.id.to_string())),
        };
        let response = self.session.client().interrupt(request).await?;
        Ok(!response.interrupted_ids.is_empty())
    }
}
