//! Names that are near to one that Spark does not know.

use std::collections::BTreeMap;

use super::super::text::visible;
use super::SqlProblem;
use super::catalog;
use super::excerpt;
use crate::cell::name::part_as_typed;
use crate::cell::{is_keyword, nearest, nearest_clause, nearest_keyword};

/// Candidates that are named at most.
const MOST: usize = 5;

/// Which parameters of a class hold the name that was typed and those that there are.
const NAMES: &[(&str, &str, &str)] = &[
    (
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "objectName",
        "proposal",
    ),
    ("UNRESOLVED_FIELD.WITH_SUGGESTION", "fieldName", "proposal"),
    (
        "UNRESOLVED_MAP_KEY.WITH_SUGGESTION",
        "objectName",
        "proposal",
    ),
    ("UNRESOLVED_USING_COLUMN_FOR_JOIN", "colName", "suggestion"),
    ("UNRECOGNIZED_PARAMETER_NAME", "argumentName", "proposal"),
    ("FIELD_NOT_FOUND", "fieldName", "fields"),
    ("COLLATION_INVALID_NAME", "collationName", "proposals"),
    (
        "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
        "codecName",
        "availableCodecs",
    ),
    (
        "UNSUPPORTED_TYPED_LITERAL",
        "unsupportedType",
        "supportedTypes",
    ),
    ("UNSUPPORTED_JOIN_TYPE", "typ", "supported"),
    ("INVALID_SQL_SYNTAX.OPTION_IS_INVALID", "key", "supported"),
];

/// Spark's types as they are written.
const TYPES: &str = "array bigint binary boolean byte char date decimal dec double float int \
    integer interval long map numeric real short smallint string struct timestamp timestamp_ltz \
    timestamp_ntz tinyint varchar variant void";

/// The data sources that every Spark has.
const SOURCES: &str = "avro csv jdbc json orc parquet text xml binaryfile";

/// The question with which Spark's own message ends where [`did_you_mean`] asks it better.
pub(super) fn without_question(message: &str) -> String {
    let starts = [
        " Did you mean one of the following",
        " Otherwise did you mean one of the following",
        " Did you mean ",
    ];
    let cut = starts
        .iter()
        .filter_map(|start| message.find(start))
        .min()
        .filter(|cut| message[*cut..].trim_end().ends_with(['?', ']', '.']));
    match cut {
        Some(cut) => message[..cut].to_owned(),
        None => message.to_owned(),
    }
}

/// Asks for the name that is nearest to the one that is not known, and names others there are.
/// Nothing where neither Spark nor we know any.
pub(super) fn did_you_mean(problem: &SqlProblem<'_>) -> Option<String> {
    let class = problem.class?;
    let parameter = |name: &str| problem.parameters.get(name).map(String::as_str);
    if let Some((_, typed, there)) = NAMES.iter().find(|(of, ..)| *of == class) {
        return among(parameter(typed).unwrap_or_default(), parameter(there)?);
    }
    let quotes = ['\'', '"', '`'];
    let (typed, found) = match class {
        "PARSE_SYNTAX_ERROR" => {
            let typed = parameter("error")?.trim_matches(quotes);
            // In the middle of a statement a short name is near to some word or other.
            let first = excerpt::told_offset(problem).is_some_and(|at| {
                let before: String = problem.sql.chars().take(at).collect();
                before.trim().is_empty()
            });
            let found = match first {
                true => nearest_keyword(typed),
                false => nearest_clause(typed)
                    .or_else(|| nearest(typed, TYPES.split_ascii_whitespace()))
                    .filter(|_| typed.len() > 3),
            };
            (typed, found.filter(|_| !is_keyword(typed))?)
        }
        "UNSUPPORTED_DATATYPE" => {
            let typed = parameter("typeName")?.trim_matches(quotes);
            (typed, nearest(typed, TYPES.split_ascii_whitespace())?)
        }
        "DATA_SOURCE_NOT_FOUND" => {
            let typed = parameter("provider")?.trim_matches(quotes);
            (typed, nearest(typed, SOURCES.split_ascii_whitespace())?)
        }
        _ => {
            let found = catalog::near(problem)?;
            return Some(format!("Did you mean `{}`?", visible(&found)));
        }
    };
    let found = match typed.chars().any(|ch| ch.is_ascii_lowercase()) {
        true => found.to_ascii_lowercase(),
        false => found.to_ascii_uppercase(),
    };
    Some(format!("Did you mean `{found}`?"))
}

/// The nearest of Spark's candidates as a question, with the others after it.
fn among(typed: &str, there: &str) -> Option<String> {
    let typed = Name::of(typed);
    let names: Vec<Name> = names(there)
        .into_iter()
        .map(|name| Name::of(&name))
        .collect();
    let keys: BTreeMap<String, usize> = names
        .iter()
        .enumerate()
        .rev()
        .map(|(at, name)| (name.comparable(&typed), at))
        .collect();
    let near = nearest(&typed.plain, keys.keys().map(String::as_str));
    let near = near.and_then(|key| keys.get(key)).copied();
    let shown = |name: &Name| format!("`{}`", visible(&name.plain));
    let others: Vec<String> = names
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != near)
        .map(|(_, name)| shown(name))
        .take(MOST)
        .collect();
    let are = match others.len() {
        1 => "is",
        _ => "are",
    };
    let others = others.join(", ");
    let near = near.and_then(|near| names.get(near)).map(shown);
    match (near, others.is_empty()) {
        (Some(near), _) if others.split(", ").any(|other| other == near) => Some(format!(
            "There are several {near}; another alias tells them apart."
        )),
        (Some(near), true) => Some(format!("Did you mean {near}?")),
        (Some(near), false) => Some(format!("Did you mean {near}? There {are} also {others}.")),
        (None, true) => None,
        (None, false) => Some(format!("There {are} {others}.")),
    }
}

/// A name of one or more parts.
struct Name {
    /// As one would type it: in backticks only what needs them.
    plain: String,
    parts: Vec<String>,
}

impl Name {
    fn of(quoted: &str) -> Self {
        let parts = parts(quoted);
        let typed: Vec<String> = parts.iter().map(|part| part_as_typed(part)).collect();
        Self {
            plain: typed.join("."),
            parts,
        }
    }

    /// As many of its last parts as `other` has.
    fn comparable(&self, other: &Self) -> String {
        let from = self.parts.len().saturating_sub(other.parts.len());
        self.parts[from..].join(".")
    }
}

/// The parts of a name such as `` `a`.`b``c` ``.
pub(super) fn parts(quoted: &str) -> Vec<String> {
    let parts = split(quoted, '.').into_iter();
    parts.map(|part| unquoted(&part)).collect()
}

/// The names of a list such as `` `a`, `b`.`c` ``.
fn names(list: &str) -> Vec<String> {
    let list = list.trim().trim_start_matches('[').trim_end_matches(']');
    let names = split(list, ',').into_iter();
    names
        .map(|name| name.trim().trim_matches(['\'', '"']).to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Cuts at a character outside backticks.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for ch in text.chars() {
        quoted ^= ch == '`';
        match parts.last_mut() {
            Some(part) if quoted || ch != at => part.push(ch),
            _ => parts.push(String::new()),
        }
    }
    parts
}

fn unquoted(part: &str) -> String {
    let part = part.trim();
    let inner = part
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    inner.map_or_else(|| part.to_owned(), |inner| inner.replace("``", "`"))
}
