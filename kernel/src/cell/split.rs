//! Where the statements and the magics of a cell begin and end.

use std::ops::Range;

use super::blocks::Blocks;
use super::magic::EXPLAIN;
use super::tokens::{Shape, Token, Tokens};

/// A stretch of a cell, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// A statement.
    Sql(Statement),
    /// A line that a `%` begins, without its line end and without the statement that it is about.
    Magic(Range<usize>),
    /// A `%` where a statement may begin, with something before it on its line.
    Crowded(Range<usize>),
}

/// A statement's place and shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// From the comments above it to its last token.
    pub(super) range: Range<usize>,
    /// Its tokens that are no comments. Empty where nothing but an unclosed comment is there.
    pub(super) tokens: Vec<Token>,
    /// How it ends.
    pub(super) end: End,
}

/// How a statement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a `;`.
    Semicolon,
    /// With the cell.
    Cell,
    /// With the cell, in a string, quoted name or comment.
    Unclosed,
    /// With the cell, in a compound statement.
    OpenBlock,
}

/// Cuts `source` from the byte `from` on. White space and comments alone are no stretch.
///
/// A line magic counts only where a statement may begin: anywhere else `%` is Spark's modulo,
/// also at the start of a line.
pub(super) fn split(source: &str, from: usize) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut tokens = Tokens::at(source, from);
    let mut behind = from;
    while let Some(stretch) = next(source, &mut tokens, behind) {
        behind = match &stretch {
            Stretch::Sql(statement) => statement.range.end,
            Stretch::Magic(range) | Stretch::Crowded(range) => {
                tokens.seek(range.end);
                range.end
            }
        };
        stretches.push(stretch);
    }
    stretches
}

/// The next stretch; `behind` is the byte where the one before it ended.
fn next(source: &str, tokens: &mut Tokens<'_>, behind: usize) -> Option<Stretch> {
    let mut blocks = Blocks::new();
    let mut seen: Vec<Token> = Vec::new();
    let mut start = None;
    loop {
        let token = match tokens.next() {
            Some(Ok(token)) => token,
            Some(Err(unclosed)) => {
                let start = start.unwrap_or(unclosed.start);
                let end = source.trim_end().len().max(start);
                return Some(Stretch::Sql(Statement {
                    range: start..end,
                    tokens: seen,
                    end: End::Unclosed,
                }));
            }
            None => {
                let end = match blocks.are_open() {
                    true => End::OpenBlock,
                    false => End::Cell,
                };
                return statement(start, seen, end);
            }
        };
        match token.shape {
            Shape::LineComment if start.is_none() && same_line(source, behind, token.start) => {}
            Shape::LineComment | Shape::Comment => {
                start.get_or_insert(token.start);
            }
            Shape::Percent if seen.is_empty() => {
                return Some(magic(source, token.start));
            }
            Shape::Semicolon if !blocks.are_open() => {
                if !seen.is_empty() {
                    return statement(start, seen, End::Semicolon);
                }
                start = None;
            }
            shape => {
                blocks.take(shape, token.text(source));
                start.get_or_insert(token.start);
                seen.push(token);
            }
        }
    }
}

fn statement(start: Option<usize>, tokens: Vec<Token>, end: End) -> Option<Stretch> {
    let last = tokens.last()?.end;
    Some(Stretch::Sql(Statement {
        range: start.unwrap_or(last)..last,
        tokens,
        end,
    }))
}

fn magic(source: &str, percent: usize) -> Stretch {
    let rest = &source[percent..];
    let line = rest.find('\n').map_or(rest, |end| &rest[..end]).trim_end();
    // What follows it is a statement, in as many lines as it takes.
    let line = match line.split_whitespace().next() {
        Some(EXPLAIN) => EXPLAIN,
        _ => line,
    };
    let range = percent..percent + line.len();
    let before = source[..percent].rsplit('\n').next().unwrap_or_default();
    if before.trim().is_empty() {
        Stretch::Magic(range)
    } else {
        Stretch::Crowded(range)
    }
}

/// Whether `at` stands behind something on the line of `behind`.
fn same_line(source: &str, behind: usize, at: usize) -> bool {
    behind > 0 && !source[behind..at].contains('\n')
}
