//! What was asked: the source of a cell, taken apart into statements and magics.
//!
//! Text in, values out. Nothing here knows a socket, a driver or a clock.

mod blocks;
mod chart;
mod complete;
mod completeness;
mod keywords;
mod kind;
mod magic;
pub(crate) mod name;
mod nearest;
mod parse;
mod split;
mod tokens;
mod value;

use std::collections::BTreeSet;

pub use chart::{ChartRequest, Mark};
pub(crate) use chart::{MARKS, unquoted};
pub use complete::{
    Catalog, Column, Entry, Given, HERE, Known, Lack, Named, Proposal, ProposalKind, Proposals,
    Table, Unknown, Word, complete, named_at,
};
pub use completeness::{Completeness, completeness};
pub(crate) use keywords::{is_keyword, nearest_clause, nearest_keyword};
pub use kind::{Kind, Manner, Subject, Thing};
pub use magic::{Limit, Magic, Rows, help, help_at, lsmagic};
pub(crate) use nearest::nearest;
pub use parse::parse;
pub use value::read_value;

/// One part of a cell. The parts run in order, and nothing runs after one that failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// A statement for Spark.
    Sql(SqlText),
    /// An order to the kernel itself.
    Magic(Magic),
}

/// One SQL statement of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlText {
    /// Exactly what stands in the cell, from the comments above the statement to its last token,
    /// without the closing `;`.
    pub text: String,
    /// Where `text` starts in the cell.
    pub start: Position,
    /// What the statement does, as far as its text tells.
    pub kind: Kind,
    /// What the statement is about, for the line that answers it.
    pub subject: Subject,
    /// The limit that `%%sql -n` sets for the statements of its cell.
    pub rows: Option<Rows>,
    /// The name that `%%sql -o` keeps the statement's result under, should it have one.
    pub keep: Option<String>,
    /// The names that stand behind a `:` in it, as parameters do; a path into semi-structured data
    /// (`column:name`) looks the same.
    pub parameters: BTreeSet<String>,
}

impl SqlText {
    /// A query of the kernel's own, which stands in no cell.
    pub(crate) fn query(text: String) -> Self {
        Self {
            text,
            start: Position {
                offset: 0,
                line: 1,
                column: 0,
            },
            kind: Kind::Query,
            subject: Subject::Other,
            rows: None,
            keep: None,
            parameters: BTreeSet::new(),
        }
    }
}

/// A place in a cell's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Unicode code points before it.
    pub offset: usize,
    /// Its line; the first is 1.
    pub line: usize,
    /// Unicode code points before it on its line.
    pub column: usize,
}

/// Why a cell cannot be taken apart. Nothing of such a cell runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct CellError {
    /// The line of the cell it is about; the first is 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No magic has this name.
    #[error("There is no magic `{name}`.{}", nearest.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_else(|| " `%lsmagic` lists those there are.".to_owned()))]
    Unknown {
        /// The name with its `%` or `%%`, as typed.
        name: String,
        /// The magic whose name is nearest, where one is near.
        nearest: Option<&'static str>,
    },
    /// The magic exists and was given something it does not take.
    #[error("`{usage}`: {expected}, not `{got}`.")]
    Arguments {
        /// How the magic is written.
        usage: &'static str,
        /// What it takes, in words.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// A cell magic that is not on the first line.
    #[error("`{name}` stands on the first line of a cell.")]
    NotFirst {
        /// The name with its `%%`.
        name: String,
    },
    /// A line magic with something else on its line.
    #[error("`{name}` stands on a line of its own.")]
    NotAlone {
        /// The name with its `%`.
        name: String,
    },
}

/// As much of what was typed as a sentence about it can hold.
fn quoted(typed: &str) -> String {
    const LONGEST: usize = 60;
    match typed.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &typed[..end]),
        None => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests;
