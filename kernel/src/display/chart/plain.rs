//! A chart as blocks of text.

use super::label::{amount, ticks, word, words};
use super::{Axis, Bar, Chart, Layer, Line, Place, Point, Scale, Tile, amounts, share};
use crate::display::text::{cut, visible, width};

/// Columns of what is drawn.
const WIDTH: usize = 60;

/// Rows of what is drawn from bottom to top.
const HEIGHT: usize = 12;

/// Columns of the text as a whole.
const WHOLE: usize = 120;

/// Columns of a name.
const LONGEST: usize = 30;

/// Bars that are listed one by one.
const MOST_BARS: usize = 20;

/// Eighths of a character from left to right.
const ACROSS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Eighths of a character from bottom to top.
const UPWARD: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// From nothing to much.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Draws a chart.
pub(super) fn draw(chart: &Chart) -> String {
    let mut lines = vec![chart.title.clone()];
    lines.extend(chart.notes.iter().cloned());
    let drawn = match &chart.layer {
        Layer::Bars { bars, .. } => self::bars(chart, bars),
        Layer::Lines { lines, filled } => self::lines(chart, lines, *filled),
        Layer::Points(points) => self::points(chart, points),
        Layer::Tiles {
            tiles,
            title,
            by_ratio,
        } => self::tiles(chart, tiles, title, *by_ratio),
    };
    lines.extend(drawn);
    let lines = lines.iter().map(|line| {
        let line = visible(line);
        match cut(line.trim_end(), WHOLE) {
            Some(start) => format!("{start}…"),
            None => line.trim_end().to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in so many columns: cut, or with blanks before or behind it.
fn fitted(text: &str, columns: usize, right: bool) -> String {
    let text = visible(text);
    let text = match cut(&text, columns) {
        Some(start) => format!("{start}…"),
        None => text,
    };
    let blanks = " ".repeat(columns.saturating_sub(width(&text)));
    match right {
        true => format!("{blanks}{text}"),
        false => format!("{text}{blanks}"),
    }
}

fn bars(chart: &Chart, bars: &[Bar]) -> Vec<String> {
    let lying = chart.y.scale.is_names();
    let (base, height) = match lying {
        true => (&chart.y, &chart.x),
        false => (&chart.x, &chart.y),
    };
    let spans = bars.iter().any(|bar| matches!(bar.place, Place::Span(..)));
    if spans && bars.len() > MOST_BARS {
        let points = bars.iter().map(|bar| {
            let (from, to) = bar.place.ends();
            (from / 2.0 + to / 2.0, bar.from, bar.to)
        });
        return columns(chart, &points.collect::<Vec<_>>());
    }
    let name = |bar: &Bar| {
        let place = words(base, bar.place);
        match chart
            .colors
            .as_ref()
            .and_then(|colors| colors.names.get(bar.color))
        {
            Some(color) => format!("{place} · {color}"),
            None => place,
        }
    };
    let names: Vec<_> = bars.iter().take(MOST_BARS).map(name).collect();
    let widest = names
        .iter()
        .map(|name| width(&visible(name)))
        .max()
        .unwrap_or(0);
    let columns = widest.max(width(&visible(&base.title))).min(LONGEST);
    let zero = height.scale.share(0.0);
    let rows = bars.iter().zip(&names).map(|(bar, name)| {
        let long = (height.scale.share(bar.to) - height.scale.share(bar.from)).abs();
        // A part of an axis from zero downwards has no bar of blocks from right to left.
        let before = match bar.to < bar.from {
            true => zero - long,
            false => height.scale.share(bar.from),
        };
        let blank = " ".repeat((before * WIDTH as f64).round() as usize);
        let name = fitted(name, columns, false);
        format!(
            "{name}  {blank}{} {}",
            block(long),
            amount(bar.to - bar.from)
        )
    });
    let mut lines = vec![format!(
        "{}  {}",
        fitted(&base.title, columns, false),
        height.title
    )];
    lines.extend(rows);
    let more = bars.len().saturating_sub(MOST_BARS);
    if more > 0 {
        lines.push(format!("and {more} bars more"));
    }
    lines
}

/// A bar from left to right.
fn block(share: f64) -> String {
    let eighths = (share * (WIDTH * 8) as f64).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    match eighths % 8 {
        // What is there is seen.
        0 if text.is_empty() && share > 0.0 => text.push(ACROSS[1]),
        0 => {}
        rest => text.push(ACROSS[rest]),
    }
    text
}

fn lines(chart: &Chart, lines: &[Line], filled: bool) -> Vec<String> {
    let [line] = lines else {
        return sparks(chart, lines, filled);
    };
    columns(chart, &line.points)
}

/// Upright columns, and what stands at both axes.
fn columns(chart: &Chart, points: &[(f64, f64, f64)]) -> Vec<String> {
    let levels = levels(&chart.x, &chart.y, points);
    let (low, high) = chart.y.scale.ends();
    let (top, bottom) = (word(&chart.y, high), word(&chart.y, low));
    let margin = width(&top).max(width(&bottom)).min(LONGEST);
    let mut rows = vec![chart.y.title.clone()];
    for row in (0..HEIGHT).rev() {
        let label = match row {
            0 => bottom.as_str(),
            row if row + 1 == HEIGHT => top.as_str(),
            _ => "",
        };
        let drawn: String = levels
            .iter()
            .map(|level| match level {
                Some(level) => {
                    let eighths = (level * (HEIGHT * 8) as f64).round() as usize;
                    // What is there is seen.
                    UPWARD[eighths.max(1).saturating_sub(row * 8).min(8)]
                }
                None => ' ',
            })
            .collect();
        rows.push(format!("{} │{drawn}", fitted(label, margin, true)));
    }
    rows.extend(below(&chart.x, margin));
    rows
}

/// One line of blocks for each colour, from the least of all values to the greatest.
fn sparks(chart: &Chart, lines: &[Line], filled: bool) -> Vec<String> {
    let name = |line: &Line| {
        let names = chart.colors.as_ref().map(|colors| &colors.names);
        let name = names.and_then(|names| names.get(line.color));
        name.cloned().unwrap_or_default()
    };
    let value = |low: f64, y: f64| if filled { y - low } else { y };
    let range = |line: &Line| {
        let values = line.points.iter().map(|(_, low, y)| value(*low, *y));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        })
    };
    let (from, to) = lines.iter().map(range).fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(a, b), (least, most)| (a.min(least), b.max(most)),
    );
    let heights = Axis {
        title: String::new(),
        scale: Scale::Numbers { from, to },
    };
    let widest = lines.iter().map(|line| width(&visible(&name(line)))).max();
    let margin = widest.unwrap_or(0).min(LONGEST);
    let mut rows = vec![chart.y.title.clone()];
    for line in lines {
        let own = line
            .points
            .iter()
            .map(|(x, low, y)| (*x, 0.0, value(*low, *y)));
        let drawn: String = levels(&chart.x, &heights, &own.collect::<Vec<_>>())
            .iter()
            .map(|level| match level {
                Some(level) => UPWARD[1 + (level * 7.0).round() as usize],
                None => ' ',
            })
            .collect();
        let (least, most) = range(line);
        rows.push(format!(
            "{} │{drawn}│ {} to {}",
            fitted(&name(line), margin, true),
            amount(least),
            amount(most)
        ));
    }
    rows.extend(below(&chart.x, margin));
    rows
}

/// How high each column reaches, from 0 to 1: the mean of what lies in it.
fn levels(x: &Axis, y: &Axis, points: &[(f64, f64, f64)]) -> Vec<Option<f64>> {
    let mut found = vec![(0.0, 0.0); WIDTH];
    for (at, _, top) in points {
        let column = (x.scale.share(*at) * WIDTH as f64) as usize;
        let (sum, count) = &mut found[column.min(WIDTH - 1)];
        *sum += y.scale.share(*top);
        *count += 1.0;
    }
    let mut levels: Vec<_> = found
        .into_iter()
        .map(|(sum, count)| (count > 0.0).then(|| sum / count))
        .collect();
    // Between the first and the last point a line goes on.
    let mut last: Option<(usize, f64)> = None;
    for column in 0..WIDTH {
        let Some(level) = levels[column] else {
            continue;
        };
        if let Some((from, before)) = last {
            let steps = (column - from) as f64;
            for (step, between) in levels[from + 1..column].iter_mut().enumerate() {
                let part = (step + 1) as f64 / steps;
                *between = Some(before + (level - before) * part);
            }
        }
        last = Some((column, level));
    }
    levels
}

/// What stands under a drawing: both ends of its axis, and what is along it.
fn below(axis: &Axis, margin: usize) -> Vec<String> {
    let (from, to) = axis.scale.ends();
    let (from, to) = (word(axis, from), word(axis, to));
    let blank = " ".repeat(margin + 2);
    let gap = WIDTH.saturating_sub(width(&from) + width(&to)).max(1);
    let middle = fitted(&format!("  {}", axis.title), gap, false);
    vec![
        format!("{} └{}", " ".repeat(margin), "─".repeat(WIDTH)),
        format!("{blank}{from}{middle}{to}"),
    ]
}

fn points(chart: &Chart, points: &[Point]) -> Vec<String> {
    let mut counts = vec![0.0; WIDTH * HEIGHT];
    for point in points {
        counts[cell(chart, point.x, point.y)] += 1.0;
    }
    grid(chart, &counts)
}

fn tiles(chart: &Chart, tiles: &[Tile], title: &str, by_ratio: bool) -> Vec<String> {
    if chart.x.scale.is_names() && chart.y.scale.is_names() {
        return named_tiles(chart, tiles, title, by_ratio);
    }
    let ends = amounts(tiles);
    let mut shades = vec![0.0; WIDTH * HEIGHT];
    for row in 0..HEIGHT {
        for column in 0..WIDTH {
            let within = |place: Place, share: f64, axis: &Axis| {
                let (from, to) = place.ends();
                (axis.scale.share(from)..axis.scale.share(to)).contains(&share)
            };
            let x = (column as f64 + 0.5) / WIDTH as f64;
            let up = (row as f64 + 0.5) / HEIGHT as f64;
            let y = if chart.y.scale.is_names() {
                1.0 - up
            } else {
                up
            };
            let tile = tiles
                .iter()
                .find(|tile| within(tile.x, x, &chart.x) && within(tile.y, y, &chart.y));
            if let Some(tile) = tile {
                shades[row * WIDTH + column] = filled_by(tile, ends, by_ratio);
            }
        }
    }
    let mut rows = vec![shades_in_words(title, ends)];
    rows.extend(grid(chart, &shades));
    rows
}

/// How full a tile's character is: more than nothing.
fn filled_by(tile: &Tile, ends: (f64, f64), by_ratio: bool) -> f64 {
    0.25 + 0.75 * share(tile.amount, ends, by_ratio)
}

fn shades_in_words(title: &str, (least, most): (f64, f64)) -> String {
    format!(
        "{title}: {} {} to {} {}",
        SHADES[1],
        amount(least),
        SHADES[4],
        amount(most)
    )
}

fn named_tiles(chart: &Chart, tiles: &[Tile], title: &str, by_ratio: bool) -> Vec<String> {
    let (Scale::Names(columns), Scale::Names(rows)) = (&chart.x.scale, &chart.y.scale) else {
        return Vec::new();
    };
    let ends = amounts(tiles);
    let margin = rows
        .iter()
        .map(|name| width(&visible(name)))
        .max()
        .unwrap_or(0);
    let margin = margin.min(LONGEST);
    let room = ((WHOLE - margin - 2) / columns.len().max(1)).clamp(3, 8);
    let heads = columns
        .iter()
        .map(|name| fitted(name, room - 1, false) + " ");
    let blank = " ".repeat(margin);
    let mut lines = vec![
        shades_in_words(title, ends),
        format!("{blank}  {}", heads.collect::<String>()),
    ];
    for (row, name) in rows.iter().enumerate() {
        let cells = (0..columns.len()).map(|column| {
            let here = |tile: &&Tile| tile.x == Place::Name(column) && tile.y == Place::Name(row);
            let tile = tiles.iter().find(here);
            let shade = tile.map_or(' ', |tile| shade(filled_by(tile, ends, by_ratio)));
            format!("{} ", shade.to_string().repeat(room - 1))
        });
        let cells: String = cells.collect();
        lines.push(format!("{}  {cells}", fitted(name, margin, true)));
    }
    lines.push(format!(
        "{blank}  {} across, {} down",
        chart.x.title, chart.y.title
    ));
    lines
}

fn shade(share: f64) -> char {
    match share {
        share if share <= 0.0 => SHADES[0],
        share => SHADES[((share * 4.0).round() as usize).clamp(1, 4)],
    }
}

/// The number of the character that a place lies in, counted from the bottom left.
fn cell(chart: &Chart, x: f64, y: f64) -> usize {
    let at = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
    let column = at(chart.x.scale.share(x), WIDTH);
    let row = at(chart.y.scale.share(y), HEIGHT);
    row * WIDTH + column
}

/// Characters that are as full as they hold much, and what stands at both axes.
fn grid(chart: &Chart, amounts: &[f64]) -> Vec<String> {
    let most = amounts.iter().copied().fold(0.0, f64::max);
    let labels = ticks(&chart.y, 3);
    let names = chart.y.scale.is_names();
    let label = |row: usize| {
        let low = row as f64 / HEIGHT as f64;
        let high = low + 1.0 / HEIGHT as f64;
        let here = labels.iter().find(|tick| {
            let up = chart.y.scale.share(tick.at);
            let up = if names { 1.0 - up } else { up };
            (low..high).contains(&up) || (up >= 1.0 && high >= 1.0)
        });
        here.map_or("", |tick| tick.label.as_str())
    };
    let margin = labels.iter().map(|tick| width(&visible(&tick.label))).max();
    let margin = margin.unwrap_or(0).min(LONGEST);
    let mut rows = vec![chart.y.title.clone()];
    for row in (0..HEIGHT).rev() {
        let cells = amounts[row * WIDTH..(row + 1) * WIDTH].iter();
        let drawn: String = cells
            .map(|amount| shade(amount / most.max(f64::MIN_POSITIVE)))
            .collect();
        rows.push(format!("{} │{drawn}", fitted(label(row), margin, true)));
    }
    rows.extend(below(&chart.x, margin));
    rows
}
