//! What is known of the name at the cursor.

use super::catalog::{Catalog, Column};
use super::names::unquoted;
use super::scope::Scope;
use super::sql::statement_around;
use crate::cell::parse::head;
use crate::cell::tokens::Shape;

/// What the name at a place means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A table, view, `WITH` query or subquery.
    Table {
        /// The parts of its name, or its alias where it has none.
        name: Vec<String>,
        /// Its columns, as far as they are known.
        columns: Vec<Column>,
        /// Whether it is one of the catalog, rather than of the statement.
        in_catalog: bool,
    },
    /// A column of a table in the statement.
    Column(Column),
    /// A function.
    Function(String),
}

/// What the name means that `cursor` is in or behind, an offset in Unicode code points.
pub fn named_at(source: &str, cursor: usize, catalog: &Catalog) -> Option<Named> {
    let byte = source
        .char_indices()
        .nth(cursor)
        .map_or(source.len(), |(byte, _)| byte);
    let from = head(source).map_or(0, |head| head.end);
    let tokens = statement_around(source, from, byte)?;
    let is_name = |at: usize| {
        let shape = tokens.get(at).map(|token| token.shape);
        matches!(shape, Some(Shape::Word | Shape::Quoted))
    };
    let at = tokens
        .iter()
        .position(|token| token.start <= byte && byte <= token.end)
        .filter(|at| is_name(*at) || is_name(at + 1))?;
    let at = if is_name(at) { at } else { at + 1 };
    let name = unquoted(tokens[at].text(source));
    let mut parts = vec![name.clone()];
    let mut first = at;
    while first >= 2 && tokens[first - 1].shape == Shape::Period && is_name(first - 2) {
        first -= 2;
        parts.insert(0, unquoted(tokens[first].text(source)));
    }
    let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
    let scope = Scope::new(source, &tokens, catalog);
    let relations = scope.relations(at);
    let known = |function: &&String| same(function, &name);
    if tokens.get(at + 1).map(|token| token.shape) == Some(Shape::Open)
        && let Some(function) = catalog.functions.iter().find(known)
    {
        return Some(Named::Function(function.clone()));
    }
    let table = relations.iter().chain(&scope.ctes).find(|relation| {
        let by_name = relation.table.len() == parts.len()
            && std::iter::zip(&relation.table, &parts).all(|(left, right)| same(left, right));
        by_name || parts.len() == 1 && same(&relation.alias, &name)
    });
    if let Some(relation) = table {
        return Some(Named::Table {
            name: match relation.table.is_empty() {
                true => vec![relation.alias.clone()],
                false => relation.table.clone(),
            },
            columns: relation.columns.clone(),
            in_catalog: !relation.table.is_empty() && !scope.is_own(&relation.table),
        });
    }
    let qualifier = parts.len().checked_sub(2).map(|at| &parts[at]);
    let column = relations
        .iter()
        .filter(|relation| qualifier.is_none_or(|alias| same(&relation.alias, alias)))
        .flat_map(|relation| &relation.columns)
        .find(|column| same(&column.name, &name));
    if let Some(column) = column {
        return Some(Named::Column(column.clone()));
    }
    if let Some(table) = catalog.table(&parts) {
        return Some(Named::Table {
            name: parts,
            columns: table.columns.clone().unwrap_or_default(),
            in_catalog: true,
        });
    }
    let function = catalog.functions.iter().find(known);
    function.map(|function| Named::Function(function.clone()))
}
