//! Heat maps.

use super::Source;
use super::along::{Along, columns};
use super::bars::source_title;
use super::measure::{Values, counted, single};
use super::plan::Tiles;
use super::refusal::Refusal;
use crate::display::chart::{Axis, Chart, Layer, Tile};
use crate::frame::Tally;

/// Names along each side.
const MOST_NAMES: usize = 20;

/// Ranges of numbers or pieces of time along each side.
const MOST_STEPS: usize = 40;

pub(super) fn draw(source: &Source<'_>, plan: Tiles) -> Result<Chart, Refusal> {
    let x = Along::of(source, plan.x, false, Some(MOST_NAMES), MOST_STEPS)?;
    let y = Along::of(source, plan.y, false, Some(MOST_NAMES), MOST_STEPS)?;
    let rows = y.key().count().max(1);
    let tallies = Values::of(source, plan.measure)?.tally(vec![x.key(), y.key()]);
    let single = single(&tallies);
    let tile = |(number, tally): (usize, &Tally)| {
        Some(Tile {
            x: x.place(number / rows),
            y: y.place(number % rows),
            amount: plan.measure.of(tally, single)?,
        })
    };
    let tiles: Vec<_> = tallies.iter().enumerate().filter_map(tile).collect();
    if tiles.is_empty() {
        let column = plan.measure.column().unwrap_or(plan.x);
        return Err(Refusal::NoValues(source.name(column)));
    }
    let (x_name, y_name) = (source.name(plan.x), source.name(plan.y));
    let measured = source_title(source, plan.measure, single);
    let mut notes: Vec<_> = [(&x, &x_name), (&y, &y_name)]
        .into_iter()
        .filter_map(|(along, name)| along.note(name))
        .collect();
    if notes.is_empty() {
        let left_out = source.left_out(
            counted(&tallies),
            &columns(&[plan.x, plan.y], plan.measure, None),
        );
        notes.extend(left_out);
    }
    Ok(Chart {
        title: format!(
            "{measured} by {} and {}",
            x.title(&x_name),
            y.title(&y_name)
        ),
        notes,
        x: Axis {
            title: source.title(plan.x),
            scale: x.scale(),
        },
        y: Axis {
            title: source.title(plan.y),
            scale: y.scale(),
        },
        colors: None,
        layer: Layer::Tiles {
            tiles,
            title: measured,
            by_ratio: false,
        },
    })
}
