//! What a door knows of a call: which it is, whose, and in which session.

use prost::Message;
use tonic::Status;

/// The service whose calls pass.
const SERVICE: &str = "/spark.connect.SparkConnectService/";

/// The calls that pass. Others are refused: a door cannot check what it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are Spark Connect's, one to one")]
pub enum Method {
    ExecutePlan,
    ReattachExecute,
    ReleaseExecute,
    AnalyzePlan,
    Config,
    AddArtifacts,
    ArtifactStatus,
    Interrupt,
    GetStatus,
    ReleaseSession,
    CloneSession,
    FetchErrorDetails,
}

/// A call, as far as a door reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names the call among those of its door.
    pub id: u64,
    /// Which call it is.
    pub method: Method,
    /// The session it is made in.
    pub session_id: String,
    /// The user it claims to come from.
    pub user_id: String,
    /// What it does to operations.
    pub effect: Effect,
    /// Whether a kernel makes it for itself: it is no activity of a person.
    pub background: bool,
}

/// What a call does to the operations of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It streams responses of an operation that goes on when the stream ends.
    Streams(String),
    /// It lets go of an operation as a whole.
    Releases(String),
    /// Nothing that outlives the call.
    None,
}

impl Method {
    /// The call at that path.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        Some(match path.strip_prefix(SERVICE)? {
            "ExecutePlan" => Self::ExecutePlan,
            "ReattachExecute" => Self::ReattachExecute,
            "ReleaseExecute" => Self::ReleaseExecute,
            "AnalyzePlan" => Self::AnalyzePlan,
            "Config" => Self::Config,
            "AddArtifacts" => Self::AddArtifacts,
            "ArtifactStatus" => Self::ArtifactStatus,
            "Interrupt" => Self::Interrupt,
            "GetStatus" => Self::GetStatus,
            "ReleaseSession" => Self::ReleaseSession,
            "CloneSession" => Self::CloneSession,
            "FetchErrorDetails" => Self::FetchErrorDetails,
            _ => return None,
        })
    }

    /// Whether a caller sends a stream of messages; every other call has one.
    pub(crate) fn streams_requests(self) -> bool {
        self == Self::AddArtifacts
    }
}

/// The fields that every request has under the same numbers. Others are skipped unread.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Head {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct UserContext {
    #[prost(string, tag = "1")]
    pub(super) user_id: String,
}

/// What an `ExecutePlanRequest` says of its operation.
#[derive(Clone, PartialEq, Message)]
struct ExecuteHead {
    #[prost(string, tag = "6")]
    operation_id: String,
    #[prost(message, repeated, tag = "5")]
    request_options: Vec<RequestOption>,
}

