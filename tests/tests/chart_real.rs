//! Charts of results of a real Spark.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use firesteel_tests::connect::real::shared;
use firesteel_tests::notebook::Notebook;

/// What is drawn of flights of three days.
const FLIGHTS: &str = "
CREATE OR REPLACE TEMP VIEW chart_flights AS
SELECT element_at(array('UA', 'AA', 'DL'), CAST(1 + id % 3 AS INT)) AS carrier,
       TIMESTAMP '2013-01-01 00:00:00' + make_dt_interval(0, CAST(id AS INT)) AS at,
       CAST(id % 3 AS DECIMAL(5, 2)) AS delay, CAST(id % 7 AS INT) AS weekday
FROM range(72)";

#[tokio::test]
async fn a_chart_is_chosen_of_the_result_above_it_and_of_one_that_is_kept() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook.done(FLIGHTS).await;
    let above = "SELECT carrier, sum(delay) AS late FROM chart_flights GROUP BY carrier;\n%chart";
    let shown = notebook.done(above).await;
    let (_, chart) = shown.split_once("late by carrier\n").expect(&shown);
    let bars: Vec<Vec<&str>> = chart
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(bars[0], ["carrier", "late"]);
    assert_eq!((bars[1][0], bars[1][2]), ("DL", "48"));
    assert_eq!((bars[2][0], bars[2][2]), ("AA", "24"));
    // In the next cell it is still the last result.
    let again = notebook.done("%chart").await;
    assert!(again.starts_with("late by carrier\n"), "{again}");
    notebook
        .done("%%sql -o flights\nSELECT * FROM chart_flights")
        .await;
    for (asked, title) in [
        ("%chart flights", "delay by at"),
        ("%chart flights y=mean(delay)", "mean(delay) by at"),
        ("%chart flights bar", "mean(delay) by carrier"),
        ("%chart flights hist x=delay", "count by delay"),
        (
            "%chart flights scatter x=weekday y=delay",
            "delay by weekday",
        ),
        (
            "%chart flights heatmap x=weekday y=carrier",
            "mean(delay) by weekday and carrier",
        ),
        ("%chart flights bar x=at y=count", "count by 3 hours of at"),
        (
            "%chart flights area x=at y=count color=carrier",
            "count by at",
        ),
    ] {
        let shown = notebook.done(asked).await;
        assert_eq!(shown.lines().next(), Some(title), "{asked}: {shown}");
    }
}

#[tokio::test]
async fn a_chart_of_a_part_says_so_and_what_cannot_be_drawn_says_why() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    let none = notebook.fails("%chart").await;
    assert_eq!(none.value, "There is no result to draw yet.");
    let shown = notebook
        .done("SELECT id % 10 AS n, concat('c', id % 3) AS c FROM range(2000);\n%chart")
        .await;
    assert!(
        shown.contains("mean(n) by c – of the first 1,000 rows alone"),
        "{shown}"
    );
    for (code, expected) in [
        (
            "SELECT 1 AS a WHERE 1 = 2;\n%chart",
            "There is nothing to draw: the result has no rows.",
        ),
        (
            "SELECT array(1) AS tags, make_ym_interval(1, 2) AS age, X'00' AS raw;\n%chart",
            "There is nothing to draw: no column holds numbers, texts, dates or times. `tags` is array<int>, `age` is interval year to month, `raw` is binary.",
        ),
        (
            "SELECT CAST(NULL AS DOUBLE) AS v;\n%chart",
            "There is nothing to draw: `v` has no value that is there and finite.",
        ),
        (
            "SELECT 1 AS delay;\n%chart x=dealy",
            "The result has no column `dealy`. Did you mean `delay`?",
        ),
        ("%chart flihgts", "No result is kept as `flihgts`."),
    ] {
        let failure = notebook.fails(code).await;
        assert_eq!(failure.value, expected, "{code}");
    }
}

#[tokio::test]
async fn every_type_of_a_number_or_time_is_drawn_in_the_zone_of_the_session() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    for number in [
        "CAST(3 AS TINYINT)",
        "CAST(3 AS SMALLINT)",
        "3",
        "3L",
        "CAST(3 AS FLOAT)",
        "3D",
        "CAST(3 AS DECIMAL(38, 10))",
    ] {
        let code = format!("SELECT 'a' AS c, {number} AS v;\n%chart");
        let shown = notebook.done(&code).await;
        assert!(shown.trim_end().ends_with("█ 3"), "{number}: {shown}");
    }
    notebook
        .done("SET spark.sql.session.timeZone = Asia/Kolkata")
        .await;
    for (time, label) in [
        ("DATE '1969-12-31'", "1969-12-30 12:00:00"),
        ("TIMESTAMP '2013-01-01 01:30:00'", "2012-12-31 13:30:00"),
        ("TIMESTAMP_NTZ '0001-01-01 12:00:00'", "0001-01-01"),
    ] {
        let shown = notebook
            .done(&format!("SELECT {time} AS t, 1 AS v;\n%chart"))
            .await;
        let last = shown.lines().last().unwrap();
        // Half a day before it, where the axis begins.
        assert!(last.trim_start().starts_with(label), "{time}: {shown}");
    }
}
