use jupyter_protocol::MediaType;
use proptest::prelude::*;
use scraper::{Html, Selector};

use super::*;

/// What Spark 4.3 said of statements over two tables, one of them partitioned by its month.
macro_rules! recorded {
    ($($name:ident)*) => {
        [$((stringify!($name), include_str!(concat!("recorded/", stringify!($name), ".txt")))),*]
    };
}

const RECORDED: [(&str, &str); 27] = recorded! {
    aggregate broadcast_join cached cartesian csv ctas dpp exists generate insert nested_loop
    no_adaptive_join partition_filter partition_unused pushed python_udf repartition scan_all show
    shuffle_hash_join sort_merge_join subquery udf_not_pushed union_distinct values window
    window_all
};

fn recorded(name: &str) -> &'static str {
    let found = RECORDED.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name}")).1
}

fn forms(explained: &str) -> (String, String) {
    match plan(explained).content.as_slice() {
        [MediaType::Html(html), MediaType::Plain(plain)] => (html.clone(), plain.clone()),
        other => panic!("{other:?}"),
    }
}

fn texts(html: &str, selector: &str) -> Vec<String> {
    let html = Html::parse_fragment(html);
    let selector = Selector::parse(selector).unwrap();
    let found = html.select(&selector);
    found.map(|element| element.text().collect()).collect()
}

