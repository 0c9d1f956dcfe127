//! Summaries of tables and results, near names and inspection on a real Spark.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use std::time::{Duration, Instant};

use firesteel_kernel::run::interpreter::Outcome;
use firesteel_tests::connect::real::shared;
use firesteel_tests::notebook::{Notebook, lines};

/// Every type that Spark has without being asked for it, under names that want to be more.
const TYPES: &str = r#"CREATE TEMPORARY VIEW `odd ``<b>.name` AS SELECT
  id AS `a.b``c <b>"x'`, CAST(id AS TINYINT) AS tiny, CAST(id AS DOUBLE) / 4 AS part,
  CAST(if(id = 3, double('NaN'), id) AS FLOAT) AS gap, CAST(id AS DECIMAL(38,2)) AS money,
  CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) AS huge,
  if(id = 5, '', if(id % 2 = 0, '<script>alert(1)</script>', repeat('long', 100))) AS text,
  CAST(id % 3 AS STRING) COLLATE UTF8_LCASE AS folded, id % 4 = 0 AS truth,
  timestamp_seconds(id) AS instant, CAST(timestamp_seconds(id) AS TIMESTAMP_NTZ) AS plain,
  date_add(DATE'2013-01-01', CAST(id AS INT)) AS day, INTERVAL '1' DAY * id AS span,
  INTERVAL '1' MONTH * id AS months, make_interval(0, 0, 0, 1) AS calendar, NULL AS nothing,
  CAST(CAST(id AS STRING) AS BINARY) AS bytes, array(id) AS list, struct(id, array(1) AS q) AS pair,
  map(1, id) AS entries, array(map(1, 1)) AS deep, parse_json('{"a":1}') AS variant,
  struct(parse_json('{"a":1}')) AS inner, CAST(NULL AS STRING) AS no_text, CAST(NULL AS INT) AS no_number,
  if(id = 1, double('Infinity'), if(id = 2, double('-Infinity'), double(id))) AS endless
  FROM range(100)"#;

/// The summary that a cell shows in the end, without the progress before it.
async fn described(notebook: &mut Notebook, code: &str) -> String {
    let text = notebook.done(code).await;
    let lines: Vec<&str> = text.lines().collect();
    let title = |line: &&str| line.ends_with(" columns") || line.ends_with(" column");
    let first = lines.iter().rposition(title);
    let first = first.unwrap_or_else(|| panic!("no summary in\n{text}"));
    lines[first..].join("\n")
}

