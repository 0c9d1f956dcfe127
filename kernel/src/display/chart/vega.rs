//! A chart as Vega-Lite 5.
//!
//! Fields have names of ours, whatever the columns are called: Vega-Lite reads dots and brackets in
//! a field's name. Text and background are left to the front end's theme, which gives both.

use serde_json::{Map, Value, json};

use super::label::words;
use super::palette::{COLORS, DASHES, SHADES, hex};
use super::svg::MARKED;
use super::{Axis, Bar, Chart, Colors, Layer, Line, Place, Point, Scale, Tile};
use crate::display::text::{visible, width};

/// Pixels from left to right, without what stands at the axes.
const WIDTH: u32 = 600;

/// Pixels from bottom to top.
const HEIGHT: u32 = 300;

/// Pixels of a place for a name, at least.
const STEP: u32 = 18;

/// The same at most.
const MOST_STEP: u32 = 48;

/// Pixels of a character, about.
const CHARACTER: u32 = 7;

/// Writes a chart.
pub(super) fn spec(chart: &Chart) -> Value {
    let (mark, values, mut encoding) = match &chart.layer {
        Layer::Bars { bars, side_by_side } => self::bars(chart, bars, *side_by_side),
        Layer::Lines { lines, filled } => self::lines(chart, lines, *filled),
        Layer::Points(points) => self::points(chart, points),
        Layer::Tiles {
            tiles,
            title,
            by_ratio,
        } => self::tiles(chart, tiles, title, *by_ratio),
    };
    if let (Some(colors), false) = (&chart.colors, matches!(chart.layer, Layer::Tiles { .. })) {
        encoding.insert("color".to_owned(), color(colors, &chart.layer));
    }
    let beside = match (&chart.layer, &chart.colors) {
        (
            Layer::Bars {
                side_by_side: true, ..
            },
            Some(colors),
        ) => colors.names.len(),
        _ => 1,
    };
    let mut title = object(json!({"text": visible(&chart.title), "anchor": "start", "offset": 12}));
    if !chart.notes.is_empty() {
        let notes: Vec<_> = chart.notes.iter().map(|note| visible(note)).collect();
        title.insert("subtitle".to_owned(), json!(notes));
    }
    let mut spec = Map::new();
    let mut put = |name: &str, value: Value| spec.insert(name.to_owned(), value);
    put(
        "$schema",
        json!("https://vega.github.io/schema/vega-lite/v5.json"),
    );
    put("title", Value::Object(title));
    put("padding", json!(10));
    // Faint on every theme; the colours of text and background are the theme's.
    put(
        "config",
        json!({"axis": {"gridOpacity": 0.35}, "view": {"stroke": null}}),
    );
    put("width", size(&chart.x, WIDTH, beside));
    put("height", size(&chart.y, HEIGHT, beside));
    put("data", json!({ "values": values }));
    let worked_out = worked_out(chart);
    if !worked_out.is_empty() {
        put("transform", Value::Array(worked_out));
    }
    put("mark", mark);
    put("encoding", Value::Object(encoding));
    Value::Object(spec)
}

/// How long an axis is: a little for each name, or as long as others. Where bars stand side by side, so
/// many do at each name.
fn size(axis: &Axis, other: u32, beside: usize) -> Value {
    match &axis.scale {
        Scale::Names(names) => {
            let step = step(names, other).max(STEP / 2 * beside as u32);
            json!({"step": step, "for": "position"})
        }
        _ => json!(other),
    }
}

fn step(names: &[String], all: u32) -> u32 {
    (all / names.len().max(1) as u32).clamp(STEP, MOST_STEP)
}

type Parts = (Value, Vec<Value>, Map<String, Value>);

/// How values at an axis are read from a field.
fn channel(axis: &Axis, field: &str) -> Value {
    let title = visible(&axis.title);
    match &axis.scale {
        Scale::Names(names) => {
            // So short that they need not be turned to stand beside each other.
            let room = step(names, WIDTH) / CHARACTER;
            let short = names.iter().all(|name| width(name) <= room as usize);
            let upright = json!({"labelLimit": 220, "labelAngle": 0});
            json!({
                "field": field, "type": "nominal", "title": title,
                "scale": {"domain": names.iter().map(|name| visible(name)).collect::<Vec<_>>()},
                "axis": if short { upright } else { json!({"labelLimit": 220}) },
            })
        }
        Scale::Numbers { from, to } => json!({
            "field": field, "type": "quantitative", "title": title,
            "scale": {"domain": [from, to], "nice": false, "zero": false},
        }),
        // What clocks show is written as if it were universal time: a browser in another zone then shows
        // the same.
        Scale::Times { from, to } => json!({
            "field": field, "type": "temporal", "title": title,
            "scale": {"type": "utc", "domain": [from / 1000.0, to / 1000.0], "nice": false},
        }),
    }
}