#[test]
fn a_plan_is_a_tree_that_branches_where_rows_come_together() {
    let (_, text) = forms(recorded("sort_merge_join"));
    let expected = "\
Project · carrier, v
SortMergeJoin Inner ◀ both sides are shuffled and sorted; a side that fits into memory could be broadcast · cast(distan…
├─ Sort · cast(distance as bigint) ASC NULLS FIRST
│  Exchange ◀ shuffle by cast(distance as bigint) into 200 partitions
│  Filter · isnotnull(distance)
│  Scan parquet spark_catalog.default.flights ◀ reads the whole table but for nulls: no other filter reaches it · pushe…
└─ Sort · id ASC NULLS FIRST
   Exchange ◀ shuffle by id into 200 partitions
   Project · id, v
   Filter · isnotnull(id)
   Scan parquet spark_catalog.default.by_month ◀ reads every partition: no condition on a partition column · pushed dow…

The statement was not run. Costly: 1 full scan, 1 scan of all partitions, 2 shuffles, 1 join of two shuffled sides. \
Spark may change joins and partitions while it runs.";
    assert_eq!(text, expected);
}

#[test]
fn a_subquery_stands_below_once_however_often_it_is_used() {
    let (_, text) = forms(recorded("subquery"));
    let titles: Vec<&str> = text.lines().filter(|line| line.ends_with(':')).collect();
    assert_eq!(titles, ["Subquery of Filter:"]);
    assert!(
        text.contains("\n\nSubquery of Filter:\nHashAggregate · avg(id)\n"),
        "{text}"
    );
}

#[test]
fn what_is_costly_is_marked_and_nothing_else() {
    let full = "reads the whole table: no filter reaches it";
    let nulls = "reads the whole table but for nulls: no other filter reaches it";
    let every = "reads every partition: no condition on a partition column";
    let python = "rows go to Python and back; functions of SQL stay in Spark";
    let all_with_all = "compares every row with every row: no columns are equal in the condition";
    let one = "shuffle into one partition";
    let by_carrier = "shuffle by carrier into 200 partitions";
    let by_id = "shuffle by id into 200 partitions";
    let by_distance = "shuffle by cast(distance as bigint) into 200 partitions";
    let sorted =
        "both sides are shuffled and sorted; a side that fits into memory could be broadcast";
    let late = "1 of 2 conditions are not pushed down";
    let cases: [(&str, &[&str]); 27] = [
        (
            "aggregate",
            &[
                "shuffle into 200 ranges to sort by avg(arr_delay) DESC NULLS LAST",
                by_carrier,
                full,
            ],
        ),
        ("broadcast_join", &[nulls, every]),
        ("cached", &[]),
        ("cartesian", &[all_with_all, full, every]),
        ("csv", &[]),
        ("ctas", &[]),
        ("dpp", &[]),
        ("exists", &[every, full, full]),
        ("generate", &[full]),
        ("insert", &[]),
        ("nested_loop", &[all_with_all, nulls, every]),
        (
            "no_adaptive_join",
            &[sorted, by_distance, nulls, by_id, every],
        ),
        ("partition_filter", &[]),
        ("partition_unused", &[every]),
        ("pushed", &[]),
        ("python_udf", &[python, python]),
        (
            "repartition",
            &["shuffle by carrier into 8 partitions", full],
        ),
        ("scan_all", &[full]),
        ("show", &[]),
        (
            "shuffle_hash_join",
            &[
                "both sides are shuffled; one of them is held in memory",
                by_distance,
                nulls,
                by_id,
                every,
            ],
        ),
        (
            "sort_merge_join",
            &[sorted, by_distance, nulls, by_id, every],
        ),
        ("subquery", &[late, nulls, one, every]),
        ("udf_not_pushed", &[late, nulls]),
        ("union_distinct", &[by_id, every, full]),
        ("values", &[]),
        ("window", &[by_carrier, full]),
        (
            "window_all",
            &[
                "all rows in one task: its OVER has no PARTITION BY",
                one,
                full,
            ],
        ),
    ];
    for (name, expected) in cases {
        let (html, text) = forms(recorded(name));
        let expected: Vec<String> = expected.iter().map(|why| format!("◀ {why}")).collect();
        assert_eq!(texts(&html, "mark"), expected, "{name}");
        for why in &expected {
            let start: String = why.chars().take(30).collect();
            assert!(text.contains(&start), "{name}: {why}");
        }
        let nothing = text.contains("Nothing in it stands out");
        assert_eq!(nothing, expected.is_empty(), "{name}");
    }
}

#[test]
fn the_page_has_every_operator_and_sparks_own_words() {
    for (name, explained) in RECORDED {
        let (html, text) = forms(explained);
        let operators = texts(&html, ".firesteel b").len();
        let rows = text
            .lines()
            .take_while(|line| !line.starts_with("The statement"));
        let rows = rows.filter(|line| !line.is_empty() && !line.ends_with(':'));
        assert_eq!(operators, rows.count(), "{name}");
        assert_eq!(
            texts(&html, "details pre"),
            [explained.trim_end()],
            "{name}"
        );
        assert!(
            !text.contains('#') && !text.contains("ColumnarToRow"),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_plan_is_shown_as_it_came() {
    for text in [
        "",
        "no plan",
        "== Physical Plan ==\nwhatever\n",
        "(1) Scan\nA: b",
    ] {
        assert_eq!(forms(text).1, text.trim_end(), "{text:?}");
    }
}

#[test]
fn names_in_a_plan_are_never_markup() {
    let evil = "<script>alert(1)</script>\u{1b}[31m\" onclick=\"x";
    let explained = recorded("sort_merge_join")
        .replace("carrier", evil)
        .replace("Sort (4)", &format!("{evil} (4)"));
    let (html, text) = forms(&explained);
    let known = [
        "html", "style", "div", "pre", "b", "mark", "small", "details", "summary",
    ];
    let parsed = Html::parse_fragment(&html);
    for element in parsed.select(&Selector::parse("*").unwrap()) {
        let element = element.value();
        assert!(known.contains(&element.name()), "{element:?}");
        assert!(
            element.attrs().all(|(name, _)| name == "class"),
            "{element:?}"
        );
    }
    for form in [&html, &text] {
        assert!(!form.contains(|ch: char| ch.is_control() && ch != '\n'));
    }
}

/// Something like a plan, and then anything.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[ :+-]{0,12}[*]? ?[A-Z][a-z]{0,8}( \\([0-9]{1,11}\\))?",
        "[ :+-]{0,40}\\PC{100,200} \\(1\\)",
        "\\([0-9]{1,3}\\) [A-Za-z ]{0,12}",
        "(Arguments|Condition|PushedFilters|Location|ReadSchema|Input \\[1\\]) ?: [\\[(a-zA-Z#0-9, )\\]]{0,30}",
        Just("== Physical Plan ==".to_owned()),
        Just("(1) Scan x".to_owned()),
        Just("Subquery:1 Hosting operator id = 1 Hosting Expression = x".to_owned()),
        Just(String::new()),
        "\\PC{0,30}",
    ];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_text_gives_some_output_that_fits(text in prop_oneof![lines(), ".{0,200}".prop_map(String::from)]) {
        let (_, told) = forms(&text);
        let tree = told.contains("The statement was not run.");
        prop_assert!(tree || told.trim_end().lines().count() == text.trim_end().lines().count());
        let fits = |line: &str| super::super::text::width(line) <= WIDTH;
        let rows = told.lines().take_while(|line| !line.starts_with("The statement"));
        prop_assert!(!tree || rows.into_iter().all(fits), "{}", told);
    }
}
