//! What can go wrong between us and a Spark Connect server.

mod explain;
mod read;
mod spark;

use std::time::Duration;

pub(crate) use explain::{Place, explain};
pub use spark::{BreakingChange, Cause, Object, Position, QueryContext, SparkError};

use crate::call::Call;
use crate::failure::Failure;

/// Why something asked of a session failed, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing answered, so nothing was sent. Asking again helps once the server is there.
    #[error("no Spark Connect server answers at {server}")]
    Unreachable {
        /// The place that was tried.
        server: String,
        /// The last attempt.
        source: Box<Failure>,
    },

    /// The server was there and is gone or does not answer. What ran may have run, in part or
    /// whole. Asking again helps once a server is there.
    #[error("the connection to the Spark Connect server at {server} was lost during {call}")]
    ConnectionLost {
        /// The place that was tried.
        server: String,
        /// What was asked.
        call: Call,
        /// The last attempt.
        source: Box<Failure>,
    },

    /// No answer came in time, over a connection that stands. Asking again may help.
    #[error("{call} was not answered within {} s", after.as_secs())]
    Deadline {
        /// What was asked.
        call: Call,
        /// How long the answer was waited for.
        after: Duration,
    },

    /// The token is missing or wrong. Asking again does not help.
    #[error("the Spark Connect server refuses the token: {said}")]
    Unauthenticated {
        /// The server's words.
        said: String,
    },

    /// The server does not know the session: it was never opened, or was forgotten. Views and
    /// settings are gone; a new session helps.
    #[error("the Spark session is not known to the server: {said}")]
    SessionNotFound {
        /// The server's words.
        said: String,
    },

    /// The session was released, by someone or because it was idle too long. Views and settings
    /// are gone; a new session with a new id helps.
    #[error("the Spark session was closed: {said}")]
    SessionClosed {
        /// The server's words.
        said: String,
    },

    /// Another session, most likely on another driver, answers under our id. Views and settings
    /// are gone; a new session helps.
    #[error("the Spark driver was replaced: {said}")]
    SessionChanged {
        /// The server's words, or which ids were seen.
        said: String,
    },

    /// The server does not know the operation, and it may not be sent again: it could run twice.
    /// Whether it ran is not known.
    #[error("the statement's operation is not known to the server, and it may have run: {said}")]
    OperationNotFound {
        /// The server's words.
        said: String,
    },

    /// The server gave the operation up because nobody was attached to it. It was interrupted.
    #[error("the server gave the operation up: {said}")]
    OperationAbandoned {
        /// The server's words.
        said: String,
    },

    /// The operation's id was used before. Ours are random, so this is a fault of ours or of what
    /// lies between.
    #[error("the server already has an operation with this id: {said}")]
    OperationDuplicate {
        /// The server's words.
        said: String,
    },

    /// The server forgot the operation after a part of its result had come. The statement ran;
    /// its result cannot be completed.
    #[error("the rest of the result is lost: {said}")]
    ResultLost {
        /// The server's words.
        said: String,
    },

    /// The server cannot continue the result from where we are.
    #[error("the result cannot be continued: {said}")]
    Cursor {
        /// The server's words.
        said: String,
    },

    /// The statement was interrupted. Views and settings are kept.
    #[error("{}", if *confirmed { "the statement was cancelled" } else {
        "the statement was told to stop, and the server has not confirmed it yet"
    })]
    Cancelled {
        /// Whether the server said that the operation was cancelled, or did not in time.
        confirmed: bool,
    },

    /// Spark refused or failed the statement.
    #[error(transparent)]
    Spark(#[from] Box<SparkError>),

    /// The server failed the call without saying more.
    #[error("the Spark Connect server failed {call}")]
    Server {
        /// What was asked.
        call: Call,
        /// What it answered.
        source: Box<Failure>,
    },

    /// The server sent something that breaks the protocol. A fault of ours or of the server's.
    #[error("the server's answer cannot be understood: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
        /// What the decoder says.
        source: Option<arrow::error::ArrowError>,
    },

    /// A batch of rows, which Spark makes large only where one row is, is larger than is held in
    /// memory. The statement was given up; fetching less of the row helps.
    #[error(
        "a row of the result is larger than the {} MB that are fetched at once; \
         select fewer columns, or a part of the value with `substring`", at_most / 1_000_000
    )]
    RowTooLarge {
        /// The most that is fetched at once, in bytes.
        at_most: u64,
    },

    /// The server ends the result's stream again and again without sending any of it.
    #[error("the Spark Connect server at {server} sends nothing of the result")]
    NoProgress {
        /// The place that was asked.
        server: String,
    },

    /// What was asked cannot be asked. A fault of the caller's.
    #[error("{0}")]
    Invalid(String),

    /// A task of ours ended without a word. A fault of ours.
    #[error("the task that ran the statement ended early; please report this")]
    TaskLost,
}

impl Error {
    /// Whether the same session is of no further use, so that a new one has to be opened.
    pub fn session_is_gone(&self) -> bool {
        matches!(
            self,
            Self::SessionNotFound { .. } | Self::SessionClosed { .. } | Self::SessionChanged { .. }
        )
    }

    /// Whether Spark has stopped in a server that still answers: its process is about to end. The words
    /// are those of `SparkContext` and `DAGScheduler`.
    pub fn spark_has_stopped(&self) -> bool {
        const WORDS: [&str; 3] = [
            "Cannot call methods on a stopped SparkContext",
            "SparkContext was shut down",
            "SparkContext has been shutdown",
        ];
        let Self::Spark(error) = self else {
            return false;
        };
        WORDS.iter().any(|words| error.message.contains(words))
    }

    /// Whether the server itself is not there, or is not the one it was: it was not reached, was
    /// lost, or answers under another identity.
    pub fn server_is_gone(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::ConnectionLost { .. } | Self::SessionChanged { .. }
        )
    }
}
