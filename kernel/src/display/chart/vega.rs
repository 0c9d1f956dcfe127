//! A chart as Vega-Lite 5.
//!
//! Fields have names of ours, whatever the columns are called: Vega-Lite reads dots and brackets in
//! a field's name. Text and background are left to the front end's theme, which gives both.

mod marks;

use serde_json::{Map, Value, json};

use super::palette::{COLORS, hex};
use super::{Axis, Chart, Colors, Layer, Scale};
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
        Layer::Bars { bars, side_by_side } => marks::bars(chart, bars, *side_by_side),
        Layer::Lines { lines, filled } => marks::lines(chart, lines, *filled),
        Layer::Points(points) => marks::points(chart, points),
        Layer::Tiles {
            tiles,
            title,
            by_ratio,
        } => marks::tiles(chart, tiles, title, *by_ratio),
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
    // As text and shapes of the page, which readers of screens read and printers print sharply.
    put("usermeta", json!({"embedOptions": {"renderer": "svg"}}));
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
