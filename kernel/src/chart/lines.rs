//! Lines and areas.

use super::along::{Along, Hues, columns, time_key, times};
use super::bars::source_title;
use super::measure::{Values, counted, single};
use super::plan::{Function, Lines, Measure};
use super::refusal::Refusal;
use super::{MOST_POINTS, Source, numbers};
use crate::display::chart::{Axis, Chart, Colors, Layer, Line, Place, Scale, Steps};
use crate::frame::Key;

/// Points of a line.
const LONGEST: usize = 400;

/// Ranges of numbers along a line.
const MOST_STEPS: usize = 200;

pub(super) fn draw(source: &Source<'_>, plan: Lines) -> Result<Chart, Refusal> {
    let hues = plan
        .color
        .map(|color| Hues::of(source, color))
        .transpose()?;
    let colors = hues.as_ref().map_or(1, |hues| hues.labels.len());
    let measure = match plan.measure {
        // Areas of several colours stand on each other, so what they show has to add up.
        Measure::Of(None, column) if plan.filled && colors > 1 => {
            Measure::Of(Some(Function::Sum), column)
        }
        measure => measure,
    };
    if plan.filled && colors > 1 && !measure.adds_up(false) {
        return Err(Refusal::Needs {
            chart: "An area of several colours",
            needs: "amounts that add up",
            got: format!("{} does not", source_title(source, measure, false)),
            hint: Some("`%chart line` draws it, and `y=sum(…)` adds up.".to_owned()),
        });
    }
    let most = LONGEST.min(MOST_POINTS / colors);
    let (along, exact) = along(source, plan.along, most)?;
    let key = match (&along, &exact) {
        (Along::Times { column, steps }, None) => time_key(column, steps),
        (Along::Times { column, .. } | Along::Steps { column, .. }, Some(values)) => {
            Key::Exact(column, values)
        }
        _ => along.key(),
    };
    let keys = std::iter::once(key).chain(hues.as_ref().map(Hues::key));
    let tallies = Values::of(source, measure)?.tally(keys.collect());
    let single = single(&tallies);
    let at = |group: usize| match (&exact, along.place(group)) {
        (Some(values), _) => values.get(group).copied().unwrap_or_default(),
        // A piece of time is known by its beginning, a range of numbers by its middle.
        (None, Place::Span(from, to)) if matches!(along, Along::Steps { .. }) => {
            from / 2.0 + to / 2.0
        }
        (None, Place::Span(from, _)) => from,
        (None, Place::Name(number)) => number as f64,
    };
    let stacked = plan.filled && colors > 1;
    let mut lines: Vec<Line> = (0..colors)
        .map(|color| Line {
            color,
            points: Vec::new(),
        })
        .collect();
    for (group, parts) in tallies.chunks(colors).enumerate() {
        if parts.iter().all(|part| part.count == 0) {
            continue;
        }
        let mut below = 0.0;
        for (line, part) in lines.iter_mut().zip(parts) {
            let value = match (measure.of(part, single), stacked) {
                (Some(value), _) => value,
                (None, true) => 0.0,
                (None, false) => continue,
            };
            let low = if stacked { below } else { 0.0 };
            below = low + value;
            line.points.push((at(group), low, low + value));
        }
    }
    lines.retain(|line| !line.points.is_empty());
    if lines.is_empty() {
        let column = measure.column().unwrap_or(plan.along);
        return Err(Refusal::NoValues(source.name(column)));
    }
    let name = source.name(plan.along);
    let measured = source_title(source, measure, single);
    let by = match (single, &exact) {
        (false, None) => along.title(&name),
        _ => name.clone(),
    };
    let left_out = source.left_out(
        counted(&tallies),
        &columns(&[plan.along], measure, plan.color),
    );
    let heights = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.2));
    Ok(Chart {
        title: format!("{measured} by {by}"),
        notes: left_out.into_iter().collect(),
        x: Axis {
            title: source.title(plan.along),
            scale: extent(&along, &lines),
        },
        y: Axis {
            title: measured,
            scale: numbers(heights, plan.filled),
        },
        colors: plan.color.zip(hues.as_ref()).map(|(color, hues)| Colors {
            title: source.name(color),
            names: hues.labels.clone(),
        }),
        layer: Layer::Lines {
            lines,
            filled: plan.filled,
        },
    })
}

/// How rows are grouped along a line: by the values themselves where they are few, and these values.
fn along<'a>(
    source: &'a Source<'_>,
    column: usize,
    most: usize,
) -> Result<(Along<'a>, Option<Vec<f64>>), Refusal> {
    let (column, range) = source.ranged(column)?;
    if column.kind.is_time() {
        // Of many rows the times are nearly always many, and to find out takes longer than to count them.
        let few = source.rows.count() <= most * 4;
        let exact = few.then(|| column.distinct(most)).flatten();
        let steps = times(&column, range, most);
        return Ok((Along::Times { column, steps }, exact));
    }
    let exact = column.distinct(most);
    let steps = Steps::cover(range.from, range.to, MOST_STEPS.min(most));
    Ok((Along::Steps { column, steps }, exact))
}

/// From the first point to the last.
fn extent(along: &Along<'_>, lines: &[Line]) -> Scale {
    let places = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.0));
    let (from, to) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), at| {
        (from.min(at), to.max(at))
    });
    match along {
        Along::Times { .. } if from < to => Scale::Times { from, to },
        // One point stands in the middle of its day.
        Along::Times { .. } => Scale::Times {
            from: from - 43_200_000_000.0,
            to: to + 43_200_000_000.0,
        },
        _ => numbers([from, to].into_iter(), false),
    }
}
