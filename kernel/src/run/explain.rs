//! Shows how Spark would run a statement.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use firesteel_session::engine::Argument;

use super::failure::Place;
use super::interpreter::{Cell, Failure, Outcome};
use super::limits::Limits;
use super::margin::Margin;
use super::statement::{begin, end, fetch};
use crate::cell::{Kind, Position, SqlText, Subject};
use crate::display;
use crate::engine::Source;

/// Stands before the statement, on a line of its own, so that columns stay what they are. Spark
/// runs no part of what it explains in SQL; asked for the plan of a command by another way, it
/// runs the command first.
const EXPLAIN: &str = "EXPLAIN FORMATTED\n";

/// A statement for later: where it stood says nothing in another cell.
pub(super) fn apart(statement: &SqlText) -> SqlText {
    SqlText {
        start: Position {
            offset: 0,
            line: 1,
            column: 0,
        },
        ..statement.clone()
    }
}

/// Explains a statement without running it.
pub(super) async fn run(
    source: &mut dyn Source,
    statement: Option<&SqlText>,
    values: &BTreeMap<String, Argument>,
    cell: &Cell,
    margin: &mut Margin,
) -> Outcome {
    let Some(statement) = statement else {
        let value = "There is no statement to explain: none ran before, and none follows.";
        return Outcome::Failed(Failure {
            name: "UsageError".to_owned(),
            value: value.to_owned(),
            traceback: vec![
                value.to_owned(),
                "Write one behind `%explain` or below it.".to_owned(),
            ],
        });
    };
    let question = question(statement);
    let place = Place {
        statement: &question,
        values,
        number: (1, 1),
    };
    let (mut view, opened) = match begin(source, &cell.output, margin, &cell.stop).await {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    let (output, stop) = (&cell.output, &cell.stop);
    let ran = fetch(
        source,
        &opened,
        place,
        Limits::default(),
        &mut view,
        output,
        stop,
    )
    .await;
    let (view, answer) = match end(ran, view, margin).await {
        Ok(ended) => ended,
        Err(outcome) => return outcome,
    };
    let (batches, _) = answer.fetched.within();
    let text = batches.iter().find_map(|batch| {
        let plan = batch.columns().first()?.as_string_opt::<i32>()?;
        plan.iter().next().flatten()
    });
    let media = display::plan(text.unwrap_or_default());
    margin.remember(view.result(media).await);
    Outcome::Done
}

/// The statement that asks for the plan; the lines of the explained one keep their numbers.
fn question(statement: &SqlText) -> SqlText {
    SqlText {
        text: format!("{EXPLAIN}{}", statement.text),
        start: Position {
            line: statement.start.line.saturating_sub(1),
            ..statement.start
        },
        kind: Kind::Query,
        subject: Subject::Other,
        rows: None,
        parameters: statement.parameters.clone(),
    }
}
