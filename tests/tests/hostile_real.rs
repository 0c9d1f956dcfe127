//! What a real Spark can answer with at its worst, shown by a kernel that lives on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use firesteel_tests::connect::real::shared;
use firesteel_tests::notebook::{Notebook, lines};
use scraper::{ElementRef, Html, Selector};
use serde::Deserialize;
use serde_json::Value;

/// Texts that are something else where they are taken for markup, one a line.
const MARKUP: &str = include_str!("../data/hostile/markup.txt");

/// Statements, and what is shown of their results.
const RESULTS: &str = include_str!("../data/hostile/results.json");

/// What text puts around what is written from right to left.
const ISOLATES: [char; 2] = ['\u{2068}', '\u{2069}'];

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

#[derive(Deserialize)]
struct Case {
    what: String,
    sql: String,
    /// The names over the columns.
    names: Vec<String>,
    /// The cells as a page shows them; a null is none.
    rows: Vec<Vec<Option<String>>>,
    /// How the line under them begins, or that in their place.
    says: String,
    /// The only row as text, which has no room for all of it.
    text: Option<String>,
    /// What stands in the page or the text besides.
    also: Option<String>,
}

fn one_row(what: &str, sql: String, names: Vec<String>, cells: Vec<String>) -> Case {
    Case {
        what: what.to_owned(),
        sql,
        names,
        rows: vec![cells.into_iter().map(Some).collect()],
        says: "1 row · ".to_owned(),
        text: None,
        also: None,
    }
}

/// The cases that are too long or too many to be written down.
fn made() -> Vec<Case> {
    let numbers = |most: usize| (0..most).map(|n| n.to_string()).collect::<Vec<_>>();
    let columns: Vec<String> = (0..2000).map(|n| format!("{n} AS c{n}")).collect();
    let wide = Case {
        text: Some(numbers(24).join(" ")),
        also: Some("1976 more columns not shown: c24, c25, ".to_owned()),
        ..one_row(
            "2,000 columns",
            format!("SELECT {}", columns.join(", ")),
            (0..2000).map(|n| format!("c{n}")).collect(),
            numbers(2000),
        )
    };
    let long = Case {
        text: Some(format!("{}…", "x".repeat(47))),
        also: Some("x… and 9,990,000 characters more".to_owned()),
        ..one_row(
            "a statement of 10 MB",
            format!("SELECT '{}' AS long", "x".repeat(10_000_000)),
            vec!["long".to_owned()],
            vec![format!("{}…", "x".repeat(100))],
        )
    };
    let scales = (0..=38).map(|scale| {
        let shown = match scale {
            0 => "-1".to_owned(),
            _ => format!("-0.{:0>scale$}", 1),
        };
        one_row(
            &format!("a decimal of scale {scale}"),
            format!("SELECT CAST('-1e-{scale}' AS DECIMAL(38, {scale})) AS d"),
            vec!["d".to_owned()],
            vec![shown],
        )
    });
    [wide, long].into_iter().chain(scales).collect()
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

/// The text of a cell; a null is an element there, and no text.
fn value(cell: ElementRef<'_>) -> Option<String> {
    let null = cell.child_elements().next().is_some();
    (!null).then(|| cell.text().collect())
}

/// Checks the page that shows a result.
fn check_page(case: &Case, html: &str) {
    let what = &case.what;
    check(html, &[], what);
    let page = Html::parse_fragment(html);
    let heads = all(&page, "thead th").into_iter();
    let names: Vec<&str> = heads.filter_map(|head| head.text().next()).collect();
    assert_eq!(names, case.names, "{what}");
    let rows: Vec<Vec<_>> = all(&page, "tbody tr")
        .into_iter()
        .map(|row| row.child_elements().map(value).collect())
        .collect();
    assert_eq!(rows, case.rows, "{what}");
    let text: String = page.root_element().text().collect();
    assert!(text.contains(&case.says), "{what}");
}

/// Checks the text that shows a result, but for the spaces that line its columns up.
fn check_text(case: &Case, text: &str) {
    let what = &case.what;
    let words = |text: &str| -> Vec<String> { text.split_whitespace().map(Into::into).collect() };
    let lines: Vec<&str> = text.lines().collect();
    // Names, types and a rule stand above.
    for (cells, line) in case.rows.iter().zip(3..) {
        let cells = cells.iter().map(|cell| cell.as_deref().unwrap_or("NULL"));
        let all = cells.collect::<Vec<_>>().join(" ");
        let expected = case.text.as_ref().unwrap_or(&all);
        let shown = lines[line].replace(ISOLATES, "");
        assert_eq!(words(&shown), words(expected), "{what}");
    }
    let last = lines.last().unwrap();
    assert!(last.starts_with(&case.says), "{what}: {last}");
    let control = |ch: char| ch.is_control() && ch != '\n';
    assert!(!text.contains(control), "{what}");
    assert!(
        lines.iter().all(|line| line.chars().count() <= 400),
        "{what}"
    );
}

#[tokio::test]
async fn any_result_is_shown_or_refused_in_words() {
    let Some(spark) = shared() else { return };
    let mut notebook = Notebook::on(spark);
    notebook.done("SET spark.sql.session.timeZone = UTC").await;
    let mut cases: Vec<Case> = serde_json::from_str(RESULTS).unwrap();
    cases.extend(made());
    for case in &cases {
        // What stands before the last is how far it is.
        let shown = notebook.media(&case.sql).await.pop().unwrap();
        let text = shown["text/plain"].as_str().unwrap();
        let html = html(std::slice::from_ref(&shown));
        check_text(case, text);
        check_page(case, &html);
        if let Some(also) = &case.also {
            assert!(text.contains(also) || html.contains(also), "{}", case.what);
        }
    }
    // What it needs is no more than what is shown, and it is as quick as before.
    let shown = notebook.done("SELECT 'quokka' AS lives").await;
    assert!(shown.contains("quokka"), "{shown}");
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
    let shown = notebook.done("SELECT 'quokka' AS lives").await;
    assert!(shown.contains("quokka"), "{shown}");
}