/// The line of a summary that begins with a column's name, its words apart.
fn line<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let found = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(' '))
    });
    let found = found.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    found[name.len()..].split_whitespace().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_any_types_is_described_by_one_query() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook.done(TYPES).await;
    let text = described(&mut notebook, "%describe `odd ``<b>.name`").await;
    assert!(
        text.starts_with("`odd ``<b>.name`: 100 rows, 26 columns\n"),
        "{text}"
    );
    for (name, expected) in [
        ("tiny", "tinyint 0 100 ██████████ 0 24 49 74 99 49.50"),
        (
            "part",
            "double 0 100 ██████████ 0.00 6.00 12.25 18.50 24.75 12.38",
        ),
        (
            "money",
            "decimal(38,2) 0 100 ██████████ 0.00 24.00 49.00 74.00 99.00 49.50",
        ),
        (
            "huge",
            "decimal(38,0) 0 1 99999999999999999999999999999999999999",
        ),
        (
            "text",
            "string 0 3 <script>alert(1)</s… 50 · longlonglonglonglon… 49",
        ),
        ("truth", "boolean 0 2 false 75 · true 25"),
        (
            "instant",
            "timestamp (Etc/UTC) 0 100 ██████████ 1970-01-01 00:00:00 … 1970-01-01 00:01:39",
        ),
        (
            "plain",
            "timestamp_ntz 0 100 ██████████ 1970-01-01 00:00:00 … 1970-01-01 00:01:39",
        ),
        ("day", "date 0 100 ██████████ 2013-01-01 … 2013-04-10"),
        ("calendar", "interval 0"),
        ("nothing", "void 100 (100 %)"),
        ("entries", "map<int,bigint> 0"),
        ("deep", "array<map<int,i… 0"),
        ("variant", "variant 0"),
        ("inner", "struct<col1:var… 0"),
        ("no_text", "string 100 (100 %) 0"),
        ("no_number", "int 100 (100 %) 0"),
    ] {
        assert_eq!(line(&text, name).join(" "), expected, "{text}");
    }
    for (name, parts) in [
        ("a.b`c <b>\"x'", &["bigint", "100", "49.50"][..]),
        ("folded", &["string", "3", "0", "34"]),
        ("gap", &["float", "NaN", "99"]),
        ("span", &["99"]),
        ("months", &["0-0", "8-3"]),
        ("bytes", &["binary", "≈"]),
        ("list", &["array<bigint>", "≈"]),
        ("pair", &["≈"]),
        ("endless", &["-Infinity", "Infinity"]),
    ] {
        let found = line(&text, name);
        assert!(
            parts.iter().all(|part| found.contains(part)),
            "{name}: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_many_rows_are_near_and_small_counts_exact() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook
        .done(
            "CREATE TEMPORARY VIEW many AS SELECT id, if(id % 10 = 0, NULL, id % 200) AS few, \
             concat('k', id % 5000) AS key, if(id < 30000, 'often', CAST(id AS STRING)) AS mixed FROM range(100000)",
        )
        .await;
    let text = described(&mut notebook, "%describe many").await;
    let id = line(&text, "id");
    assert_eq!((id[1], id[2]), ("0", "≈"), "{text}");
    let number = |text: &str| text.replace(',', "").parse::<f64>().unwrap();
    assert!((90_000.0..=100_000.0).contains(&number(id[3])), "{text}");
    let quartiles: Vec<f64> = id[6..9].iter().map(|text| number(text)).collect();
    for (quartile, expected) in std::iter::zip(quartiles, [25_000.0, 50_000.0, 75_000.0]) {
        assert!((quartile - expected).abs() < 500.0, "{text}");
    }
    assert_eq!((id[5], id[9], id[10]), ("0", "99999", "49999.50"), "{text}");
    let few = line(&text, "few");
    assert_eq!(few[1..4], ["10,000", "(10", "%)"], "{text}");
    assert_eq!(few[4], "180", "{text}");
    // Of values that are about equally frequent none is told; one that is often is.
    assert_eq!(line(&text, "key").last(), Some(&"k999"), "{text}");
    let mixed = line(&text, "mixed");
    assert_eq!(mixed[4], "often", "{text}");
    assert!((30_000.0..30_200.0).contains(&number(mixed[5])), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_found_by_any_name_and_a_wide_one_is_cut() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook
        .done(
            "CREATE SCHEMA described; CREATE TABLE described.two (`x.``y` INT) USING parquet; \
             INSERT INTO described.two VALUES (1), (NULL)",
        )
        .await;
    let text = described(&mut notebook, "%describe described.`two`").await;
    assert!(
        text.starts_with("described.two: 2 rows, 1 column\n"),
        "{text}"
    );
    assert_eq!(line(&text, "x.`y")[..3], ["int", "1", "(50"], "{text}");
    let columns: Vec<String> = (0..105).map(|at| format!("id + {at} AS c{at}")).collect();
    let columns = columns.join(", ");
    notebook
        .done(&format!(
            "CREATE TEMPORARY VIEW wide AS SELECT {columns} FROM range(3)"
        ))
        .await;
    let text = described(&mut notebook, "%describe wide").await;
    assert!(text.starts_with("wide: 3 rows, 105 columns\n"), "{text}");
    assert!(
        text.contains("\nthe first 100 of 105 columns; a view of others shows them · "),
        "{text}"
    );
    assert!(
        text.contains("\nc99 ") && !text.contains("\nc100 "),
        "{text}"
    );
    notebook
        .done("CREATE TEMPORARY VIEW empty AS SELECT 1 AS a, 'b' AS b WHERE false")
        .await;
    let text = described(&mut notebook, "%describe empty").await;
    assert_eq!(line(&text, "a"), ["int", "0", "0"]);
    assert!(!text.contains("estimates"), "{text}");
    let failure = notebook.fails("%describe nosuch").await;
    assert_eq!(failure.name, "TABLE_OR_VIEW_NOT_FOUND");
    notebook.done("DROP SCHEMA described CASCADE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_result_is_described_exactly_and_says_what_was_cut() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook
        .done(
            "%%sql -o kept\nSELECT id % 7 AS week, timestamp_seconds(id) AS at, CAST(id AS DECIMAL(20,3)) AS money, \
             if(id = 0, NULL, concat('<', id % 2)) AS `x.y`, array(id) AS list FROM range(5000)",
        )
        .await;
    let text = described(&mut notebook, "%describe kept").await;
    assert!(
        text.starts_with("the kept result `kept`: 5,000 rows, 5 columns\n"),
        "{text}"
    );
    assert_eq!(
        line(&text, "week").join(" "),
        "bigint 0 7 ███████ 0 1 3 5 6 2.999"
    );
    let money = line(&text, "money").join(" ");
    assert_eq!(
        money,
        "decimal(20,3) 0 5,000 ██████████ 0.000 1249.000 2499.000 3749.000 4999.000 2499.50"
    );
    assert_eq!(
        line(&text, "x.y").join(" "),
        "string 1 (< 0.1 %) 2 <1 2,500 · <0 2,499"
    );
    assert_eq!(line(&text, "list"), ["array<bigint>", "0"]);
    assert!(!text.contains("estimates"), "{text}");
    notebook.done("SELECT * FROM range(5000)").await;
    let text = described(&mut notebook, "%describe _").await;
    assert!(
        text.starts_with("the first 1,000 rows of the last result: 1,000 rows, 1 column\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_query_of_a_summary() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook
        .done(
            // A task that only counts, and is not compiled as one with its aggregation, does not
            // heed that it is to end (`RangeExec`, Spark 4.3).
            "CREATE TEMPORARY VIEW endless AS \
             SELECT id, reflect('java.lang.Thread', 'sleep', 1L) AS slept FROM range(0, 100000000000000)",
        )
        .await;
    let began = Instant::now();
    assert_eq!(
        notebook.interrupted("%describe endless").await,
        Outcome::Interrupted
    );
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(notebook.done("SELECT 1 AS one").await.contains("1 row"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_known_are_asked_for_and_inspected() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::that_learns(spark);
    notebook
        .done(
            "CREATE TABLE departures (a INT COMMENT 'first <b>', `b.c` STRING, m INT) USING parquet \
             PARTITIONED BY (m) COMMENT 'All <departures>'; \
             CREATE TEMPORARY VIEW arrivals AS SELECT 1 AS one",
        )
        .await;
    let told = |text: &str| text.contains("location: ");
    let (text, html) = notebook.knows("SELECT * FROM departures", told).await;
    assert!(
        text.starts_with("departures\n  All <departures>\n  a    int     first <b>\n  b.c  string\n  m    int\nkind: MANAGED\nformat: parquet\n"),
        "{text}"
    );
    assert!(text.ends_with("partitioned by: m"), "{text}");
    assert!(
        html.contains("<td>first &lt;b&gt;</td>") && !html.contains("first <b>"),
        "{html}"
    );
    let told = |text: &str| text.contains("Examples");
    let (text, _) = notebook.knows("SELECT abs", told).await;
    assert!(
        text.starts_with("abs(expr)\n  Returns the absolute value"),
        "{text}"
    );
    let (text, _) = notebook
        .knows(
            "WITH arrivals AS (SELECT 2 AS two) SELECT * FROM arrivals",
            |_| true,
        )
        .await;
    assert!(text.starts_with("arrivals\n  two"), "{text}");
    for (code, near) in [
        ("SELECT * FROM departurs", "Did you mean `departures`?"),
        ("SELECT * FROM arivals", "Did you mean `arrivals`?"),
        ("%describe arivals", "Did you mean `arrivals`?"),
        ("SELECT conut(1)", "Did you mean `count`?"),
        ("USE defualt", "Did you mean `spark_catalog.default`?"),
        (
            "SELECT * FROM defualt.departures",
            "Did you mean `default.departures`?",
        ),
    ] {
        let failure = notebook.fails(code).await;
        assert!(
            lines(&failure).contains(&near.to_owned()),
            "{code}: {:?}",
            lines(&failure)
        );
    }
    notebook.done("DROP TABLE departures").await;
}
