//! One failed call, as the wire told it, and what kind of failure that is.

mod rpc;

use std::time::Duration;

use tonic::{Code, Status};

pub use rpc::ErrorInfo;

/// One failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code_name(*code))]
pub struct Failure {
    /// What it means for whoever called.
    pub kind: Kind,
    /// gRPC's code.
    pub code: Code,
    /// The server's words, or ours about the connection.
    pub message: String,
    /// What the server attached to tell the error by.
    pub info: Option<ErrorInfo>,
    /// How long the server asks us to wait before we ask again.
    pub retry_after: Option<Duration>,
}

/// What a failure means for whoever called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// No connection could be made, so nothing was sent.
    NotSent,
    /// The connection broke, or the server is not ready.
    Unavailable,
    /// No answer came in time.
    Deadline,
    /// The token is missing or wrong.
    Unauthenticated,
    /// `INVALID_HANDLE.SESSION_NOT_FOUND`
    SessionNotFound,
    /// `INVALID_HANDLE.SESSION_CLOSED`
    SessionClosed,
    /// `INVALID_HANDLE.SESSION_CHANGED`
    SessionChanged,
    /// `INVALID_HANDLE.OPERATION_NOT_FOUND`
    OperationNotFound,
    /// `INVALID_HANDLE.OPERATION_ABANDONED`
    OperationAbandoned,
    /// `INVALID_HANDLE.OPERATION_ALREADY_EXISTS`
    OperationDuplicate,
    /// `INVALID_CURSOR.DISCONNECTED`: another stream of the same operation took over.
    CursorDisconnected,
    /// Any other `INVALID_CURSOR`.
    Cursor,
    /// `OPERATION_CANCELED`
    Cancelled,
    /// An exception of Spark's.
    Spark,
    /// Anything else.
    Other,
}

impl Failure {
    /// Whether Spark's official policy asks again after such a failure: the server is not there,
    /// the cursor was taken over, or the server itself says when to come back.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            Kind::NotSent | Kind::Unavailable | Kind::CursorDisconnected
        ) || self.retry_after.is_some()
    }

    /// Spark's error class, where the server names one.
    pub fn class(&self) -> Option<&str> {
        self.info.as_ref().and_then(ErrorInfo::class)
    }

    /// The key under which the server keeps the whole error, for the kinds that have more to say.
    pub(crate) fn error_id(&self) -> Option<&str> {
        if self.kind != Kind::Spark {
            return None;
        }
        self.info.as_ref().and_then(ErrorInfo::error_id)
    }

    /// No answer came within `after`.
    pub(crate) fn deadline(after: Duration) -> Self {
        Self {
            kind: Kind::Deadline,
            code: Code::DeadlineExceeded,
            message: format!("no answer within {} s", after.as_secs()),
            info: None,
            retry_after: None,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = rpc::Details::of(&status);
        let class = details.info.as_ref().and_then(ErrorInfo::class);
        Self {
            kind: kind(&status, class, details.info.is_some()),
            code: status.code(),
            message: status.message().to_owned(),
            info: details.info,
            retry_after: details.retry_after,
        }
    }
}

/// Tells the kind from gRPC's code and Spark's error class. Older servers name the class in the
/// message alone, as `[CLASS] words`.
fn kind(status: &Status, class: Option<&str>, has_info: bool) -> Kind {
    let class = class.or_else(|| bracketed(status.message())).unwrap_or("");
    match class {
        "INVALID_HANDLE.SESSION_NOT_FOUND" => return Kind::SessionNotFound,
        "INVALID_HANDLE.SESSION_CLOSED" => return Kind::SessionClosed,
        "INVALID_HANDLE.SESSION_CHANGED" => return Kind::SessionChanged,
        "INVALID_HANDLE.OPERATION_NOT_FOUND" => return Kind::OperationNotFound,
        "INVALID_HANDLE.OPERATION_ABANDONED" => return Kind::OperationAbandoned,
        "INVALID_HANDLE.OPERATION_ALREADY_EXISTS" => return Kind::OperationDuplicate,
        "INVALID_CURSOR.DISCONNECTED" => return Kind::CursorDisconnected,
        "OPERATION_CANCELED" => return Kind::Cancelled,
        _ if class.starts_with("INVALID_CURSOR") => return Kind::Cursor,
        _ => {}
    }
    match status.code() {
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::DeadlineExceeded => Kind::Deadline,
        Code::Unavailable if connection_failed(status) => Kind::NotSent,
        Code::Unavailable => Kind::Unavailable,
        _ if connection_broke(status) => Kind::Unavailable,
        _ if has_info || !class.is_empty() => Kind::Spark,
        _ => Kind::Other,
    }
}

/// The error class that opens a message of Spark's.
fn bracketed(message: &str) -> Option<&str> {
    let (class, _) = message.strip_prefix('[')?.split_once(']')?;
    let is_class = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "._".contains(c);
    class.chars().all(is_class).then_some(class)
}

