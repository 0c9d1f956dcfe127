use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;

static NO_PARAMETERS: BTreeMap<String, String> = BTreeMap::new();

static NOTHING_KNOWN: LazyLock<Catalog> = LazyLock::new(Catalog::default);

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
        full_message: message,
        parameters: &NO_PARAMETERS,
        causes: &[],
        contexts,
        migration: &[],
        mitigation: None,
        sql,
        start: Position {
            offset: 0,
            line,
            column: 0,
        },
        statement: (1, 1),
        known: &NOTHING_KNOWN,
    }
}

/// What stands under the message, without colours.
fn excerpt(problem: &SqlProblem<'_>) -> String {
    let lines = report(problem).traceback;
    let mut text = lines[2..].join("\n");
    for colour in [BOLD, DIM, PLAIN] {
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
            "\u{1b}[1mTABLE_OR_VIEW_NOT_FOUND\u{1b}[0m (SQLSTATE 42P01)",
            "The table or view `nowhere` cannot be found.",
            "Search path: [`a`].",
            "\u{1b}[2mstatement 2 of 3, line 5\u{1b}[0m",
            "\u{1b}[2m5 |\u{1b}[0m SELECT * FROM nowhere",
            "\u{1b}[2m  |\u{1b}[0m               \u{1b}[1m^^^^^^^\u{1b}[0m",
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
        migration: &["Things changed.".to_owned()],
        mitigation: Some(("a.b", "c")),
        ..problem("SELECT 1", 1, "Job aborted.\n\tat a.b.C.d(C.java:67)", &[])
    });
    assert_eq!(report.name, "SparkError");
    assert_eq!(
        report.traceback[1..],
        [
            "Job aborted.",
            "Caused by: java.lang.NumberFormatException: For input string: \"x\"",
            "Things changed.",
            "SET a.b = c brings the earlier behaviour back, for this session.",
        ]
    );
}

#[test]
fn who_may_not_is_told_who_can_change_it() {
    let store = "The store refuses the credentials that the driver has";
    let catalog = "The catalog does not give you this right.";
    let path = "The user whom the message names may not do this with the path";
    let driver = "The user that the driver runs as may not read or write there";
    for (class, cause, expected) in [
        (
            "FAILED_READ_FILE.FILE_NOT_EXIST",
            "java.io.FileNotFoundException: /data/y.csv (Permission denied)",
            driver,
        ),
        (
            "SparkException",
            "Mkdirs failed to create file:/data/out/_temporary/0",
            driver,
        ),
        (
            "FAILED_TO_CREATE_PLAN_FOR_DIRECT_QUERY",
            "Invalid directory or I/O error occurred for dir: /data",
            driver,
        ),
        (
            "SparkException",
            "s3a://b/k: getFileStatus on s3a://b/k: S3Exception: Access Denied (Service: S3, Status Code: 403, Request ID: 7)",
            store,
        ),
        (
            "SparkException",
            "java.nio.file.AccessDeniedException: s3a://b/k: AccessDenied",
            store,
        ),
        (
            "SparkException",
            "Permission denied: user=ada, access=WRITE, inode=\"/data\"",
            path,
        ),
        (
            "SparkException",
            "PERMISSION_DENIED: User does not have USE SCHEMA on Schema 'x'",
            catalog,
        ),
        (
            "SparkException",
            "Permission denied: user [ada] does not have [SELECT] privilege on [x/y]",
            catalog,
        ),
    ] {
        let said = |message: &str, causes: &[String]| {
            let report = report(&SqlProblem {
                class: Some(class),
                causes,
                ..problem("SELECT 1", 1, message, &[])
            });
            report.traceback.join("\n")
        };
        assert!(
            said("It failed.", &[cause.to_owned()]).contains(expected),
            "{cause}"
        );
        assert!(said(cause, &[]).contains(expected), "{cause}");
    }
    let value = "The value 'PERMISSION_DENIED' of the type \"STRING\" cannot be cast to \"INT\".";
    let report = report(&SqlProblem {
        class: Some("CAST_INVALID_INPUT"),
        ..problem("SELECT 1", 1, value, &[])
    });
    assert!(!report.traceback.join("\n").contains(catalog));
}

#[test]
fn a_name_that_the_catalog_has_is_asked_for() {
    let parameters = BTreeMap::from([("relationName".to_owned(), "`flihgts`".to_owned())]);
    let known = Catalog {
        tables: vec![crate::cell::Table {
            schema: None,
            name: "flights".to_owned(),
            columns: None,
        }],
        ..Catalog::default()
    };
    let said = |known: &Catalog| {
        let report = report(&SqlProblem {
            class: Some("TABLE_OR_VIEW_NOT_FOUND"),
            parameters: &parameters,
            known,
            ..problem(
                "SELECT * FROM flihgts",
                1,
                "The table cannot be found.",
                &[],
            )
        });
        report.traceback[2..].join("\n")
    };
    assert_eq!(said(&known), "Did you mean `flights`?");
    assert!(said(&Catalog::default()).starts_with("`%tables flihgts` searches all schemas"));
}

