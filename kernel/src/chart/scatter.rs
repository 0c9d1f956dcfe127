//! Points for rows, or fields for many of them.

use super::along::{Hues, times};
use super::measure::counted;
use super::plan::Scatter;
use super::refusal::Refusal;
use super::{MOST_POINTS, Source, numbers};
use crate::display::chart::{Axis, Chart, Colors, Layer, Place, Point, Scale, Steps, Tile};
use crate::display::count;
use crate::frame::{Column, Key, Range, tally};

/// Fields along each side.
const FIELDS: usize = 40;

pub(super) fn draw(source: &Source<'_>, plan: Scatter) -> Result<Chart, Refusal> {
    let (x, x_range) = source.ranged(plan.x)?;
    let (y, y_range) = source.ranged(plan.y)?;
    let title = format!("{} by {}", source.name(plan.y), source.name(plan.x));
    if source.rows.count() > MOST_POINTS {
        return fields(source, plan, (x, x_range), (y, y_range), title);
    }
    let hues = plan
        .color
        .map(|color| Hues::of(source, color))
        .transpose()?;
    let mut colors: Vec<Option<usize>> = match &hues {
        Some(hues) => hues.rows().collect(),
        None => Vec::new(),
    };
    colors.resize(source.rows.count(), hues.is_none().then_some(0));
    let pairs = x.values().into_iter().zip(y.values()).zip(colors);
    let points: Vec<_> = pairs
        .filter_map(|((x, y), color)| {
            Some(Point {
                x: x?,
                y: y?,
                color: color?,
            })
        })
        .collect();
    if points.is_empty() {
        return Err(Refusal::NoValues(source.name(plan.y)));
    }
    let columns: Vec<_> = [plan.x, plan.y].into_iter().chain(plan.color).collect();
    let left_out = source.left_out(points.len() as u64, &columns);
    Ok(Chart {
        title,
        notes: left_out.into_iter().collect(),
        x: Axis {
            title: source.title(plan.x),
            scale: extent(&x, x_range),
        },
        y: Axis {
            title: source.title(plan.y),
            scale: extent(&y, y_range),
        },
        colors: plan.color.zip(hues.as_ref()).map(|(color, hues)| Colors {
            title: source.name(color),
            names: hues.labels.clone(),
        }),
        layer: Layer::Points(points),
    })
}

/// From the least value to the greatest, with a little space around times.
fn extent(column: &Column, range: Range) -> Scale {
    match column.kind.is_time() {
        true => {
            let space = ((range.to - range.from) / 50.0).max(500_000.0);
            Scale::Times {
                from: range.from - space,
                to: range.to + space,
            }
        }
        false => numbers([range.from, range.to].into_iter(), false),
    }
}

/// Edges of fields along one side.
fn edges(column: &Column, range: Range) -> Vec<f64> {
    if column.kind.is_time() {
        return times(column, range, FIELDS).edges;
    }
    let steps = Steps::cover(range.from, range.to, FIELDS);
    (0..=steps.count).map(|number| steps.edge(number)).collect()
}

fn fields(
    source: &Source<'_>,
    plan: Scatter,
    (x, x_range): (Column, Range),
    (y, y_range): (Column, Range),
    title: String,
) -> Result<Chart, Refusal> {
    let side = |column: &Column, range: Range| match column.kind.is_time() {
        true => None,
        false => Some(Steps::cover(range.from, range.to, FIELDS)),
    };
    let (x_edges, y_edges) = (edges(&x, x_range), edges(&y, y_range));
    let x_key = match side(&x, x_range) {
        Some(steps) => Key::Steps(&x, steps),
        None => Key::Edges(&x, &x_edges),
    };
    let y_key = match side(&y, y_range) {
        Some(steps) => Key::Steps(&y, steps),
        None => Key::Edges(&y, &y_edges),
    };
    let tallies = tally(&[&x_key, &y_key], None);
    let across = y_edges.len().saturating_sub(1).max(1);
    let tiles: Vec<_> = tallies
        .iter()
        .enumerate()
        .filter(|(_, tally)| tally.count > 0)
        .filter_map(|(number, tally)| {
            let (column, row) = (number / across, number % across);
            Some(Tile {
                x: Place::Span(*x_edges.get(column)?, *x_edges.get(column + 1)?),
                y: Place::Span(*y_edges.get(row)?, *y_edges.get(row + 1)?),
                amount: tally.count as f64,
            })
        })
        .collect();
    if tiles.is_empty() {
        return Err(Refusal::NoValues(source.name(plan.y)));
    }
    let scale = |column: &Column, edges: &[f64]| {
        let (from, to) = (
            edges.first().copied().unwrap_or_default(),
            edges.last().copied().unwrap_or_default(),
        );
        match column.kind.is_time() {
            true => Scale::Times { from, to },
            false => Scale::Numbers { from, to },
        }
    };
    let rows = counted(&tallies);
    let mut notes = vec![format!("{} rows, counted in fields", count(rows))];
    if let Some(color) = plan.color {
        notes.push(format!(
            "{} has no colours: points of many rows would hide each other; a WHERE or `GROUP BY` makes them fewer",
            source.name(color)
        ));
    }
    notes.extend(source.left_out(rows, &[plan.x, plan.y]));
    Ok(Chart {
        title,
        notes,
        x: Axis {
            title: source.title(plan.x),
            scale: scale(&x, &x_edges),
        },
        y: Axis {
            title: source.title(plan.y),
            scale: scale(&y, &y_edges),
        },
        colors: None,
        layer: Layer::Tiles {
            tiles,
            title: "count".to_owned(),
            by_ratio: true,
        },
    })
}
