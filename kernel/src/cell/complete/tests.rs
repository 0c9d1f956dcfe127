use proptest::prelude::*;

use super::*;

fn table(schema: Option<&str>, name: &str, columns: &[(&str, &str)]) -> Table {
    let column = |(name, data_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
    };
    Table {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
        columns: (!columns.is_empty()).then(|| columns.iter().map(column).collect()),
    }
}

fn catalog() -> Catalog {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Catalog {
        catalogs: words(&["spark_catalog", "lake"]),
        schemas: words(&["default", "sales"]),
        schema: Some("default".to_owned()),
        tables: vec![
            table(
                None,
                "trips",
                &[
                    ("id", "bigint"),
                    ("trip fare", "double"),
                    ("City", "string"),
                ],
            ),
            table(
                Some("default"),
                "flights",
                &[("carrier", "string"), ("delay", "int"), ("id", "int")],
            ),
            table(Some("default"), "odd-name", &[("x", "int")]),
            table(Some("default"), "unseen", &[]),
            table(
                Some("sales"),
                "orders",
                &[("order_id", "bigint"), ("total", "decimal(9,2)")],
            ),
        ],
        functions: words(&["concat", "count", "date_add", "array_contains"]),
    }
}

/// A text with the cursor as `|`; the proposals at the beginning of the answer; the replaced text.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: &[Case] = &[
    // Tables.
    (
        "SELECT * FROM |",
        &[
            "`odd-name`",
            "flights",
            "trips",
            "unseen",
            "default",
            "sales",
        ],
        "",
    ),
    ("SELECT * FROM f|", &["flights"], "f"),
    ("SELECT * FROM F|", &["flights"], "F"),
    ("SELECT * FROM odd|", &["`odd-name`"], "odd"),
    ("SELECT * FROM `odd|", &["`odd-name`"], "`odd"),
    ("SELECT * FROM `f|", &["`flights`"], "`f"),
    ("SELECT * FROM sales.|", &["orders"], ""),
    ("SELECT * FROM sales.o|", &["orders"], "o"),
    ("SELECT * FROM SALES.o|", &["orders"], "o"),
    ("SELECT * FROM `sales`.o|", &["orders"], "o"),
    ("SELECT * FROM sal|", &["sales"], "sal"),
    ("SELECT * FROM lak|", &["lake"], "lak"),
    ("SELECT * FROM lake.s|", &["sales"], "s"),
    ("SELECT * FROM trips, fl|", &["flights"], "fl"),
    ("SELECT * FROM trips JOIN fl|", &["flights"], "fl"),
    ("SELECT * FROM trips LEFT JOIN fl|", &["flights"], "fl"),
    ("INSERT INTO fl|", &["flights"], "fl"),
    ("UPDATE fl|", &["flights"], "fl"),
    ("DELETE FROM fl|", &["flights"], "fl"),
    ("MERGE INTO fl|", &["flights"], "fl"),
    ("MERGE INTO flights USING tr|", &["trips"], "tr"),
    ("DESCRIBE fl|", &["flights"], "fl"),
    ("DESC EXTENDED fl|", &["flights"], "fl"),
    ("DROP TABLE fl|", &["flights"], "fl"),
    ("CACHE TABLE fl|", &["flights"], "fl"),
    ("DROP VIEW tr|", &["trips"], "tr"),
    ("SELECT * FROM (SELECT * FROM fl|", &["flights"], "fl"),
    ("SELECT * FROM light|", &["flights"], "light"),
    // Schemas.
    ("USE sa|", &["sales"], "sa"),
    ("SHOW TABLES IN sa|", &["sales"], "sa"),
    ("DROP SCHEMA sa|", &["sales"], "sa"),
    // Columns.
    (
        "SELECT | FROM flights",
        &["carrier", "delay", "id", "flights"],
        "",
    ),
    ("SELECT ca| FROM flights", &["carrier"], "ca"),
    ("SELECT CA| FROM flights", &["carrier"], "CA"),
    ("SELECT f.| FROM flights f", &["carrier", "delay", "id"], ""),
    ("SELECT f.d| FROM flights AS f", &["delay"], "d"),
    ("SELECT F.d| FROM flights AS f", &["delay"], "d"),
    ("SELECT flights.d| FROM flights", &["delay"], "d"),
    ("SELECT f.d| FROM flights AS `f`", &["delay"], "d"),
    ("SELECT `f`.d| FROM flights f", &["delay"], "d"),
    (
        "SELECT t.| FROM trips t",
        &["City", "`trip fare`", "id"],
        "",
    ),
    ("SELECT t.`tr| FROM trips t", &["`trip fare`"], "`tr"),
    ("SELECT cit| FROM trips", &["City"], "cit"),
    ("SELECT o.| FROM sales.orders o", &["order_id", "total"], ""),
    ("SELECT orders.t| FROM sales.orders", &["total"], "t"),
    (
        "SELECT t.id, f.| FROM trips t JOIN flights f",
        &["carrier", "delay", "id"],
        "",
    ),
    ("SELECT * FROM trips t JOIN flights f ON f.i|", &["id"], "i"),
    (
        "SELECT * FROM trips t, flights f WHERE f.c|",
        &["carrier"],
        "c",
    ),
    ("SELECT * FROM flights WHERE de|", &["delay"], "de"),
    (
        "SELECT * FROM flights WHERE delay > 5 AND ca|",
        &["carrier"],
        "ca",
    ),
    ("SELECT * FROM flights GROUP BY ca|", &["carrier"], "ca"),
    (
        "SELECT * FROM flights ORDER BY de|",
        &["delay", "decimal"],
        "de",
    ),
    ("SELECT max(de|) FROM flights", &["delay"], "de"),
    ("SELECT CASE WHEN de| FROM flights", &["delay"], "de"),
    ("UPDATE flights SET de|", &["delay"], "de"),
    ("SELECT nothing.| FROM flights", &[], ""),
    (
        "SELECT 1 FROM flights UNION SELECT f.| FROM trips f",
        &["City", "`trip fare`", "id"],
        "",
    ),
    ("SELECT fl| FROM flights", &["flights"], "fl"),
    // Subqueries and WITH.
    (
        "SELECT q.| FROM (SELECT carrier, delay AS late FROM flights) q",
        &["carrier", "late"],
        "",
    ),
    (
        "SELECT q.| FROM (SELECT * FROM flights) AS q",
        &["carrier", "delay", "id"],
        "",
    ),
    (
        "SELECT q.| FROM (SELECT f.*, 1 one FROM flights f, trips t) q",
        &["carrier", "delay", "id", "one"],
        "",
    ),
    (
        "SELECT * FROM trips t WHERE EXISTS (SELECT 1 FROM flights f WHERE f.id = t.|)",
        &["City", "`trip fare`", "id"],
        "",
    ),
    (
        "SELECT * FROM flights WHERE id IN (SELECT Ci| FROM trips)",
        &["City"],
        "Ci",
    ),
    (
        "WITH late AS (SELECT carrier FROM flights) SELECT * FROM la|",
        &["late", "lake", "lateral"],
        "la",
    ),
    (
        "WITH late AS (SELECT carrier c FROM flights) SELECT late.| FROM late",
        &["c"],
        "",
    ),
    (
        "WITH late(a, b) AS (SELECT 1, 2) SELECT l.| FROM late l",
        &["a", "b"],
        "",
    ),
    (
        "WITH a AS (SELECT id one FROM trips), b AS (SELECT * FROM a) SELECT b.| FROM b",
        &["one"],
        "",
    ),
    // Functions and keywords.
    (
        "SELECT con|",
        &["concat", "condition", "constraint", "contains", "continue"],
        "con",
    ),
    ("SELECT date_a| FROM flights", &["date_add"], "date_a"),
    ("SEL|", &["SELECT"], "SEL"),
    ("sel|", &["select"], "sel"),
    ("SELECT 1 UNIO|", &["UNION"], "UNIO"),
    ("wher|", &[], "wher"),
    ("SELECT * FROM flights wher|", &["where"], "wher"),
    // Where nothing can be told.
    ("SELECT 'de| FROM flights", &[], ""),
    ("SELECT 'de|' FROM flights", &[], ""),
    ("SELECT 1 -- de|", &[], ""),
    ("SELECT /* de| */ 1 FROM flights", &[], ""),
    ("SELECT 1de| FROM flights", &[], ""),
    // Places in a cell.
    ("SELECT 1; SELECT de| FROM flights", &["delay"], "de"),
    ("SELECT de| FROM flights; SELECT 'x", &["delay"], "de"),
    (
        "SELECT f.d| FROM flights f; SELECT * FROM trips f",
        &["delay"],
        "d",
    ),
    ("SELECT 1; sel|", &["select"], "sel"),
    ("%limit 5\nSELECT de| FROM flights", &["delay"], "de"),
    ("%%sql -n 5\nSELECT de| FROM flights", &["delay"], "de"),
    ("SELECT '😀', f.d| FROM flights f", &["delay"], "d"),
    ("SELECT '👩‍🚀é' e, de| FROM flights", &["delay"], "de"),
    ("SELECT\n  de|\nFROM flights", &["delay"], "de"),
    ("SELECT -- f.x\n de| FROM flights", &["delay"], "de"),
    ("SELECT (de| FROM flights", &["delay"], "de"),
    ("%lim|", &["%limit"], "%lim"),
    ("%help lim|", &["limit"], "lim"),
];

