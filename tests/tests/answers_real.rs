//! What cells of a notebook are answered on a real Spark: errors, plans, and what a search finds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use firesteel_tests::connect::real::{Spark, shared};
use firesteel_tests::notebook::{Notebook, lines};

/// Statements that fail, the class with which Spark refuses them, and what is said to do next.
const FAILURES: [(&str, &str, &str); 43] = [
    (
        "SELECT cariier FROM planes",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "Did you mean `carrier`? There are also ",
    ),
    (
        "SELECT p.cariier FROM planes p",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "Did you mean `p.carrier`? There are also ",
    ),
    (
        "SELECT carrier FROM planes WHERE carrier = Zyx",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "DESCRIBE TABLE lists a table's columns; a text stands in quotes, as in 'Zyx'.",
    ),
    (
        "SELECT 1 AS a, 2 AS a ORDER BY a",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "There are several `a`; another alias tells them apart.",
    ),
    (
        "SELECT nope",
        "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
        "DESCRIBE TABLE lists a table's columns",
    ),
    (
        "SELECT info.gat FROM planes",
        "FIELD_NOT_FOUND",
        "Did you mean `gate`? There is also `crew`.",
    ),
    (
        "SELECT * FROM planes JOIN range(3) USING (idd)",
        "UNRESOLVED_USING_COLUMN_FOR_JOIN",
        "There are `carrier`",
    ),
    (
        "SELECT * FROM plains",
        "TABLE_OR_VIEW_NOT_FOUND",
        "`%tables plains` searches all schemas of the current catalog.",
    ),
    (
        "SELECT * FROM nosuch.`/data/x.csv`",
        "TABLE_OR_VIEW_NOT_FOUND",
        "`nosuch` is no format that Spark knows",
    ),
    (
        "USE nosuch",
        "SCHEMA_NOT_FOUND",
        "SHOW SCHEMAS lists those of the current catalog",
    ),
    (
        "SELECT cuont(*) FROM planes",
        "UNRESOLVED_ROUTINE",
        "SHOW FUNCTIONS LIKE 'c*' lists the functions that begin so.",
    ),
    (
        "SELECT substring('a')",
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        "DESCRIBE FUNCTION substring shows what it takes.",
    ),
    (
        "SELECT CAST('x' AS INT)",
        "CAST_INVALID_INPUT",
        "try_cast(x AS INT) gives NULL for such a value",
    ),
    (
        "SELECT CAST(300 AS TINYINT)",
        "CAST_OVERFLOW",
        "A wider type has room for it; try_cast(x AS type) gives NULL.",
    ),
    (
        "SELECT to_date('x', 'yyyy')",
        "CANNOT_PARSE_TIMESTAMP",
        "try_to_timestamp(text, format) and try_to_date(text, format) give NULL",
    ),
    (
        "SELECT 1 / 0",
        "DIVIDE_BY_ZERO",
        "try_divide(a, b) and a / nullif(b, 0) give NULL where b is 0.",
    ),
    (
        "SELECT 1 / 0",
        "DIVIDE_BY_ZERO",
        "SET spark.sql.ansi.enabled = false lets it pass, for this session.",
    ),
    (
        "SELECT 1 % 0",
        "REMAINDER_BY_ZERO",
        "try_mod(a, b) and a % nullif(b, 0) give NULL where b is 0.",
    ),
    (
        "SELECT 2147483647 + 1",
        "ARITHMETIC_OVERFLOW",
        "A wider type has room for it, as in CAST(x AS BIGINT) + y",
    ),
    (
        "SELECT array(1, 2)[5]",
        "INVALID_ARRAY_INDEX",
        "x[0] is the first element; get(x, n) gives NULL where there is none.",
    ),
    (
        "SELECT element_at(array(1, 2), 5)",
        "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
        "element_at counts from 1; try_element_at(x, n) gives NULL where there is none.",
    ),
    (
        "SELECT * FROM csv.`/nowhere/a.csv`",
        "PATH_NOT_FOUND",
        "Paths are the driver's own. `${firesteel.here}`",
    ),
    (
        "CREATE TABLE z USING parqet AS SELECT 1",
        "DATA_SOURCE_NOT_FOUND",
        "Did you mean `parquet`?",
    ),
    (
        "CREATE TABLE z USING iceberg AS SELECT 1",
        "DATA_SOURCE_NOT_FOUND",
        "A source that Spark does not bring along comes with `packages` of a profile.",
    ),
    (
        "SELECT carrier, count(*) FROM planes",
        "MISSING_GROUP_BY",
        "GROUP BY ALL names all of them.",
    ),
    (
        "SELECT carrier, seats, count(*) FROM planes GROUP BY carrier",
        "MISSING_AGGREGATION",
        "GROUP BY ALL names all of them.",
    ),
    (
        "SELECT sum(seats) FROM planes WHERE sum(seats) > 1",
        "INVALID_WHERE_CONDITION",
        "A condition on an aggregate stands behind GROUP BY, in HAVING.",
    ),
    (
        "SELECT carrier FROM planes a, planes b",
        "AMBIGUOUS_REFERENCE",
        "Say which one is meant: a.carrier or b.carrier.",
    ),
    (
        "SELECT row_number() FROM planes",
        "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
        "OVER (PARTITION BY a ORDER BY b)",
    ),
    (
        "SELECT (SELECT id FROM range(3))",
        "SCALAR_SUBQUERY_TOO_MANY_ROWS",
        "IN (SELECT …) compares with all rows",
    ),
    (
        "SELECT CAST(1 AS bolean)",
        "UNSUPPORTED_DATATYPE",
        "Did you mean `BOOLEAN`?",
    ),
    (
        "INSERT INTO planes SELECT 1",
        "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
        "INSERT INTO t (a, b) SELECT …",
    ),
    (
        "DELETE FROM planes WHERE seats = 1",
        "UNSUPPORTED_FEATURE.TABLE_OPERATION",
        "CREATE TABLE … AS SELECT writes those that stay.",
    ),
    (
        "CREATE TABLE planes (a INT) USING parquet",
        "TABLE_OR_VIEW_ALREADY_EXISTS",
        "DROP TABLE name, or DROP VIEW name, makes room for a new one",
    ),
    (
        "CREATE TEMP VIEW mine AS SELECT 1",
        "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
        "CREATE OR REPLACE TEMPORARY VIEW puts the new one in its place.",
    ),
    (
        "SET spark.driver.memory = 3g",
        "CANNOT_MODIFY_CONFIG",
        "it stands under `conf` of a profile",
    ),
    (
        "CREATE TABLE left_over (a INT) USING parquet",
        "LOCATION_ALREADY_EXISTS",
        "Files of an earlier table are there",
    ),
    ("SELEC 1", "PARSE_SYNTAX_ERROR", "Did you mean `SELECT`?"),
    (
        "SELECT 1 FORM planes",
        "PARSE_SYNTAX_ERROR",
        "Did you mean `FROM` where `FORM` stands?",
    ),
    (
        "SELECT carrier seats info FROM planes",
        "PARSE_SYNTAX_ERROR",
        "A comma or an operator may be missing before `info`.",
    ),
    (
        "SELECT carrier FROM planes GROUP carrier",
        "PARSE_SYNTAX_ERROR",
        "`BY` is missing behind `GROUP`.",
    ),
    (
        "SELECT 'abc",
        "PARSE_SYNTAX_ERROR",
        "A ' is opened here and not closed.",
    ),
    (
        "SELECT carrier FROM planes LIMIT 5 WHERE seats > 1",
        "PARSE_SYNTAX_ERROR",
        "`WHERE` is a word of SQL",
    ),
];

