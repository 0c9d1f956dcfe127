use super::*;

fn sql(source: &str) -> Vec<SqlText> {
    let pieces = parse(source).unwrap();
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Sql(sql) => Some(sql),
            Piece::Magic(_) => None,
        })
        .collect()
}

#[test]
fn positions_count_code_points() {
    let source = "SELECT '😀';\r\n  -- ü\n\tSELECT 2; SELECT 3";
    let starts: Vec<(usize, usize, usize)> = sql(source)
        .iter()
        .map(|sql| (sql.start.offset, sql.start.line, sql.start.column))
        .collect();
    assert_eq!(starts, [(0, 1, 0), (15, 2, 2), (31, 3, 11)]);
}

#[test]
fn what_does_not_end_reaches_spark_whole() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT 1; SELECT 'a; SELECT 2",
            &["SELECT 1", "SELECT 'a; SELECT 2"],
        ),
        ("SELECT `a; SELECT 2\n", &["SELECT `a; SELECT 2"]),
        (
            "-- one\nSELECT /* 2; SELECT 3",
            &["-- one\nSELECT /* 2; SELECT 3"],
        ),
        ("/* one", &["/* one"]),
        ("SELECT r'\\'';", &["SELECT r'\\'';"]),
        ("BEGIN SELECT 1; SELECT 2;", &["BEGIN SELECT 1; SELECT 2;"]),
        ("SELECT (1; SELECT 2)", &["SELECT (1", "SELECT 2)"]),
    ];
    for (source, expected) in cases {
        let texts: Vec<String> = sql(source).into_iter().map(|sql| sql.text).collect();
        assert_eq!(texts, *expected, "{source}");
    }
}

#[test]
fn a_cell_that_says_nothing_has_no_pieces() {
    for source in [
        "",
        "  \n\t",
        "-- a",
        "/* a */",
        ";",
        ";;\n;",
        "-- a\n;/* b */",
    ] {
        assert_eq!(parse(source), Ok(vec![]), "{source}");
    }
}

#[test]
fn the_cell_magics_limit_holds_for_its_statements() {
    let rows: Vec<Option<Rows>> = sql("%%sql -n 5\nSELECT 1; SELECT 2")
        .iter()
        .map(|sql| sql.rows)
        .collect();
    assert_eq!(rows, [Some(Rows::AtMost(5)); 2]);
    assert_eq!(sql("%%sql -n all\nSELECT 1")[0].rows, Some(Rows::All));
    assert_eq!(sql("%%sql\nSELECT 1")[0].rows, None);
}

#[test]
fn the_last_result_of_a_cell_is_kept() {
    for (source, expected) in [
        ("%%sql -o a\nSELECT 1", &[Some("a")][..]),
        (
            "%%sql -n 5 -o b_2\nSELECT 1; SELECT 2",
            &[None, Some("b_2")],
        ),
        ("%%sql -o a -n all\nSELECT 1; USE b", &[Some("a"), None]),
        ("%%sql -o a\nUSE b; SELECT 1;\n%limit", &[None, Some("a")]),
        // What nobody can tell may have a result, and may have none.
        (
            "%%sql -o a\nSELECT 1; SELECT 2; CALL p(); CALL q()",
            &[None, Some("a"), Some("a"), Some("a")],
        ),
        ("%%sql -o a\nEXECUTE IMMEDIATE 'SELECT 1'", &[Some("a")]),
        ("%%sql\nSELECT 1", &[None]),
    ] {
        let statements = sql(source);
        let kept: Vec<_> = statements.iter().map(|sql| sql.keep.as_deref()).collect();
        assert_eq!(kept, expected, "{source}");
    }
}

#[test]
fn names_behind_a_colon_may_be_parameters() {
    for (source, expected) in [
        ("SELECT :a, x + :b_1", vec!["a", "b_1"]),
        ("SELECT ':a', `:b`, \":c\" -- :d", vec![]),
        ("SELECT :a + :a LIMIT :n", vec!["a", "n"]),
        ("SELECT raw:path FROM t", vec!["path"]),
        ("SELECT : a", vec![]),
        ("SELECT a::int", vec![]),
        ("BEGIN SELECT :a; SELECT :b; END", vec!["a", "b"]),
    ] {
        let names: Vec<String> = sql(source)[0].parameters.iter().cloned().collect();
        assert_eq!(names, expected, "{source}");
    }
}

