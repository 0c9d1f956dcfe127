//! How an error of a statement looks.

mod catalog;
mod excerpt;
mod hints;
mod message;
mod near;
mod rest;
mod syntax;

use std::collections::BTreeMap;

use super::text::visible;
use crate::cell::{Catalog, Position};

pub use rest::not_run;

/// What went wrong with a statement, as Spark tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlProblem<'a> {
    /// Spark's error class, such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub class: Option<&'a str>,
    /// The five characters of the SQLSTATE.
    pub sqlstate: Option<&'a str>,
    /// Spark's message, with whatever is in it.
    pub message: &'a str,
    /// All of Spark's wording, in which the parser says where it stopped.
    pub full_message: &'a str,
    /// What Spark's message was made of.
    pub parameters: &'a BTreeMap<String, String>,
    /// Messages of the causes, outermost first.
    pub causes: &'a [String],
    /// Where in the statement, as Spark's query contexts tell it.
    pub contexts: &'a [Context],
    /// How to adapt to a change of Spark's behaviour, in Spark's sentences.
    pub migration: &'a [String],
    /// The setting and its value that bring the earlier behaviour back.
    pub mitigation: Option<(&'a str, &'a str)>,
    /// The statement it is about, as it was sent.
    pub sql: &'a str,
    /// Where the statement starts in the cell.
    pub start: Position,
    /// The statement's number and how many the cell has.
    pub statement: (usize, usize),
    /// The names of the catalog, as far as they are known.
    pub known: &'a Catalog,
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

// No red: what front ends make of it is unreadable before the red of an error in one of their themes.
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// Says what went wrong: class and SQLSTATE, the message without plans and stack traces, the
/// piece of SQL underlined, what to do about it.
pub fn report(problem: &SqlProblem<'_>) -> Report {
    let name = problem.class.unwrap_or("SparkError");
    let whole = message::clean(problem.message, problem.class, problem.sqlstate);
    let near = near::did_you_mean(problem);
    let message = match &near {
        Some(_) => near::without_question(&whole),
        None => whole,
    };
    let place = excerpt::place(problem);
    let state = problem
        .sqlstate
        .map(|state| format!(" (SQLSTATE {})", visible(state)))
        .unwrap_or_default();
    let mut traceback = vec![format!("{BOLD}{}{PLAIN}{state}", visible(name))];
    traceback.extend(message.lines().map(visible));
    if let Some(standing) = standing(problem, place.as_ref().map(|place| place.line)) {
        traceback.push(format!("{DIM}{standing}{PLAIN}"));
    }
    if let Some(place) = place {
        traceback.extend(place.lines(BOLD, DIM, PLAIN));
    }
    for cause in problem.causes {
        let cause = message::clean(cause, None, None);
        if !cause.is_empty() && !message.contains(&cause) {
            traceback.extend(format!("Caused by: {cause}").lines().map(visible));
        }
    }
    // Where the name is found, there is nothing to look for.
    let settled = near
        .as_ref()
        .is_some_and(|near| near.starts_with("Did you mean"));
    traceback.extend(near);
    traceback.extend(hints::hint(problem).filter(|_| !settled));
    traceback.extend(mitigation(problem, &message));
    Report {
        name: visible(name),
        value: visible(message.lines().next().unwrap_or_default()),
        traceback,
    }
}

/// Which statement of its cell it is, where that has several: its number, the line it begins on
/// and, where that is another, the line of the error.
fn standing(problem: &SqlProblem<'_>, error: Option<usize>) -> Option<String> {
    let (number, of) = problem.statement;
    let begins = problem.start.line;
    match error {
        _ if of < 2 => None,
        Some(line) if line != begins => Some(format!(
            "statement {number} of {of}, from line {begins}, wrong on line {line}"
        )),
        _ => Some(format!("statement {number} of {of}, line {begins}")),
    }
}

/// What Spark offers against the error, as something to do.
fn mitigation(problem: &SqlProblem<'_>, message: &str) -> Vec<String> {
    let sentences = problem.migration.iter().flat_map(|text| text.lines());
    let mut lines: Vec<String> = sentences.map(visible).collect();
    if let Some((key, value)) = problem.mitigation {
        lines.push(format!(
            "SET {} = {} brings the earlier behaviour back, for this session.",
            visible(key),
            visible(value)
        ));
    } else if let Some((key, value)) = hints::setting(message) {
        lines.push(format!(
            "SET {key} = {value} lets it pass, for this session."
        ));
    }
    lines
}

#[cfg(test)]
mod tests;
