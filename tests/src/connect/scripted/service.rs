//! The calls of the scripted server.

use std::sync::Arc;

use firesteel_session::proto;
use firesteel_session::proto::release_execute_request::Release;
use firesteel_session::proto::spark_connect_service_server::SparkConnectService;
use futures::stream::{BoxStream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::{Seen, Segment, Stage, Then};

/// The server's id of every session, unless a segment says otherwise.
const SERVER_SESSION: &str = "00000000-0000-4000-8000-000000000000";

/// The service on its stage.
pub(super) struct Service(pub(super) Arc<Stage>);

type Responses = BoxStream<'static, Result<proto::ExecutePlanResponse, Status>>;

impl Service {
    fn note(&self, seen: Seen) {
        self.0.seen.send_modify(|calls| calls.push(seen));
    }

    /// The next stream, after the response `last`.
    fn stream(&self, session_id: &str, last: Option<&str>) -> Responses {
        let stage = self.0.clone();
        let mut play = stage.play.lock().unwrap();
        *stage.streams.lock().unwrap() += 1;
        let segment = play.segments.pop_front();
        let segment = segment.unwrap_or_else(|| Segment::of(usize::MAX, Then::Rest));
        let known = last.and_then(|last| play.responses.iter().position(|r| r.response_id == last));
        let next = known.map_or(0, |known| known + usize::from(!segment.repeats));
        let server_session = segment.server_session.as_deref().unwrap_or(SERVER_SESSION);
        let responses: Vec<_> = play
            .responses
            .iter()
            .skip(next)
            .take(segment.responses)
            .cloned()
            .map(|response| {
                Ok(proto::ExecutePlanResponse {
                    session_id: session_id.to_owned(),
                    server_side_session_id: server_session.to_owned(),
                    ..response
                })
            })
            .collect();
        let failure = play.failure.as_ref().map(|failure| failure.status.clone());
        drop(play);
        let ending = futures::stream::once(ending(stage, segment.then, failure));
        futures::stream::iter(responses)
            .chain(ending.filter_map(|ending| async { ending.map(Err) }))
            .boxed()
    }

    /// What the server says of an operation that it should know.
    fn check(&self) -> Result<(), Status> {
        let play = self.0.play.lock().unwrap();
        let streams = *self.0.streams.lock().unwrap();
        let past = |limit: Option<usize>| limit.is_some_and(|limit| streams >= limit);
        if past(play.forget_session_after) {
            return Err(spark("INVALID_HANDLE.SESSION_NOT_FOUND"));
        }
        if streams == 0 || past(play.forget_after) {
            return Err(spark("INVALID_HANDLE.OPERATION_NOT_FOUND"));
        }
        Ok(())
    }
}

/// A status as Spark words it.
fn spark(class: &str) -> Status {
    Status::internal(format!("[{class}] as told by the script"))
}

async fn ending(stage: Arc<Stage>, then: Then, failure: Option<Status>) -> Option<Status> {
    match then {
        Then::End => None,
        Then::Rest => failure,
        Then::Fail(status) => Some(status),
        Then::Cut => {
            stage.relay.cut();
            std::future::pending().await
        }
        Then::Hang => {
            let mut interrupted = stage.interrupted.subscribe();
            let _ = interrupted.wait_for(|interrupted| *interrupted).await;
            Some(spark("OPERATION_CANCELED"))
        }
    }
}

#[tonic::async_trait]
impl SparkConnectService for Service {
    type ExecutePlanStream = Responses;
    type ReattachExecuteStream = Responses;

    async fn execute_plan(
        &self,
        request: Request<proto::ExecutePlanRequest>,
    ) -> Result<Response<Responses>, Status> {
        self.note(Seen::Execute);
        {
            let mut play = self.0.play.lock().unwrap();
            if play.lost > 0 {
                play.lost -= 1;
                return Err(Status::unavailable("lost on the way"));
            }
        }
        let request = request.into_inner();
        Ok(Response::new(self.stream(&request.session_id, None)))
    }

    async fn reattach_execute(
        &self,
        request: Request<proto::ReattachExecuteRequest>,
    ) -> Result<Response<Responses>, Status> {
        let request = request.into_inner();
        self.note(Seen::Reattach(request.last_response_id.clone()));
        self.check()?;
        let last = request.last_response_id.as_deref();
        Ok(Response::new(self.stream(&request.session_id, last)))
    }

    async fn release_execute(
        &self,
        request: Request<proto::ReleaseExecuteRequest>,
    ) -> Result<Response<proto::ReleaseExecuteResponse>, Status> {
        let request = request.into_inner();
        self.note(match request.release {
            Some(Release::ReleaseUntil(until)) => Seen::ReleaseUntil(until.response_id),
            _ => Seen::ReleaseAll,
        });
        Ok(Response::new(proto::ReleaseExecuteResponse {
            session_id: request.session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
            operation_id: Some(request.operation_id),
        }))
    }

    async fn interrupt(
        &self,
        request: Request<proto::InterruptRequest>,
    ) -> Result<Response<proto::InterruptResponse>, Status> {
        self.note(Seen::Interrupt);
        let request = request.into_inner();
        let (known, deaf) = (self.check().is_ok(), self.0.play.lock().unwrap().deaf);
        if !deaf {
            self.0.interrupted.send_replace(true);
        }
        let interrupted_ids = match request.interrupt {
            Some(proto::interrupt_request::Interrupt::OperationId(id)) if known => vec![id],
            _ => Vec::new(),
        };
        Ok(Response::new(proto::InterruptResponse {
            session_id: request.session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
            interrupted_ids,
        }))
    }

    async fn fetch_error_details(
        &self,
        _: Request<proto::FetchErrorDetailsRequest>,
    ) -> Result<Response<proto::FetchErrorDetailsResponse>, Status> {
        self.note(Seen::FetchErrorDetails);
        let play = self.0.play.lock().unwrap();
        let explained = play
            .failure
            .as_ref()
            .map(|failure| failure.explained.clone());
        explained
            .map(Response::new)
            .ok_or_else(|| Status::not_found("no such error"))
    }

    async fn config(
        &self,
        request: Request<proto::ConfigRequest>,
    ) -> Result<Response<proto::ConfigResponse>, Status> {
        let header = request.metadata().get("x-firesteel-background");
        let background = header.is_some_and(|value| value == "1");
        self.note(Seen::Config { background });
        Ok(Response::new(proto::ConfigResponse {
            session_id: request.into_inner().session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
            ..proto::ConfigResponse::default()
        }))
    }

    async fn release_session(
        &self,
        request: Request<proto::ReleaseSessionRequest>,
    ) -> Result<Response<proto::ReleaseSessionResponse>, Status> {
        self.note(Seen::ReleaseSession);
        Ok(Response::new(proto::ReleaseSessionResponse {
            session_id: request.into_inner().session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
        }))
    }

    async fn analyze_plan(
        &self,
        _: Request<proto::AnalyzePlanRequest>,
    ) -> Result<Response<proto::AnalyzePlanResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn add_artifacts(
        &self,
        _: Request<Streaming<proto::AddArtifactsRequest>>,
    ) -> Result<Response<proto::AddArtifactsResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn artifact_status(
        &self,
        _: Request<proto::ArtifactStatusesRequest>,
    ) -> Result<Response<proto::ArtifactStatusesResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn clone_session(
        &self,
        _: Request<proto::CloneSessionRequest>,
    ) -> Result<Response<proto::CloneSessionResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }
}