#[test]
fn explain_takes_the_statement_that_follows_it() {
    // The pieces of a cell: of a statement its line and text, of an explained one behind `?`.
    let cases: [(&str, &[&str]); 12] = [
        ("%explain", &["?"]),
        ("SELECT 1;\n%explain", &["1 SELECT 1", "?"]),
        ("%explain SELECT 1", &["? 1 SELECT 1"]),
        (
            "%explain SELECT 1;\nSELECT 2",
            &["? 1 SELECT 1", "2 SELECT 2"],
        ),
        ("%explain SELECT a\nFROM t\n", &["? 1 SELECT a\nFROM t"]),
        (
            "%explain\n\nSELECT a\nFROM t; SELECT 2",
            &["? 3 SELECT a\nFROM t", "4 SELECT 2"],
        ),
        ("%explain -- why\nSELECT 1", &["? 2 SELECT 1"]),
        (
            "%explain SELECT ';\n', 2; SELECT 3",
            &["? 1 SELECT ';\n', 2", "2 SELECT 3"],
        ),
        ("%explain\n%limit 5\nSELECT 1", &["?", "%", "3 SELECT 1"]),
        ("%explain\n%explain\nSELECT 1", &["?", "? 3 SELECT 1"]),
        ("%explain DROP TABLE t", &["? 1 DROP TABLE t"]),
        ("%%sql -n 5\n%explain SELECT 1", &["? 2 SELECT 1"]),
    ];
    let shown = |sql: &SqlText| format!("{} {}", sql.start.line, sql.text);
    for (source, expected) in cases {
        let pieces = parse(source).unwrap().into_iter().map(|piece| match piece {
            Piece::Sql(sql) => shown(&sql),
            Piece::Magic(Magic::Explain(None)) => "?".to_owned(),
            Piece::Magic(Magic::Explain(Some(sql))) => format!("? {}", shown(&sql)),
            Piece::Magic(_) => "%".to_owned(),
        });
        assert_eq!(pieces.collect::<Vec<_>>(), expected, "{source}");
    }
    for (source, said) in [
        (
            "%explain BEGIN SELECT 1; END",
            "a block has no plan of its own",
        ),
        ("SELECT 1; %explain", "on a line of its own"),
        ("%explains SELECT 1", "Did you mean `%explain`?"),
    ] {
        let error = parse(source).unwrap_err().to_string();
        assert!(error.contains(said), "{source}: {error}");
    }
    assert!(matches!(
        completeness("%explain SELECT ("),
        Completeness::Incomplete { .. }
    ));
    assert_eq!(completeness("%explain SELECT (1)"), Completeness::Complete);
}