#[derive(Clone, PartialEq, Message)]
struct RequestOption {
    #[prost(message, optional, tag = "1")]
    reattach_options: Option<ReattachOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct ReattachOptions {
    #[prost(bool, tag = "1")]
    reattachable: bool,
}

/// What a `ReattachExecuteRequest` says of its operation.
#[derive(Clone, PartialEq, Message)]
struct ReattachHead {
    #[prost(string, tag = "3")]
    operation_id: String,
}

/// What a `ReleaseExecuteRequest` says of its operation.
#[derive(Clone, PartialEq, Message)]
struct ReleaseHead {
    #[prost(string, tag = "3")]
    operation_id: String,
    #[prost(message, optional, tag = "5")]
    release_all: Option<Empty>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Empty {}

impl Head {
    /// Reads the head of any request and checks that it comes from `user`.
    pub(super) fn check(message: &[u8], user: &str) -> Result<Self, Status> {
        let head = Self::decode(message).map_err(|error| unreadable(&error))?;
        let claimed = head
            .user_context
            .as_ref()
            .map_or("", |context| &context.user_id);
        if claimed == user {
            Ok(head)
        } else {
            Err(Status::permission_denied(format!(
                "this driver belongs to another user than `{claimed}`"
            )))
        }
    }
}

impl Effect {
    /// What the call does to operations.
    pub(super) fn of(method: Method, message: &[u8]) -> Result<Self, Status> {
        Ok(match method {
            Method::ExecutePlan => {
                let head = ExecuteHead::decode(message).map_err(|error| unreadable(&error))?;
                let reattachable = head
                    .request_options
                    .iter()
                    .filter_map(|option| option.reattach_options.as_ref())
                    .any(|options| options.reattachable);
                // Without an id of the caller's choosing nobody can reattach but by the response.
                if reattachable && !head.operation_id.is_empty() {
                    Self::Streams(head.operation_id)
                } else {
                    Self::None
                }
            }
            Method::ReattachExecute => {
                let head = ReattachHead::decode(message).map_err(|error| unreadable(&error))?;
                Self::Streams(head.operation_id)
            }
            Method::ReleaseExecute => {
                let head = ReleaseHead::decode(message).map_err(|error| unreadable(&error))?;
                match head.release_all {
                    Some(_) => Self::Releases(head.operation_id),
                    None => Self::None,
                }
            }
            _ => Self::None,
        })
    }
}

fn unreadable(error: &prost::DecodeError) -> Status {
    Status::invalid_argument(format!("the request cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use firesteel_session::proto;
    use firesteel_session::proto::execute_plan_request::RequestOption;
    use firesteel_session::proto::execute_plan_request::request_option;
    use firesteel_session::proto::release_execute_request::{Release, ReleaseAll, ReleaseUntil};
    use tonic::Code;

    use super::*;

    fn context(user: &str) -> Option<proto::UserContext> {
        Some(proto::UserContext {
            user_id: user.to_owned(),
            ..proto::UserContext::default()
        })
    }

    fn execute(operation: Option<&str>, reattachable: bool) -> Vec<u8> {
        let options = proto::ReattachOptions { reattachable };
        let option = request_option::RequestOption::ReattachOptions(options);
        proto::ExecutePlanRequest {
            session_id: "s".to_owned(),
            user_context: context("ada"),
            operation_id: operation.map(str::to_owned),
            request_options: vec![RequestOption {
                request_option: Some(option),
            }],
            tags: vec!["t".to_owned()],
            ..proto::ExecutePlanRequest::default()
        }
        .encode_to_vec()
    }

    #[test]
    fn every_request_has_session_and_user_where_they_are_looked_for() {
        let session_id = || "s".to_owned();
        let user_context = || context("ada");
        let requests = [
            execute(Some("o"), true),
            proto::ReattachExecuteRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::ReleaseExecuteRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::AnalyzePlanRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::ConfigRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::AddArtifactsRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::ArtifactStatusesRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::InterruptRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::GetStatusRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::ReleaseSessionRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::CloneSessionRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
            proto::FetchErrorDetailsRequest {
                session_id: session_id(),
                user_context: user_context(),
                ..Default::default()
            }
            .encode_to_vec(),
        ];
        for request in requests {
            assert_eq!(Head::check(&request, "ada").unwrap().session_id, "s");
            let refused = Head::check(&request, "bob").unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
        }
    }

    #[test]
    fn a_second_user_behind_the_first_is_seen() {
        let mut twice = proto::ConfigRequest {
            user_context: context("ada"),
            ..Default::default()
        }
        .encode_to_vec();
        twice.extend(
            proto::ConfigRequest {
                user_context: context("bob"),
                ..Default::default()
            }
            .encode_to_vec(),
        );
        assert_eq!(
            Head::check(&twice, "ada").unwrap_err().code(),
            Code::PermissionDenied
        );
        // As a real reader merges them.
        assert_eq!(
            proto::ConfigRequest::decode(&*twice).unwrap().user_context,
            context("bob")
        );
        assert!(Head::check(&twice, "bob").is_ok());
    }

    #[test]
    fn nobody_and_nonsense_are_refused() {
        let nobody = proto::ConfigRequest::default().encode_to_vec();
        assert_eq!(
            Head::check(&nobody, "ada").unwrap_err().code(),
            Code::PermissionDenied
        );
        assert_eq!(
            Head::check(&[0x12, 0xff], "ada").unwrap_err().code(),
            Code::InvalidArgument
        );
    }

    #[test]
    fn effects_are_read() {
        let streams = Effect::Streams("o".to_owned());
        assert_eq!(
            Effect::of(Method::ExecutePlan, &execute(Some("o"), true)).unwrap(),
            streams
        );
        assert_eq!(
            Effect::of(Method::ExecutePlan, &execute(Some("o"), false)).unwrap(),
            Effect::None
        );
        assert_eq!(
            Effect::of(Method::ExecutePlan, &execute(None, true)).unwrap(),
            Effect::None
        );
        let reattach = proto::ReattachExecuteRequest {
            operation_id: "o".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            Effect::of(Method::ReattachExecute, &reattach.encode_to_vec()).unwrap(),
            streams
        );
        let release = |release| {
            proto::ReleaseExecuteRequest {
                operation_id: "o".to_owned(),
                release: Some(release),
                ..Default::default()
            }
            .encode_to_vec()
        };
        let all = release(Release::ReleaseAll(ReleaseAll {}));
        let until = release(Release::ReleaseUntil(ReleaseUntil {
            response_id: "r".to_owned(),
        }));
        assert_eq!(
            Effect::of(Method::ReleaseExecute, &all).unwrap(),
            Effect::Releases("o".to_owned())
        );
        assert_eq!(
            Effect::of(Method::ReleaseExecute, &until).unwrap(),
            Effect::None
        );
    }

    #[test]
    fn only_the_twelve_calls_pass() {
        assert_eq!(
            Method::of_path("/spark.connect.SparkConnectService/Config"),
            Some(Method::Config)
        );
        for path in [
            "/spark.connect.SparkConnectService/",
            "/spark.connect.SparkConnectService/Shutdown",
            "/Config",
            "/grpc.health.v1.Health/Check",
            "",
        ] {
            assert_eq!(Method::of_path(path), None, "{path}");
        }
    }
}
