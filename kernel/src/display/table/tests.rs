use std::sync::Arc;
use std::time::Duration;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::*;
use jupyter_protocol::{Media, MediaType};
use scraper::{ElementRef, Html, Selector};

use super::super::{Facts, Remaining, Zone};
use super::table;

pub(super) fn facts() -> Facts {
    Facts {
        remaining: Remaining::Nothing,
        rows: 0,
        there: None,
        bytes: 640,
        elapsed: Duration::from_millis(120),
        bytes_read: None,
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn shown(batch: &RecordBatch) -> (String, String) {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    forms(&table(
        &batch.schema(),
        std::slice::from_ref(batch),
        &zone,
        &facts(),
    ))
}

fn forms(media: &Media) -> (String, String) {
    match media.content.as_slice() {
        [MediaType::Html(html), MediaType::Plain(plain), ..] => (html.clone(), plain.clone()),
        other => panic!("{other:?}"),
    }
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// The texts of one column's cells, first in HTML, then in text.
fn column(array: ArrayRef) -> (Vec<String>, Vec<String>) {
    let (html, plain) = shown(&batch(vec![("c", array)]));
    let html = Html::parse_fragment(&html);
    let cells = all(&html, "td").into_iter().map(text).collect();
    let lines: Vec<&str> = plain.lines().collect();
    let rows = lines[3..lines.len() - 1].iter();
    (cells, rows.map(|line| line.trim().to_owned()).collect())
}

fn check(array: impl Array + 'static, expected: &[&str]) {
    let (html, plain) = column(Arc::new(array));
    assert_eq!(html, expected);
    assert_eq!(plain, expected);
}

#[test]
fn a_table_has_names_types_values_and_a_footer() {
    let batch = batch(vec![
        ("carrier", Arc::new(StringArray::from(vec!["9E", "AA"]))),
        ("flights", Arc::new(Int64Array::from(vec![18_460, 32_729]))),
        ("delay", Arc::new(Float64Array::from(vec![7.5, 0.25]))),
    ]);
    let (html, plain) = shown(&batch);
    assert_eq!(
        plain,
        "carrier  flights   delay\n\
         string    bigint  double\n\
         ───────  ───────  ──────\n\
         9E         18460    7.50\n\
         AA         32729    0.25\n\
         2 rows · 640 bytes · 0.12 s"
    );
    let html = Html::parse_fragment(&html);
    let heads: Vec<String> = all(&html, "thead th").into_iter().map(text).collect();
    assert_eq!(heads, ["carrierstring", "flightsbigint", "delaydouble"]);
    let rows: Vec<Vec<String>> = all(&html, "tbody tr")
        .into_iter()
        .map(|row| row.child_elements().map(text).collect())
        .collect();
    assert_eq!(rows, [["9E", "18460", "7.50"], ["AA", "32729", "0.25"]]);
    assert_eq!(all(&html, "td[align=right]").len(), 4);
    assert_eq!(
        text(all(&html, ".firesteel-foot")[0]),
        "2 rows · 640 bytes · 0.12 s"
    );
    assert!(all(&html, "script").is_empty());
}

#[test]
fn floats_line_up_and_hide_nothing() {
    check(
        Float64Array::from(vec![
            Some(1.0),
            Some(-12.5),
            Some(f64::NAN),
            Some(f64::INFINITY),
            Some(f64::NEG_INFINITY),
            Some(0.0),
            Some(-0.0),
            Some(1e-7),
            Some(1e20),
            None,
        ]),
        &[
            "1.0",
            "-12.5",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.0",
            "-0.0",
            "1e-7",
            "1e20",
            "NULL",
        ],
    );
    check(Float32Array::from(vec![0.1, 16.75]), &["0.10", "16.75"]);
    let (html, _) = shown(&batch(vec![(
        "c",
        Arc::new(Float64Array::from(vec![0.1 + 0.2, 2.0])),
    )]));
    let html = Html::parse_fragment(&html);
    let cells = all(&html, "td");
    assert_eq!(text(cells[0]), "0.300000");
    assert_eq!(cells[0].attr("title"), Some("0.30000000000000004"));
    assert_eq!(text(cells[1]), "2.000000");
    assert_eq!(cells[1].attr("title"), None);
}

#[test]
fn decimals_of_all_scales_keep_every_digit() {
    let decimal = |values: Vec<i128>, precision, scale| {
        Decimal128Array::from(values)
            .with_precision_and_scale(precision, scale)
            .unwrap()
    };
    check(
        decimal(vec![0, 5, -12345], 10, 2),
        &["0.00", "0.05", "-123.45"],
    );
    check(decimal(vec![7, -7], 10, 0), &["7", "-7"]);
    check(
        decimal(vec![1, -1], 38, 38),
        &[
            "0.00000000000000000000000000000000000001",
            "-0.00000000000000000000000000000000000001",
        ],
    );
    check(
        decimal(
            vec![99_999_999_999_999_999_999_999_999_999_999_999_999],
            38,
            10,
        ),
        &["9999999999999999999999999999.9999999999"],
    );
}

#[test]
fn values_of_every_plain_type_are_readable() {
    check(
        BooleanArray::from(vec![Some(true), Some(false), None]),
        &["true", "false", "NULL"],
    );
    check(Int8Array::from(vec![i8::MIN]), &["-128"]);
    check(Int16Array::from(vec![i16::MIN]), &["-32768"]);
    check(Int32Array::from(vec![i32::MIN]), &["-2147483648"]);
    check(StringArray::from(vec!["a b", "é"]), &["a b", "é"]);
    check(LargeStringArray::from(vec!["long"]), &["long"]);
    check(
        Int64Array::from(vec![i64::MIN, i64::MAX]),
        &["-9223372036854775808", "9223372036854775807"],
    );
    check(NullArray::new(2), &["NULL", "NULL"]);
    check(
        Date32Array::from(vec![0, -4_371_587, 2_932_896, i32::MAX]),
        &["1970-01-01", "-9999-01-01", "9999-12-31", "+5881580-07-11"],
    );
    check(
        TimestampMicrosecondArray::from(vec![0, 1_500_000]),
        &["1970-01-01 00:00:00.000", "1970-01-01 00:00:01.500"],
    );
    check(
        TimestampMicrosecondArray::from(vec![0]).with_timezone("Europe/Berlin"),
        &["1970-01-01 01:00:00"],
    );
    check(
        Time64NanosecondArray::from(vec![45_296_500_000_000]),
        &["12:34:56.5"],
    );
    check(IntervalYearMonthArray::from(vec![14]), &["1-2"]);
    check(
        DurationMicrosecondArray::from(vec![93_784_500_000]),
        &["1 02:03:04.5"],
    );
    check(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3_000_000_000)]),
        &["1 months 2 days 3 seconds"],
    );
    check(
        BinaryArray::from(vec![&b""[..], b"a", &[0xff; 20]]),
        &[
            "0 bytes",
            "1 byte: 61",
            "20 bytes: ff ff ff ff ff ff ff ff …",
        ],
    );
    check(
        LargeBinaryArray::from(vec![&b"ab"[..]]),
        &["2 bytes: 61 62"],
    );
    let fixed = FixedSizeBinaryArray::try_from_iter([[1, 2]].into_iter()).unwrap();
    check(fixed, &["2 bytes: 01 02"]);
}