#[test]
fn every_case_is_completed_from_its_context() {
    let catalog = catalog();
    let mut wrong = Vec::new();
    for (marked, expected, replaced) in CASES {
        let cursor = marked.chars().position(|ch| ch == '|').unwrap();
        let source: String = marked.chars().filter(|ch| *ch != '|').collect();
        let found = complete(&source, cursor, &catalog);
        let texts: Vec<&str> = found.matches.iter().map(|m| m.text.as_str()).collect();
        let first = &texts[..texts.len().min(expected.len())];
        let as_expected = match expected {
            [] => texts.is_empty(),
            _ => first == *expected,
        };
        let there: String = source
            .chars()
            .skip(found.start)
            .take(found.end - found.start)
            .collect();
        let in_place = expected.is_empty() || (there == *replaced && found.end == cursor);
        if !(as_expected && in_place) {
            wrong.push(format!("{marked}: {texts:?} for {there:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(CASES.len() >= 80, "{}", CASES.len());
}

#[test]
fn what_the_catalog_does_not_tell_is_named() {
    let columns = |schema: Option<&str>, name: &str| Unknown::Columns {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
    };
    for (source, expected) in [
        (
            "SELECT * FROM unseen WHERE ",
            vec![columns(Some("default"), "unseen")],
        ),
        (
            "SELECT * FROM UNSEEN WHERE ",
            vec![columns(Some("default"), "unseen")],
        ),
        ("SELECT * FROM a.b WHERE ", vec![columns(Some("a"), "b")]),
        (
            "SELECT * FROM (SELECT * FROM new) q WHERE ",
            vec![columns(None, "new")],
        ),
        ("WITH c AS (SELECT 1) SELECT * FROM c WHERE ", vec![]),
        ("SELECT * FROM flights WHERE ", vec![]),
        (
            "SELECT * FROM other.",
            vec![Unknown::Tables("other".to_owned())],
        ),
        ("SELECT * FROM sales.", vec![]),
    ] {
        let found = complete(source, source.chars().count(), &catalog());
        assert_eq!(found.unknown, expected, "{source}");
    }
}

#[test]
fn a_name_is_told_by_where_it_stands() {
    let table = |named: Option<Named>| match named {
        Some(Named::Table { name, columns }) => format!("{} {}", name.join("."), columns.len()),
        Some(Named::Column(column)) => format!("{}: {}", column.name, column.data_type),
        Some(Named::Function(name)) => format!("{name}()"),
        None => String::new(),
    };
    for (marked, expected) in [
        ("SELECT * FROM fli|ghts", "flights 3"),
        ("SELECT f|.delay FROM flights f", "flights 3"),
        ("SELECT f.del|ay FROM flights f", "delay: int"),
        ("SELECT CITY| FROM trips", "City: string"),
        ("SELECT cou|nt(1)", "count()"),
        ("SELECT * FROM sales.ord|ers", "sales.orders 2"),
        ("WITH q AS (SELECT 1 AS one) SELECT * FROM q|", "q 1"),
        ("SELECT 'fli|ghts'", ""),
        ("SELECT nothing|", ""),
        ("|", ""),
    ] {
        let cursor = marked.chars().position(|ch| ch == '|').unwrap();
        let source = marked.replace('|', "");
        let named = named_at(&source, cursor, &catalog());
        assert_eq!(table(named), expected, "{marked}");
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_the_span_is_in_the_cell(
        bits in prop::collection::vec(
            prop::sample::select(vec![
                "SELECT ", "* ", "FROM ", "flights", " f ", "f.", "(", ")", ", ", "WITH ", "AS ", "`",
                "'", "--", "\n", ";", "%", "😀", "é", "JOIN ", "UNION ", ".", "1", "/*", "*/", "odd",
            ]),
            0..20,
        ),
        at in any::<prop::sample::Index>(),
    ) {
        let source = bits.concat();
        let length = source.chars().count();
        let cursor = at.index(length + 1);
        let found = complete(&source, cursor, &catalog());
        named_at(&source, cursor, &catalog());
        prop_assert!(found.start <= found.end && found.end == cursor && cursor <= length);
    }
}
