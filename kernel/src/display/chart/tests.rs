use jupyter_protocol::MediaType;
use scraper::{Html, Selector};
use serde_json::Value;

use super::*;
use crate::display::text::width;

const DAY: f64 = 86_400_000_000.0;

fn axis(title: &str, scale: Scale) -> Axis {
    Axis {
        title: title.to_owned(),
        scale,
    }
}

fn numbers(from: f64, to: f64) -> Scale {
    Scale::Numbers { from, to }
}

fn names(names: &[&str]) -> Scale {
    Scale::Names(names.iter().map(|name| (*name).to_owned()).collect())
}

fn lying(names_of: &[&str]) -> Chart {
    let bars = (0..names_of.len()).map(|number| Bar {
        place: Place::Name(number),
        from: 0.0,
        to: 10.0 - number as f64 * 4.0,
        color: 0,
    });
    Chart {
        title: "mean(delay) by carrier".to_owned(),
        notes: vec!["2 rows without a value of carrier are left out".to_owned()],
        x: axis("mean(delay)", numbers(-5.0, 10.0)),
        y: axis("carrier", names(names_of)),
        colors: None,
        layer: Layer::Bars {
            bars: bars.collect(),
            side_by_side: false,
        },
    }
}

fn two_lines(filled: bool) -> Chart {
    let line = |color: usize| Line {
        color,
        points: (0..5)
            .map(|day| (f64::from(day) * DAY, 0.0, f64::from(day) + color as f64))
            .collect(),
    };
    Chart {
        title: "v by day".to_owned(),
        notes: Vec::new(),
        x: axis(
            "day",
            Scale::Times {
                from: 0.0,
                to: 4.0 * DAY,
            },
        ),
        y: axis("v", numbers(0.0, 6.0)),
        colors: Some(Colors {
            title: "kind".to_owned(),
            names: vec!["one".to_owned(), "two".to_owned()],
        }),
        layer: Layer::Lines {
            lines: vec![line(0), line(1)],
            filled,
        },
    }
}

fn histogram() -> Chart {
    let bars = [(0.0, 3.0), (10.0, 12.0), (20.0, 1.0)].map(|(from, count)| Bar {
        place: Place::Span(from, from + 10.0),
        from: 0.0,
        to: count,
        color: 0,
    });
    Chart {
        title: "count by v".to_owned(),
        notes: Vec::new(),
        x: axis("v", numbers(0.0, 30.0)),
        y: axis("count", numbers(0.0, 12.0)),
        colors: None,
        layer: Layer::Bars {
            bars: bars.to_vec(),
            side_by_side: false,
        },
    }
}

fn tiles(x: Scale, y: Scale, place: fn(usize) -> Place) -> Chart {
    let tiles = (0..6).map(|number| Tile {
        x: place(number % 3),
        y: place(number / 3),
        amount: number as f64,
    });
    Chart {
        title: "count by a and b".to_owned(),
        notes: Vec::new(),
        x: axis("a", x),
        y: axis("b", y),
        colors: None,
        layer: Layer::Tiles {
            tiles: tiles.collect(),
            title: "count".to_owned(),
            by_ratio: false,
        },
    }
}

fn points() -> Chart {
    let points = (0..50).map(|number| Point {
        x: f64::from(number),
        y: f64::from(number * number),
        color: (number % 2) as usize,
    });
    Chart {
        title: "y by x".to_owned(),
        x: axis("x", numbers(0.0, 50.0)),
        y: axis("y", numbers(0.0, 2500.0)),
        layer: Layer::Points(points.collect()),
        ..two_lines(false)
    }
}

fn all() -> Vec<Chart> {
    vec![
        lying(&["UA", "AA", "DL"]),
        two_lines(false),
        two_lines(true),
        histogram(),
        tiles(names(&["p", "q", "r"]), names(&["s", "t"]), Place::Name),
        tiles(numbers(0.0, 3.0), numbers(0.0, 2.0), |number| {
            Place::Span(number as f64, number as f64 + 1.0)
        }),
        points(),
    ]
}

fn drawn(chart: &Chart) -> (Value, String, String) {
    let media = super::chart(chart);
    match media.content.as_slice() {
        [
            MediaType::VegaLiteV5(spec),
            MediaType::Svg(svg),
            MediaType::Plain(text),
        ] => (spec.clone(), svg.clone(), text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chart_is_drawn_as_vega_lite_as_svg_and_as_text() {
    for chart in all() {
        let (spec, svg, text) = drawn(&chart);
        assert_eq!(
            spec["$schema"],
            "https://vega.github.io/schema/vega-lite/v5.json"
        );
        assert_eq!(spec["title"]["text"], chart.title.as_str());
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(text.starts_with(&chart.title), "{text}");
        assert!(text.lines().count() <= 25, "{text}");
        assert!(text.lines().all(|line| width(line) <= 120), "{text}");
        for title in [&chart.x.title, &chart.y.title] {
            assert!(svg.contains(title.as_str()), "{title} in {svg}");
            assert!(text.contains(title.as_str()), "{title} in {text}");
        }
    }
}

#[test]
fn every_field_that_vega_lite_is_told_to_read_is_in_the_data() {
    for chart in all() {
        let (spec, ..) = drawn(&chart);
        let rows = spec["data"]["values"].as_array().unwrap();
        let mut fields = Vec::new();
        collect_fields(&spec["encoding"], &mut fields);
        assert!(fields.len() >= 3, "{spec}");
        let transforms = spec["transform"].as_array().into_iter().flatten();
        let worked_out: Vec<_> = transforms.map(|t| t["as"].as_str().unwrap()).collect();
        fields.retain(|field| !worked_out.contains(&field.as_str()));
        for row in rows {
            for field in &fields {
                assert!(row.get(field).is_some(), "{field} in {row}");
            }
        }
        for channel in ["x", "y"] {
            let encoding = &spec["encoding"][channel];
            let axis = if channel == "x" { &chart.x } else { &chart.y };
            assert_eq!(encoding["title"], axis.title.as_str());
            let kind = match axis.scale {
                Scale::Names(_) => "nominal",
                Scale::Numbers { .. } => "quantitative",
                Scale::Times { .. } => "temporal",
            };
            assert_eq!(encoding["type"], kind);
        }
    }
}

fn collect_fields(value: &Value, fields: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(field)) = object.get("field") {
                fields.push(field.clone());
            }
            object
                .values()
                .for_each(|inner| collect_fields(inner, fields));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_fields(inner, fields)),
        _ => {}
    }
}

