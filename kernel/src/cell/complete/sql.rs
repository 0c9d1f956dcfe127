//! What could stand in a statement.

use std::collections::BTreeSet;

use super::catalog::{Catalog, Table, Unknown};
use super::known::{Known, Word};
use super::names::{fit, quoted, unquoted};
use super::scope::{CLAUSES, Scope};
use super::{Proposal, ProposalKind};
use crate::cell::keywords::keywords;
use crate::cell::split::{Stretch, split};
use crate::cell::tokens::{Shape, Token, Tokens};

/// The most that is proposed: nobody reads on, and a reply stays small.
const MOST: usize = 200;

/// Functions of one answer whose arguments are asked for: the first that a person sees.
const DESCRIBED: usize = 8;

/// Words that a statement begins with.
const FIRST: &str = "ADD ALTER ANALYZE BEGIN CACHE CALL CLEAR COMMENT CREATE DECLARE DELETE DESC DESCRIBE DROP \
EXECUTE EXPLAIN FROM INSERT LIST LOAD MERGE MSCK REFRESH REPAIR REPLACE RESET SELECT SET SHOW TABLE TRUNCATE \
UNCACHE UPDATE USE VALUES WITH";

/// What can stand in the place of a table's name.
const FOR_TABLE: [&str; 6] = ["IF", "LATERAL", "SELECT", "TABLE", "UNPIVOT", "VALUES"];

/// What is expected at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Table,
    Schema,
    Expression,
}

/// What could stand somewhere.
pub(super) struct Found {
    /// The byte where the text that it replaces begins.
    pub(super) start: usize,
    /// It, best first.
    pub(super) matches: Vec<Proposal>,
    /// What the catalog did not tell.
    pub(super) unknown: Vec<Unknown>,
    /// The first functions among it whose arguments are not known.
    pub(super) undescribed: Vec<String>,
}

/// What could stand at the byte `cursor` of a cell whose SQL starts at the byte `from`.
pub(super) fn complete(source: &str, from: usize, cursor: usize, known: &Known) -> Found {
    let catalog = &*known.catalog;
    let nothing = Found {
        start: cursor,
        matches: Vec::new(),
        unknown: Vec::new(),
        undescribed: Vec::new(),
    };
    let Some((tokens, open)) = statement(source, from, cursor) else {
        return nothing;
    };
    let before = tokens
        .iter()
        .take_while(|token| token.end < cursor || token.start < cursor && !is_word(token));
    let mut at = before.count();
    let start = match (open, tokens.get(at)) {
        (Some(open), _) => open,
        (None, Some(token)) if token.start < cursor => token.start,
        _ => cursor,
    };
    let typed = unquoted(&source[start..cursor]);
    if open.is_some() {
        at = tokens.iter().take_while(|token| token.end <= start).count();
    }
    let previous = at.checked_sub(1).and_then(|at| tokens.get(at));
    let touches = |token: &&Token, shape| token.shape == shape && token.end == start;
    if let Some(colon) = previous.filter(|token| touches(token, Shape::Colon)) {
        let before = at.checked_sub(2).and_then(|at| tokens.get(at));
        use Shape::{Close, Colon, Quoted, Text, Word};
        let value = |token: &Token| matches!(token.shape, Word | Quoted | Close | Text | Colon);
        // Behind a value stands a path into it, or a type.
        if before.is_some_and(|token| token.end == colon.start && value(token)) {
            return nothing;
        }
        return Found {
            start,
            matches: parameters(&known.parameters, &typed),
            ..nothing
        };
    }
    let percent = previous.is_some_and(|token| touches(&token, Shape::Percent));
    if percent || typed.starts_with(|ch: char| ch.is_ascii_digit()) {
        return nothing;
    }
    let mut qualifier = Vec::new();
    let mut head = at;
    while head >= 2 && tokens[head - 1].shape == Shape::Period && is_word(&tokens[head - 2]) {
        qualifier.insert(0, unquoted(tokens[head - 2].text(source)));
        head -= 2;
    }
    if qualifier.is_empty() && previous.is_some_and(|token| token.shape == Shape::Period) {
        return nothing;
    }
    let scope = Scope::new(source, &tokens, catalog);
    let place = place(source, &tokens, head);
    let unknown = unknown(&scope, catalog, place, at, &qualifier);
    let offers = Offers {
        place,
        quote: open.is_some(),
        typed: &typed,
        found: Vec::new(),
    };
    let matches = offers.gather(&scope, catalog, at, &qualifier);
    let functions = matches.iter().filter(|proposal| {
        proposal.kind == ProposalKind::Function && !catalog.signatures.contains_key(&proposal.text)
    });
    let functions = functions.take(DESCRIBED);
    Found {
        start,
        undescribed: functions.map(|proposal| proposal.text.clone()).collect(),
        matches,
        unknown,
    }
}

