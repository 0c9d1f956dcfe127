//! The relations that a place in a statement can name, and their columns.

use super::catalog::{Catalog, Column, Unknown};
use super::names::unquoted;
use crate::cell::tokens::{Shape, Token};

/// How deep queries in queries are followed.
const DEPTH: usize = 8;

/// A relation of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// What its columns may be qualified by.
    pub(super) alias: String,
    /// The parts of the table's name; empty for a subquery.
    pub(super) table: Vec<String>,
    pub(super) columns: Vec<Column>,
}

/// A statement's tokens without comments, and what names mean in it.
pub(super) struct Scope<'a> {
    pub(super) source: &'a str,
    pub(super) tokens: &'a [Token],
    catalog: &'a Catalog,
    /// The `WITH` queries.
    pub(super) ctes: Vec<Relation>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(source: &'a str, tokens: &'a [Token], catalog: &'a Catalog) -> Self {
        let mut scope = Self {
            source,
            tokens,
            catalog,
            ctes: Vec::new(),
        };
        scope.find_ctes();
        scope
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| words.iter().any(|word| token.is(word, self.source)))
    }

    fn shape(&self, at: usize) -> Option<Shape> {
        self.tokens.get(at).map(|token| token.shape)
    }

    fn is_name(&self, at: usize) -> bool {
        matches!(self.shape(at), Some(Shape::Word | Shape::Quoted))
    }

    fn name(&self, at: usize) -> String {
        let text = self.tokens.get(at).map(|token| token.text(self.source));
        unquoted(text.unwrap_or_default())
    }

    /// The token behind the group that opens at `open`, or the end.
    fn behind_group(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token.shape {
                Shape::Open => depth += 1,
                Shape::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.tokens.len()
    }

    fn find_ctes(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            let begins = at > 0
                && self.is_name(at)
                && (self.is(at - 1, &["WITH", "RECURSIVE"])
                    || self.shape(at - 1) == Some(Shape::Comma));
            if begins {
                let named = self.shape(at + 1) == Some(Shape::Open);
                let behind = if named {
                    self.behind_group(at + 1)
                } else {
                    at + 1
                };
                let open = if self.is(behind, &["AS"]) {
                    behind + 1
                } else {
                    behind
                };
                let is_query = self.is(behind, &["AS"])
                    && self.shape(open) == Some(Shape::Open)
                    && self.is(open + 1, &["SELECT", "WITH", "FROM", "VALUES", "TABLE"]);
                if is_query {
                    let columns = if named {
                        (at + 2..behind)
                            .filter(|at| self.is_name(*at))
                            .map(|at| plain(self.name(at)))
                            .collect()
                    } else {
                        self.output(open + 1, self.behind_group(open), 0)
                    };
                    let alias = self.name(at);
                    self.ctes.push(Relation {
                        alias,
                        table: Vec::new(),
                        columns,
                    });
                }
            }
            at += 1;
        }
    }

    /// Whether a name means one of the `WITH` queries.
    pub(super) fn is_own(&self, name: &[String]) -> bool {
        let [name] = name else { return false };
        self.ctes
            .iter()
            .any(|query| query.alias.eq_ignore_ascii_case(name))
    }

    /// The relations that can be named at the token `at`, innermost query first.
    pub(super) fn relations(&self, at: usize) -> Vec<Relation> {
        let mut found = Vec::new();
        let mut inside = at.min(self.tokens.len());
        loop {
            let open = self.opens(inside);
            let (start, end) = match open {
                Some(open) => (open + 1, self.behind_group(open)),
                None => (0, self.tokens.len()),
            };
            let (start, end) = self.segment(start, end, inside);
            found.extend(self.between(start, end, 0));
            match open {
                Some(open) => inside = open,
                None => return found,
            }
        }
    }

    /// The tables named anywhere in the statement whose columns the catalog does not tell.
    pub(super) fn unknown(&self, at: usize) -> Vec<Unknown> {
        let mut found = Vec::new();
        let bodies = (0..self.tokens.len()).filter(|open| self.shape(*open) == Some(Shape::Open));
        let inner = bodies.flat_map(|open| self.between(open + 1, self.behind_group(open), DEPTH));
        for relation in self.relations(at).into_iter().chain(inner) {
            let Some((name, before)) = relation.table.split_last() else {
                continue;
            };
            let cte = |cte: &Relation| before.is_empty() && cte.alias.eq_ignore_ascii_case(name);
            if self.ctes.iter().any(cte) {
                continue;
            }
            let table = self.catalog.table(&relation.table);
            if table.is_some_and(|table| table.columns.is_some()) {
                continue;
            }
            let unknown = Unknown::Columns {
                schema: match table {
                    Some(table) => table.schema.clone(),
                    None => before.last().cloned(),
                },
                name: table.map_or(name, |table| &table.name).clone(),
            };
            if !found.contains(&unknown) {
                found.push(unknown);
            }
        }
        found
    }

    /// The bracket that encloses the token `at`.
    fn opens(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for before in (0..at).rev() {
            match self.shape(before) {
                Some(Shape::Close) => depth += 1,
                Some(Shape::Open) if depth == 0 => return Some(before),
                Some(Shape::Open) => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// What of a range belongs to the same query as `at`: set operators stand between queries.
    fn segment(&self, start: usize, end: usize, at: usize) -> (usize, usize) {
        let (mut from, mut to) = (start, end);
        for outer in self.outer(start, end) {
            if self.is(outer, &["UNION", "EXCEPT", "INTERSECT", "MINUS"]) {
                if outer < at {
                    from = outer + 1;
                } else {
                    to = outer;
                    break;
                }
            }
        }
        (from, to)
    }

    /// The tokens of a range that are in none of its brackets.
    fn outer(&self, start: usize, end: usize) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for at in start..end.min(self.tokens.len()) {
            match self.shape(at) {
                Some(Shape::Open) => {
                    if depth == 0 {
                        found.push(at);
                    }
                    depth += 1;
                }
                Some(Shape::Close) => depth = depth.saturating_sub(1),
                _ if depth == 0 => found.push(at),
                _ => {}
            }
        }
        found
    }

    /// The relations of the query in a range.
    fn between(&self, start: usize, end: usize, depth: usize) -> Vec<Relation> {
        let mut found = Vec::new();
        let mut expects = false;
        let mut in_from = false;
        for at in self.outer(start, end) {
            if self.is(at, &["FROM", "JOIN", "INTO", "UPDATE", "USING"]) {
                (expects, in_from) = (true, true);
            } else if self.is(at, &CLAUSES) {
                (expects, in_from) = (false, false);
            } else if in_from && self.shape(at) == Some(Shape::Comma) {
                expects = true;
            } else if expects && !self.is(at, &["LATERAL", "TABLE"]) {
                expects = false;
                found.extend(self.relation(at, end, depth));
            }
        }
        found
    }

    fn relation(&self, at: usize, end: usize, depth: usize) -> Option<Relation> {
        if self.shape(at) == Some(Shape::Open) {
            let behind = self.behind_group(at);
            let columns = self.output(at + 1, behind, depth + 1);
            let alias = self.alias(behind, end).unwrap_or_default();
            return Some(Relation {
                alias,
                table: Vec::new(),
                columns,
            });
        }
        if !self.is_name(at) {
            return None;
        }
        let mut table = vec![self.name(at)];
        let mut last = at;
        while self.shape(last + 1) == Some(Shape::Period) && self.is_name(last + 2) {
            last += 2;
            table.push(self.name(last));
        }
        let name = table.last().cloned().unwrap_or_default();
        let cte = self
            .ctes
            .iter()
            .find(|cte| table.len() == 1 && cte.alias.eq_ignore_ascii_case(&name));
        let columns = match cte {
            Some(cte) => cte.columns.clone(),
            None => self
                .catalog
                .table(&table)
                .and_then(|table| table.columns.clone())
                .unwrap_or_default(),
        };
        let alias = self.alias(last + 1, end).unwrap_or(name);
        Some(Relation {
            alias,
            table,
            columns,
        })
    }

    fn alias(&self, at: usize, end: usize) -> Option<String> {
        let at = if self.is(at, &["AS"]) { at + 1 } else { at };
        let named =
            at < end && self.is_name(at) && !self.is(at, &NO_ALIAS) && !self.is(at, &CLAUSES);
        named.then(|| self.name(at))
    }

    /// The columns that the query in a range gives.
    fn output(&self, start: usize, end: usize, depth: usize) -> Vec<Column> {
        if depth > DEPTH {
            return Vec::new();
        }
        let outer = self.outer(start, end);
        let Some(select) = outer.iter().position(|at| self.is(*at, &["SELECT"])) else {
            return Vec::new();
        };
        let list: Vec<usize> = outer[select + 1..]
            .iter()
            .copied()
            .take_while(|at| !self.is(*at, &["FROM"]) && !self.is(*at, &CLAUSES))
            .collect();
        let (from, to) = self.segment(start, end, outer[select]);
        let relations = self.between(from, to, depth + 1);
        let mut columns = Vec::new();
        for item in list.split(|at| self.shape(*at) == Some(Shape::Comma)) {
            let Some(last) = item.last() else { continue };
            if self.tokens[*last].text(self.source) == "*" {
                let qualifier = (item.len() == 3).then(|| self.name(item[0]));
                let wanted = |relation: &&Relation| {
                    qualifier
                        .as_ref()
                        .is_none_or(|alias| relation.alias.eq_ignore_ascii_case(alias))
                };
                if item.len() == 1 || item.len() == 3 {
                    columns.extend(
                        relations
                            .iter()
                            .filter(wanted)
                            .flat_map(|r| r.columns.clone()),
                    );
                }
            } else if self.is_name(*last) && !self.is(*last, &["END"]) {
                let name = self.name(*last);
                let known = relations.iter().flat_map(|r| &r.columns);
                let same = known
                    .into_iter()
                    .find(|c| c.name.eq_ignore_ascii_case(&name));
                let renamed = item.len() > 1 && self.shape(last - 1) != Some(Shape::Period);
                columns.push(
                    same.filter(|_| !renamed)
                        .cloned()
                        .unwrap_or_else(|| plain(name)),
                );
            }
        }
        columns
    }
}

/// Words that end the list of relations.
pub(super) const CLAUSES: [&str; 16] = [
    "SELECT",
    "WHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "ON",
    "SET",
    "VALUES",
    "WINDOW",
    "QUALIFY",
    "CLUSTER",
    "DISTRIBUTE",
    "SORT",
    "OFFSET",
    "WHEN",
];

/// Words that may follow a relation and are no alias of it.
const NO_ALIAS: [&str; 18] = [
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "NATURAL",
    "SEMI",
    "ANTI",
    "OUTER",
    "LATERAL",
    "USING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "MINUS",
    "TABLESAMPLE",
    "PIVOT",
];

fn plain(name: String) -> Column {
    Column {
        name,
        data_type: String::new(),
    }
}
