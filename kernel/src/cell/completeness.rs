//! Whether a cell can run as it stands, for consoles.

use super::parse::{head, parse};
use super::split::{End, Statement, Stretch, split};
use super::tokens::{Shape, Token};

/// Whether a cell can run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// It can.
    Complete,
    /// More must follow.
    Incomplete {
        /// White space that the next line starts with.
        indent: String,
    },
    /// Nothing that may follow makes it right.
    Invalid,
}

/// Tells whether `source` can run as it stands. A last statement without `;` is complete unless
/// a string, name, comment, parenthesis or block is open, or it ends in something that always
/// has more behind it.
pub fn completeness(source: &str) -> Completeness {
    let Ok(head) = head(source) else {
        return Completeness::Invalid;
    };
    if parse(source).is_err() {
        return Completeness::Invalid;
    }
    let stretches = split(source, head.end);
    let Some((last, before)) = stretches.split_last() else {
        return match head.present {
            true => Completeness::Incomplete {
                indent: String::new(),
            },
            false => Completeness::Complete,
        };
    };
    if before.iter().any(|stretch| depth_of(stretch) != 0) || depth_of(last) < 0 {
        return Completeness::Invalid;
    }
    let Stretch::Sql(statement) = last else {
        return Completeness::Complete;
    };
    match statement.end {
        End::Unclosed => Completeness::Incomplete {
            indent: String::new(),
        },
        End::OpenBlock => incomplete(source, statement),
        End::Cell if depth(&statement.tokens) > 0 || dangles(source, &statement.tokens) => {
            incomplete(source, statement)
        }
        End::Semicolon if depth(&statement.tokens) > 0 => Completeness::Invalid,
        End::Semicolon | End::Cell => Completeness::Complete,
    }
}

fn depth_of(stretch: &Stretch) -> i32 {
    match stretch {
        Stretch::Sql(statement) => depth(&statement.tokens),
        Stretch::Magic(_) | Stretch::Crowded(_) => 0,
    }
}

/// Parentheses and brackets that are open at the end; negative as soon as one too many closes.
fn depth(tokens: &[Token]) -> i32 {
    let mut depth = 0;
    for token in tokens {
        match token.shape {
            Shape::Open => depth += 1,
            Shape::Close if depth == 0 => return -1,
            Shape::Close => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// Words that no statement ends with.
const DANGLING: &[&str] = &[
    "SELECT", "FROM", "WHERE", "AND", "OR", "BY", "JOIN", "ON", "HAVING", "UNION", "INTO",
];

fn dangles(source: &str, tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|last| match last.shape {
        Shape::Comma | Shape::Operator | Shape::Equals => true,
        Shape::Word => DANGLING.iter().any(|word| last.is(word, source)),
        _ => false,
    })
}

/// Words that open a part of a compound statement.
const OPENING: &[&str] = &["BEGIN", "THEN", "DO", "ELSE", "LOOP", "REPEAT"];

/// The next line starts as the last one does, two further in where that one opens something.
fn incomplete(source: &str, statement: &Statement) -> Completeness {
    let line = source.trim_end().rsplit('\n').next().unwrap_or_default();
    let mut indent: String = line
        .chars()
        .take_while(|ch| *ch == ' ' || *ch == '\t')
        .collect();
    let opens = statement.tokens.last().is_some_and(|last| {
        last.shape == Shape::Open || OPENING.iter().any(|word| last.is(word, source))
    });
    if opens {
        indent.push_str("  ");
    }
    Completeness::Incomplete { indent }
}