fn parameters(known: &[Word], typed: &str) -> Vec<Proposal> {
    let fitting = known.iter().filter(|word| word.name.starts_with(typed));
    let proposal = |word: &Word| Proposal {
        text: word.name.clone(),
        kind: ProposalKind::Value,
        signature: word.about.clone(),
    };
    fitting.map(proposal).collect()
}

fn unknown(
    scope: &Scope<'_>,
    catalog: &Catalog,
    place: Place,
    at: usize,
    qualifier: &[String],
) -> Vec<Unknown> {
    if place == Place::Expression {
        return scope.unknown(at);
    }
    let Some(schema) = qualifier.last().filter(|_| place == Place::Table) else {
        return Vec::new();
    };
    let here = |table: &Table| {
        table
            .schema
            .as_ref()
            .is_some_and(|of| of.eq_ignore_ascii_case(schema))
    };
    match catalog.tables.iter().any(here) {
        true => Vec::new(),
        false => vec![Unknown::Tables(schema.clone())],
    }
}

fn is_word(token: &Token) -> bool {
    matches!(token.shape, Shape::Word | Shape::Quoted)
}

/// The tokens of the statement at the cursor without its comments, and where a quoted name begins
/// that the cursor is in. `None` where the cursor is in a string or a comment.
fn statement(source: &str, from: usize, cursor: usize) -> Option<(Vec<Token>, Option<usize>)> {
    let stretch = split(source, from)
        .into_iter()
        .rev()
        .find_map(|stretch| match stretch {
            Stretch::Sql(statement) if statement.range.start <= cursor => Some(statement),
            _ => None,
        });
    let begins = stretch.map_or(from, |statement| statement.range.start);
    let mut tokens = Tokens::at(source, begins);
    let mut found = Vec::new();
    let mut open = None;
    while let Some(token) = tokens.next() {
        let token = match token {
            Ok(token) => token,
            Err(unclosed) if unclosed.start >= cursor => break,
            Err(unclosed) if source[unclosed.start..].starts_with('`') => {
                open = Some(unclosed.start);
                // The name is being typed: what follows the cursor is the rest of the statement.
                tokens.seek(cursor);
                continue;
            }
            Err(_) => return None,
        };
        let inside = token.start < cursor && cursor < token.end;
        match token.shape {
            Shape::Text | Shape::Comment if inside => return None,
            Shape::LineComment if inside || cursor == token.end => return None,
            Shape::LineComment | Shape::Comment => {}
            Shape::Semicolon if token.start < cursor => found.clear(),
            Shape::Semicolon => break,
            _ => found.push(token),
        }
    }
    Some((found, open))
}

/// The tokens of the statement at the byte `cursor` without its comments; `None` where the cursor is
/// in a string or a comment.
pub(super) fn statement_around(source: &str, from: usize, cursor: usize) -> Option<Vec<Token>> {
    statement(source, from, cursor).map(|(tokens, _)| tokens)
}

/// What is expected where the name that the token `at` begins stands.
fn place(source: &str, tokens: &[Token], at: usize) -> Place {
    let is = |at: usize, words: &[&str]| {
        tokens
            .get(at)
            .is_some_and(|t| words.iter().any(|w| t.is(w, source)))
    };
    let Some(last) = at.checked_sub(1) else {
        return Place::Start;
    };
    if is(last, &["JOIN", "INTO", "UPDATE", "TABLE", "VIEW", "FROM"]) {
        let extracts =
            is(last, &["FROM"]) && tokens[..last].iter().any(|t| t.is("EXTRACT", source));
        return if extracts {
            Place::Expression
        } else {
            Place::Table
        };
    }
    if is(last, &["DESCRIBE", "DESC", "EXTENDED", "OVERWRITE"]) && last < 2
        || is(last, &["USING"]) && is(0, &["MERGE"])
    {
        return Place::Table;
    }
    if is(last, &["USE", "SCHEMA", "DATABASE", "NAMESPACE", "CATALOG"])
        || is(last, &["IN"]) && is(0, &["SHOW"])
    {
        return Place::Schema;
    }
    if tokens[last].shape == Shape::Comma {
        let mut depth = 0_usize;
        for before in (0..last).rev() {
            match tokens[before].shape {
                Shape::Close => depth += 1,
                Shape::Open if depth == 0 => break,
                Shape::Open => depth -= 1,
                _ if depth > 0 => {}
                _ if is(before, &["FROM"]) => return Place::Table,
                _ if is(before, &CLAUSES) => break,
                _ => {}
            }
        }
    }
    Place::Expression
}

/// How something is ranked: within a name last, then by what it is, then by its case.
type Rank = (bool, u8, u8);

struct Offers<'a> {
    place: Place,
    /// Whether a backtick is open.
    quote: bool,
    typed: &'a str,
    found: Vec<(Rank, Proposal)>,
}