/// A notebook with a table of three columns and a view of its own.
async fn planes(spark: &Spark, name: &str) -> Notebook {
    let mut notebook = Notebook::on(spark);
    let cell = format!(
        "CREATE SCHEMA IF NOT EXISTS {name}; USE {name};
         CREATE TABLE planes (carrier STRING COMMENT 'Who flies it', seats INT,
            info STRUCT<gate: STRING, crew: INT>) USING parquet COMMENT 'All that fly';
         CREATE TEMP VIEW mine AS SELECT 7 AS seven"
    );
    notebook.done(&cell).await;
    notebook
}

#[tokio::test]
async fn an_error_says_what_to_do_next() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "failures").await;
    let left_over = spark.dir().join("warehouse/failures.db/left_over");
    std::fs::create_dir_all(&left_over).unwrap();
    std::fs::write(left_over.join("part-0.parquet"), "x").unwrap();
    for (sql, class, advice) in FAILURES {
        let failure = notebook.fails(sql).await;
        assert_eq!(failure.name, class, "{sql}");
        let lines = lines(&failure);
        let said = lines.iter().any(|line| line.contains(advice));
        assert!(said, "{sql}: {lines:#?}");
        let java = lines
            .iter()
            .find(|line| line.trim_start().starts_with("at org."));
        assert_eq!(java, None, "{sql}");
    }
}

