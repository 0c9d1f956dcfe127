use std::sync::Arc;

use arrow::array::{
    BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use jupyter_protocol::MediaType;
use proptest::prelude::*;
use scraper::{Html, Selector};
use unicode_width::UnicodeWidthStr;

use super::*;

fn column(name: &str, data_type: DataType) -> ColumnSummary {
    ColumnSummary {
        field: Arc::new(Field::new(name, data_type, true)),
        nulls: 0,
        nans: 0,
        distinct: None,
        marks: None,
        mean: None,
        frequent: None,
        histogram: Vec::new(),
    }
}

fn frequent(values: ArrayRef, counts: &[u64]) -> Option<Frequent> {
    Some(Frequent {
        values,
        counts: counts.to_vec(),
    })
}

fn flights() -> Summary {
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let instants = vec![
        Some(1_357_034_400_000_000),
        None,
        None,
        None,
        Some(1_388_548_800_000_000),
    ];
    Summary {
        of: "flights".to_owned(),
        rows: 336_776,
        columns: vec![
            ColumnSummary {
                distinct: Some(Distinct::Exactly(12)),
                marks: Some(Arc::new(Int64Array::from(vec![1, 4, 7, 10, 12]))),
                mean: Some(6.548_509_9),
                histogram: vec![27, 25, 28, 28, 28, 28, 29, 29, 27, 28, 27, 28],
                frequent: frequent(Arc::new(Int64Array::from(vec![7])), &[29_425]),
                ..column("month", DataType::Int64)
            },
            ColumnSummary {
                nulls: 8255,
                nans: 3,
                distinct: Some(Distinct::About(527)),
                marks: Some(Arc::new(Float64Array::from(vec![
                    -43.0, -5.0, -2.0, 11.5, 1301.0,
                ]))),
                mean: Some(12.639_070_257),
                histogram: vec![1000, 300, 1, 0],
                ..column("dep_delay", DataType::Float64)
            },
            ColumnSummary {
                distinct: Some(Distinct::Exactly(16)),
                frequent: frequent(
                    Arc::new(StringArray::from(vec!["UA", "", "B6", "EV"])),
                    &[58_665, 54_635, 54_173, 7],
                ),
                ..column("carrier", DataType::Utf8)
            },
            ColumnSummary {
                marks: Some(Arc::new(
                    TimestampMicrosecondArray::from(instants).with_timezone("UTC"),
                )),
                histogram: vec![1; 20],
                ..column("time_hour", zoned)
            },
            ColumnSummary {
                frequent: frequent(Arc::new(BooleanArray::from(vec![true])), &[336_776]),
                distinct: Some(Distinct::Exactly(1)),
                ..column("is_late", DataType::Boolean)
            },
            column("extras", DataType::Null),
        ],
        left_out: 0,
        estimated: true,
    }
}

fn forms(of: &Summary) -> (String, String) {
    let media = summary(
        of,
        &Zone::utc(),
        Duration::from_millis(1230),
        Some(31_000_000),
    );
    match media.content.as_slice() {
        [MediaType::Html(html), MediaType::Plain(text)] => (html.clone(), text.clone()),
        other => panic!("{other:?}"),
    }
}

fn cells(html: &str, row: usize) -> Vec<String> {
    let page = Html::parse_fragment(html);
    let rows = Selector::parse("tbody tr").unwrap();
    let cell = Selector::parse("td").unwrap();
    let row = page.select(&rows).nth(row).unwrap();
    row.select(&cell)
        .map(|cell| cell.text().collect::<String>())
        .collect()
}

#[test]
fn the_text_has_a_line_for_each_column() {
    let (_, text) = forms(&flights());
    let expected = "\
flights: 336,776 rows, 6 columns
column     type                             nulls  distinct  histogram     min  25 %  median  75 %     max   mean
─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
month      bigint                               0        12  ██████          1     4       7    10      12  6.549
dep_delay  double           8,255 (2.5 %) + 3 NaN     ≈ 527  █▃▂▁        -43.0  -5.0    -2.0  11.5  1301.0  12.64
carrier    string                               0        16              UA 58,665 · '' 54,635 · B6 54,173
time_hour  timestamp (UTC)                      0            ██████████  2013-01-01 10:00:00 … 2014-01-01 04:00:00
is_late    boolean                              0         1              true 336,776
extras     void                                 0
quartiles, frequencies and histograms are estimates · 1.23 s · 31.0 MB read";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn numbers_stand_in_cells_of_their_own_and_other_values_in_one_in_their_place() {
    let (html, _) = forms(&flights());
    let expected: [&[&str]; 6] = [
        &[
            "month",
            "bigint",
            "0",
            "12",
            "█▇██████████",
            "1",
            "4",
            "7",
            "10",
            "12",
            "6.549",
            "7 29,425",
        ],
        &[
            "dep_delay",
            "double",
            "8,255 (2.5 %) + 3 NaN",
            "≈ 527",
            "█▃▂▁",
            "-43.0",
            "-5.0",
            "-2.0",
            "11.5",
            "1301.0",
            "12.64",
            "",
        ],
        &[
            "carrier",
            "string",
            "0",
            "16",
            "",
            "",
            "UA 58,665 · '' 54,635 · B6 54,173 · EV 7",
        ],
        &[
            "time_hour",
            "timestamp (UTC)",
            "0",
            "",
            "████████████████████",
            "2013-01-01 10:00:00 … 2014-01-01 04:00:00",
            "",
        ],
        &["is_late", "boolean", "0", "1", "", "", "true 336,776"],
        &["extras", "void", "0", "", "", "", ""],
    ];
    for (row, expected) in expected.into_iter().enumerate() {
        assert_eq!(cells(&html, row), expected);
    }
}

#[test]
fn a_summary_says_what_it_leaves_out_and_what_it_took() {
    let empty = Summary {
        of: "t".to_owned(),
        rows: 0,
        columns: Vec::new(),
        left_out: 0,
        estimated: true,
    };
    let one = Summary {
        rows: 1,
        columns: vec![column("a", DataType::Null)],
        estimated: false,
        ..empty.clone()
    };
    let wide = Summary {
        rows: 5,
        left_out: 1204,
        ..one.clone()
    };
    let cases = [
        (&empty, "t: 0 rows, 0 columns", "1.23 s · 31.0 MB read"),
        (&one, "t: 1 row, 1 column", "1.23 s · 31.0 MB read"),
        (
            &wide,
            "t: 5 rows, 1,205 columns",
            "the first 1 of 1,205 columns; a view of others shows them · 1.23 s · 31.0 MB read",
        ),
        (
            &flights(),
            "flights: 336,776 rows, 6 columns",
            "quartiles, frequencies and histograms are estimates · 1.23 s · 31.0 MB read",
        ),
    ];
    for (of, title, footer) in cases {
        let (html, text) = forms(of);
        assert!(
            html.contains(&format!("<div class=\"firesteel-foot\">{title}</div>")),
            "{html}"
        );
        assert!(
            html.ends_with(&format!("<div class=\"firesteel-foot\">{footer}</div>")),
            "{html}"
        );
        assert_eq!(text.lines().next(), Some(title));
        assert_eq!(text.lines().last(), Some(footer));
    }
}

#[test]
fn a_value_too_wide_for_a_column_takes_no_room_from_others() {
    let marks =
        |number: i64| -> Option<ArrayRef> { Some(Arc::new(Int64Array::from(vec![number; 5]))) };
    let of = Summary {
        columns: vec![
            ColumnSummary {
                marks: marks(7),
                ..column("small", DataType::Int64)
            },
            ColumnSummary {
                marks: marks(i64::MIN),
                ..column("large", DataType::Int64)
            },
        ],
        ..flights()
    };
    let (html, text) = forms(&of);
    assert_eq!(cells(&html, 0)[5..10], ["7"; 5]);
    assert_eq!(
        cells(&html, 1)[5],
        "-9223372036854775808, median -9223372036854775808"
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[3].ends_with("    7     7       7     7    7"),
        "{text}"
    );
    assert!(lines[4].ends_with("  -9223372036854775808"), "{text}");
}

#[test]
fn shares_are_never_all_or_nothing_where_they_are_not() {
    for (nulls, nans, expected) in [
        (0, 0, "0"),
        (1, 0, "1 (< 0.1 %)"),
        (250, 0, "250 (2.5 %)"),
        (5000, 0, "5,000 (50 %)"),
        (9_999, 0, "9,999 (> 99.9 %)"),
        (10_000, 0, "10,000 (100 %)"),
        (0, 3, "0 + 3 NaN"),
    ] {
        let mut of = flights();
        of.rows = 10_000;
        of.columns = vec![ColumnSummary {
            nulls,
            nans,
            ..column("a", DataType::Float64)
        }];
        let (html, _) = forms(&of);
        assert_eq!(cells(&html, 0)[2], expected);
    }
}

#[test]
fn a_mean_has_four_digits_at_least() {
    for (mean, expected) in [
        (0.0, "0.0"),
        (12.639_070_257, "12.64"),
        (1.234_56, "1.235"),
        (-0.123_456, "-0.1235"),
        (0.001_234_567, "0.001235"),
        (1234.5, "1234.50"),
        (1e20, "1e20"),
        (f64::NAN, "NaN"),
    ] {
        let mut of = flights();
        of.columns = vec![ColumnSummary {
            mean: Some(mean),
            ..column("a", DataType::Int64)
        }];
        let (html, _) = forms(&of);
        assert_eq!(cells(&html, 0)[10], expected);
    }
}

#[test]
fn a_drawing_is_described_by_what_remains_where_it_is_stripped() {
    for (histogram, expected) in [
        (vec![], ""),
        (vec![0, 0], "▁▁"),
        (vec![1, 0, 1_000_000], "▂▁█"),
        (vec![1, 2, 4, 8], "▂▃▅█"),
    ] {
        let mut of = flights();
        of.columns = vec![ColumnSummary {
            histogram: histogram.clone(),
            ..column("a", DataType::Int64)
        }];
        let (html, text) = forms(&of);
        assert_eq!(cells(&html, 0)[4], expected, "{histogram:?}");
        assert_eq!(html.contains("<svg"), !expected.is_empty());
        assert!(text.contains(expected));
    }
}

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\" onload=\"x",
    "a`b.c",
    "\u{1b}[31m",
    "\u{202e}עברית",
    "&amp;",
];

