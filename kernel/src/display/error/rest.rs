//! What of a cell does not run after a failure.

use super::super::text::{cut, visible};
use crate::cell::{Piece, SqlText};

/// Statements that are named; of more only the number is told.
const MOST: usize = 5;

/// Columns of a statement's first line that are shown.
const COLUMNS: usize = 60;

/// Names the pieces behind the one that failed; `done` statements of the cell, of `of` in all, stand
/// up to there. No lines where nothing is left.
pub fn not_run(rest: &[Piece], done: usize, of: usize) -> Vec<String> {
    let statements: Vec<&SqlText> = rest
        .iter()
        .filter_map(|piece| match piece {
            Piece::Sql(statement) => Some(statement),
            Piece::Magic(_) => None,
        })
        .collect();
    let magics = rest.len() - statements.len();
    let mut lines: Vec<String> = std::iter::zip(done + 1.., &statements)
        .take(MOST)
        .map(|(number, statement)| {
            format!(
                "Not run: statement {number} of {of}, line {}: {}",
                statement.start.line,
                first_words(&statement.text)
            )
        })
        .collect();
    if statements.len() > MOST {
        lines.push(format!(
            "Not run: {} statements more.",
            statements.len() - MOST
        ));
    }
    match magics {
        0 => {}
        1 => lines.push("Not run: a magic.".to_owned()),
        many => lines.push(format!("Not run: {many} magics.")),
    }
    lines
}

/// The first line of a statement that is no comment.
fn first_words(sql: &str) -> String {
    let lines = sql.lines().map(str::trim);
    let line = lines
        .filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with("/*"))
        .find(|line| !line.ends_with("*/"))
        .unwrap_or_default();
    let shown = visible(line);
    match cut(&shown, COLUMNS) {
        Some(start) => format!("{start}…"),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::parse;

    #[test]
    fn what_is_left_is_named_by_number_and_line() {
        let long = format!("SELECT '{}'", "x".repeat(100));
        let cases = [
            ("SELECT 1", vec![]),
            (
                "SELECT 1;\n\n-- two\nSELECT 2\nFROM t;\n%session",
                vec![
                    "Not run: statement 2 of 9, line 3: SELECT 2".to_owned(),
                    "Not run: a magic.".to_owned(),
                ],
            ),
            (
                &*format!("SELECT 1;{long};\n%stop\n%stop"),
                vec![
                    format!("Not run: statement 2 of 9, line 1: {}…", &long[..59]),
                    "Not run: 2 magics.".to_owned(),
                ],
            ),
        ];
        for (source, expected) in cases {
            let pieces = parse(source).unwrap();
            assert_eq!(not_run(&pieces[1..], 1, 9), expected, "{source}");
        }
        let many = parse(&"SELECT 1;".repeat(9)).unwrap();
        let lines = not_run(&many[1..], 1, 9);
        assert_eq!(lines.len(), MOST + 1);
        assert_eq!(lines[MOST], "Not run: 3 statements more.");
        let evil = parse("SELECT 1; SELECT '\u{1b}[31m'").unwrap();
        assert!(!not_run(&evil[1..], 1, 2)[0].contains('\u{1b}'));
    }
}
