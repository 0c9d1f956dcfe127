//! A cell's source into typed pieces.

use std::collections::BTreeSet;

use super::kind::classify;
use super::magic::{EXPLAIN_USAGE, First, Magic, Rows, not_so, read_first_line, read_line};
use super::split::{Statement, Stretch, split};
use super::tokens::{Shape, Token};
use super::{CellError, Kind, Piece, Position, Problem, SqlText, quoted};

/// Takes a cell apart. A cell of nothing but white space and comments has no pieces.
///
/// `%%sql [-o NAME] [-n ROWS]` stands on the first line; a line magic on a line of its own where a
/// statement may begin, where `%explain` takes the statement that follows it; anything else is SQL, cut at `;`. What cannot be told apart (an unclosed
/// string, say) reaches Spark whole, which explains it best.
///
/// # Errors
/// Names the first magic that does not exist, is not where it belongs or is given something wrong.
pub fn parse(source: &str) -> Result<Vec<Piece>, CellError> {
    let mut walk = Walk::new(source);
    let head = head(source)?;
    let rows = head.first.rows;
    let mut pieces = Vec::new();
    let mut stretches = split(source, head.end).into_iter().peekable();
    while let Some(stretch) = stretches.next() {
        match stretch {
            Stretch::Sql(statement) => {
                pieces.push(Piece::Sql(sql(source, statement, &mut walk, rows)));
            }
            Stretch::Magic(range) => {
                let line = walk.to(range.start).line;
                let magic = read_line(&source[range]);
                let mut magic = magic.map_err(|problem| CellError { line, problem })?;
                if let Magic::Explain(explained) = &mut magic
                    && let Some(Stretch::Sql(statement)) =
                        stretches.next_if(|next| matches!(next, Stretch::Sql(_)))
                {
                    let first = statement.tokens.first();
                    if first.is_some_and(|first| first.is("BEGIN", source)) {
                        let problem = Problem::Arguments {
                            usage: EXPLAIN_USAGE,
                            expected: "a block has no plan of its own, give it one statement",
                            got: "BEGIN".to_owned(),
                        };
                        return Err(CellError { line, problem });
                    }
                    let statement = sql(source, statement, &mut walk, rows);
                    *explained = Some(Box::new(statement));
                }
                pieces.push(Piece::Magic(magic));
            }
            Stretch::Crowded(range) => {
                let line = walk.to(range.start).line;
                let name = source[range].split_whitespace().next().unwrap_or("%");
                return Err(CellError {
                    line,
                    problem: Problem::NotAlone { name: quoted(name) },
                });
            }
        }
    }
    if let Some(name) = &head.first.keep
        && !keep(&mut pieces, name)
    {
        let line = 1 + source[..head.start].matches('\n').count();
        let arguments =
            source[head.start..head.end].trim_start_matches(|c: char| !c.is_whitespace());
        let expected = "`-o` keeps the result of a query, and below the line stands none";
        let problem = not_so(arguments.trim(), expected);
        return Err(CellError { line, problem });
    }
    Ok(pieces)
}

/// Has the last result of the cell kept: that of its last query, and in its place that of a
/// statement behind it of which nobody can tell whether it has one. Says whether there is any.
fn keep(pieces: &mut [Piece], name: &str) -> bool {
    let mut marked = false;
    for piece in pieces.iter_mut().rev() {
        let Piece::Sql(statement) = piece else {
            continue;
        };
        if matches!(statement.kind, Kind::Query | Kind::Unknown) {
            statement.keep = Some(name.to_owned());
            marked = true;
        }
        if statement.kind == Kind::Query {
            break;
        }
    }
    marked
}

fn sql(source: &str, statement: Statement, walk: &mut Walk<'_>, rows: Option<Rows>) -> SqlText {
    let (kind, subject) = classify(source, &statement.tokens);
    let parameters = parameters(source, &statement.tokens);
    SqlText {
        start: walk.to(statement.range.start),
        text: source[statement.range].to_owned(),
        kind,
        subject,
        rows,
        keep: None,
        parameters,
    }
}

/// The names behind each `:` that nothing parts them from.
fn parameters(source: &str, tokens: &[Token]) -> BTreeSet<String> {
    let pairs = tokens.windows(2);
    pairs
        .filter_map(|pair| match pair {
            [colon, name]
                if colon.shape == Shape::Colon
                    && name.shape == Shape::Word
                    && colon.end == name.start =>
            {
                Some(name.text(source).to_owned())
            }
            _ => None,
        })
        .collect()
}

/// What a `%%` line says, and the bytes between which it stands.
pub(super) struct Head {
    pub(super) first: First,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there is such a line.
    pub(super) present: bool,
}

pub(super) fn head(source: &str) -> Result<Head, CellError> {
    let start = source.len() - source.trim_start().len();
    if !source[start..].starts_with("%%") {
        return Ok(Head {
            first: First::default(),
            start: 0,
            end: 0,
            present: false,
        });
    }
    let rest = &source[start..];
    let line = rest.find('\n').map_or(rest, |end| &rest[..end]);
    let first = read_first_line(line).map_err(|problem| CellError {
        line: source[..start].matches('\n').count() + 1,
        problem,
    })?;
    Ok(Head {
        first,
        start,
        end: start + line.len(),
        present: true,
    })
}

/// Turns bytes, asked for in rising order, into positions.
struct Walk<'a> {
    source: &'a str,
    byte: usize,
    position: Position,
}

impl<'a> Walk<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            byte: 0,
            position: Position {
                offset: 0,
                line: 1,
                column: 0,
            },
        }
    }

    fn to(&mut self, byte: usize) -> Position {
        for ch in self.source[self.byte..byte].chars() {
            self.position.offset += 1;
            self.position.column += 1;
            if ch == '\n' {
                self.position.line += 1;
                self.position.column = 0;
            }
        }
        self.byte = byte;
        self.position
    }
}