#[test]
fn instants_are_shown_in_the_zone_that_came_with_them_and_their_header_names_it() {
    for (named, zone, shown_as) in [
        ("Europe/Berlin", "Europe/Berlin", "1970-01-01 01:00:00"),
        (
            "America/New_York",
            "America/New_York",
            "1969-12-31 19:00:00",
        ),
        ("+02:00", "+02:00", "1970-01-01 02:00:00"),
        ("UTC", "UTC", "1970-01-01 00:00:00"),
        // The session's as it was when it was opened.
        ("Mars/Olympus", "Europe/Berlin", "1970-01-01 01:00:00"),
    ] {
        let instants = TimestampMicrosecondArray::from(vec![0]).with_timezone(named);
        let field = Field::new("t", instants.data_type().clone(), true);
        let nested = StructArray::from(vec![(
            Arc::new(field),
            Arc::new(instants.clone()) as ArrayRef,
        )]);
        let (_, plain) = shown(&batch(vec![("n", Arc::new(nested))]));
        let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
        assert_eq!(lines[1], format!("struct<t:timestamp> ({zone})"));
        assert_eq!(lines[3], format!("{{t: {shown_as}}}"));
        let (_, plain) = shown(&batch(vec![("t", Arc::new(instants))]));
        let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
        assert_eq!(lines[1], format!("timestamp ({zone})"));
        assert_eq!(lines[3], shown_as, "{named}");
    }
}