#[test]
fn subjects_are_named() {
    let created = |thing, name: &str, manner| Subject::Created {
        thing,
        name: name.to_owned(),
        manner,
    };
    let dropped = |thing, name: &str, if_exists| Subject::Dropped {
        thing,
        name: name.to_owned(),
        if_exists,
    };
    let cases = [
        (
            "CREATE TABLE a.b (x INT)",
            created(Thing::Table, "a.b", Manner::New),
        ),
        (
            "CREATE TABLE IF NOT EXISTS `a b`.`c``d` AS SELECT 1",
            created(Thing::Table, "`a b`.`c``d`", Manner::IfNotExists),
        ),
        (
            "CREATE EXTERNAL TABLE t (x INT)",
            created(Thing::Table, "t", Manner::New),
        ),
        (
            "REPLACE TABLE t (x INT)",
            created(Thing::Table, "t", Manner::OrReplace),
        ),
        (
            "/* x */ create or replace temp view v as select 1",
            created(Thing::TemporaryView, "v", Manner::OrReplace),
        ),
        (
            "CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1",
            created(Thing::GlobalTemporaryView, "v", Manner::New),
        ),
        (
            "CREATE VIEW v AS SELECT 1",
            created(Thing::View, "v", Manner::New),
        ),
        (
            "CREATE DATABASE d",
            created(Thing::Schema, "d", Manner::New),
        ),
        (
            "CREATE TABLE IDENTIFIER(:x) (a INT)",
            created(Thing::Table, "IDENTIFIER(:x)", Manner::New),
        ),
        (
            "DECLARE OR REPLACE VARIABLE x INT",
            created(Thing::Variable, "x", Manner::OrReplace),
        ),
        ("DECLARE x = 5", created(Thing::Variable, "x", Manner::New)),
        ("DROP VIEW IF EXISTS v", dropped(Thing::View, "v", true)),
        (
            "DROP TEMPORARY VARIABLE x",
            dropped(Thing::Variable, "x", false),
        ),
        (
            "ALTER TABLE t ADD COLUMN b INT",
            Subject::Altered {
                thing: Thing::Table,
                name: "t".to_owned(),
            },
        ),
        (
            "INSERT INTO TABLE s.t SELECT 1",
            Subject::Inserted("s.t".to_owned()),
        ),
        (
            "INSERT OVERWRITE TABLE t SELECT 1",
            Subject::Overwritten("t".to_owned()),
        ),
        (
            "INSERT OVERWRITE LOCAL DIRECTORY '/a' SELECT 1",
            Subject::Other,
        ),
        ("DELETE FROM t", Subject::Deleted("t".to_owned())),
        (
            "MERGE WITH SCHEMA EVOLUTION INTO t USING s ON a",
            Subject::Merged("t".to_owned()),
        ),
        ("USE CATALOG c", Subject::Used("c".to_owned())),
        ("USE catalog", Subject::Used("catalog".to_owned())),
        ("USE a.b", Subject::Used("a.b".to_owned())),
        ("SET a = 1", Subject::Set),
        ("SET TIME ZONE LOCAL", Subject::Set),
        (
            "UNCACHE TABLE IF EXISTS t",
            Subject::Uncached("t".to_owned()),
        ),
        ("SELECT 1", Subject::Other),
        ("CREATE", Subject::Other),
        ("DROP TABLE", Subject::Other),
    ];
    for (source, expected) in cases {
        assert_eq!(sql(source)[0].subject, expected, "{source}");
    }
}

#[test]
fn a_statement_that_is_not_known_counts_as_no_query() {
    for source in [
        "CALL sys.f()",
        "VACUUM t",
        "'x'",
        "1",
        "x",
        "GRANT SELECT ON t TO u",
        "(",
        "/* a",
    ] {
        assert_eq!(sql(source)[0].kind, Kind::Unknown, "{source}");
    }
}

#[test]
fn consoles_are_told_what_is_still_open() {
    let open = |indent: &str| Completeness::Incomplete {
        indent: indent.to_owned(),
    };
    let cases = [
        ("", Completeness::Complete),
        ("-- a", Completeness::Complete),
        ("SELECT 1", Completeness::Complete),
        ("SELECT 1;", Completeness::Complete),
        ("SELECT * FROM t", Completeness::Complete),
        ("SELECT 10\n% 3", Completeness::Complete),
        ("%limit 5", Completeness::Complete),
        ("SELECT 1;\n%limit", Completeness::Complete),
        ("BEGIN SELECT 1; END", Completeness::Complete),
        ("%%sql\nSELECT 1", Completeness::Complete),
        ("%%sql", open("")),
        ("%%sql -n 5\n", open("")),
        ("SELECT 'a", open("")),
        ("SELECT `a", open("")),
        ("  SELECT /* a", open("")),
        ("SELECT (1", open("")),
        ("SELECT array[1,\n    (2", open("    ")),
        ("  SELECT f(", open("    ")),
        ("SELECT 1,", open("")),
        ("\tSELECT 1 +", open("\t")),
        ("SELECT a FROM", open("")),
        ("SELECT a FROM t WHERE a = 1 and", open("")),
        ("BEGIN", open("  ")),
        ("BEGIN\n  SELECT 1;", open("  ")),
        ("BEGIN\n  IF true THEN", open("    ")),
        ("SELECT 1; SELECT (", open("  ")),
        ("SELECT 1)", Completeness::Invalid),
        ("SELECT (1; SELECT 2", Completeness::Invalid),
        ("SELECT (1;", Completeness::Invalid),
        ("%limt", Completeness::Invalid),
        ("%limit x", Completeness::Invalid),
        ("SELECT 1; %limit", Completeness::Invalid),
    ];
    for (source, expected) in cases {
        assert_eq!(completeness(source), expected, "{source:?}");
    }
}

