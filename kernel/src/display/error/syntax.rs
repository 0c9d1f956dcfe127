//! What is wrong where Spark's parser stops.

use super::super::text::visible;
use super::SqlProblem;
use super::excerpt;
use crate::cell::{is_keyword, nearest_clause};

/// Words that are followed by `BY`.
const BEFORE_BY: [&str; 6] = [
    "GROUP",
    "ORDER",
    "PARTITION",
    "CLUSTER",
    "DISTRIBUTE",
    "SORT",
];

/// What a syntax error is likely to come from, by the word that the parser stops at and the one
/// before it.
pub(super) fn hint(problem: &SqlProblem<'_>) -> Option<String> {
    let error = problem.parameters.get("error")?;
    let before = before(problem);
    let last = before.trim_end();
    let word = last.trim_end_matches(|ch: char| ch.is_alphanumeric() || ch == '_');
    let last_word = &last[word.len()..];
    if let Some(by) = BEFORE_BY
        .iter()
        .find(|word| word.eq_ignore_ascii_case(last_word))
    {
        return Some(format!("`BY` is missing behind `{by}`."));
    }
    if let Some(quote) = ["'", "\"", "`"].iter().find(|quote| {
        **quote == error.trim_start_matches('\'') || error.as_str() == format!("'{quote}'")
    }) {
        return Some(format!("A {quote} is opened here and not closed."));
    }
    if error == "end of input" {
        return Some(match open(problem.sql) {
            0 => "The statement ends where something more must follow.".to_owned(),
            1 => "A parenthesis is opened and not closed.".to_owned(),
            many => format!("{many} parentheses are opened and not closed."),
        });
    }
    let stopped = error.trim_matches('\'');
    if !last_word.is_empty()
        && !is_keyword(last_word)
        && let Some(clause) = nearest_clause(last_word)
    {
        return Some(format!(
            "Did you mean `{clause}` where `{}` stands?",
            visible(last_word)
        ));
    }
    if is_keyword(stopped) {
        let word = visible(&stopped.to_ascii_uppercase());
        return Some(format!(
            "`{word}` is a word of SQL: the parts of a query come as SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT; \
             a column of that name stands in backticks."
        ));
    }
    let name = stopped.chars().all(|ch| ch.is_alphanumeric() || ch == '_');
    let follows = last_word.is_empty() && !last.ends_with([')', '\'', '"', '`', ']']);
    (name && !follows && !is_keyword(last_word)).then(|| {
        format!(
            "A comma or an operator may be missing before `{}`.",
            visible(stopped)
        )
    })
}

/// The statement up to where the parser stops; nothing where it does not say.
fn before<'a>(problem: &SqlProblem<'a>) -> &'a str {
    let Some(at) = excerpt::told_offset(problem) else {
        return "";
    };
    let end = problem.sql.char_indices().nth(at).map(|(byte, _)| byte);
    &problem.sql[..end.unwrap_or(problem.sql.len())]
}

/// Parentheses that are opened more often than closed; those in texts and comments count too,
/// which is good enough to guess by.
fn open(sql: &str) -> usize {
    let count = |ch: char| sql.matches(ch).count();
    count('(').saturating_sub(count(')'))
}
