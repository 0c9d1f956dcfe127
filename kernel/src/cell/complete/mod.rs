//! What could stand at the cursor: magics, names of the catalog and the words of Spark SQL.

mod catalog;
mod inspect;
mod names;
mod scope;
mod sql;

use super::magic::names;
use super::parse::head;
use super::split::{Stretch, split};

pub use catalog::{Catalog, Column, Table, Unknown};
pub use inspect::{Named, named_at};

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
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text that is put in.
    pub text: String,
    /// What it is.
    pub kind: ProposalKind,
    /// A column's type, or what an alias stands for; else empty.
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
    /// A magic, or what is given to one.
    Magic,
}

/// Proposes what could stand at `cursor`, an offset into `source` in Unicode code points, from
/// what is known of the catalog.
pub fn complete(source: &str, cursor: usize, catalog: &Catalog) -> Proposals {
    let byte = source
        .char_indices()
        .nth(cursor)
        .map_or(source.len(), |(byte, _)| byte);
    let before = &source[..byte];
    let end = before.chars().count();
    if let Some(line) = magic_line(before) {
        let (typed, texts) = in_magic(before, line);
        let matches = texts.into_iter().map(|text| Proposal {
            text,
            kind: ProposalKind::Magic,
            signature: String::new(),
        });
        return Proposals {
            matches: matches.collect(),
            start: end - typed.chars().count(),
            end,
            unknown: Vec::new(),
        };
    }
    let from = head(before).map_or(0, |head| head.end);
    let sql::Found {
        start,
        matches,
        unknown,
    } = sql::complete(source, from, byte, catalog);
    Proposals {
        matches,
        unknown,
        start: end - source[start..byte].chars().count(),
        end,
    }
}

/// The magic that the cursor is in, if it is in one.
fn magic_line(before: &str) -> Option<&str> {
    let first = before.trim_start();
    if first.starts_with("%%") && !first.contains('\n') {
        return Some(first);
    }
    let from = head(before).map_or(0, |head| head.end);
    let line = before.rsplit('\n').next()?.trim_start();
    match split(before, from).last() {
        Some(Stretch::Magic(_)) if line.starts_with('%') => Some(line),
        _ => None,
    }
}

fn in_magic<'a>(before: &str, line: &'a str) -> (&'a str, Vec<String>) {
    let typed = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let earlier = line[..line.len() - typed.len()].trim_end();
    let first_in_cell = before.trim_start() == line;
    let offered: Vec<String> = match earlier {
        "" => names()
            .filter(|name| first_in_cell || !name.starts_with("%%"))
            .map(str::to_owned)
            .collect(),
        "%help" if typed.starts_with('%') => names().map(str::to_owned).collect(),
        "%help" => names()
            .map(|name| name.trim_start_matches('%').to_owned())
            .collect(),
        "%%sql" => vec!["-n".to_owned(), "-o".to_owned()],
        "%limit" | "%%sql -n" => vec!["all".to_owned()],
        _ => Vec::new(),
    };
    let texts = offered
        .into_iter()
        .filter(|text| text.starts_with(typed))
        .collect();
    (typed, texts)
}

#[cfg(test)]
mod tests;