#[test]
fn a_narrow_table_still_names_the_zone() {
    let instants = TimestampMicrosecondArray::from(vec![0]).with_timezone("America/New_York");
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(60)]));
    let mut columns = vec![("t", Arc::new(instants) as ArrayRef)];
    columns.extend((0..6).map(|_| ("c", text.clone())));
    let (_, plain) = shown(&batch(columns));
    let types = plain.lines().nth(1).unwrap();
    assert!(
        types.starts_with("timestamp (America/New_York)  "),
        "{types}"
    );
    assert!(
        plain.lines().all(|line| line.chars().count() <= 120),
        "{plain}"
    );
}

#[test]
fn nested_values_are_readable() {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("say \"b\"")]);
    list.append_value([None::<&str>; 0]);
    list.append_null();
    check(
        list.finish(),
        &["[\"a\", NULL, \"say \\\"b\\\"\"]", "[]", "NULL"],
    );

    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.keys().append_value("l");
    map.values().append_null();
    map.append(true).unwrap();
    check(map.finish(), &["{\"k\": 1, \"l\": NULL}"]);

    let inner = ListArray::new(
        Arc::new(Field::new("element", DataType::Int32, true)),
        OffsetBuffer::from_lengths([2]),
        Arc::new(Int32Array::from(vec![1, 2])),
        None,
    );
    let structs = StructArray::from(vec![
        (
            Arc::new(Field::new("x", inner.data_type().clone(), true)),
            Arc::new(inner) as ArrayRef,
        ),
        (
            Arc::new(Field::new("y", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![0.5])),
        ),
    ]);
    check(structs, &["{x: [1, 2], y: 0.5}"]);

    let binary = |bytes: &[u8]| -> ArrayRef { Arc::new(BinaryArray::from(vec![bytes])) };
    let marked = Field::new("metadata", DataType::Binary, false).with_metadata(
        std::collections::HashMap::from([("variant".to_owned(), "true".to_owned())]),
    );
    let variant = StructArray::from(vec![
        (
            Arc::new(Field::new("value", DataType::Binary, false)),
            binary(&[12, 1]),
        ),
        (Arc::new(marked), binary(&[1])),
    ]);
    check(variant, &["variant of 2 bytes: 0c 01"]);
}

#[test]
fn null_is_told_from_empty_text_and_from_the_word() {
    let (html, _) = shown(&batch(vec![(
        "c",
        Arc::new(StringArray::from(vec![None, Some(""), Some("NULL")])),
    )]));
    let html = Html::parse_fragment(&html);
    let cells: Vec<(String, bool)> = all(&html, "td")
        .into_iter()
        .map(|cell| {
            (
                text(cell),
                cell.first_child()
                    .is_some_and(|child| child.value().is_element()),
            )
        })
        .collect();
    let expected = [("NULL", true), ("", false), ("NULL", false)];
    assert_eq!(cells, expected.map(|(text, null)| (text.to_owned(), null)));
}

