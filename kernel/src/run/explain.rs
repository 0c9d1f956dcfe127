//! Shows how Spark would run a statement.

use arrow::array::AsArray;
use firesteel_session::error::{Error, QueryContext, SparkError};

use super::cells::Settings;
use super::failure::{self, Place};
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

/// How Spark's answer begins where it could not plan the statement.
const REFUSED: &str = "Error occurred during query planning:";

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
    settings: &Settings,
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
            ..Failure::default()
        });
    };
    let question = question(statement);
    let parameters = settings.parameters(&question);
    let place = Place {
        statement: &question,
        parameters: &parameters,
        number: (1, 1),
        known: &settings.known,
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
    let lines = batches.iter().flat_map(|batch| {
        let column = batch
            .columns()
            .first()
            .and_then(|c| c.as_string_opt::<i32>());
        column.into_iter().flatten().flatten()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    if let Some(said) = text.strip_prefix(REFUSED) {
        let error = Error::Spark(Box::new(refusal(said, &question.text)));
        return Outcome::Failed(failure::of_statement(&error, place));
    }
    let mut media = display::plan(&text);
    if let Some(started) = &opened.started {
        media = display::with_start(media, started, None);
    }
    margin.remember(view.result(media).await);
    Outcome::Done
}

/// Reads an error from what Spark answers in place of a plan: `[CLASS] What happened. SQLSTATE:
/// 42703; line 2 pos 7;` and a plan that could not be finished.
fn refusal(said: &str, sql: &str) -> SparkError {
    let said = said.trim_start();
    let between = |from: &str, to: &[char]| {
        let (_, rest) = said.split_once(from)?;
        Some(rest.split(to).next()?.trim().to_owned())
    };
    let class = said
        .starts_with('[')
        .then(|| between("[", &[']']))
        .flatten();
    let place = between("; line ", &[';', '\n']);
    let context = place.and_then(|place| {
        let (line, column) = place.split_once(" pos ")?;
        pointed_at(sql, line.parse().ok()?, column.parse().ok()?)
    });
    SparkError {
        sql_state: between("SQLSTATE: ", &[';', ' ', '\n']),
        class,
        message: said.to_owned(),
        full_message: said.to_owned(),
        // A place in the text of a view has another word at it.
        contexts: context
            .filter(|(_, word)| said.contains(&format!("`{word}`")))
            .map(|(context, _)| context)
            .into_iter()
            .collect(),
        ..SparkError::default()
    }
}

/// The word that begins at a line, counted from 1, and a column, counted from 0.
fn pointed_at(sql: &str, line: usize, column: usize) -> Option<(QueryContext, String)> {
    let before: usize = sql
        .split('\n')
        .take(line.checked_sub(1)?)
        .map(|line| line.chars().count() + 1)
        .sum();
    let named = |ch: &char| ch.is_alphanumeric() || *ch == '_';
    let start = before + column;
    let word: String = sql.chars().skip(start).take_while(named).collect();
    let length = word.chars().count().checked_sub(1)?;
    let context = QueryContext {
        start: Some(start),
        stop: Some(start + length),
        ..QueryContext::default()
    };
    Some((context, word))
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
        keep: None,
        parameters: statement.parameters.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_place_of_a_plan_is_an_error_of_the_statement() {
        let sql = "EXPLAIN FORMATTED\nSELECT a,\n  nope FROM t";
        let said = |place: &str| {
            format!(" \n[UNRESOLVED_COLUMN.X] No `nope`. SQLSTATE: 42703; {place};\n'Project\n")
        };
        for (place, expected) in [
            ("line 3 pos 2", Some((Some(30), Some(33)))),
            ("line 2 pos 0", None),
            ("line 3 pos 1", None),
            ("line 9 pos 2", None),
            ("line 0 pos 2", None),
            ("line x", None),
        ] {
            let error = refusal(&said(place), sql);
            assert_eq!(error.class.as_deref(), Some("UNRESOLVED_COLUMN.X"));
            assert_eq!(error.sql_state.as_deref(), Some("42703"));
            let context = error.contexts.first().map(|c| (c.start, c.stop));
            assert_eq!(context, expected, "{place}");
        }
        let error = refusal("whatever", sql);
        assert_eq!((error.class, error.sql_state), (None, None));
        assert_eq!(error.message, "whatever");
    }
}
