//! What a real Spark can answer with at its worst, shown by a kernel that lives on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use firesteel_tests::connect::real::shared;
use firesteel_tests::notebook::{Notebook, lines};
use scraper::{Html, Selector};
use serde_json::Value;

/// Texts that are something else where they are taken for markup, one a line.
const MARKUP: &str = include_str!("../data/hostile/markup.txt");

/// All elements that tables, summaries and charts are made of.
const ELEMENTS: [&str; 32] = [
    "b", "br", "circle", "clippath", "code", "defs", "desc", "details", "div", "g", "html", "i",
    "line", "path", "polygon", "polyline", "pre", "progress", "rect", "small", "span", "style",
    "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr",
];

/// All attributes that there are; the value of a `title` may be the data's, and of no other.
const ATTRIBUTES: [&str; 7] = [
    "align", "class", "colspan", "max", "style", "title", "value",
];

/// A text as a literal of Spark SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A text as a name.
fn name(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

/// Finds what no page of ours has: an element, an attribute of HTML, or a value of one that is data's.
fn check(html: &str, hostile: &[&str], place: &str) {
    let parsed = Html::parse_fragment(html);
    for found in parsed.select(&Selector::parse("*").unwrap()) {
        let element = found.value();
        let tag = element.name().to_ascii_lowercase();
        assert!(ELEMENTS.contains(&&*tag), "{place}: <{tag}>");
        let drawn = found
            .ancestors()
            .filter_map(scraper::ElementRef::wrap)
            .any(|above| above.value().name() == "svg");
        for (attribute, value) in element.attrs() {
            let ours = tag == "svg" || drawn || ATTRIBUTES.contains(&attribute);
            assert!(ours, "{place}: {attribute} of <{tag}>");
            assert!(
                !attribute.starts_with("on"),
                "{place}: {attribute} of <{tag}>"
            );
            let datas = hostile.iter().any(|text| value.contains(text));
            assert!(
                attribute == "title" || !datas,
                "{place}: {attribute}={value}"
            );
        }
    }
}

fn html(bundles: &[Value]) -> String {
    let parts = ["text/html", "image/svg+xml"];
    let texts = bundles
        .iter()
        .flat_map(|bundle| parts.map(|part| bundle[part].as_str().unwrap_or_default()));
    texts.collect()
}

#[tokio::test]
async fn markup_in_names_and_values_is_text_wherever_it_is_shown() {
    let Some(spark) = shared() else { return };
    let hostile: Vec<&str> = MARKUP.lines().collect();
    assert!(hostile.len() >= 60);
    let mut notebook = Notebook::on(spark);
    let columns: Vec<String> = hostile
        .iter()
        .map(|text| format!("{} AS {}", literal(text), name(text)))
        .collect();
    let wide = format!("SELECT {}", columns.join(", "));
    let shown = notebook.media(&format!("%%sql -o wide\n{wide}")).await;
    check(&html(&shown), &hostile, "names and values");
    let table = Html::parse_fragment(&html(&shown));
    let texts: String = table.root_element().text().collect();
    for text in &hostile {
        assert!(
            texts.matches(text).count() >= 2,
            "{text} is not shown as it is"
        );
    }
    let values: Vec<String> = hostile
        .iter()
        .enumerate()
        .map(|(n, text)| format!("({}, {n})", literal(text)))
        .collect();
    let list = values.join(", ");
    notebook
        .done(&format!(
            "CREATE TEMPORARY VIEW evil AS SELECT * FROM VALUES {list} AS t({}, n)",
            name(hostile[0])
        ))
        .await;
    for cell in [
        "SELECT * FROM evil;\n%chart".to_owned(),
        "%describe evil".to_owned(),
        "%describe wide".to_owned(),
        "%tables evil".to_owned(),
        "%vars".to_owned(),
        format!("%explain SELECT {} FROM evil WHERE n > 3", name(hostile[0])),
        format!(
            "SELECT array({0}), map({0}, {0}), named_struct('a', {0}) FROM evil LIMIT 1",
            name(hostile[0])
        ),
    ] {
        let shown = notebook.media(&cell).await;
        assert!(!shown.is_empty(), "{cell}");
        check(&html(&shown), &hostile, &cell);
    }
    for text in hostile {
        let failure = notebook
            .fails(&format!("SELECT {} FROM range(1)", name(text)))
            .await;
        assert!(
            lines(&failure).iter().any(|line| line.contains(text)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn any_result_is_shown_or_refused_in_words() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook.done("SET spark.sql.session.timeZone = UTC").await;
    let wide: Vec<String> = (0..2000).map(|n| format!("{n} AS c{n}")).collect();
    let wide = format!("SELECT {}", wide.join(", "));
    let long = format!("SELECT '{}' AS long", "x".repeat(10_000_000));
    for (sql, expected) in [
        (wide.as_str(), &["c0", "1 row"][..]),
        (long.as_str(), &["xxx", "1 row"]),
        ("SELECT repeat('ab', 500000) AS a", &["abab", "1 row"]),
        ("SELECT 1 AS a WHERE 1 = 2", &["0 rows"]),
        ("SELECT * FROM range(3) SORT BY id DESC", &["2", "3 rows"]),
        ("SELECT * EXCEPT (id) FROM range(3)", &["3 rows"]),
        ("SELECT 1 AS a, 2 AS a, 3 AS A", &["1", "2", "3"]),
        (
            "SELECT double('NaN') AS n, double('-Infinity') AS i, float('NaN') AS f, -0.0D AS z",
            &["NaN", "-Infinity"],
        ),
        (
            "SELECT make_date(-9999, 1, 1) AS b, make_date(9999, 12, 31) AS e, make_date(0, 1, 1) AS z",
            &["-9999-01-01", "9999-12-31", "0000-01-01"],
        ),
        (
            "SELECT timestamp_micros(-377705116800000000) AS b, TIMESTAMP '9999-12-31 23:59:59.999999' AS e, TIMESTAMP_NTZ '0001-01-01 00:00:00' AS n",
            &["9999-12-31 23:59:59.999999", "0001-01-01 00:00:00"],
        ),
        (
            "SELECT CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) AS w, CAST('-0.99999999999999999999999999999999999999' AS DECIMAL(38, 38)) AS s, CAST('0.00' AS DECIMAL(5, 2)) AS z",
            &[
                "99999999999999999999999999999999999999",
                "-0.99999999999999999999999999999999999999",
                "0.00",
            ],
        ),
        (
            "SELECT map(1, array(named_struct('a', map('k', array(1, NULL))))) AS nested, array() AS none, named_struct('x', CAST(NULL AS STRUCT<y: INT>)) AS hollow",
            &["k"],
        ),
        (
            "SELECT X'00FF80' AS few, CAST(repeat('a', 100000) AS BINARY) AS many, X'' AS none",
            &["3 bytes"],
        ),
        (
            "SELECT INTERVAL '-178956970-8' YEAR TO MONTH AS y, INTERVAL '106751991 04:00:54.775807' DAY TO SECOND AS d, make_interval(1, 2, 3, 4, 5, 6, 7.5) AS c",
            &["178956970"],
        ),
        (
            "SELECT parse_json('{\"a\": [1, null, \"x\"]}') AS v",
            &["a"],
        ),
        (
            "SELECT 'שלום' AS rtl, 'e\u{301}\u{301}\u{301}' AS combining, '👩‍👩‍👧‍👦' AS family, '\u{202e}gnp.exe' AS turned, 'a\u{0}b' AS zero, '\u{feff}' AS mark",
            &["שלום", "👩‍👩‍👧‍👦"],
        ),
        (
            "SELECT NULL AS n, '' AS e, ' ' AS s, 'NULL' AS t",
            &["NULL"],
        ),
        (
            "SELECT * FROM VALUES (TRUE), (NULL) AS t(b)",
            &["true", "NULL"],
        ),
    ] {
        let start: String = sql.chars().take(80).collect();
        let shown = notebook.done(sql).await;
        for part in expected {
            let said: String = shown.chars().take(2000).collect();
            assert!(shown.contains(part), "{start}: no {part} in {said}");
        }
        let control = |ch: char| ch.is_control() && ch != '\n';
        assert!(!shown.contains(control), "{start}");
        assert!(
            shown.lines().all(|line| line.chars().count() <= 400),
            "{start}"
        );
    }
    let scales = (0..=38)
        .map(|scale| format!("SELECT CAST('-1e-{scale}' AS DECIMAL(38, {scale})) AS d"))
        .collect::<Vec<_>>();
    let shown = notebook.done(&scales.join(";\n")).await;
    for scale in 0..=38 {
        let expected = match scale {
            0 => "-1".to_owned(),
            _ => format!("-0.{:0>scale$}", 1),
        };
        let found = shown.lines().any(|line| line.trim() == expected);
        assert!(found, "no {expected} in {shown}");
    }
    // What it needs is no more than what is shown, and it is as quick as before.
    assert!(notebook.done("SELECT 7 AS lives").await.contains('7'));
}

#[tokio::test]
async fn a_statement_that_is_none_is_refused_in_words() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    for cell in ["", " \n\t", "-- a", "/* a */ -- b", ";;;"] {
        let (_, shown) = notebook.run(cell).await;
        assert_eq!(shown, "", "{cell:?}");
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    for cell in [
        "SELECT 'a",
        "SELECT /* 1",
        "SELECT `a",
        "SELECT (1",
        "\u{0}",
        "🙂",
        &deep,
    ] {
        let failure = notebook.fails(cell).await;
        assert!(!failure.value.is_empty(), "{cell}");
        assert!(!failure.traceback.join("\n").contains("\tat "), "{cell}");
    }
    assert!(notebook.done("SELECT 7 AS lives").await.contains('7'));
}
