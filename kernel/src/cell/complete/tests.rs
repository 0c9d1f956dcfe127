use std::sync::Arc;

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
        signatures: [("concat", "(a, b)")]
            .map(|(name, signature)| (name.to_owned(), signature.to_owned()))
            .into(),
    }
}

fn known() -> Known {
    let word = |(name, about): (&str, &str)| Word {
        name: name.to_owned(),
        about: about.to_owned(),
    };
    Known {
        catalog: Arc::new(catalog()),
        kept: [("late", "5 rows"), ("n", "1 row"), ("_", "2 rows")]
            .map(word)
            .into(),
        parameters: [("day", "DATE"), ("delay_1", "INT"), ("n", "BIGINT")]
            .map(word)
            .into(),
        given: None,
    }
}

/// What is at a place that is marked with a `|` in a text: the texts that are proposed, and the
/// text that they replace.
fn at_mark(marked: &str, known: &Known) -> (Proposals, String) {
    let cursor = marked.chars().position(|ch| ch == '|').unwrap();
    let source: String = marked.chars().filter(|ch| *ch != '|').collect();
    let found = complete(&source, cursor, known);
    assert_eq!(found.end, cursor, "{marked}");
    let there = source
        .chars()
        .skip(found.start)
        .take(found.end - found.start);
    let there = there.collect();
    (found, there)
}

fn texts(found: &Proposals) -> Vec<&str> {
    found.matches.iter().map(|m| m.text.as_str()).collect()
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
    // Parameters.
    ("SELECT :|", &["day", "delay_1", "n"], ""),
    ("SELECT 1 WHERE x=:d|", &["day", "delay_1"], "d"),
    ("SELECT f(:de|)", &["delay_1"], "de"),
    ("SELECT '😀', :da|", &["day"], "da"),
    ("SELECT x + :nothing|", &[], ""),
    ("SELECT raw:d|", &[], ""),
    ("SELECT `raw`:d|", &[], ""),
    ("SELECT f(x):d|", &[], ""),
    ("SELECT a::deci|", &["decimal"], "deci"),
    ("SELECT ':d|'", &[], ""),
    // What magics are given.
    ("%limit |", &["all", "bytes", "rows"], ""),
    ("%limit rows |", &["all"], ""),
    ("%limit bytes |", &[], ""),
    ("%keep o|", &["off"], "o"),
    ("%logs |", &["executor"], ""),
    ("%logs executor |", &[], ""),
    ("%vars |", &["drop"], ""),
    ("%vars drop |", &["late", "n", "_"], ""),
    ("%vars drop l|", &["late"], "l"),
    ("%set d|", &["day", "delay_1"], "d"),
    ("%set day |", &[], ""),
    ("%%sql |", &["-n", "-o"], ""),
    ("%%sql -n 5 |", &["-o"], ""),
    ("%%sql -n |", &["all"], ""),
    ("%%sql -o |", &[], ""),
    ("%%sql -o a -|", &["-n"], "-"),
    ("%%sql -o a -n 5\nSELECT de| FROM flights", &["delay"], "de"),
];

#[test]
fn every_case_is_completed_from_its_context() {
    let known = known();
    let mut wrong = Vec::new();
    for (marked, expected, replaced) in CASES {
        let (found, there) = at_mark(marked, &known);
        let texts = texts(&found);
        let first = &texts[..texts.len().min(expected.len())];
        let as_expected = match expected {
            [] => texts.is_empty(),
            _ => first == *expected,
        };
        let in_place = expected.is_empty() || there == *replaced;
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
        let found = complete(source, source.chars().count(), &known());
        assert_eq!(found.unknown, expected, "{source}");
    }
}