/// A value of an axis in a field: times in milliseconds.
fn value(axis: &Axis, value: f64) -> Value {
    match &axis.scale {
        Scale::Names(names) => json!(names.get(value as usize).map(|name| visible(name))),
        Scale::Numbers { .. } => json!(value),
        Scale::Times { .. } => json!(value / 1000.0),
    }
}

fn color(colors: &Colors, layer: &Layer) -> Value {
    let names: Vec<_> = colors.names.iter().map(|name| visible(name)).collect();
    let range: Vec<_> = COLORS.iter().take(names.len()).map(|c| hex(*c)).collect();
    let mut color = object(json!({
        "field": "color", "type": "nominal", "title": visible(&colors.title),
        "scale": {"domain": names, "range": range},
    }));
    if let Layer::Lines { filled: false, .. } = layer {
        color.insert("legend".to_owned(), json!({"symbolType": "stroke"}));
    }
    Value::Object(color)
}

/// What is told of a mark under the pointer: fields and their titles.
fn tooltip(fields: &[(&str, &str)], colors: Option<&Colors>) -> Value {
    let field = |(field, title): (&str, &str)| {
        let kind = match field {
            "value" | "x" | "y" => "quantitative",
            _ => "nominal",
        };
        json!({"field": field, "type": kind, "title": visible(title)})
    };
    let color = colors.map(|colors| ("color", colors.title.as_str()));
    let fields = fields.iter().copied().chain(color).map(field);
    Value::Array(fields.collect())
}