#[tokio::test]
async fn what_the_advice_names_works() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "advice").await;
    for sql in [
        "SELECT try_divide(1, 0), 1 / nullif(0, 0), try_mod(1, 0), 1 % nullif(0, 0)",
        "SELECT try_cast('x' AS INT), try_cast(300 AS TINYINT), CAST(2147483647 AS BIGINT) + 1",
        "SELECT try_add(2147483647, 1), get(array(1), 5), try_element_at(array(1), 5)",
        "SELECT try_to_date('x', 'yyyy'), try_to_timestamp('x', 'yyyy')",
        "SELECT carrier, seats, count(*) FROM planes GROUP BY ALL",
        "SELECT row_number() OVER (PARTITION BY carrier ORDER BY seats) FROM planes",
        "INSERT INTO planes (carrier, seats) SELECT 'AA', 1",
        "CREATE TABLE those_that_stay USING parquet AS SELECT * FROM planes WHERE seats > 1",
        "INSERT OVERWRITE planes VALUES ('AA', 1, NULL)",
        "CREATE OR REPLACE TEMPORARY VIEW mine AS SELECT 7 AS seven",
        "SHOW FUNCTIONS LIKE 'c*'; DESCRIBE FUNCTION substring; DESCRIBE TABLE planes",
        "SHOW SCHEMAS; SHOW CATALOGS; DROP TABLE planes",
        "SET spark.sql.ansi.enabled = false; SELECT 1 / 0",
    ] {
        notebook.done(sql).await;
    }
}

#[test]
fn a_result_that_is_too_large_for_the_driver_names_the_limit() {
    let Some(spark) = Spark::start(&[("spark.driver.maxResultSize", "1m")]) else {
        return;
    };
    let failure = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let cell = "%limit all\nSELECT uuid() FROM range(0, 1000000, 1, 8)";
        Notebook::on(&spark).fails(cell).await
    });
    let lines = lines(&failure);
    let said = lines
        .iter()
        .any(|line| line.contains("`%limit 1000`, or `-n 1000` beside `-o`, fetches"));
    assert!(said, "{lines:#?}");
    spark.stop();
}

#[tokio::test]
async fn a_cell_of_several_statements_tells_which_failed_and_what_did_not_run() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "several").await;
    let cell =
        "SELECT 1;\n\nSELECT carrier,\n  nope\nFROM planes;\nSELECT 2\nFROM planes; %lsmagic";
    let cell = cell.replace("; %lsmagic", ";\n%lsmagic");
    let failure = notebook.fails(&cell).await;
    let lines = lines(&failure);
    for expected in [
        "statement 2 of 3, from line 3, wrong on line 4",
        "4 |   nope",
        "  |   ^^^^",
        "Not run: statement 3 of 3, line 6: SELECT 2",
        "Not run: a magic.",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {lines:#?}"
        );
    }
}

#[tokio::test]
async fn a_plan_is_shown_and_nothing_runs() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "plans").await;
    let cases = [
        (
            "%explain SELECT carrier, count(*)\nFROM planes GROUP BY 1",
            &[
                "Exchange ◀ shuffle by carrier into",
                "◀ reads the whole table: no filter reaches it",
                "The statement was not run. Costly: 1 full scan, 1 shuffle.",
            ][..],
        ),
        (
            "%explain\nSELECT * FROM planes a JOIN planes b ON a.seats > b.seats",
            &["├─ ", "└─ ", "◀ compares every row with every row"],
        ),
        (
            "%explain INSERT INTO planes (seats) VALUES (1)",
            &["Execute Insert"],
        ),
        ("%explain DROP TABLE planes", &["DropTable"]),
        (
            "%explain CREATE TABLE made USING parquet AS SELECT 1",
            &["Execute Create"],
        ),
        (
            "%explain SET spark.sql.ansi.enabled = false",
            &["SetCommand"],
        ),
        ("SELECT 7 AS seven;\n%explain", &["Project · 7 AS seven"]),
        ("%explain", &["Project · 7 AS seven"]),
    ];
    for (cell, expected) in cases {
        let shown = notebook.done(cell).await;
        for part in expected {
            assert!(shown.contains(part), "{cell}: {shown}");
        }
    }
    let rows = notebook.done("SELECT count(*) AS there FROM planes").await;
    assert!(rows.lines().any(|line| line.trim() == "0"), "{rows}");
    let tables = notebook.done("SHOW TABLES").await;
    assert!(!tables.contains("made"), "{tables}");
    let ansi = notebook.done("SET spark.sql.ansi.enabled").await;
    assert!(ansi.contains("true"), "{ansi}");
}

