//! What could stand at the cursor: magics, names of the catalog and the words of Spark SQL.

mod catalog;
mod inspect;
mod known;
mod magic;
mod names;
mod path;
mod scope;
mod sql;

use super::parse::head;

pub use catalog::{Catalog, Column, Table, Unknown};
pub use inspect::{Named, named_at};
pub use known::{Entry, Given, HERE, Known, Lack, Word};

/// What could stand at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposals {
    /// The proposals, best first.
    pub matches: Vec<Proposal>,
    /// Start of the text they replace, in Unicode code points.
    pub start: usize,
    /// End of the text they replace, in Unicode code points.
    pub end: usize,
    /// What the catalog did not tell and would have helped.
    pub unknown: Vec<Unknown>,
    /// The first functions among the proposals whose arguments are not known.
    pub undescribed: Vec<String>,
    /// What else has to be looked up before anything can be proposed.
    pub lack: Option<Lack>,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text that is put in.
    pub text: String,
    /// What it is.
    pub kind: ProposalKind,
    /// A column's type, a function's arguments, a value, or what an alias stands for; else empty.
    pub signature: String,
}

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalKind {
    /// A word of Spark SQL.
    Keyword,
    /// A column of a table in the statement.
    Column,
    /// A table, view, `WITH` query or alias.
    Table,
    /// A schema or catalog.
    Schema,
    /// A function.
    Function,
    /// A magic, or a word that is given to one.
    Magic,
    /// A parameter or a kept result.
    Value,
    /// A file or folder.
    Path,
}

/// Proposes what could stand at `cursor`, an offset into `source` in Unicode code points, from
/// what is known.
pub fn complete(source: &str, cursor: usize, known: &Known) -> Proposals {
    let byte = source
        .char_indices()
        .nth(cursor)
        .map_or(source.len(), |(byte, _)| byte);
    let before = &source[..byte];
    let end = before.chars().count();
    let from = head(before).map_or(0, |head| head.end);
    let at = |start: usize| end - source[start..byte].chars().count();
    if let Some(line) = magic::line(before) {
        let found = magic::complete(before, line, known);
        return Proposals {
            matches: found.matches,
            start: at(byte - found.typed.len()),
            end,
            lack: found.lack,
            ..Proposals::default()
        };
    }
    if let Some(found) = path::complete(source, from, byte, known.given.as_ref()) {
        return Proposals {
            matches: found.matches,
            start: at(found.start),
            end,
            lack: found.lack,
            ..Proposals::default()
        };
    }
    let found = sql::complete(source, from, byte, known);
    Proposals {
        matches: found.matches,
        start: at(found.start),
        end,
        unknown: found.unknown,
        undescribed: found.undescribed,
        lack: None,
    }
}

#[cfg(test)]
mod tests;