fn object(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The name of a colour, where there are some.
fn named(chart: &Chart, color: usize) -> Value {
    let names = chart.colors.as_ref().map(|colors| &colors.names);
    json!(
        names
            .and_then(|names| names.get(color))
            .map(|name| visible(name))
    )
}

fn bars(chart: &Chart, bars: &[Bar], side_by_side: bool) -> Parts {
    let lying = chart.y.scale.is_names();
    let (base, height) = match lying {
        true => (&chart.y, &chart.x),
        false => (&chart.x, &chart.y),
    };
    let values = bars.iter().map(|bar| {
        let mut fields = object(json!({
            "words": visible(&words(base, bar.place)), "value": rounded(bar.to - bar.from),
            "low": value(height, bar.from), "high": value(height, bar.to), "color": named(chart, bar.color),
        }));
        match bar.place {
            Place::Name(number) => {
                fields.insert("place".to_owned(), value(base, number as f64));
            }
            Place::Span(from, to) => {
                fields.insert("place".to_owned(), value(base, from));
                fields.insert("end".to_owned(), value(base, to));
            }
        }
        Value::Object(fields)
    });
    let values: Vec<_> = values.collect();
    let along = channel(base, "place");
    let upward = channel(height, "low");
    let told = tooltip(
        &[("words", &base.title), ("value", &height.title)],
        chart.colors.as_ref(),
    );
    let spans = bars.iter().any(|bar| matches!(bar.place, Place::Span(..)));
    let (a, a2, b, b2, offset) = match lying {
        true => ("y", "y2", "x", "x2", "yOffset"),
        false => ("x", "x2", "y", "y2", "xOffset"),
    };
    let mut encoding = Map::new();
    encoding.insert(a.to_owned(), along);
    encoding.insert(b.to_owned(), upward);
    encoding.insert(b2.to_owned(), json!({"field": "high"}));
    encoding.insert("tooltip".to_owned(), told);
    if spans {
        encoding.insert(a2.to_owned(), json!({"field": "end"}));
    }
    if side_by_side {
        encoding.insert(
            offset.to_owned(),
            json!({"field": "color", "type": "nominal"}),
        );
    }
    // A bar of Vega-Lite has one width; a rectangle reaches from edge to edge.
    let mark = match spans {
        true => {
            json!({"type": "rect", "color": hex(COLORS[0]), "stroke": "#808080", "strokeWidth": 0.5})
        }
        false => json!({"type": "bar", "color": hex(COLORS[0])}),
    };
    (mark, values, encoding)
}

fn lines(chart: &Chart, lines: &[Line], filled: bool) -> Parts {
    let mut values = Vec::new();
    for line in lines {
        for (x, low, y) in &line.points {
            let mut point = Map::new();
            point.insert("x".to_owned(), value(&chart.x, *x));
            point.insert("y".to_owned(), json!(rounded(*y)));
            if filled {
                point.insert("low".to_owned(), json!(rounded(*low)));
            }
            if chart.colors.is_some() {
                point.insert("color".to_owned(), named(chart, line.color));
            }
            values.push(Value::Object(point));
        }
    }
    let mut encoding = object(json!({
        "x": channel(&chart.x, "x"),
        "y": channel(&chart.y, "y"),
        "tooltip": tooltip(
            &[(told(&chart.x, "x"), &chart.x.title), (if filled { "value" } else { "y" }, &chart.y.title)],
            chart.colors.as_ref(),
        ),
    }));
    let few = lines.iter().all(|line| line.points.len() <= MARKED);
    if filled {
        encoding.insert("y2".to_owned(), json!({"field": "low"}));
    } else if let (Some(colors), true) = (&chart.colors, few) {
        // Dashes of a line that goes up and down from pixel to pixel are not seen.
        let dashes = DASHES.iter().take(colors.names.len());
        let names: Vec<_> = colors.names.iter().map(|name| visible(name)).collect();
        encoding.insert(
            "strokeDash".to_owned(),
            json!({
                "field": "color", "type": "nominal", "title": visible(&colors.title),
                "scale": {"domain": names, "range": dashes.collect::<Vec<_>>()},
            }),
        );
    }
    let mark = match filled {
        true => json!({"type": "area", "color": hex(COLORS[0]), "opacity": 0.8}),
        false => json!({"type": "line", "color": hex(COLORS[0]), "point": few}),
    };
    (mark, values, encoding)
}

/// What Vega-Lite works out of the fields, so that they need not hold it once more: times in words,
/// and how high a part of a stack is.
fn worked_out(chart: &Chart) -> Vec<Value> {
    let mut fields = Vec::new();
    if !matches!(chart.layer, Layer::Lines { .. } | Layer::Points(_)) {
        return fields;
    }
    for (axis, field) in [(&chart.x, "x"), (&chart.y, "y")] {
        if let Scale::Times { .. } = axis.scale {
            let words = format!("utcFormat(datum.{field}, '%Y-%m-%d %H:%M:%S')");
            fields.push(json!({"calculate": words, "as": told(axis, field)}));
        }
    }
    if let Layer::Lines { filled: true, .. } = chart.layer {
        fields.push(json!({"calculate": "datum.y - datum.low", "as": "value"}));
    }
    fields
}

/// The field that tells a value under the pointer: of times one in words.
fn told(axis: &Axis, field: &'static str) -> &'static str {
    match (&axis.scale, field) {
        (Scale::Times { .. }, "x") => "words",
        (Scale::Times { .. }, _) => "words2",
        _ => field,
    }
}

/// Seven digits of a number: no pixel shows more.
fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn points(chart: &Chart, points: &[Point]) -> Parts {
    let values = points.iter().map(|point| {
        let mut fields = object(json!({
            "x": value(&chart.x, point.x), "y": value(&chart.y, point.y),
        }));
        if chart.colors.is_some() {
            fields.insert("color".to_owned(), named(chart, point.color));
        }
        Value::Object(fields)
    });
    let values: Vec<_> = values.collect();
    let mut encoding = object(json!({
        "x": channel(&chart.x, "x"),
        "y": channel(&chart.y, "y"),
        "tooltip": tooltip(
            &[(told(&chart.x, "x"), &chart.x.title), (told(&chart.y, "y"), &chart.y.title)],
            chart.colors.as_ref(),
        ),
    }));
    if let Some(colors) = &chart.colors {
        let names: Vec<_> = colors.names.iter().map(|name| visible(name)).collect();
        encoding.insert(
            "shape".to_owned(),
            json!({
                "field": "color", "type": "nominal", "title": visible(&colors.title),
                "scale": {"domain": names},
            }),
        );
    }
    let mark = json!({"type": "point", "color": hex(COLORS[0]), "filled": true, "opacity": 0.8, "size": 30});
    (mark, values, encoding)
}

fn tiles(chart: &Chart, tiles: &[Tile], title: &str, by_ratio: bool) -> Parts {
    let values = tiles.iter().map(|tile| {
        let (x, x2) = tile.x.ends();
        let (y, y2) = tile.y.ends();
        let mut fields = object(json!({
            "x": value(&chart.x, x), "y": value(&chart.y, y), "value": rounded(tile.amount),
            "words": visible(&words(&chart.x, tile.x)), "words2": visible(&words(&chart.y, tile.y)),
        }));
        if !chart.x.scale.is_names() {
            fields.insert("x2".to_owned(), value(&chart.x, x2));
        }
        if !chart.y.scale.is_names() {
            fields.insert("y2".to_owned(), value(&chart.y, y2));
        }
        Value::Object(fields)
    });
    let values: Vec<_> = values.collect();
    let range: Vec<_> = SHADES.iter().map(|shade| hex(*shade)).collect();
    let mut encoding = object(json!({
        "x": channel(&chart.x, "x"),
        "y": channel(&chart.y, "y"),
        "color": {
            "field": "value", "type": "quantitative", "title": visible(title),
            "scale": {"range": range, "interpolate": "rgb", "type": if by_ratio { "log" } else { "linear" }},
        },
        "tooltip": tooltip(
            &[("words", &chart.x.title), ("words2", &chart.y.title), ("value", title)],
            None,
        ),
    }));
    for (axis, end) in [(&chart.x, "x2"), (&chart.y, "y2")] {
        if !axis.scale.is_names() {
            encoding.insert(end.to_owned(), json!({ "field": end }));
        }
    }
    (json!({"type": "rect"}), values, encoding)
}
