//! How an error of a statement looks.

mod excerpt;
mod message;

use super::text::visible;
use crate::cell::Position;

/// What went wrong with a statement, as Spark tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlProblem<'a> {
    /// Spark's error class, such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub class: Option<&'a str>,
    /// The five characters of the SQLSTATE.
    pub sqlstate: Option<&'a str>,
    /// Spark's message, with whatever is in it.
    pub message: &'a str,
    /// Messages of the causes, outermost first.
    pub causes: &'a [String],
    /// Where in the statement, as Spark's query contexts tell it.
    pub contexts: &'a [Context],
    /// What Spark proposes to do about a change of its behaviour.
    pub mitigation: Option<&'a str>,
    /// The statement it is about, as it was sent.
    pub sql: &'a str,
    /// Where the statement starts in the cell.
    pub start: Position,
    /// The statement's number and how many the cell has.
    pub statement: (usize, usize),
}

/// A part of a statement that Spark points at.
///
/// Spark 4.3 counts both ends in Unicode code points, and its `fragment` (not used here) in
/// UTF-16 units, so that the two part ways behind an emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// First code point.
    pub start: usize,
    /// Last code point.
    pub stop: usize,
}

/// An error as Jupyter shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Spark's error class, or `SparkError`.
    pub name: String,
    /// What happened, in a sentence.
    pub value: String,
    /// Lines shown in the cell, with ANSI colours.
    pub traceback: Vec<String>,
}

const BOLD_RED: &str = "\u{1b}[1;31m";
const RED: &str = "\u{1b}[31m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// Says what went wrong: class and SQLSTATE, the message without plans and stack traces, the
/// piece of SQL underlined, what to do about it.
pub fn report(problem: &SqlProblem<'_>) -> Report {
    let name = problem.class.unwrap_or("SparkError");
    let message = message::clean(problem.message, problem.class, problem.sqlstate);
    let place = excerpt::place(problem);
    let state = problem
        .sqlstate
        .map(|state| format!(" (SQLSTATE {})", visible(state)))
        .unwrap_or_default();
    let mut traceback = vec![format!("{BOLD_RED}{}{PLAIN}{state}", visible(name))];
    traceback.extend(message.lines().map(visible));
    let (number, of) = problem.statement;
    let line = place
        .as_ref()
        .map_or(problem.start.line, |place| place.line);
    if of > 1 {
        traceback.push(format!(
            "{DIM}statement {number} of {of}, line {line}{PLAIN}"
        ));
    }
    if let Some(place) = place {
        traceback.extend(place.lines(RED, DIM, PLAIN));
    }
    for cause in problem.causes {
        let cause = message::clean(cause, None, None);
        if !cause.is_empty() && !message.contains(&cause) {
            traceback.extend(format!("Caused by: {cause}").lines().map(visible));
        }
    }
    if let Some(mitigation) = problem.mitigation {
        traceback.extend(mitigation.lines().map(visible));
    }
    if problem.class == Some("PATH_NOT_FOUND") {
        traceback.push(
            "Paths are the driver's own. `${firesteel.here}` stands for this notebook's folder, \
             as in '${firesteel.here}/data.csv'."
                .to_owned(),
        );
    }
    Report {
        name: visible(name),
        value: visible(message.lines().next().unwrap_or_default()),
        traceback,
    }
}

#[cfg(test)]
mod tests;
