//! What a consumer gets to see of a statement, so that two runs can be compared.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use firesteel_session::engine::{Engine, Event, Events, Statement};
use firesteel_session::error::Error;
use firesteel_session::session::Session;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// No statement of a test takes longer.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What came of a statement. Two runs of one statement have equal outcomes, whatever the ids, the
/// sizes of the batches, and the progress in between.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The columns, if they were told.
    pub schema: Option<SchemaRef>,
    /// All rows together, if the columns were told.
    pub rows: Option<RecordBatch>,
    /// How it ended.
    pub end: End,
}

/// How a statement ended.
#[derive(Debug, PartialEq)]
pub enum End {
    /// Well, with so many rows.
    Done(u64),
    /// With this error, in words that name its kind and all that Spark said about it.
    Failed(String),
}

impl Outcome {
    /// How many rows came.
    pub fn rows(&self) -> usize {
        self.rows.as_ref().map_or(0, RecordBatch::num_rows)
    }
}

/// A statement that fetches all rows and may write.
pub fn statement(sql: &str) -> Statement {
    Statement {
        sql: sql.to_owned(),
        ..Statement::default()
    }
}

/// A statement that fetches all rows and only reads.
pub fn query(sql: &str) -> Statement {
    Statement {
        pure: true,
        ..statement(sql)
    }
}

/// Runs a statement to its end.
pub async fn run(session: &Session, statement: Statement) -> Outcome {
    collect(session.run(statement, CancellationToken::new()))
        .await
        .0
}

/// Runs a statement to its end, which has to be good.
pub async fn rows(session: &Session, sql: &str) -> RecordBatch {
    let outcome = run(session, statement(sql)).await;
    assert!(
        matches!(outcome.end, End::Done(_)),
        "{sql}: {:?}",
        outcome.end
    );
    outcome.rows.unwrap()
}

/// Runs a statement to its end, which has to be bad.
pub async fn error(session: &Session, statement: Statement) -> Error {
    let (outcome, error) = collect(session.run(statement, CancellationToken::new())).await;
    error.unwrap_or_else(|| panic!("it went well: {:?}", outcome.end))
}

/// Reads events to their end, and checks that they come in the order they are promised in.
pub async fn collect(mut events: Events) -> (Outcome, Option<Error>) {
    let mut schema = None;
    let mut batches = Vec::new();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let event = tokio::time::timeout_at(deadline, events.next())
            .await
            .expect("an event within the deadline")
            .expect("an end");
        let (end, error) = match event {
            Ok(Event::Progress(_)) => continue,
            Ok(Event::Schema(columns)) => {
                assert!(schema.replace(columns).is_none(), "a second schema");
                continue;
            }
            Ok(Event::Batch(batch)) => {
                assert!(schema.is_some(), "rows before the schema");
                assert!(batch.rows.num_rows() > 0, "an empty batch");
                batches.push(batch.rows);
                continue;
            }
            Ok(Event::Done(done)) => {
                assert!(schema.is_some(), "an end without a schema");
                (End::Done(done.rows), None)
            }
            Err(error) => (End::Failed(describe(&error)), Some(error)),
        };
        assert!(events.next().await.is_none(), "an event behind the end");
        let rows = schema
            .as_ref()
            .map(|schema| concat_batches(schema, &batches).unwrap());
        let outcome = Outcome { schema, rows, end };
        return (outcome, error);
    }
}

/// An error in words that are the same for the same cause.
fn describe(error: &Error) -> String {
    match error {
        Error::Spark(spark) => format!(
            "Spark {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            spark.class,
            spark.sql_state,
            spark.message,
            spark.parameters,
            spark.contexts,
            spark.position,
            spark.exception,
            spark.causes,
        ),
        other => format!("{other:?}"),
    }
}
