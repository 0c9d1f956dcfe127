//! What could stand in the path of a file.

use super::known::{Entry, Given, HERE, Lack};
use super::{Proposal, ProposalKind};
use crate::cell::split::{Stretch, split};
use crate::cell::tokens::{Shape, Token, Tokens};

/// Words behind which a path stands in quotes, perhaps with a `=` between them.
const BEFORE: [&str; 4] = ["PATH", "LOCATION", "INPATH", "DIRECTORY"];

/// Formats whose files are named in backticks: csv.`/data/a.csv`.
const FORMATS: [&str; 8] = [
    "avro",
    "binaryFile",
    "csv",
    "json",
    "orc",
    "parquet",
    "text",
    "xml",
];

/// Characters that a path cannot have as they are: they end a string or stand for other things.
const NOT_PLAIN: [char; 12] = ['\'', '"', '`', '\\', '$', '*', '?', '[', ']', '{', '}', ';'];

/// The most that is proposed.
const MOST: usize = 200;

/// What could stand somewhere in a path.
pub(super) struct Found {
    /// The byte where the text that it replaces begins.
    pub(super) start: usize,
    pub(super) matches: Vec<Proposal>,
    pub(super) lack: Option<Lack>,
}

/// What could stand at the byte `cursor` of a cell whose SQL starts at the byte `from`; `None`
/// where that is in no path.
pub(super) fn complete(
    source: &str,
    from: usize,
    cursor: usize,
    given: Option<&Given>,
) -> Option<Found> {
    let begin = begin(source, from, cursor)?;
    let typed = source
        .get(begin..cursor)
        .filter(|typed| !typed.contains('\n'))?;
    let slash = typed.rfind('/').map_or(0, |at| at + 1);
    let (folder, name) = typed.split_at(slash);
    let local = folder.is_empty() || folder.starts_with('/') || folder.starts_with(HERE);
    let mut found = Found {
        start: begin + slash,
        matches: Vec::new(),
        lack: None,
    };
    match given {
        _ if !local => {}
        Some(Given::Folder(Some(_))) if folder.is_empty() => {
            if HERE.starts_with(name) {
                found.offer(HERE, "the notebook's folder");
            }
        }
        Some(Given::Folder(Some(entries))) => found.entries(entries, name),
        Some(Given::Folder(None)) => {}
        _ => found.lack = Some(Lack::Folder(folder.to_owned())),
    }
    Some(found)
}

impl Found {
    /// Those that begin as typed, folders first. Hidden ones are offered to who asks for them.
    fn entries(&mut self, entries: &[Entry], typed: &str) {
        let plain = |name: &str| !name.contains(NOT_PLAIN) && !name.contains(char::is_control);
        let mut fitting: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.name.starts_with(typed) && plain(&entry.name))
            .filter(|entry| typed.starts_with('.') || !entry.name.starts_with('.'))
            .collect();
        fitting.sort_by_key(|entry| (!entry.folder, &entry.name));
        for entry in fitting.into_iter().take(MOST) {
            match entry.folder {
                true => self.offer(&format!("{}/", entry.name), ""),
                false => self.offer(&entry.name, ""),
            }
        }
    }

    fn offer(&mut self, text: &str, about: &str) {
        self.matches.push(Proposal {
            text: text.to_owned(),
            kind: ProposalKind::Path,
            signature: about.to_owned(),
        });
    }
}

/// The byte where the path begins that the cursor is in.
fn begin(source: &str, from: usize, cursor: usize) -> Option<usize> {
    let statement = split(source, from)
        .into_iter()
        .rev()
        .find_map(|stretch| match stretch {
            Stretch::Sql(statement) if statement.range.start <= cursor => Some(statement),
            _ => None,
        })?;
    let mut tokens = Tokens::at(source, statement.range.start);
    let mut before: Vec<Token> = Vec::new();
    loop {
        let open = match tokens.next()? {
            Ok(token) if token.start >= cursor => return None,
            Ok(token) if token.end <= cursor => {
                before.push(token);
                continue;
            }
            Ok(token) => token.start,
            Err(unclosed) if unclosed.start < cursor => unclosed.start,
            Err(_) => return None,
        };
        let named = match source.as_bytes().get(open)? {
            b'\'' | b'"' => is_behind_word(source, &before),
            b'`' => is_behind_format(source, &before),
            _ => false,
        };
        return named.then_some(open + 1);
    }
}

fn is_behind_word(source: &str, before: &[Token]) -> bool {
    let word = match before {
        [.., word, equals] if equals.shape == Shape::Equals => word,
        [.., word] => word,
        [] => return false,
    };
    let text = word.text(source).trim_matches(['\'', '"', '`']);
    BEFORE.iter().any(|name| name.eq_ignore_ascii_case(text))
}

fn is_behind_format(source: &str, before: &[Token]) -> bool {
    let [.., format, period] = before else {
        return false;
    };
    let text = format.text(source);
    period.shape == Shape::Period && FORMATS.iter().any(|name| name.eq_ignore_ascii_case(text))
}