#[tokio::test]
async fn what_cannot_be_explained_fails_as_it_would_if_it_ran() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "unplanned").await;
    let cases = [
        (
            "%explain SELECT carrier,\n  nope FROM planes",
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            "2 |   nope FROM planes\n  |   ^^^^",
        ),
        (
            "\n%explain\nSELEC 1",
            "PARSE_SYNTAX_ERROR",
            "3 | SELEC 1\n  | ^^^^^",
        ),
        (
            "%explain SELECT * FROM plains",
            "TABLE_OR_VIEW_NOT_FOUND",
            "1 | SELECT * FROM plains",
        ),
    ];
    for (cell, class, excerpt) in cases {
        let failure = notebook.fails(cell).await;
        assert_eq!(failure.name, class, "{cell}");
        let lines = lines(&failure).join("\n");
        assert!(
            lines.contains(excerpt.trim_start_matches("1 | SELECT * FROM plains")),
            "{cell}: {lines}"
        );
        assert!(!lines.contains("'Project"), "{lines}");
    }
    let failure = Notebook::on(spark).fails("%explain").await;
    assert!(
        failure.value.contains("no statement to explain"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_search_finds_names_and_comments_in_all_schemas() {
    let Some(spark) = shared() else { return };
    let mut notebook = planes(spark, "search_here").await;
    notebook
        .done(
            "CREATE SCHEMA search_there; USE search_there;
             CREATE TABLE others (`x ``y` INT COMMENT '50% off') USING parquet;
             CREATE VIEW seen COMMENT 'seen by all' AS SELECT 1 AS quux;
             CREATE TEMP VIEW `a ``b.c` AS SELECT 1 AS inside;
             USE default",
        )
        .await;
    let cases = [
        (
            "%tables PLANE",
            &["search_here", "planes", "All that fly"][..],
        ),
        (
            "%tables who*it",
            &["search_here", "carrier", "Who flies it"],
        ),
        ("%tables inside", &["a `b.c", "temporary view", "inside"]),
        (
            "%tables 50%",
            &["search_there", "others", "x `y", "50% off"],
        ),
        ("%tables quux", &["search_there", "seen", "view", "int"]),
        ("%tables mine", &["temporary view", "mine"]),
        ("%tables sev*", &["mine", "seven"]),
        ("%tables '; DROP TABLE planes", &["0 rows"]),
    ];
    for (cell, expected) in cases {
        let shown = notebook.done(cell).await;
        for part in expected.iter().chain(&["of catalog spark_catalog"]) {
            assert!(shown.contains(part), "{cell}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_result_whose_rows_spark_counted_says_how_many_there_are() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook
        .done("CREATE TEMPORARY VIEW first_3000 AS SELECT id FROM range(9000) ORDER BY id LIMIT 3000;\n%set most 2500")
        .await;
    for (cell, expected) in [
        (
            "SELECT id % 5000 AS k, count(*) FROM range(9000) GROUP BY k ORDER BY k",
            "1,000 of 5,000 rows shown, 1,001 fetched;",
        ),
        (
            "%%sql -n 10\nWITH v AS (SELECT id FROM range(9000)) SELECT * FROM v WHERE id < :most ORDER BY id DESC",
            "10 of 2,500 rows shown, 11 fetched;",
        ),
        // Spark sorted 9,000 rows for these too, and they have 3,000.
        (
            "SELECT id FROM range(9000) ORDER BY id LIMIT 3000",
            "1,000 rows shown, 1,001 fetched, there are more;",
        ),
        (
            "SELECT * FROM first_3000 ORDER BY id",
            "1,000 rows shown, 1,001 fetched, there are more;",
        ),
        (
            "SELECT id FROM range(9000)",
            "1,000 rows shown, 1,001 fetched, there are more;",
        ),
        ("SELECT id FROM range(900) ORDER BY id", "900 rows ·"),
    ] {
        let shown = notebook.done(cell).await;
        assert!(shown.contains(expected), "{cell}: {shown}");
    }
}
