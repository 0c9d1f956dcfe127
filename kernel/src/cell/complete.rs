//! What could stand at the cursor: magics and the keywords of Spark SQL.

use super::keywords::keywords;
use super::magic::names;
use super::parse::head;
use super::split::{Stretch, split};
use super::tokens::{Shape, Tokens};

/// What could stand at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposals {
    /// The proposals, best first.
    pub matches: Vec<Proposal>,
    /// Start of the text they replace, in Unicode code points.
    pub start: usize,
    /// End of the text they replace, in Unicode code points.
    pub end: usize,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text that is put in.
    pub text: String,
    /// What it is.
    pub kind: ProposalKind,
}

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalKind {
    /// A word of Spark SQL.
    Keyword,
    /// A magic, or what is given to one.
    Magic,
}

/// Proposes what could stand at `cursor`, an offset into `source` in Unicode code points.
pub fn complete(source: &str, cursor: usize) -> Proposals {
    let byte = source
        .char_indices()
        .nth(cursor)
        .map_or(source.len(), |(byte, _)| byte);
    let before = &source[..byte];
    let end = before.chars().count();
    let (typed, texts, kind) = match magic_line(before) {
        Some(line) => {
            let (typed, texts) = in_magic(before, line);
            (typed, texts, ProposalKind::Magic)
        }
        None => {
            let (typed, texts) = in_sql(before);
            (typed, texts, ProposalKind::Keyword)
        }
    };
    Proposals {
        matches: texts
            .into_iter()
            .map(|text| Proposal { text, kind })
            .collect(),
        start: end - typed.chars().count(),
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
        "%%sql" => vec!["-n".to_owned()],
        "%limit" | "%%sql -n" => vec!["all".to_owned()],
        _ => Vec::new(),
    };
    let texts = offered
        .into_iter()
        .filter(|text| text.starts_with(typed))
        .collect();
    (typed, texts)
}

fn in_sql(before: &str) -> (&str, Vec<String>) {
    let bare = before.trim_end_matches(|ch: char| ch.is_ascii_alphanumeric() || ch == '_');
    let typed = &before[bare.len()..];
    if typed.is_empty() || bare.ends_with(['.', ':', '%']) || !stands_in_code(before) {
        return (typed, Vec::new());
    }
    let upper = typed.to_ascii_uppercase();
    let lower_case = !typed.chars().any(|ch| ch.is_ascii_uppercase());
    let texts = keywords()
        .filter(|word| word.starts_with(&upper))
        .map(|word| match lower_case {
            true => word.to_ascii_lowercase(),
            false => word.to_owned(),
        })
        .collect();
    (typed, texts)
}

/// Whether the end of `before` is in no string, quoted name or comment.
fn stands_in_code(before: &str) -> bool {
    let mut tokens = Tokens::at(before, head(before).map_or(0, |head| head.end));
    let mut last = None;
    while let Some(token) = tokens.next() {
        match token {
            Ok(token) => last = Some(token),
            Err(_) => return false,
        }
    }
    last.is_some_and(|token| token.shape == Shape::Word && token.end == before.len())
}