#[test]
fn nothing_from_outside_acts_on_a_terminal() {
    let evil = "\u{1b}]0;x\u{7}\u{9b}1m\u{202e}";
    let message = format!("{evil} SQLSTATE: 42000 (line 1, pos 7)");
    let causes = vec![evil.to_owned()];
    let sql = format!("SELECT '{evil}'");
    let names = "objectName proposal error hint typeName provider relationName routineName functionName targetType referenceNames";
    let quoted = format!("`{evil}`");
    let parameters = names
        .split(' ')
        .map(|name| (name.to_owned(), quoted.clone()));
    let parameters = parameters.collect();
    let classes = [
        evil,
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "PARSE_SYNTAX_ERROR",
        "UNSUPPORTED_DATATYPE",
        "DATA_SOURCE_NOT_FOUND",
        "TABLE_OR_VIEW_NOT_FOUND",
        "UNRESOLVED_ROUTINE",
        "WRONG_NUM_ARGS",
        "CAST_INVALID_INPUT",
        "AMBIGUOUS_REFERENCE",
        "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
    ];
    for class in classes {
        let report = report(&SqlProblem {
            class: Some(class),
            sqlstate: Some(evil),
            causes: &causes,
            migration: &causes,
            mitigation: Some((evil, evil)),
            parameters: &parameters,
            ..problem(&sql, 1, &message, &[Context { start: 0, stop: 30 }])
        });
        let ours = [BOLD, DIM, PLAIN];
        for line in report.traceback.iter().chain([&report.name, &report.value]) {
            let rest = ours
                .iter()
                .fold(line.clone(), |line, colour| line.replace(colour, ""));
            let acting = |ch: char| ch.is_control() || ch == '\u{202e}';
            assert!(!rest.contains(acting), "{class}: {rest:?}");
        }
    }
}

/// What a message was made of: names and values.
type Parameters = &'static [(&'static str, &'static str)];

/// What stands under message and excerpt in the report on an error of this class.
fn advice(sql: &str, class: &str, message: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let problem = SqlProblem {
        class: Some(class),
        parameters: &parameters,
        ..problem(sql, 1, message, &[])
    };
    let underlined = excerpt::place(&problem).map_or(0, |place| place.lines("", "", "").len());
    let said = message::clean(message, Some(class), Some("42000"));
    let skipped = 1 + said.lines().count() + underlined;
    report(&problem).traceback.split_off(skipped)
}

#[test]
fn near_names_are_asked_for_and_others_named() {
    let column = "UNRESOLVED_COLUMN.WITH_SUGGESTION";
    let cases: [(&str, Parameters, &str); 12] = [
        (
            column,
            &[
                ("objectName", "`cariier`"),
                ("proposal", "`carrier`, `info`, `tags`"),
            ],
            "Did you mean `carrier`? There are also `info`, `tags`.",
        ),
        (
            column,
            &[
                ("objectName", "`f`.`cariier`"),
                ("proposal", "`f`.`info`, `f`.`carrier`"),
            ],
            "Did you mean `f.carrier`? There is also `f.info`.",
        ),
        (
            column,
            &[
                ("objectName", "`cariier`"),
                ("proposal", "`a`.`b`.`Carrier`"),
            ],
            "Did you mean `a.b.Carrier`?",
        ),
        (
            column,
            &[
                ("objectName", "`nope`"),
                ("proposal", "`s`, `odd, ``name`, `x`.`y`"),
            ],
            "There are `s`, ``odd, ``name``, `x.y`.",
        ),
        (
            column,
            &[("objectName", "`a`"), ("proposal", "`a`, `b`, `a`")],
            "There are several `a`; another alias tells them apart.",
        ),
        (
            "FIELD_NOT_FOUND",
            &[("fieldName", "`gat`"), ("fields", "`gate`, `crew`")],
            "Did you mean `gate`? There is also `crew`.",
        ),
        (
            "UNRESOLVED_USING_COLUMN_FOR_JOIN",
            &[("colName", "`idd`"), ("suggestion", "`id`")],
            "Did you mean `id`?",
        ),
        (
            "UNSUPPORTED_DATATYPE",
            &[("typeName", "\"BOLEAN\"")],
            "Did you mean `BOOLEAN`?",
        ),
        (
            "DATA_SOURCE_NOT_FOUND",
            &[("provider", "parqet")],
            "Did you mean `parquet`?",
        ),
        (
            "PARSE_SYNTAX_ERROR",
            &[("error", "'SELEC'")],
            "Did you mean `SELECT`?",
        ),
        (
            "PARSE_SYNTAX_ERROR",
            &[("error", "'selec'")],
            "Did you mean `select`?",
        ),
        (
            "COLLATION_INVALID_NAME",
            &[
                ("collationName", "UTF8_BINRY"),
                ("proposals", "UTF8_BINARY"),
            ],
            "Did you mean `UTF8_BINARY`?",
        ),
    ];
    for (class, parameters, expected) in cases {
        let lines = advice("x", class, "No.", parameters);
        assert_eq!(lines.first().map(String::as_str), Some(expected), "{class}");
    }
    for (class, parameters) in [
        (column, &[("objectName", "`x`"), ("proposal", "")][..]),
        (column, &[]),
        ("UNSUPPORTED_DATATYPE", &[("typeName", "\"POINT3D\"")]),
        ("PARSE_SYNTAX_ERROR", &[("error", "'WHERE'")]),
        ("PARSE_SYNTAX_ERROR", &[("error", "'foo'")]),
    ] {
        let lines = advice("x", class, "No.", parameters);
        let asked = lines.iter().any(|line| line.starts_with("Did you mean"));
        assert!(!asked, "{class} {lines:?}");
    }
}