#[test]
fn times_are_shown_as_clocks_show_them_in_any_browser() {
    let (spec, svg, text) = drawn(&two_lines(false));
    let x = &spec["encoding"]["x"];
    assert_eq!(x["scale"]["type"], "utc");
    let first = &spec["data"]["values"][1];
    assert_eq!(first["x"], 86_400_000.0);
    assert_eq!(
        spec["transform"][0]["calculate"],
        "utcFormat(datum.x, '%Y-%m-%d %H:%M:%S')"
    );
    assert!(svg.contains("1970-01-03"));
    assert!(text.contains("1970-01-01"), "{text}");
}

#[test]
fn bars_have_their_lengths_in_svg_and_in_text() {
    let (_, svg, text) = drawn(&lying(&["UA", "AA", "DL"]));
    let svg = Html::parse_fragment(&svg);
    let rectangles: Vec<i64> = svg
        .select(&Selector::parse("rect").unwrap())
        .map(|rect| rect.value().attr("width").unwrap().parse().unwrap())
        .collect();
    // Ten, six and two of an axis of fifteen.
    let [long, middle, short] = rectangles.as_slice() else {
        panic!("{rectangles:?}");
    };
    assert!(
        (long * 6 - middle * 10).abs() <= 10 && (long * 2 - short * 10).abs() <= 10,
        "{rectangles:?}"
    );
    let bars = [("UA", 40, "10"), ("AA", 24, "6"), ("DL", 8, "2")];
    let lines = bars.map(|(name, long, amount)| {
        format!("{name:7}  {}{} {amount}", " ".repeat(20), "█".repeat(long))
    });
    let expected = [
        "mean(delay) by carrier",
        "2 rows without a value of carrier are left out",
        "carrier  mean(delay)",
        &lines.join("\n"),
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn a_histogram_is_listed_and_a_line_is_drawn_in_columns() {
    let (_, _, text) = drawn(&histogram());
    assert!(text.contains("10 to 20  ████"), "{text}");
    let one = Chart {
        colors: None,
        layer: match two_lines(false).layer {
            Layer::Lines { lines, filled } => Layer::Lines {
                lines: lines[..1].to_vec(),
                filled,
            },
            other => other,
        },
        ..two_lines(false)
    };
    let (_, _, text) = drawn(&one);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 16, "{text}");
    assert!(
        rows[2].starts_with("6 │") && rows[13].starts_with("0 │▁"),
        "{text}"
    );
}

#[test]
fn what_comes_from_data_is_text_and_nothing_else() {
    let hostile = "<script>alert(1)</script>&\"'`]]>\u{1b}[31m\n\u{202e}datum['x']";
    let mut charts = all();
    charts.push(lying(&[hostile, "b"]));
    for mut chart in charts {
        chart.title = hostile.to_owned();
        chart.notes = vec![hostile.to_owned()];
        chart.x.title = hostile.to_owned();
        chart.y.title = hostile.to_owned();
        if let Some(colors) = &mut chart.colors {
            colors.names[0] = hostile.to_owned();
            colors.title = hostile.to_owned();
        }
        let (spec, svg, text) = drawn(&chart);
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'), "{svg}");
        let parsed = Html::parse_fragment(&svg);
        let known = [
            "svg", "rect", "line", "polyline", "polygon", "circle", "text", "html",
        ];
        for node in parsed.select(&Selector::parse("*").unwrap()) {
            assert!(
                known.contains(&node.value().name()),
                "{}",
                node.value().name()
            );
            assert!(
                node.value()
                    .attrs()
                    .all(|(name, _)| !name.starts_with("on")),
                "{svg}"
            );
        }
        for shown in [&text, &spec.to_string()] {
            assert!(
                !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
                "{shown}"
            );
        }
        assert!(!text.contains("alert(1)\n"), "{text}");
    }
}

#[test]
fn long_names_are_cut_and_many_are_kept_apart() {
    let long = "a name that is much longer than what stands beside a bar in any chart";
    let (spec, svg, text) = drawn(&lying(&[long, "b"]));
    assert!(svg.contains("a name that is much longe…"), "{svg}");
    assert!(text.lines().all(|line| width(line) <= 120), "{text}");
    assert_eq!(spec["encoding"]["y"]["scale"]["domain"][0], long);
}

#[test]
fn degenerate_axes_are_drawn() {
    let mut chart = histogram();
    chart.x.scale = numbers(0.0, 0.0);
    chart.y.scale = numbers(f64::MIN, f64::MAX);
    let (_, svg, text) = drawn(&chart);
    assert!(svg.ends_with("</svg>\n") && !text.is_empty());
    chart.x.scale = Scale::Times {
        from: -6e16,
        to: 2.5e17,
    };
    assert!(drawn(&chart).1.contains("</svg>"));
}
