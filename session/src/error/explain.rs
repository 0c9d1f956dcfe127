//! From a failed call to what the user is told.

use std::time::Duration;

use super::Error;
use super::read;
use crate::call::Call;
use crate::failure::{Failure, Kind};
use crate::proto::FetchErrorDetailsResponse;

/// What was asked, and where.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) server: String,
    pub(crate) call: Call,
    pub(crate) deadline: Duration,
}

/// Makes an error of a failure and of what the server added to it, if it did.
pub(crate) fn explain(
    failure: Failure,
    details: Option<FetchErrorDetailsResponse>,
    place: Place,
) -> Error {
    let Place {
        server,
        call,
        deadline,
    } = place;
    let said = failure.message.clone();
    match failure.kind {
        Kind::NotSent => Error::Unreachable {
            server,
            source: Box::new(failure),
        },
        Kind::Unavailable => Error::ConnectionLost {
            server,
            call,
            source: Box::new(failure),
        },
        Kind::Deadline => Error::Deadline {
            call,
            after: deadline,
        },
        Kind::Unauthenticated => Error::Unauthenticated { said },
        Kind::SessionNotFound => Error::SessionNotFound { said },
        Kind::SessionClosed => Error::SessionClosed { said },
        Kind::SessionChanged => Error::SessionChanged { said },
        Kind::OperationNotFound => Error::OperationNotFound { said },
        Kind::OperationAbandoned => Error::OperationAbandoned { said },
        Kind::OperationDuplicate => Error::OperationDuplicate { said },
        Kind::CursorDisconnected | Kind::Cursor => Error::Cursor { said },
        Kind::Cancelled => Error::Cancelled { confirmed: true },
        Kind::Spark => Error::Spark(Box::new(read::spark_error(&failure, details))),
        Kind::Other => Error::Server {
            call,
            source: Box::new(failure),
        },
    }
}