#[test]
fn sparks_question_is_asked_once() {
    let parameters = [("objectName", "`a`"), ("proposal", "`b`")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let message = "No `a`. Did you mean one of the following? [`b`].";
    let report = report(&SqlProblem {
        class: Some("UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        parameters: &BTreeMap::from(parameters),
        ..problem("SELECT a", 1, message, &[])
    });
    assert_eq!(report.value, "No `a`.");
    let asks = |line: &&String| line.contains("Did you mean");
    let questions = report.traceback.iter().filter(asks);
    assert_eq!(questions.count(), 1, "{:?}", report.traceback);
}

#[test]
fn a_syntax_error_says_what_is_likely_wrong() {
    let cases = [
        (
            "SELECT 1 FORM flights",
            "'flights'",
            14,
            "Did you mean `FROM` where `FORM` stands?",
        ),
        (
            "SELECT a b c FROM t",
            "'c'",
            11,
            "A comma or an operator may be missing before `c`.",
        ),
        (
            "SELECT a FROM t GROUP a",
            "'a'",
            22,
            "`BY` is missing behind `GROUP`.",
        ),
        (
            "SELECT * FROM t order a",
            "'a'",
            22,
            "`BY` is missing behind `ORDER`.",
        ),
        (
            "SELECT 'abc",
            "'''",
            7,
            "A ' is opened here and not closed.",
        ),
        (
            "SELECT \"abc",
            "'\"'",
            7,
            "A \" is opened here and not closed.",
        ),
        (
            "SELECT `abc",
            "'`'",
            7,
            "A ` is opened here and not closed.",
        ),
        (
            "SELECT (1",
            "end of input",
            9,
            "A parenthesis is opened and not closed.",
        ),
        (
            "SELECT ((1",
            "end of input",
            10,
            "2 parentheses are opened and not closed.",
        ),
        (
            "SELECT",
            "end of input",
            6,
            "The statement ends where something more must follow.",
        ),
        (
            "SELECT a FROM t LIMIT 5 WHERE b",
            "'WHERE'",
            24,
            "`WHERE` is a word of SQL",
        ),
    ];
    for (sql, error, at, expected) in cases {
        let message = format!("No. SQLSTATE: 42000 (line 1, pos {at})");
        let parameters = [("error", error)];
        let lines = advice(sql, "PARSE_SYNTAX_ERROR", &message, &parameters);
        let said = lines.iter().any(|line| line.starts_with(expected));
        assert!(said, "{sql}: {lines:?}");
    }
}

#[test]
fn a_setting_that_spark_names_is_a_statement_to_run() {
    let message =
        "No. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.";
    assert_eq!(
        advice("SELECT 1/0", "DIVIDE_BY_ZERO", message, &[]),
        [
            "try_divide(a, b) and a / nullif(b, 0) give NULL where b is 0.",
            "SET spark.sql.ansi.enabled = false lets it pass, for this session.",
        ]
    );
    for message in [
        "set \"spark.a",
        "set \"spark.a\" to x",
        "set \"spark.a b\" to \"c\"",
        "",
    ] {
        assert_eq!(hints::setting(message), None, "{message}");
    }
}

#[test]
fn a_cell_of_several_statements_is_told_where_the_error_is() {
    for (statement, start, expected) in [
        ((1, 1), 9, None),
        (
            (2, 3),
            9,
            Some("statement 2 of 3, from line 4, wrong on line 5"),
        ),
        ((2, 3), 0, Some("statement 2 of 3, line 4")),
    ] {
        let contexts = [Context { start, stop: 12 }];
        let report = report(&SqlProblem {
            statement,
            ..problem("SELECT 1\n,nope", 4, "No.", &contexts)
        });
        let found = report.traceback.iter().find(|l| l.contains("statement"));
        let found = found.map(|line| line.replace(DIM, "").replace(PLAIN, ""));
        assert_eq!(found.as_deref(), expected);
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
