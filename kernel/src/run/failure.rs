//! What a failure says in the cell.

use firesteel_session::error::{Error, SparkError};

use super::interpreter::Failure;
use super::parameters::Parameters;
use crate::cell::{Catalog, CellError, SqlText};
use crate::display::error::{Context, SqlProblem, report};
use crate::engine::Unavailable;

/// A statement that failed, and its place among those of the cell.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) statement: &'a SqlText,
    /// What its parameters stand for.
    pub(super) parameters: &'a Parameters,
    /// Its number and how many the cell has.
    pub(super) number: (usize, usize),
    /// The names of the catalog, as far as they are known.
    pub(super) known: &'a Catalog,
}

/// The name of a failure whose session is gone.
pub(super) const LOST: &str = "DriverLost";

/// A cell that could not be taken apart.
pub(super) fn of_cell(error: &CellError) -> Failure {
    Failure {
        name: "UsageError".to_owned(),
        value: error.to_string(),
        traceback: vec![format!("Line {}: {error}", error.line)],
        ..Failure::default()
    }
}

/// A statement that Spark refused or failed, or that could not be brought to Spark.
pub(super) fn of_statement(error: &Error, place: Place<'_>) -> Failure {
    if let Error::Spark(spark) = error {
        return of_spark(spark, place);
    }
    let name = match error {
        Error::Unauthenticated { .. } => "Unauthenticated",
        Error::Deadline { .. } => "DeadlineExceeded",
        Error::Invalid(_) => "UsageError",
        _ => "SparkConnectError",
    };
    let value = chain(error);
    let again = if !place.statement.kind.is_pure() {
        "Whether the statement had an effect is not known; look before you run it again."
    } else {
        "Running the cell again is safe."
    };
    Failure {
        name: name.to_owned(),
        traceback: std::iter::once(format!("{value}."))
            .chain(standing(place))
            .chain([again.to_owned()])
            .collect(),
        value,
        ..Failure::default()
    }
}

/// A statement whose driver or session ended while it ran.
pub(super) fn of_loss(what: &str, place: Place<'_>) -> Failure {
    let mut traceback = vec![what.to_owned()];
    traceback.extend(standing(place));
    if !place.statement.kind.is_pure() {
        traceback.push("Whether the statement had an effect is not known.".to_owned());
    }
    traceback.push("The next cell starts a new Spark session and says what was lost.".to_owned());
    Failure {
        name: LOST.to_owned(),
        value: what.to_owned(),
        traceback,
        ..Failure::default()
    }
}

/// A search that came to nothing.
pub(super) fn of_search(what: &str) -> Failure {
    Failure {
        name: "SearchFailed".to_owned(),
        value: what.to_owned(),
        traceback: vec![
            what.to_owned(),
            "SHOW SCHEMAS and SHOW TABLES wait for it as long as it takes.".to_owned(),
        ],
        ..Failure::default()
    }
}

/// No session, or no answer from what manages it.
pub(super) fn of_unavailable(error: &Unavailable) -> Failure {
    let mut traceback = vec![error.sentence.clone(), error.remedy.clone()];
    if let Some(tail) = &error.log_tail {
        traceback.push("The end of the driver's log:".to_owned());
        traceback.extend(tail.lines().map(str::to_owned));
    }
    Failure {
        name: "SparkUnavailable".to_owned(),
        value: error.sentence.clone(),
        traceback,
        ..Failure::default()
    }
}

fn of_spark(error: &SparkError, place: Place<'_>) -> Failure {
    let contexts: Vec<Context> = error
        .contexts
        .iter()
        // What lies in a view's own text is not in the cell.
        .filter(|context| context.object.is_none())
        .filter_map(|context| {
            Some(Context {
                start: context.start?,
                stop: context.stop?,
            })
        })
        .collect();
    let causes: Vec<String> = error.causes.iter().map(|c| c.message.clone()).collect();
    let change = error.breaking_change.as_ref();
    let mitigation = change.and_then(|change| change.mitigation.as_ref());
    let report = report(&SqlProblem {
        class: error.class.as_deref(),
        sqlstate: error.sql_state.as_deref(),
        message: &error.message,
        full_message: &error.full_message,
        parameters: &error.parameters,
        causes: &causes,
        contexts: &contexts,
        migration: change.map_or(&[], |change| &change.migration),
        mitigation: mitigation.map(|(key, value)| (key.as_str(), value.as_str())),
        sql: &place.statement.text,
        start: place.statement.start,
        statement: place.number,
        known: place.known,
    });
    let unbound = error.class.as_deref() == Some("UNBOUND_SQL_PARAMETER");
    let refused = place.parameters.refused.iter().filter(|_| unbound);
    Failure {
        name: report.name,
        value: report.value,
        traceback: report
            .traceback
            .into_iter()
            .chain(refused.cloned())
            .collect(),
        stack: error.stack_trace.clone(),
    }
}

/// Which statement of its cell it is, where that has several.
fn standing(place: Place<'_>) -> Option<String> {
    let (number, of) = place.number;
    let line = place.statement.start.line;
    (of > 1).then(|| format!("statement {number} of {of}, line {line}"))
}

/// An error and its causes on one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