/// Whether no connection could be made.
fn connection_failed(status: &Status) -> bool {
    let first = std::error::Error::source(status);
    std::iter::successors(first, |error| error.source())
        .any(<dyn std::error::Error>::is::<tonic::ConnectError>)
}

/// Whether the connection broke under the call. tonic gives these as `UNKNOWN`, `INTERNAL` or
/// `CANCELLED`, but with the error they came from; the server's own statuses have no source.
fn connection_broke(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

/// gRPC's name of a code, as people write it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_status_tells_its_kind_by_class_then_by_code() {
        let cases = [
            (
                Code::Internal,
                "[INVALID_HANDLE.SESSION_NOT_FOUND] x",
                Kind::SessionNotFound,
            ),
            (
                Code::Internal,
                "[INVALID_HANDLE.SESSION_CLOSED] x",
                Kind::SessionClosed,
            ),
            (
                Code::Internal,
                "[INVALID_HANDLE.SESSION_CHANGED] x",
                Kind::SessionChanged,
            ),
            (
                Code::Internal,
                "[INVALID_HANDLE.OPERATION_NOT_FOUND] x",
                Kind::OperationNotFound,
            ),
            (
                Code::Internal,
                "[INVALID_HANDLE.OPERATION_ABANDONED] x",
                Kind::OperationAbandoned,
            ),
            (
                Code::Internal,
                "[INVALID_HANDLE.OPERATION_ALREADY_EXISTS] x",
                Kind::OperationDuplicate,
            ),
            (
                Code::Internal,
                "[INVALID_CURSOR.DISCONNECTED] x",
                Kind::CursorDisconnected,
            ),
            (
                Code::Internal,
                "[INVALID_CURSOR.POSITION_NOT_AVAILABLE] x",
                Kind::Cursor,
            ),
            (Code::Internal, "[OPERATION_CANCELED] x", Kind::Cancelled),
            (Code::Internal, "[DIVIDE_BY_ZERO] x", Kind::Spark),
            (Code::Internal, "[not a class] x", Kind::Other),
            (Code::Unauthenticated, "x", Kind::Unauthenticated),
            (Code::DeadlineExceeded, "x", Kind::Deadline),
            (Code::Unavailable, "x", Kind::Unavailable),
            (Code::PermissionDenied, "x", Kind::Other),
        ];
        for (code, message, expected) in cases {
            let failure = Failure::from(Status::new(code, message));
            assert_eq!(failure.kind, expected, "{code:?} {message}");
        }
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        let asked = Some(Duration::from_secs(1));
        let cases = [
            (Kind::NotSent, None, true),
            (Kind::Unavailable, None, true),
            (Kind::CursorDisconnected, None, true),
            (Kind::Other, asked, true),
            (Kind::Other, None, false),
            (Kind::Cursor, None, false),
            (Kind::Deadline, None, false),
            (Kind::Unauthenticated, None, false),
            (Kind::Spark, None, false),
        ];
        for (kind, retry_after, expected) in cases {
            let failure = Failure {
                kind,
                retry_after,
                ..Failure::deadline(Duration::ZERO)
            };
            assert_eq!(failure.is_transient(), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_connection_that_fails_is_told_from_one_that_breaks() {
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let mut unsent = Status::unavailable("x");
        unsent.set_source(Arc::new(tonic::ConnectError(Box::new(refused()))));
        assert_eq!(Failure::from(unsent).kind, Kind::NotSent);
        let mut broken = Status::unknown("x");
        broken.set_source(Arc::new(refused()));
        assert_eq!(Failure::from(broken).kind, Kind::Unavailable);
    }

    #[test]
    fn what_a_server_attaches_is_read() {
        let info = ErrorInfo {
            reason: "a.B".to_owned(),
            domain: "org.apache.spark".to_owned(),
            metadata: [("errorClass", "A.B"), ("errorId", "7"), ("empty", "")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        };
        let details = rpc::encode(Code::Internal, &info, Some(Duration::from_millis(1500)));
        let failure = Failure::from(Status::with_details(Code::Internal, "x", details));
        assert_eq!(failure.kind, Kind::Spark);
        assert_eq!(failure.class(), Some("A.B"));
        assert_eq!(failure.error_id(), Some("7"));
        assert_eq!(failure.retry_after, Some(Duration::from_millis(1500)));
        assert!(failure.is_transient());
        assert_eq!(
            failure.info.as_ref().and_then(|info| info.get("empty")),
            None
        );
    }

    #[test]
    fn details_that_cannot_be_read_are_as_if_they_were_not_there() {
        let garbage = bytes::Bytes::from_static(b"\xff\xff\xff garbage");
        let failure = Failure::from(Status::with_details(Code::Unavailable, "x", garbage));
        assert_eq!(failure.kind, Kind::Unavailable);
        assert_eq!(failure.info, None);
    }
}
