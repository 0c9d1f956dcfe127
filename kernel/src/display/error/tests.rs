use super::*;

/// A problem of a statement that starts on a line of the cell.
fn problem<'a>(
    sql: &'a str,
    line: usize,
    message: &'a str,
    contexts: &'a [Context],
) -> SqlProblem<'a> {
    SqlProblem {
        class: Some("SOME_CLASS"),
        sqlstate: Some("42000"),
        message,
        causes: &[],
        contexts,
        mitigation: None,
        sql,
        start: Position {
            offset: 0,
            line,
            column: 0,
        },
        statement: (1, 1),
    }
}

/// What stands under the message, without colours.
fn excerpt(problem: &SqlProblem<'_>) -> String {
    let lines = report(problem).traceback;
    let mut text = lines[2..].join("\n");
    for colour in [BOLD_RED, RED, DIM, PLAIN] {
        text = text.replace(colour, "");
    }
    text
}

fn at(sql: &str, start: usize, stop: usize) -> String {
    excerpt(&problem(sql, 1, "no", &[Context { start, stop }]))
}

#[test]
fn a_report_says_class_state_message_and_place() {
    let message = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nowhere` cannot be found.\nSearch path: [`a`]. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'UnresolvedRelation [nowhere], [], false\n";
    let report = report(&SqlProblem {
        class: Some("TABLE_OR_VIEW_NOT_FOUND"),
        sqlstate: Some("42P01"),
        statement: (2, 3),
        ..problem(
            "SELECT * FROM nowhere",
            5,
            message,
            &[Context {
                start: 14,
                stop: 20,
            }],
        )
    });
    assert_eq!(report.name, "TABLE_OR_VIEW_NOT_FOUND");
    assert_eq!(report.value, "The table or view `nowhere` cannot be found.");
    assert_eq!(
        report.traceback,
        [
            "\u{1b}[1;31mTABLE_OR_VIEW_NOT_FOUND\u{1b}[0m (SQLSTATE 42P01)",
            "The table or view `nowhere` cannot be found.",
            "Search path: [`a`].",
            "\u{1b}[2mstatement 2 of 3, line 5\u{1b}[0m",
            "\u{1b}[2m5 |\u{1b}[0m SELECT * FROM nowhere",
            "\u{1b}[2m  |\u{1b}[0m               \u{1b}[31m^^^^^^^\u{1b}[0m",
        ]
    );
}

#[test]
fn the_piece_is_underlined_where_it_is() {
    let cases = [
        ("SELECT nope", 7, 10, "1 | SELECT nope\n  |        ^^^^"),
        // Spark 4.3 counts code points; its fragment here is ` nop`.
        (
            "SELECT '😀', nope",
            12,
            15,
            "1 | SELECT '😀', nope\n  |              ^^^^",
        ),
        (
            "SELECT '日本', nope",
            13,
            16,
            "1 | SELECT '日本', nope\n  |                ^^^^",
        ),
        ("SELECT 日本", 7, 8, "1 | SELECT 日本\n  |        ^^^^"),
        (
            "SELECT\n\t'日本' AS x,\n\tnope AS y",
            20,
            23,
            "3 |     nope AS y\n  |     ^^^^",
        ),
        (
            "SELECT e\u{301}, nope",
            11,
            14,
            "1 | SELECT e\u{301}, nope\n  |           ^^^^",
        ),
        (
            "SELECT f(\n  1,\n\n  2)",
            7,
            20,
            "1 | SELECT f(\n  |        ^^\n2 |   1,\n  |   ^^\n3 | \n4 |   2)\n  |   ^^",
        ),
        ("SELECT", 6, 6, "1 | SELECT\n  |       ^"),
        ("SELECT 1", 0, 100, "1 | SELECT 1\n  | ^^^^^^^^"),
        ("a\r\nnope", 3, 6, "2 | nope\n  | ^^^^"),
        ("", 0, 0, "1 | "),
    ];
    for (sql, start, stop, expected) in cases {
        assert_eq!(at(sql, start, stop), expected, "{sql:?}");
    }
}

#[test]
fn lines_are_numbered_as_in_the_cell() {
    let sql = "SELECT 1,\n2,\n3,\n4,\n5,\n6,\n7,\n8";
    let all = [Context { start: 0, stop: 40 }];
    assert_eq!(
        excerpt(&problem(sql, 7, "no", &all)),
        " 7 | SELECT 1,\n   | ^^^^^^^^^\n 8 | 2,\n   | ^^\n 9 | 3,\n   | ^^\n10 | 4,\n   | ^^\n11 | 5,\n   | ^^\n12 | 6,\n   | ^^\n   | …"
    );
}

#[test]
fn a_syntax_error_is_found_by_its_line_and_position() {
    let message = "\n[SOME_CLASS] Syntax error at or near 'z': extra input 'z'. SQLSTATE: 42000 (line 2, pos 7)\n\n== SQL ==\nSELECT 1\nFROM x z9 a\n-------^^^\n";
    let expected = "4 | FROM x z9 a\n  |        ^^";
    assert_eq!(
        excerpt(&problem("SELECT 1\nFROM x z9 a", 3, message, &[])),
        expected
    );
    let message =
        "[SOME_CLASS] Syntax error at or near end of input. SQLSTATE: 42000 (line 1, pos 7)";
    assert_eq!(
        excerpt(&problem("SELECT ", 1, message, &[])),
        "1 | SELECT\n  |        ^"
    );
}

#[test]
fn where_spark_puts_values_in_only_the_line_is_shown() {
    let sql = "SELECT\n '${x.y}', nope";
    let message = "[SOME_CLASS] No. SQLSTATE: 42000; line 2 pos 5;\n'Project\n";
    let contexts = [Context {
        start: 12,
        stop: 15,
    }];
    assert_eq!(
        excerpt(&problem(sql, 1, message, &contexts)),
        "2 |  '${x.y}', nope"
    );
    assert_eq!(excerpt(&problem(sql, 1, "No place", &contexts)), "");
}

#[test]
fn a_place_in_a_views_own_text_is_not_shown() {
    let message = "[SOME_CLASS] No. SQLSTATE: 42000; line 1 pos 7;\n'Project\n";
    assert_eq!(excerpt(&problem("SELECT * FROM v", 1, message, &[])), "");
}

#[test]
fn a_place_that_is_not_there_is_not_shown() {
    assert_eq!(at("SELECT 1", 50, 60), "");
    let message = "No (line 9, pos 2)";
    assert_eq!(excerpt(&problem("SELECT 1", 1, message, &[])), "");
}

#[test]
fn a_missing_path_names_the_notebooks_folder() {
    let message = "[PATH_NOT_FOUND] Path does not exist: file:/no/such. SQLSTATE: 42K03";
    let report = report(&SqlProblem {
        class: Some("PATH_NOT_FOUND"),
        sqlstate: Some("42K03"),
        ..problem("SELECT * FROM csv.`/no/such`", 1, message, &[])
    });
    assert_eq!(report.value, "Path does not exist: file:/no/such.");
    assert!(
        report
            .traceback
            .last()
            .unwrap()
            .contains("${firesteel.here}")
    );
}

#[test]
fn causes_and_mitigation_are_said_without_stack_traces() {
    let causes = vec![
        "java.lang.NumberFormatException: For input string: \"x\"\n\tat a.b.C.d(C.java:67)\n\t... 28 more".to_owned(),
        "Job aborted.".to_owned(),
    ];
    let report = report(&SqlProblem {
        class: None,
        sqlstate: None,
        causes: &causes,
        mitigation: Some("Set \"a\" to \"b\"."),
        ..problem("SELECT 1", 1, "Job aborted.\n\tat a.b.C.d(C.java:67)", &[])
    });
    assert_eq!(report.name, "SparkError");
    assert_eq!(
        report.traceback[1..],
        [
            "Job aborted.",
            "Caused by: java.lang.NumberFormatException: For input string: \"x\"",
            "Set \"a\" to \"b\".",
        ]
    );
}

#[test]
fn nothing_from_outside_acts_on_a_terminal() {
    let evil = "\u{1b}]0;x\u{7}\u{9b}1m\u{202e}";
    let message = format!("{evil} SQLSTATE: 42000");
    let causes = vec![evil.to_owned()];
    let sql = format!("SELECT '{evil}'");
    let report = report(&SqlProblem {
        class: Some(evil),
        sqlstate: Some(evil),
        causes: &causes,
        mitigation: Some(evil),
        ..problem(&sql, 1, &message, &[Context { start: 0, stop: 30 }])
    });
    let ours = [BOLD_RED, RED, DIM, PLAIN];
    for line in report.traceback.iter().chain([&report.name, &report.value]) {
        let rest = ours
            .iter()
            .fold(line.clone(), |line, colour| line.replace(colour, ""));
        let acting = |ch: char| ch.is_control() || ch == '\u{202e}';
        assert!(!rest.contains(acting), "{rest:?}");
    }
}

mod wherever_it_points {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_underline_never_panics_and_stands_under_its_line(
            sql in "[a-z \\t\\n日😀]{0,40}", start in 0usize..60, length in 0usize..60, line in 0usize..6,
            pos in 0usize..60,
        ) {
            let contexts = [Context { start, stop: start + length }];
            report(&problem(&sql, 1, "no", &contexts));
            report(&problem(&sql, 1, &format!("no (line {line}, pos {pos})"), &[]));
        }
    }
}