impl Offers<'_> {
    fn gather(
        mut self,
        scope: &Scope<'_>,
        catalog: &Catalog,
        at: usize,
        qualifier: &[String],
    ) -> Vec<Proposal> {
        match (self.place, qualifier) {
            (Place::Start, []) => self.keywords(&FIRST.split(' ').collect::<Vec<_>>()),
            (Place::Schema, []) => {
                self.names(2, ProposalKind::Schema, &catalog.schemas);
                self.names(3, ProposalKind::Schema, &catalog.catalogs);
                self.all_keywords();
            }
            (Place::Table, []) => {
                for cte in &scope.ctes {
                    self.offer(
                        1,
                        ProposalKind::Table,
                        &cte.alias,
                        "query of this statement",
                    );
                }
                for table in &catalog.tables {
                    let here = table.schema.is_none() || table.schema == catalog.schema;
                    if here {
                        self.offer(1, ProposalKind::Table, &table.name, "");
                    }
                }
                self.names(2, ProposalKind::Schema, &catalog.schemas);
                self.names(3, ProposalKind::Schema, &catalog.catalogs);
                self.keywords(&FOR_TABLE);
            }
            (Place::Table | Place::Schema, [.., schema]) => {
                for table in &catalog.tables {
                    if table
                        .schema
                        .as_ref()
                        .is_some_and(|s| s.eq_ignore_ascii_case(schema))
                    {
                        self.offer(1, ProposalKind::Table, &table.name, "");
                    }
                }
                if catalog
                    .catalogs
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(schema))
                {
                    self.names(2, ProposalKind::Schema, &catalog.schemas);
                }
            }
            (Place::Expression, []) => {
                for relation in scope.relations(at) {
                    for column in &relation.columns {
                        self.offer(0, ProposalKind::Column, &column.name, &column.data_type);
                    }
                    // An alias that is just being typed is no name to choose.
                    let stands_for = relation.table.join(".");
                    if relation.alias != self.typed
                        || relation.table.last() == Some(&relation.alias)
                    {
                        self.offer(1, ProposalKind::Table, &relation.alias, &stands_for);
                    }
                }
                if !self.typed.is_empty() {
                    for name in &catalog.functions {
                        let signature = catalog.signatures.get(name);
                        let signature = signature.map_or("", String::as_str);
                        self.offer(4, ProposalKind::Function, name, signature);
                    }
                }
                self.all_keywords();
            }
            (_, [.., alias]) => {
                let relations = scope.relations(at);
                let named = relations
                    .iter()
                    .find(|r| r.alias.eq_ignore_ascii_case(alias));
                for column in named.into_iter().flat_map(|relation| &relation.columns) {
                    self.offer(0, ProposalKind::Column, &column.name, &column.data_type);
                }
            }
        }
        self.best()
    }

    fn names(&mut self, class: u8, kind: ProposalKind, names: &[String]) {
        for name in names {
            self.offer(class, kind, name, "");
        }
    }

    fn offer(&mut self, class: u8, kind: ProposalKind, name: &str, signature: &str) {
        let Some(fit) = fit(name, self.typed).filter(|_| !name.is_empty()) else {
            return;
        };
        let proposal = Proposal {
            text: quoted(name, self.quote),
            kind,
            signature: signature.to_owned(),
        };
        self.found.push(((fit == 2, class, fit), proposal));
    }

    fn all_keywords(&mut self) {
        self.keywords(&keywords().collect::<Vec<_>>());
    }

    /// Keywords follow the case of what is typed.
    fn keywords(&mut self, words: &[&str]) {
        if self.typed.is_empty() || self.quote {
            return;
        }
        let upper = self.typed.to_ascii_uppercase();
        let lower_case = !self.typed.chars().any(|ch| ch.is_ascii_uppercase());
        for word in words.iter().filter(|word| word.starts_with(&upper)) {
            let text = match lower_case {
                true => word.to_ascii_lowercase(),
                false => (*word).to_owned(),
            };
            let proposal = Proposal {
                text,
                kind: ProposalKind::Keyword,
                signature: String::new(),
            };
            self.found.push(((false, 5, 0), proposal));
        }
    }

    fn best(mut self) -> Vec<Proposal> {
        let key = |(rank, proposal): &(Rank, Proposal)| (*rank, proposal.text.clone());
        if self.found.len() > MOST {
            self.found
                .select_nth_unstable_by(MOST, |a, b| (a.0, &a.1.text).cmp(&(b.0, &b.1.text)));
            self.found.truncate(MOST);
        }
        self.found.sort_by_cached_key(key);
        let mut seen = BTreeSet::new();
        self.found
            .retain(|(_, proposal)| seen.insert(proposal.text.to_ascii_lowercase()));
        self.found
            .into_iter()
            .map(|(_, proposal)| proposal)
            .collect()
    }
}
