//! The seam between those who ask and what runs it: a statement in, a stream of events out.
//!
//! [`Engine`] is what tests fake. The real one is a Spark Connect session.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::Stream;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// One SQL statement and how it is to be run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statement {
    /// The text of one statement, without a closing `;`.
    pub sql: String,
    /// How many rows are fetched at most; `None` fetches all there are. Spark's own limit counts
    /// to 2,147,483,647, so a greater number means that.
    pub rows: Option<u64>,
    /// Whether the statement only reads. Only such a statement is ever sent to a second server;
    /// what cannot be classified is not `pure`.
    pub pure: bool,
    /// Values of the text's parameters, each by the name that stands behind its `:`. They are sent
    /// beside the text and are never part of it.
    pub arguments: BTreeMap<String, Argument>,
}

/// A value of a parameter, of one of Spark SQL's types.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// `NULL` of no type.
    Null,
    /// `BOOLEAN`.
    Boolean(bool),
    /// `TINYINT`.
    Byte(i8),
    /// `SMALLINT`.
    Short(i16),
    /// `INT`.
    Integer(i32),
    /// `BIGINT`.
    Long(i64),
    /// `DECIMAL` with as many digits as are written, at most 38: `-12.50`. Spark 4.3 takes no other
    /// precision and scale, even where it is told one.
    Decimal(String),
    /// `FLOAT`.
    Float(f32),
    /// `DOUBLE`.
    Double(f64),
    /// `STRING`.
    String(String),
    /// `DATE`, in days since 1970-01-01.
    Date(i32),
    /// `TIMESTAMP`, in microseconds since 1970 in universal time.
    Timestamp(i64),
    /// `TIMESTAMP_NTZ`, in microseconds since 1970 by a clock of no zone.
    TimestampNtz(i64),
}

/// What happens while a statement runs, in this order: any number of [`Event::Progress`], one
/// [`Event::Schema`], then batches and more progress, and [`Event::Done`] as the last.
#[derive(Debug, Clone)]
pub enum Event {
    /// How far the work is. Each replaces the one before it.
    Progress(Progress),
    /// The result's columns. Sent once, before the first batch, also for a result without rows.
    Schema(SchemaRef),
    /// The next rows of the result.
    Batch(Batch),
    /// Spark said that the result is complete; nothing follows.
    Done(Done),
}

/// Some rows of a result.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The rows.
    pub rows: RecordBatch,
    /// Size of these rows as they came over the wire, in bytes.
    pub wire_bytes: u64,
}

/// How far a statement is, as Spark reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The stages Spark knows so far, in the order of their ids.
    pub stages: Vec<Stage>,
    /// Tasks that run at this moment, over all stages.
    pub running_tasks: u64,
}

/// One stage of a running statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// Spark's id of the stage.
    pub id: i64,
    /// Tasks in the stage.
    pub tasks: u64,
    /// Tasks of the stage that have ended.
    pub tasks_done: u64,
    /// Bytes read from storage by the stage so far.
    pub bytes_read: u64,
    /// Whether the stage has ended.
    pub done: bool,
}

/// How a statement ended well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows in all batches together.
    pub rows: u64,
    /// Bytes of all batches as they came over the wire.
    pub wire_bytes: u64,
    /// From the request to the last response.
    pub elapsed: Duration,
    /// Rows that Spark sorted, where the result is the first of them. It would have been them all
    /// without a limit, be it that of [`Statement::rows`] or one in the text.
    pub sorted: Option<u64>,
}

/// The events of one running statement.
///
/// It ends after [`Event::Done`] or after the first error. Dropping it earlier interrupts the
/// statement on the server and releases it, without waiting.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Error>> + Send>>;

/// Something that runs statements.
pub trait Engine: Send + Sync {
    /// Starts `statement` and answers with its events. Nothing is sent before the first poll.
    ///
    /// When `stop` is cancelled the statement is interrupted on the server, and the events end
    /// with [`Error::Cancelled`] within about a second, whether the server confirmed it or not. A
    /// statement that was already complete ends with [`Event::Done`] all the same. Whoever
    /// cancels goes on polling to hear which of the two it was.
    fn run(&self, statement: Statement, stop: CancellationToken) -> Events;
}
