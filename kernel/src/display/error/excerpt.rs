//! The lines of a statement that an error is about, underlined.

use super::SqlProblem;
use super::message::told;
use crate::display::text::{push_visible_char, width};

/// Lines of a piece over several lines that are shown.
const MOST_LINES: usize = 6;

/// Columns that a tab is shown as.
const TAB: &str = "    ";

/// A piece of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The line of the cell that it starts on.
    pub(super) line: usize,
    rows: Vec<Row>,
    more: bool,
}

/// A line of the cell and the part of it that is underlined; columns of the terminal.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    number: usize,
    text: String,
    before: usize,
    under: usize,
}

impl Place {
    /// The lines with their numbers, each with its underline below it.
    pub(super) fn lines(&self, bold: &str, dim: &str, plain: &str) -> Vec<String> {
        let last = self.rows.last().map_or(0, |row| row.number);
        let margin = last.to_string().len();
        let mut lines = Vec::with_capacity(self.rows.len() * 2 + 1);
        for row in &self.rows {
            lines.push(format!(
                "{dim}{:>margin$} |{plain} {}",
                row.number, row.text
            ));
            if row.under > 0 {
                let space = " ".repeat(row.before);
                let carets = "^".repeat(row.under);
                lines.push(format!(
                    "{dim}{:margin$} |{plain} {space}{bold}{carets}{plain}",
                    ""
                ));
            }
        }
        if self.more {
            lines.push(format!("{dim}{:margin$} | …{plain}", ""));
        }
        lines
    }
}

/// Finds the piece that Spark points at. `None` if it points at nothing that is there.
pub(super) fn place(problem: &SqlProblem<'_>) -> Option<Place> {
    let sql: Vec<char> = problem.sql.chars().collect();
    let told = told(problem.full_message);
    let context = problem.contexts.first();
    let told = told.filter(|told| told.by_parser || context.is_some());
    // Spark counts in the text that it has put values into for `${…}`; only the line that it tells
    // still holds in ours.
    if problem.sql.contains("${") {
        let start = line_start(&sql, told?.line)?;
        return Some(rows(problem, &sql, start, None));
    }
    let (start, stop) = match (context, told) {
        (Some(context), _) => (context.start, context.stop),
        (None, Some(told)) => {
            let start = line_start(&sql, told.line)? + told.column;
            (start, word_end(&sql, start))
        }
        (None, None) => return None,
    };
    if start > sql.len() {
        return None;
    }
    Some(rows(problem, &sql, start, Some(stop.max(start))))
}

/// Where the parser says that it stops, in code points of the statement. `None` also where Spark
/// counts in a text that it has put values into.
pub(super) fn told_offset(problem: &SqlProblem<'_>) -> Option<usize> {
    let told = told(problem.full_message).filter(|_| !problem.sql.contains("${"))?;
    let sql: Vec<char> = problem.sql.chars().collect();
    line_start(&sql, told.line).map(|start| start + told.column)
}

/// The first code point of a line, counted from 1.
fn line_start(sql: &[char], line: usize) -> Option<usize> {
    match line.checked_sub(2) {
        None => Some(0),
        Some(nth) => {
            let mut ends = sql.iter().enumerate().filter(|(_, ch)| **ch == '\n');
            ends.nth(nth).map(|(at, _)| at + 1)
        }
    }
}

/// The last code point of the word at `start`.
fn word_end(sql: &[char], start: usize) -> usize {
    let rest = sql.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .take_while(|ch| ch.is_alphanumeric() || **ch == '_')
        .count();
    start + length.max(1) - 1
}

/// The lines from `start` on; underlined up to `stop`, or not at all.
fn rows(problem: &SqlProblem<'_>, sql: &[char], start: usize, stop: Option<usize>) -> Place {
    let mut line_from = sql[..start]
        .iter()
        .rposition(|ch| *ch == '\n')
        .map_or(0, |at| at + 1);
    let above = sql[..line_from].iter().filter(|ch| **ch == '\n').count();
    let first = problem.start.line + above;
    // At the end of the input one caret stands behind the last character.
    let end = stop.map_or(start, |stop| {
        (stop + 1).clamp(start + 1, sql.len().max(start + 1))
    });
    let mut place = Place {
        line: first,
        rows: Vec::new(),
        more: false,
    };
    loop {
        let number = first + place.rows.len();
        let line_to = sql[line_from..]
            .iter()
            .position(|ch| *ch == '\n')
            .map_or(sql.len(), |length| line_from + length);
        let under_from = start.max(line_from);
        let under_to = end.min(line_to.max(under_from + usize::from(place.rows.is_empty())));
        place.rows.push(row(
            number,
            &sql[line_from..line_to],
            under_from - line_from,
            {
                match stop {
                    Some(_) => under_to.saturating_sub(line_from),
                    None => 0,
                }
            },
        ));
        line_from = line_to + 1;
        if line_from >= end || line_from > sql.len() {
            return place;
        }
        if place.rows.len() == MOST_LINES {
            place.more = true;
            return place;
        }
    }
}

/// A line underlined between two of its code points; white space at its start is not.
fn row(number: usize, line: &[char], from: usize, to: usize) -> Row {
    let indent = line.iter().take_while(|ch| ch.is_whitespace()).count();
    let from = match from {
        0 if to > indent => indent,
        from => from,
    };
    let shown = |part: &[char]| {
        let mut text = String::new();
        for ch in part {
            match ch {
                '\t' => text.push_str(TAB),
                '\r' => {}
                ch => push_visible_char(&mut text, *ch),
            }
        }
        text
    };
    let to = to.min(line.len());
    let before = width(&shown(&line[..from.min(line.len())]));
    let under = match (from < to, to) {
        (true, _) => width(&shown(&line[from..to])).max(1),
        (false, 0) => 0,
        (false, _) => 1,
    };
    Row {
        number,
        text: shown(line).trim_end().to_owned(),
        before,
        under,
    }
}