#[test]
fn long_text_is_cut_and_whole_in_its_title() {
    let long = "<\"&'> ".repeat(50);
    let (html, plain) = shown(&batch(vec![(
        "c",
        Arc::new(StringArray::from(vec![long.as_str()])),
    )]));
    let html = Html::parse_fragment(&html);
    let cell = all(&html, "td")[0];
    assert_eq!(cell.attr("title"), Some(long.as_str()));
    assert_eq!(text(cell).chars().count(), 101);
    assert!(text(cell).ends_with('…'));
    let row = plain.lines().nth(3).unwrap();
    assert!(row.ends_with('…') && row.chars().count() == 48, "{row}");

    let huge = "x".repeat(1_000_000);
    let (html, _) = shown(&batch(vec![(
        "c",
        Arc::new(StringArray::from(vec![huge.as_str()])),
    )]));
    let html = Html::parse_fragment(&html);
    let title = all(&html, "td")[0].attr("title").unwrap();
    assert!(
        title.ends_with("x… and 990,000 characters more"),
        "{}",
        &title[9_990..]
    );
}

#[test]
fn data_is_never_markup() {
    let hostile = [
        "<script>alert(1)</script>",
        "</td></tr></table><h1>x",
        "\" onmouseover=\"alert(1)",
        "' style='color:red",
        "<!-- --><style>*{display:none}</style>",
        "&lt;b&gt; &amp;",
        "\u{1b}[31mred\u{7}\0\u{9b}1m",
        "\u{202e}gnp.exe",
        "]]><![CDATA[",
    ];
    let names: Vec<String> = hostile.iter().map(|text| text.repeat(20)).collect();
    let columns = hostile
        .iter()
        .chain(names.iter().map(|name| &**name).collect::<Vec<_>>().iter())
        .map(|name| {
            let values = hostile
                .iter()
                .copied()
                .chain(names.iter().map(String::as_str));
            (
                *name,
                Arc::new(values.map(Some).collect::<StringArray>()) as ArrayRef,
            )
        })
        .collect();
    let (html, plain) = shown(&batch(columns));
    let parsed = Html::parse_fragment(&html);
    let known = [
        "html", "style", "div", "table", "thead", "tbody", "tr", "th", "td", "small", "i", "br",
    ];
    for element in all(&parsed, "*") {
        let element = element.value();
        assert!(known.contains(&element.name()), "{element:?}");
        for (name, value) in element.attrs() {
            assert!(
                name == "title"
                    || name == "class" && ["firesteel", "firesteel-foot"].contains(&value)
                    || name == "align" && value == "right"
                    || name == "style" && value == "max-height:34em;overflow:auto",
                "{element:?}"
            );
        }
    }
    assert_eq!(all(&parsed, "td").len(), 18 * 18);
    assert_eq!(text(all(&parsed, "td")[0]), hostile[0]);
    for form in [&html, &plain] {
        let acting = |ch: char| ch.is_control() && ch != '\n' || ch == '\u{202e}';
        assert!(!form.contains(acting), "{:?}", form.find(acting));
    }
}

#[test]
fn a_table_reads_well_where_styles_are_stripped() {
    let batch = batch(vec![
        ("name", Arc::new(StringArray::from(vec![Some("a"), None]))),
        ("n", Arc::new(Int32Array::from(vec![1, 20]))),
    ]);
    let (html, _) = shown(&batch);
    let (_, mut bare) = html.split_once("</style>").unwrap();
    let mut stripped = String::new();
    while let Some(at) = [" class=\"", " style=\""]
        .iter()
        .filter_map(|a| bare.find(a))
        .min()
    {
        stripped.push_str(&bare[..at]);
        bare = bare[at..].splitn(3, '"').nth(2).unwrap();
    }
    stripped.push_str(bare);
    assert_eq!(
        stripped,
        "<div><table><thead><tr><th>name<br><small>string</small></th>\
         <th align=\"right\">n<br><small>int</small></th></tr></thead><tbody>\n\
         <tr><td>a</td><td align=\"right\">1</td></tr>\n\
         <tr><td><i>NULL</i></td><td align=\"right\">20</td></tr>\n\
         </tbody></table></div><div>2 rows · 640 bytes · 0.12 s</div>"
    );
}

