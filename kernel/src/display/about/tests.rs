use jupyter_protocol::MediaType;
use proptest::prelude::*;
use scraper::{Html, Selector};
use unicode_width::UnicodeWidthStr;

use super::*;

fn forms(media: &Media) -> (String, String) {
    match media.content.as_slice() {
        [MediaType::Html(html), MediaType::Plain(text)] => (html.clone(), text.clone()),
        other => panic!("{other:?}"),
    }
}

fn rows(rows: &[[&str; 3]]) -> Vec<Vec<String>> {
    let row = |row: &[&str; 3]| row.iter().map(|text| (*text).to_owned()).collect();
    rows.iter().map(row).collect()
}

fn trains() -> Vec<Vec<String>> {
    rows(&[
        ["a", "int", "first <b>"],
        ["b.c", "string", ""],
        ["m", "int", ""],
        ["# Partition Information", "", ""],
        ["# col_name", "data_type", "comment"],
        ["m", "int", ""],
        ["", "", ""],
        ["# Detailed Table Information", "", ""],
        ["Catalog", "spark_catalog", ""],
        ["Table", "trains", ""],
        ["Type", "MANAGED", ""],
        ["Provider", "parquet", ""],
        ["Comment", "All departures", ""],
        ["Location", "file:/data/trains", ""],
        ["Statistics", "", ""],
    ])
}

#[test]
fn a_table_has_its_columns_its_comment_and_what_is_known_of_it() {
    let about = TableAbout::read("air.trains".to_owned(), &trains());
    let (html, text) = forms(&about_table(&about));
    assert_eq!(
        text,
        "air.trains\n  All departures\n  a    int     first <b>\n  b.c  string\n  m    int\n\
         kind: MANAGED\nformat: parquet\nlocation: file:/data/trains\npartitioned by: m"
    );
    let page = Html::parse_fragment(&html);
    let cell = Selector::parse("td").unwrap();
    let cells: Vec<String> = page
        .select(&cell)
        .map(|cell| cell.text().collect())
        .collect();
    assert_eq!(
        cells,
        ["a", "int", "first <b>", "b.c", "string", "", "m", "int", ""]
    );
}

#[test]
fn a_temporary_view_has_its_columns_alone() {
    let about = TableAbout::read("v".to_owned(), &rows(&[["a", "int", ""]]));
    let (html, text) = forms(&about_table(&about));
    assert_eq!(text, "v\n  a  int");
    assert!(!html.contains("<th>comment"));
    let nothing = TableAbout::read("v".to_owned(), &[]);
    assert_eq!(forms(&about_table(&nothing)).1, "v");
}

#[test]
fn a_function_has_its_calls_its_words_and_its_sections() {
    let told = "Function: abs\nClass: org.apache.spark.Abs\nUsage: abs(expr) - Returns the absolute value\n  of `expr`.\n\
        Extended Usage:\n    Arguments:\n      * expr - A number.\n        Or an interval.\n  \n    Examples:\n      > SELECT abs(-1);\n       1\n  \n    Since: 1.2.0\n";
    let (html, text) = forms(&about_function("abs", told));
    assert_eq!(
        text,
        "abs(expr)\n  Returns the absolute value of `expr`.\n\nArguments\n* expr - A number.\n  Or an interval.\n\n\
         Examples\n> SELECT abs(-1);\n 1\n\nSince\n1.2.0"
    );
    assert!(html.contains("<code><b>abs(expr)</b></code>"), "{html}");
    assert!(html.contains("value of <code>expr</code>."), "{html}");
    assert!(!text.contains("org.apache"));
}

#[test]
fn what_spark_tells_otherwise_stays_as_it_is() {
    for (told, expected) in [
        ("", "f"),
        ("Usage:\n", "f"),
        (
            "Function:      f\nInput:         x INT\nBody:          x + 1",
            "f\n\nFunction:      f\nInput:         x INT\nBody:          x + 1",
        ),
        (
            "Usage: \n    f(a, b) - Does it.\n    Twice.\n",
            "f(a, b)\n  Does it. Twice.",
        ),
        ("Usage: does it", "f\n  does it"),
    ] {
        assert_eq!(forms(&about_function("f", told)).1, expected, "{told}");
    }
}

#[test]
fn a_magic_and_a_column_have_their_usage_and_type() {
    let (html, text) = forms(&about_magic("%keep [TIME]", "such as `2h`"));
    assert_eq!(text, "%keep [TIME]\n  such as `2h`");
    assert!(
        html.ends_with("<div>such as <code>2h</code></div>"),
        "{html}"
    );
    let (html, text) = forms(&about_column("<a>", "map<int,string>"));
    assert_eq!(text, "<a>  map<int,string>");
    assert!(html.contains("<b>&lt;a&gt;</b> <code>map&lt;int,string&gt;</code>"));
}

proptest! {
    #[test]
    fn nothing_told_is_markup_and_every_line_fits(told in "(?s).{0,300}|\\PC{0,300}|(Usage:|<script>|[ -~]|\n){0,60}") {
        let about = TableAbout {
            name: told.clone(),
            columns: vec![[told.clone(), told.clone(), told.clone()]],
            comment: told.clone(),
            facts: vec![("query", told.clone())],
        };
        let shown = [
            about_table(&about),
            about_function(&told, &told),
            about_function("f", &format!("Usage:\n{told}\nExamples:\n{told}")),
            about_magic(&told, &told),
            about_column(&told, &told),
        ];
        let known = [
            "html", "style", "div", "b", "br", "code", "pre", "table", "thead", "tbody", "tr", "th", "td",
        ];
        let all = Selector::parse("*").unwrap();
        for media in &shown {
            let (html, text) = forms(media);
            for line in text.split('\n') {
                prop_assert!(line.width() <= WIDEST, "{line}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            for element in Html::parse_fragment(&html).select(&all) {
                prop_assert!(known.contains(&element.value().name()), "{}", element.value().name());
            }
        }
    }
}
