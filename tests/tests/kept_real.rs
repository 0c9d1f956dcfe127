//! Results that are kept, and values of parameters that come of them, on a real Spark.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use firesteel_tests::connect::real::shared;
use firesteel_tests::notebook::{Notebook, lines};

/// The rows of a table as text, without its heads and what stands under it.
fn rows(shown: &str) -> Vec<String> {
    let rows = shown.lines().skip_while(|line| !line.starts_with('─'));
    let rows = rows.skip(1).take_while(|line| !line.contains(" · "));
    rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[tokio::test]
async fn a_result_is_kept_whole_and_shown_in_part() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    let shown = notebook
        .done("%%sql -o ids\nSELECT id, concat('n', id) AS name FROM range(123456)")
        .await;
    let under: Vec<&str> = shown.lines().rev().take(2).collect();
    assert_eq!(under[0], "Kept as `ids`: 123,456 rows.");
    assert!(
        under[1].starts_with("1,000 of 123,456 rows shown; `%limit rows 10000` shows more · "),
        "{shown}"
    );
    assert_eq!(rows(&shown).len(), 1000);
    let shown = notebook
        .done("%%sql -n 3 -o few\nSELECT * FROM range(9)")
        .await;
    assert_eq!(rows(&shown), ["0", "1", "2"]);
    notebook.done("SELECT * FROM range(2000)").await;
    let listed = notebook.done("%vars").await;
    for part in [
        "ids 123456",
        "id bigint, name string",
        "few 3 at 3 rows",
        "_ 1000 at 1,000 rows",
    ] {
        let listed: Vec<&str> = listed.split_whitespace().collect();
        assert!(listed.join(" ").contains(part), "{part}: {listed:?}");
    }
    notebook.done("%vars drop ids").await;
    assert!(!notebook.done("%vars").await.contains("ids"));
    let failure = notebook.fails("%vars drop ids").await;
    assert_eq!(failure.value, "No result is kept as `ids`.");
}

#[tokio::test]
async fn the_last_result_is_the_last_with_rows() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    for (code, last) in [
        ("SELECT 1 AS one", "_ 1 one int"),
        ("CREATE TEMP VIEW kept_v AS SELECT 2 AS two", "one int"),
        ("SET kept.a = 1", "one int"),
        ("SELECT * FROM kept_v WHERE two = 3", "_ 0 two int"),
        ("SHOW TABLES", "_ namespace tableName"),
        ("SELECT 3 AS three; DROP VIEW kept_v", "three int"),
        ("BEGIN SELECT 4 AS four; END", "four int"),
    ] {
        notebook.done(code).await;
        let listed = notebook.done("%vars").await;
        let line = listed.lines().find(|line| line.starts_with('_')).unwrap();
        let line: Vec<&str> = line
            .split_whitespace()
            .filter(|word| !matches!(*word, "bytes" | "s" | "ago"))
            .collect();
        for part in last.split(' ') {
            assert!(line.contains(&part), "{code}: {part} of {listed}");
        }
    }
}

#[tokio::test]
async fn a_kept_value_is_a_parameter_of_its_type() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    for (value, expected) in [
        ("CAST(-1 AS TINYINT)", "-1 tinyint"),
        ("CAST(2 AS SMALLINT)", "2 smallint"),
        ("3", "3 int"),
        ("4L", "4 bigint"),
        ("CAST(0.5 AS FLOAT)", "0.5 float"),
        ("CAST('NaN' AS DOUBLE)", "NaN double"),
        // As many digits as there are, whatever the column has room for.
        ("CAST(12.5 AS DECIMAL(10,2))", "12.50 decimal(4,2)"),
        ("true", "true boolean"),
        ("\"it's\"", "it's string"),
        ("DATE '1969-12-31'", "1969-12-31 date"),
        (
            "TIMESTAMP '2013-01-31 05:00:00.5'",
            "2013-01-31 05:00:00.5 timestamp",
        ),
        (
            "TIMESTAMP_NTZ '2013-01-31 05:00:00'",
            "2013-01-31 05:00:00 timestamp_ntz",
        ),
        ("CAST(NULL AS INT)", "NULL void"),
    ] {
        notebook.done(&format!("%%sql -o v\nSELECT {value}")).await;
        let told = "SELECT CAST(:v AS STRING) AS v, typeof(:v) AS t";
        assert_eq!(rows(&notebook.done(told).await), [expected], "{value}");
    }
    let chain = "SELECT 7 AS seven;\nSELECT :_ + 1 AS eight;\nSELECT :_ + 1 AS nine";
    let shown = notebook.done(chain).await;
    let last = shown.lines().filter(|line| line.trim() == "9").count();
    assert_eq!(last, 1, "{shown}");
}

#[tokio::test]
async fn the_newest_of_two_values_counts() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook.done("%set n 'set'").await;
    for (code, expected) in [
        ("%set m 1", "set"),
        ("%%sql -o n\nSELECT 'kept' AS n", "kept"),
        ("%set n 'set anew'", "set anew"),
        ("%%sql -o n\nSELECT * FROM range(3)", "set anew"),
        ("%%sql -o n\nSELECT 'kept anew' AS n", "kept anew"),
    ] {
        notebook.done(code).await;
        assert_eq!(
            rows(&notebook.done("SELECT :n AS n").await),
            [expected],
            "{code}"
        );
    }
    notebook.done("%vars drop n").await;
    let failure = notebook.fails("SELECT :n AS n").await;
    assert_eq!(failure.name, "UNBOUND_SQL_PARAMETER");
}

#[tokio::test]
async fn what_is_no_value_says_so_where_a_value_is_missing() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    for (result, expected) in [
        (
            "SELECT * FROM range(3)",
            "`r` is a kept result, but it has 3 rows and 1 column",
        ),
        (
            "SELECT 1 AS a, 2 AS b",
            "`r` is a kept result, but it has 1 row and 2 columns",
        ),
        (
            "SELECT map(1, 2)",
            "`r` is a kept result, but its value is of type map<int,int>",
        ),
    ] {
        notebook.done(&format!("%%sql -o r\n{result}")).await;
        let failure = notebook.fails("SELECT :r").await;
        assert_eq!(failure.name, "UNBOUND_SQL_PARAMETER");
        let lines = lines(&failure);
        assert!(
            lines.iter().any(|line| line.starts_with(expected)),
            "{lines:?}"
        );
    }
    // What looks like a parameter may be a path into a value.
    let path = "SELECT CAST(parse_json('{\"r\": 5}'):r AS STRING) AS found";
    assert_eq!(rows(&notebook.done(path).await), ["5"]);
}