#[test]
fn columns_may_share_a_name() {
    let one: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let (_, plain) = shown(&batch(vec![("a", one.clone()), ("a", one)]));
    assert!(plain.starts_with("  a    a\nint  int\n"), "{plain}");
}

#[test]
fn a_table_without_rows_or_columns_says_so() {
    let (html, plain) = shown(&batch(vec![("a", Arc::new(Int32Array::from(vec![0; 0])))]));
    assert_eq!(plain, "  a\nint\n───\n0 rows · 640 bytes · 0.12 s");
    assert_eq!(all(&Html::parse_fragment(&html), "th").len(), 1);
    let media = table(&Schema::empty(), &[], &Zone::utc(), &facts());
    assert_eq!(forms(&media).1, "no columns\n0 rows · 640 bytes · 0.12 s");
}

#[test]
fn rows_of_several_batches_are_one_table() {
    let one = batch(vec![("a", Arc::new(Float64Array::from(vec![1.0])))]);
    let two = batch(vec![("a", Arc::new(Float64Array::from(vec![2.25])))]);
    let media = table(&one.schema(), &[one, two], &Zone::utc(), &facts());
    assert_eq!(
        forms(&media).1,
        "     a\ndouble\n──────\n  1.00\n  2.25\n2 rows · 640 bytes · 0.12 s"
    );
}

#[test]
fn a_single_text_of_many_lines_is_shown_as_it_is() {
    let plan = "== Physical Plan ==\n*(1) Project [<1>]\n\t+- Scan\u{1b}\n\n";
    let (html, text) = shown(&batch(vec![(
        "plan",
        Arc::new(StringArray::from(vec![plan])),
    )]));
    assert_eq!(
        text,
        "== Physical Plan ==\n*(1) Project [<1>]\n\t+- Scan\\u{1b}\n\n1 row · 640 bytes · 0.12 s"
    );
    let html = Html::parse_fragment(&html);
    let pre = all(&html, "pre")[0];
    assert_eq!(
        self::text(pre),
        "== Physical Plan ==\n*(1) Project [<1>]\n\t+- Scan\\u{1b}"
    );
}

#[test]
fn a_wide_table_names_the_columns_that_are_missing() {
    let names: Vec<String> = (0..30).map(|index| format!("column {index:02}")).collect();
    let columns = (0..30)
        .map(|index| {
            let value = format!("{index:012}");
            (
                names[index].as_str(),
                Arc::new(StringArray::from(vec![value])) as ArrayRef,
            )
        })
        .collect();
    let (html, plain) = shown(&batch(columns));
    assert_eq!(all(&Html::parse_fragment(&html), "th").len(), 30);
    assert!(
        plain.contains("\n20 more columns not shown: column 10, column 11, column 12, "),
        "{plain}"
    );
    assert!(
        plain.lines().all(|line| line.chars().count() <= 120),
        "{plain}"
    );
}

mod whatever_is_in_it {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn cell() -> impl Strategy<Value = Option<String>> {
        prop_oneof![
            1 => Just(None),
            4 => "\\PC{0,30}".prop_map(Some),
            2 => ".{0,200}".prop_map(Some),
            2 => prop::sample::select(vec![
                "👨‍👩‍👧", "שלום עולם", "e\u{301}e\u{301}", "日本語", "❤\u{fe0f}", "\u{200d}", "🇩🇪🇩", "ﷺ",
            ])
            .prop_map(|text| Some(text.repeat(3))),
        ]
    }

