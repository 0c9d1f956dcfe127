//! What is drawn between the axes, as Vega-Lite's marks: each with its rows of data and its encoding.

use serde_json::{Map, Value, json};

use super::{Parts, channel, named, object, rounded, told, tooltip, value};
use crate::display::chart::label::words;
use crate::display::chart::palette::{COLORS, DASHES, SHADES, hex};
use crate::display::chart::svg::MARKED;
use crate::display::chart::{Bar, Chart, Line, Place, Point, Tile};
use crate::display::text::visible;

pub(super) fn bars(chart: &Chart, bars: &[Bar], side_by_side: bool) -> Parts {
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

pub(super) fn lines(chart: &Chart, lines: &[Line], filled: bool) -> Parts {
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

pub(super) fn points(chart: &Chart, points: &[Point]) -> Parts {
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

pub(super) fn tiles(chart: &Chart, tiles: &[Tile], title: &str, by_ratio: bool) -> Parts {
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