#[test]
fn what_could_stand_at_the_cursor_is_proposed() {
    // `|` is the cursor.
    let listed = lsmagic();
    let all: Vec<&str> = listed.split("  ").collect();
    let cases: &[(&str, &str, &[&str])] = &[
        ("sel|", "sel", &["select"]),
        ("SEL|", "SEL", &["SELECT"]),
        ("SELECT '😀' fro|", "fro", &["from"]),
        ("SELECT 1 UNI| x", "UNI", &["UNION", "UNIQUE"]),
        ("SELECT 'sel|", "", &[]),
        ("-- sel|", "", &[]),
        ("SELECT `sel|", "", &[]),
        ("SELECT t.sel|", "", &[]),
        ("SELECT :sel|", "", &[]),
        ("|", "", &[]),
        ("SELECT |", "", &[]),
        ("%|", "%", &all),
        ("%l|", "%l", &["%limit", "%logs", "%lsmagic"]),
        ("SELECT 1;\n%s|", "%s", &["%session", "%set", "%stop"]),
        ("SELECT 1\n%s|", "", &[]),
        ("%help lim|", "lim", &["limit"]),
        ("%help %lim|", "%lim", &["%limit"]),
        ("%limit a|", "a", &["all"]),
        ("%%s|", "%%s", &["%%sql"]),
        ("%explain sel|", "sel", &["select"]),
        ("%explain\nsel|", "sel", &["select"]),
        ("%explain |", "", &[]),
        ("%%sql |", "", &["-n", "-o"]),
        ("%%sql -n 5\nsel|", "sel", &["select"]),
        ("%%sql\n%s|", "%s", &["%session", "%set", "%stop"]),
    ];
    for (marked, typed, expected) in cases {
        let cursor = marked.chars().position(|ch| ch == '|').unwrap();
        let source: String = marked.chars().filter(|ch| *ch != '|').collect();
        let proposals = complete(&source, cursor, &Known::default());
        let texts: Vec<&str> = proposals.matches.iter().map(|m| m.text.as_str()).collect();
        assert_eq!(texts, *expected, "{marked}");
        if !expected.is_empty() {
            let replaced: String = source
                .chars()
                .skip(proposals.start)
                .take(proposals.end - proposals.start)
                .collect();
            assert_eq!(
                (replaced.as_str(), proposals.end),
                (*typed, cursor),
                "{marked}"
            );
        }
    }
}

mod whatever_is_typed {
    use proptest::prelude::*;

    use super::*;

    /// Bits of SQL that the tokenizer has to tell apart.
    fn source() -> impl Strategy<Value = String> {
        let bit = prop::sample::select(vec![
            "SELECT", "BEGIN", "END", "CASE", "IF", "THEN", ";", ";", "\n", " ", "'", "\"", "`",
            "\\", "--", "/*", "*/", "%", "%%sql", "%limit", "r'", "$$", "(", ")", ".", "_1", ":",
            "l:", "😀", "é", "1e3", "\r", "\t", "\u{a0}",
        ]);
        prop::collection::vec(bit, 0..24).prop_map(|bits| bits.concat())
    }

    proptest! {
        #[test]
        fn nothing_panics_and_every_text_stands_where_it_starts(source in source()) {
            if let Ok(pieces) = parse(&source) {
                let mut end = 0;
                for piece in pieces {
                    if let Piece::Sql(sql) = piece {
                        let length = sql.text.chars().count();
                        prop_assert!(sql.start.offset >= end);
                        end = sql.start.offset + length;
                        let there: String =
                            source.chars().skip(sql.start.offset).take(length).collect();
                        prop_assert_eq!(there, sql.text);
                    }
                }
            }
            completeness(&source);
            for cursor in 0..=source.chars().count() {
                complete(&source, cursor, &Known::default());
            }
        }
    }
}