#[test]
fn a_name_is_told_by_where_it_stands() {
    let table = |named: Option<Named>| match named {
        Some(Named::Table {
            name,
            columns,
            in_catalog,
        }) => {
            let place = if in_catalog { "" } else { " here" };
            format!("{} {}{place}", name.join("."), columns.len())
        }
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
        ("WITH q AS (SELECT 1 AS one) SELECT * FROM q|", "q 1 here"),
        (
            "WITH flights AS (SELECT 1 AS one) SELECT * FROM flights|",
            "flights 1 here",
        ),
        (
            "SELECT * FROM (SELECT 1 AS one) AS flights WHERE flights|.one",
            "flights 1 here",
        ),
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

#[test]
fn proposals_say_what_they_are() {
    for (marked, expected) in [
        ("SELECT conca|", "Function (a, b)"),
        ("SELECT :da|", "Value DATE"),
        ("%vars drop la|", "Value 5 rows"),
        ("%limit ro|", "Magic "),
        ("SELECT carr| FROM flights", "Column string"),
    ] {
        let (found, _) = at_mark(marked, &known());
        let first = &found.matches[0];
        assert_eq!(format!("{:?} {}", first.kind, first.signature), expected);
    }
}

#[test]
fn functions_are_described_whose_arguments_are_not_known() {
    for (source, expected) in [
        ("SELECT co", &["count", "array_contains"][..]),
        ("SELECT conc", &[]),
        ("SELECT ", &[]),
        ("SELECT a", &["array_contains", "date_add"]),
    ] {
        let found = complete(source, source.len(), &known());
        assert_eq!(found.undescribed, expected, "{source}");
    }
}

#[test]
fn profiles_are_looked_up_where_one_is_chosen() {
    let (found, _) = at_mark("%profile b|", &known());
    assert_eq!(
        (texts(&found), &found.lack),
        (vec![], &Some(Lack::Profiles))
    );
    let names = ["big", "local"].map(str::to_owned);
    let given = Known {
        given: Some(Given::Profiles(names.into())),
        ..known()
    };
    let (found, there) = at_mark("%profile b|", &given);
    assert_eq!((texts(&found), there.as_str()), (vec!["big"], "b"));
    assert_eq!(found.lack, None);
    let (found, _) = at_mark("%dryrun l|", &given);
    assert_eq!(texts(&found), ["local"]);
    let (found, _) = at_mark("%profile big |", &given);
    assert_eq!((texts(&found), &found.lack), (vec![], &None));
}

/// A folder with a bit of everything.
fn folder() -> Known {
    let names = [
        "a.csv", "b c.csv", "it's", "x*", "ä.csv", ".hidden", "deep/", "`", "a{1}", "\u{1b}",
    ];
    let entry = |name: &str| Entry {
        name: name.trim_end_matches('/').to_owned(),
        folder: name.ends_with('/'),
    };
    Known {
        given: Some(Given::Folder(Some(names.map(entry).into()))),
        ..known()
    }
}

#[test]
fn a_path_is_completed_from_its_folder() {
    // A text with the cursor, the folder that is asked for, what is proposed then, and for what.
    type Case = (
        &'static str,
        Option<&'static str>,
        &'static [&'static str],
        &'static str,
    );
    let all = &["deep/", "a.csv", "b c.csv", "ä.csv"][..];
    let cases: [Case; 26] = [
        ("SELECT * FROM csv.`/da/|", Some("/da/"), all, ""),
        ("SELECT * FROM csv.`/da/|` WHERE x", Some("/da/"), all, ""),
        ("SELECT * FROM CSV.`/da/a|", Some("/da/"), &["a.csv"], "a"),
        ("SELECT * FROM parquet.`/|", Some("/"), all, ""),
        (
            "SELECT * FROM json.`${firesteel.here}/d|",
            Some(HERE),
            &["deep/"],
            "d",
        ),
        (
            "SELECT * FROM json.`${firesteel.here}/x/ä|",
            Some("${firesteel.here}/x/"),
            &["ä.csv"],
            "ä",
        ),
        (
            "SELECT '😀', x FROM json.`/é/b|",
            Some("/é/"),
            &["b c.csv"],
            "b",
        ),
        ("SELECT * FROM csv.`|", Some(""), &[HERE], ""),
        ("SELECT * FROM csv.`$|", Some(""), &[HERE], "$"),
        ("SELECT * FROM csv.`/da/.|", Some("/da/"), &[".hidden"], "."),
        ("SELECT * FROM csv.`/da/nothing|", Some("/da/"), &[], ""),
        (
            "CREATE TABLE t USING csv OPTIONS (path '/da/|",
            Some("/da/"),
            all,
            "",
        ),
        (
            "CREATE TABLE t USING csv OPTIONS (path '/da/a|', header true)",
            Some("/da/"),
            &["a.csv"],
            "a",
        ),
        (
            "CREATE TABLE t USING csv OPTIONS ('path' = \"/da/a|",
            Some("/da/"),
            &["a.csv"],
            "a",
        ),
        (
            "CREATE TABLE t USING csv LOCATION '/da/a|'",
            Some("/da/"),
            &["a.csv"],
            "a",
        ),
        ("LOAD DATA INPATH '/da/a|'", Some("/da/"), &["a.csv"], "a"),
        (
            "SELECT 1; SELECT * FROM csv.`/da/a|",
            Some("/da/"),
            &["a.csv"],
            "a",
        ),
        (
            "%set who it's\nSELECT * FROM csv.`/da/a|",
            Some("/da/"),
            &["a.csv"],
            "a",
        ),
        // Paths that are not on this machine, or that nobody can tell the beginning of.
        ("SELECT * FROM csv.`s3a://a/|", None, &[], ""),
        ("SELECT * FROM csv.`data/|", None, &[], ""),
        // What is no path.
        ("SELECT '/da/|'", None, &[], ""),
        ("SELECT x.`/da/|", None, &[], ""),
        ("OPTIONS (path '/da/x', header '|')", None, &[], ""),
        ("SELECT 1 -- path '/da/|", None, &[], ""),
        ("SELECT * FROM csv.`/da/\n|", None, &[], ""),
        ("%tables path '/da/|", None, &[], ""),
    ];
    for (marked, asked, expected, typed) in cases {
        let (found, _) = at_mark(marked, &known());
        let lack = asked.map(|folder| Lack::Folder(folder.to_owned()));
        assert_eq!(found.lack, lack, "{marked}");
        let (found, there) = at_mark(marked, &folder());
        if asked.is_some() {
            assert_eq!(texts(&found), expected, "{marked}");
        }
        if !expected.is_empty() {
            assert_eq!(there, typed, "{marked}");
        }
        let elsewhere = Known {
            given: Some(Given::Folder(None)),
            ..known()
        };
        let (found, _) = at_mark(marked, &elsewhere);
        assert_eq!((texts(&found), &found.lack), (vec![], &None), "{marked}");
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_the_span_is_in_the_cell(
        bits in prop::collection::vec(
            prop::sample::select(vec![
                "SELECT ", "* ", "FROM ", "flights", " f ", "f.", "(", ")", ", ", "WITH ", "AS ", "`",
                "'", "--", "\n", ";", "%", "😀", "é", "JOIN ", "UNION ", ".", "1", "/*", "*/", "odd",
                ":", "path ", "csv.", "/", "${firesteel.here}/",
            ]),
            0..20,
        ),
        at in any::<prop::sample::Index>(),
    ) {
        let source = bits.concat();
        let length = source.chars().count();
        let cursor = at.index(length + 1);
        let found = complete(&source, cursor, &known());
        named_at(&source, cursor, &catalog());
        prop_assert!(found.start <= found.end && found.end == cursor && cursor <= length);
    }
}
