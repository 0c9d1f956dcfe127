//! Bars.

use super::along::{Along, Hues, columns, together};
use super::measure::{Values, counted, single};
use super::plan::{Bars, Measure};
use super::refusal::Refusal;
use super::{Source, numbers};
use crate::display::chart::{Axis, Bar, Chart, Colors, Layer, Place, Scale, amount};
use crate::display::count;
use crate::frame::Tally;

/// Names that have a bar.
const MOST_NAMES: usize = 20;

/// Ranges of numbers that have a bar.
const MOST_STEPS: usize = 30;

/// Pieces of time that have a bar.
const MOST_TIMES: usize = 60;

pub(super) fn draw(source: &Source<'_>, plan: Bars) -> Result<Chart, Refusal> {
    let time = source
        .rows
        .kind(plan.along)
        .is_some_and(crate::frame::Kind::is_time);
    let steps = if time { MOST_TIMES } else { MOST_STEPS };
    let along = Along::of(source, plan.along, plan.ranges, None, steps)?;
    let hues = plan
        .color
        .map(|color| Hues::of(source, color))
        .transpose()?;
    let colors = hues.as_ref().map_or(1, |hues| hues.labels.len());
    let values = Values::of(source, plan.measure)?;
    let keys: Vec<_> = std::iter::once(along.key())
        .chain(hues.as_ref().map(Hues::key))
        .collect();
    let tallies = values.tally(keys);
    let total = counted(&tallies);
    let single = single(&tallies);
    let groups: Vec<&[Tally]> = tallies.chunks(colors).collect();
    let whole = together(&tallies, colors);
    let adds_up = plan.measure.adds_up(single);
    let height = |group: usize| match adds_up && colors > 1 {
        true => {
            let parts = groups[group].iter();
            parts
                .filter_map(|part| plan.measure.of(part, single))
                .reduce(|a, b| a + b)
        }
        false => plan.measure.of(&whole[group], single),
    };
    let mut order: Vec<(usize, f64)> = (0..groups.len())
        .filter_map(|group| Some((group, height(group)?)))
        .collect();
    if order.is_empty() {
        let column = plan.measure.column().unwrap_or(plan.along);
        return Err(Refusal::NoValues(source.name(column)));
    }
    let mut notes = Vec::new();
    let name = source.name(plan.along);
    let names = match &along {
        Along::Names { labels, .. } => {
            order.sort_by(|a, b| b.1.total_cmp(&a.1));
            let rest = order.split_off(order.len().min(MOST_NAMES));
            notes.extend(rest_in_words(&order, &rest, adds_up, &name));
            Some(
                order
                    .iter()
                    .map(|(group, _)| labels[*group].clone())
                    .collect(),
            )
        }
        _ => None,
    };
    let mut bars = Vec::new();
    for (number, (group, _)) in order.iter().enumerate() {
        let place = match &names {
            Some(_) => Place::Name(number),
            None => along.place(*group),
        };
        let (mut above, mut below) = (0.0, 0.0);
        for (color, part) in groups[*group].iter().enumerate() {
            let Some(value) = plan.measure.of(part, single) else {
                continue;
            };
            let from: &mut f64 = if value < 0.0 { &mut below } else { &mut above };
            let start = if adds_up { *from } else { 0.0 };
            *from = start + value;
            bars.push(Bar {
                place,
                from: start,
                to: start + value,
                color,
            });
        }
    }
    let measured = source_title(source, plan.measure, single);
    notes.extend(source.left_out(total, &columns(&[plan.along], plan.measure, plan.color)));
    let heights = Axis {
        title: measured.clone(),
        scale: numbers(bars.iter().flat_map(|bar| [bar.from, bar.to]), true),
    };
    let base = Axis {
        title: source.title(plan.along),
        scale: match names {
            Some(names) => Scale::Names(names),
            None => along.scale(),
        },
    };
    let lying = matches!(along, Along::Names { .. });
    let (x, y) = if lying {
        (heights, base)
    } else {
        (base, heights)
    };
    Ok(Chart {
        title: format!("{measured} by {}", along.title(&name)),
        notes,
        x,
        y,
        colors: plan.color.zip(hues.as_ref()).map(|(color, hues)| Colors {
            title: source.name(color),
            names: hues.labels.clone(),
        }),
        layer: Layer::Bars {
            bars,
            side_by_side: colors > 1 && !adds_up,
        },
    })
}

/// What a measure is called.
pub(super) fn source_title(source: &Source<'_>, measure: Measure, single: bool) -> String {
    let name = measure.column().map(|column| source.name(column));
    measure.title(&name.unwrap_or_default(), single)
}

/// A sentence about the bars that are not shown.
fn rest_in_words(
    shown: &[(usize, f64)],
    rest: &[(usize, f64)],
    adds_up: bool,
    name: &str,
) -> Option<String> {
    let all = shown.len() + rest.len();
    let held: f64 = rest.iter().map(|(_, value)| value).sum();
    (!rest.is_empty()).then(|| {
        let others = match adds_up {
            true => format!("; the others hold {}", amount(held)),
            false => String::new(),
        };
        format!(
            "the {} greatest of {} values of {name}{others}",
            shown.len(),
            count(all as u64)
        )
    })
}