proptest! {
    #[test]
    fn no_name_and_no_value_is_ever_markup_and_every_line_fits(
        name in prop_oneof![prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned), "\\PC{0,200}"],
        value in prop_oneof![prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned), "\\PC{0,200}"],
        number in any::<i64>(),
    ) {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some(value.clone()), None, None, None, Some(value)]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![number; 5]));
        let mut of = flights();
        of.of = name.clone();
        of.columns.push(ColumnSummary {
            marks: Some(text.clone()),
            frequent: frequent(text.slice(0, 1), &[u64::MAX]),
            ..column(&name, DataType::Utf8)
        });
        of.columns.push(ColumnSummary {
            marks: Some(text.clone()),
            ..column(&name, DataType::Utf8)
        });
        of.columns.push(ColumnSummary {
            marks: Some(numbers),
            mean: Some(number as f64),
            nulls: u64::MAX,
            ..column(&name, DataType::Int64)
        });
        let (html, text) = forms(&of);
        for line in text.lines() {
            prop_assert!(line.width() <= 120, "{line}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        let page = Html::parse_fragment(&html);
        let all = Selector::parse("*").unwrap();
        let known = [
            "html", "style", "div", "table", "thead", "tbody", "tr", "th", "td", "span", "small", "code",
            "svg", "desc", "path",
        ];
        let attributes = [
            "class", "style", "align", "colspan", "title", "width", "height", "role", "fill",
            "opacity", "d",
        ];
        for element in page.select(&all) {
            prop_assert!(known.contains(&element.value().name()), "{}", element.value().name());
            for (name, _) in element.value().attrs() {
                prop_assert!(attributes.contains(&name), "{name}");
            }
        }
    }
}