    /// Pieces of markup, of what acts, and of characters that are made of several.
    fn name() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "\\PC{0,8}",
            ".{0,8}",
            prop::sample::select(vec![
                "<b>",
                "</td>",
                "</table>",
                "<!--",
                "]]>",
                "&lt;",
                "&#60;",
                "\"",
                "'",
                "=",
                "/>",
                "<script>",
                "title=",
                "\u{1b}[31m",
                "\u{202e}",
                "\0",
                "\n",
                "\t",
                "👨‍👩‍👧",
                "e\u{301}",
                "🇩🇪",
                "\u{301}",
                "\u{200d}",
                "❤\u{fe0f}",
                "가",
                "क्षि",
                "﷽",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn text_fits_and_its_columns_begin_in_one_place(
            rows in (1usize..6).prop_flat_map(|columns| {
                prop::collection::vec(prop::collection::vec(cell(), columns), 1..5)
            })
        ) {
            let text = |values: StringArray| ("c", Arc::new(values) as ArrayRef);
            let last = text(rows.iter().map(|_| Some("\u{a6}")).collect());
            let columns = (0..rows[0].len())
                .map(|column| text(rows.iter().map(|row| row[column].clone()).collect()))
                .chain([last])
                .collect();
            let (html, plain) = shown(&batch(columns));
            let parsed = Html::parse_fragment(&html);
            prop_assert_eq!(all(&parsed, "td").len(), rows.len() * (rows[0].len() + 1));
            prop_assert_eq!(plain.lines().count(), rows.len() + 4);
            let mut starts = Vec::new();
            for line in plain.lines().skip(3).take(rows.len()) {
                prop_assert!(line.width() <= 120, "{:?}", line);
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
                starts.push(line.rfind('\u{a6}').map(|at| line[..at].width()));
            }
            starts.dedup();
            prop_assert_eq!(starts.len(), 1, "{}", plain);
        }

        #[test]
        fn no_text_and_no_name_is_ever_markup(
            name in name(), text in prop::option::of(name())
        ) {
            let value: ArrayRef = Arc::new(StringArray::from(vec![text.clone()]));
            let nested = StructArray::from(vec![(
                Arc::new(Field::new(name.as_str(), DataType::Utf8, true)),
                value.clone(),
            )]);
            let (html, plain) = shown(&batch(vec![(&name, value), ("n", Arc::new(nested))]));
            let parsed = Html::parse_fragment(&html);
            let elements: Vec<&str> = all(&parsed, "div *").iter().map(|e| e.value().name()).collect();
            let known = ["table", "thead", "tbody", "tr", "th", "td", "small", "i", "br"];
            prop_assert!(elements.iter().all(|name| known.contains(name)), "{elements:?}");
            prop_assert_eq!(all(&parsed, "th").len(), 2);
            prop_assert_eq!(all(&parsed, "td").len(), 2);
            for element in all(&parsed, "div *") {
                prop_assert!(element.value().attrs().all(|(name, _)| name == "title"));
            }
            let cell = all(&parsed, "td")[0];
            let whole = super::super::super::text::visible_lines(&text.clone().unwrap_or_default());
            match cell.attr("title") {
                Some(title) => prop_assert_eq!(title, whole),
                None => prop_assert!(text.is_none_or(|text| text.chars().count() <= 100)),
            }
            for form in [&html, &plain] {
                let acting = |ch: char| ch.is_control() && ch != '\n' && ch != '\t';
                prop_assert!(!form.contains(acting), "{:?}", form);
            }
        }

        #[test]
        fn text_is_cut_between_characters_as_people_see_them(
            text in name(), room in 2usize..40
        ) {
            use unicode_segmentation::UnicodeSegmentation;
            use super::super::super::text::{cut, start_of, width};
            for start in [cut(&text, room), start_of(&text, room)].into_iter().flatten() {
                prop_assert!(text.starts_with(start));
                let ends = text.grapheme_indices(true).any(|(at, _)| at == start.len());
                let first = text.graphemes(true).next().unwrap_or_default();
                prop_assert!(ends || start.len() < first.len(), "{:?} of {:?}", start, text);
            }
            if let Some(start) = cut(&text, room) {
                prop_assert!(width(start) < room, "{:?}", start);
            }
            let points = start_of(&text, room).unwrap_or(&text).chars().count();
            prop_assert!(points <= room);
        }
    }
}
