//! What Spark says, without what is said elsewhere.

/// Takes from a message what stands beside it (class, SQLSTATE, position and the statement
/// itself) and what says nothing to the person in the notebook (plans, Java stack traces).
pub(super) fn clean(message: &str, class: Option<&str>, sqlstate: Option<&str>) -> String {
    let mut text = message.trim_start();
    if let Some(rest) = text.strip_prefix("{LINE:")
        && let Some((_, rest)) = rest.split_once('}')
    {
        text = rest.trim_start();
    }
    if let Some(class) = class
        && let Some(rest) = text.strip_prefix('[')
        && let Some(rest) = rest.strip_prefix(class)
        && let Some(rest) = rest.strip_prefix(']')
    {
        text = rest.trim_start();
    }
    if let Some(state) = sqlstate
        && let Some(end) = text.find(&format!("SQLSTATE: {state}"))
    {
        text = &text[..end];
    }
    for end in [
        "\n== SQL",
        "\n\n== SQL",
        "\nDriver stacktrace:",
        "\nJVM stacktrace:",
    ] {
        text = text.split(end).next().unwrap_or_default();
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_stack_frame(line))
        .map(str::trim_end)
        .collect();
    lines.join("\n").trim().to_owned()
}

/// Such as `at org.apache.spark.Task.run(Task.scala:147)` and `... 28 more`, indented.
fn is_stack_frame(line: &str) -> bool {
    let inner = line.trim_start();
    line.starts_with(['\t', ' '])
        && (inner.starts_with("at ") && inner.ends_with(')')
            || inner.starts_with("... ") && inner.ends_with(" more"))
}

/// Where a message says that the error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// The line, from 1.
    pub(super) line: usize,
    /// Code points before it on its line.
    pub(super) column: usize,
    /// Whether it is the parser that says so, of the statement itself. Others may speak of the
    /// text of a view.
    pub(super) by_parser: bool,
}

/// Finds `(line 1, pos 7)`, as the parser says it, or `; line 1 pos 7`, as all others do.
pub(super) fn told(message: &str) -> Option<Told> {
    let number = |text: &str| -> Option<usize> {
        let digits = text
            .find(|ch: char| !ch.is_ascii_digit())
            .unwrap_or(text.len());
        text[..digits].parse().ok()
    };
    message.match_indices("line ").find_map(|(at, mark)| {
        let rest = &message[at + mark.len()..];
        let after = rest.trim_start_matches(|ch: char| ch.is_ascii_digit());
        let parsed = after.strip_prefix(", pos ");
        let column = parsed.or_else(|| after.strip_prefix(" pos "))?;
        Some(Told {
            line: number(rest)?,
            column: number(column)?,
            by_parser: parsed.is_some(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_positions_and_stack_traces_are_taken_out() {
        let cases = [
            (
                "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nowhere` cannot be found.\nSearch path: [`a`].\nTo tolerate the error use IF EXISTS. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'UnresolvedRelation [nowhere], [], false\n",
                Some("TABLE_OR_VIEW_NOT_FOUND"),
                Some("42P01"),
                "The table or view `nowhere` cannot be found.\nSearch path: [`a`].\nTo tolerate the error use IF EXISTS.",
            ),
            (
                "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601 (line 1, pos 0)\n\n== SQL ==\nSELEC 1\n^^^\n",
                Some("PARSE_SYNTAX_ERROR"),
                Some("42601"),
                "Syntax error at or near 'SELEC'.",
            ),
            (
                "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n== SQL (line 1, position 15) ==\nSELECT 1/0\n       ^^^\n",
                Some("DIVIDE_BY_ZERO"),
                Some("22012"),
                "Division by zero.",
            ),
            (
                "{LINE:1} [UNSUPPORTED_FEATURE.SQL_CURSOR] Cursors are not supported. SQLSTATE: 0A000",
                Some("UNSUPPORTED_FEATURE.SQL_CURSOR"),
                Some("0A000"),
                "Cursors are not supported.",
            ),
            (
                "Job aborted: Lost task 0.0 (TID 2) (host executor driver): java.lang.E\n\tat a.b.C.d(C.java:67)\n\tat java.base/a.b.C.d(Native Method)\nCaused by: java.lang.NumberFormatException: For input string: \"x\"\n\tat a.B.c(D.java:1)\n\t... 28 more\n\nDriver stacktrace:\n\tat x.y(Z.scala:1)",
                None,
                None,
                "Job aborted: Lost task 0.0 (TID 2) (host executor driver): java.lang.E\nCaused by: java.lang.NumberFormatException: For input string: \"x\"",
            ),
        ];
        for (message, class, state, expected) in cases {
            assert_eq!(clean(message, class, state), expected);
        }
    }

    #[test]
    fn a_position_is_found_in_both_of_sparks_spellings() {
        let at = |line, column, by_parser| {
            Some(Told {
                line,
                column,
                by_parser,
            })
        };
        let cases = [
            ("x SQLSTATE: 42601 (line 3, pos 26)\n", at(3, 26, true)),
            ("x; line 12 pos 4;\n'Project", at(12, 4, false)),
            ("no line x. SQLSTATE: 42601 (line 1, pos 0)", at(1, 0, true)),
            ("offline mode", None),
            ("line x", None),
            ("line 1", None),
        ];
        for (message, expected) in cases {
            assert_eq!(told(message), expected, "{message}");
        }
    }
}
