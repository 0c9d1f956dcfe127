//! A chart as SVG, for front ends that run no script and for documents.
//!
//! It is see-through, holds no script, no style sheet and no font, and its colours are seen on a
//! light page and on a dark one.

mod canvas;

use plotters::prelude::{IntoDrawingArea, Polygon, SVGBackend};
use plotters::style::Color as _;
use plotters::style::text_anchor::HPos;

use super::label::{Tick, ticks};
use super::palette::{INK, shade};
use super::{Axis, Bar, Chart, Layer, Line, Point, Tile, amount, amounts, share};
use crate::display::text::{cut, visible, width};
use canvas::{Canvas, color_of, dashed, mark, rgb};

/// Pixels from side to side.
const WIDTH: i32 = 700;

/// Pixels from the bottom of the drawing to its top where no names stand at the left.
const HEIGHT: i32 = 280;

/// Pixels from one name to the next.
const STEP: i32 = 20;

/// Pixels that a character takes, about: fonts are the reader's.
const CHARACTER: i32 = 7;

/// Characters of a name that are shown.
const LONGEST: usize = 26;

/// Points of a line that are marked one by one.
pub(super) const MARKED: usize = 40;

/// Draws a chart.
pub(super) fn draw(chart: &Chart) -> String {
    let mut text = String::new();
    let layout = Layout::of(chart);
    let size = (WIDTH as u32, layout.whole as u32);
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let canvas = Canvas(area);
        layout.heads(&canvas, chart);
        layout.axes(&canvas, chart);
        match &chart.layer {
            Layer::Bars { bars, side_by_side } => {
                layout.bars(&canvas, chart, bars, *side_by_side);
            }
            Layer::Lines { lines, filled } => layout.lines(&canvas, chart, lines, *filled),
            Layer::Points(points) => layout.points(&canvas, chart, points),
            Layer::Tiles {
                tiles, by_ratio, ..
            } => layout.tiles(&canvas, chart, tiles, *by_ratio),
        }
        // What is drawn goes into a string, which cannot fail.
        let _ = canvas.0.present();
    }
    text
}

/// Where the parts of a chart lie, in pixels from the top left.
struct Layout {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    /// The height of it all.
    whole: i32,
    xs: Vec<Tick>,
    ys: Vec<Tick>,
}

impl Layout {
    fn of(chart: &Chart) -> Self {
        let xs = ticks(&chart.x, 6);
        let ys = ticks(&chart.y, 6);
        let longest = |ticks: &[Tick]| {
            let widths = ticks.iter().map(|tick| width(&shown(&tick.label)) as i32);
            widths.max().unwrap_or(0) * CHARACTER
        };
        let legend = match (&chart.layer, &chart.colors) {
            (Layer::Tiles { .. }, _) => 1,
            (_, Some(colors)) => legend_rows(&colors.names),
            _ => 0,
        };
        let top = 34 + 17 * chart.notes.len() as i32 + 20 * legend + 24;
        let height = match chart.y.scale.is_names() {
            true => STEP * ys.len() as i32,
            false => HEIGHT,
        };
        // Names below are written one below the other where they are too long for their places.
        let below = match chart.x.scale.is_names() && !fits(&xs) {
            true => 17 * 2,
            false => 17,
        };
        let bottom = top + height;
        Self {
            left: (longest(&ys) + 14).max(40),
            right: WIDTH - 40,
            top,
            bottom,
            whole: bottom + below + 34,
            xs,
            ys,
        }
    }

    fn x(&self, axis: &Axis, value: f64) -> i32 {
        let width = f64::from(self.right - self.left);
        self.left + (axis.scale.share(value) * width).round() as i32
    }

    fn y(&self, axis: &Axis, value: f64) -> i32 {
        let height = f64::from(self.bottom - self.top);
        let down = (axis.scale.share(value) * height).round() as i32;
        match axis.scale.is_names() {
            // Names are read from the top.
            true => self.top + down,
            false => self.bottom - down,
        }
    }

    /// Title, notes and what colours stand for.
    fn heads(&self, canvas: &Canvas<'_>, chart: &Chart) {
        canvas.text((8, 18), &chart.title, 15.0, HPos::Left);
        let mut y = 38;
        for note in &chart.notes {
            canvas.text((8, y), note, 12.0, HPos::Left);
            y += 17;
        }
        if let Layer::Tiles { tiles, title, .. } = &chart.layer {
            let (least, most) = amounts(tiles);
            let mut x = 8;
            for text in [title.as_str(), &amount(least)] {
                canvas.text((x, y), text, 12.0, HPos::Left);
                x += (width(text) as i32 + 2) * CHARACTER;
            }
            for number in 0..24 {
                let color = shade(f64::from(number) / 23.0);
                canvas.rectangle((x, y - 6), (x + 5, y + 6), color);
                x += 5;
            }
            canvas.text((x + 8, y), &amount(most), 12.0, HPos::Left);
        } else if let Some(colors) = &chart.colors {
            let dense = match &chart.layer {
                Layer::Lines { lines, .. } => lines.iter().any(|line| line.points.len() > MARKED),
                _ => false,
            };
            let mut x = 8;
            for (number, name) in colors.names.iter().enumerate() {
                let name = shown(name);
                let wide = legend_width(&name);
                if x + wide > WIDTH && x > 8 {
                    x = 8;
                    y += 20;
                }
                let color = color_of(number);
                match &chart.layer {
                    Layer::Lines { filled: false, .. } => {
                        let points = [
                            (f64::from(x), f64::from(y)),
                            (f64::from(x + 26), f64::from(y)),
                        ];
                        dashed(canvas, &points, if dense { 0 } else { number }, color);
                    }
                    Layer::Points(_) => mark(canvas, (x + 13, y), number),
                    _ => canvas.rectangle((x + 8, y - 6), (x + 22, y + 6), color),
                }
                canvas.text((x + 32, y), &name, 12.0, HPos::Left);
                x += wide;
            }
        }
    }

    fn axes(&self, canvas: &Canvas<'_>, chart: &Chart) {
        let above = match chart.y.scale.is_names() {
            true => 8,
            false => self.left - 8,
        };
        // Above its axis, where it is read without turning the head.
        canvas.text(
            (above.min(self.left), self.top - 12),
            &chart.y.title,
            12.0,
            HPos::Left,
        );
        for tick in &self.ys {
            let y = self.y(&chart.y, tick.at);
            if !chart.y.scale.is_names() {
                canvas.grid((self.left, y), (self.right, y));
            }
            canvas.text((self.left - 8, y), &shown(&tick.label), 12.0, HPos::Right);
        }
        let alternate = chart.x.scale.is_names() && !fits(&self.xs);
        for (number, tick) in self.xs.iter().enumerate() {
            let x = self.x(&chart.x, tick.at);
            if !chart.x.scale.is_names() {
                canvas.grid((x, self.top), (x, self.bottom));
            }
            let lower = if alternate && number % 2 == 1 { 17 } else { 0 };
            let places = (self.right - self.left) / self.xs.len().max(1) as i32;
            let room = match alternate {
                true => places * 2 / CHARACTER,
                false => WIDTH,
            };
            let label = shown(&tick.label);
            let label = match cut(&label, room.max(2) as usize) {
                Some(start) => format!("{start}…"),
                None => label,
            };
            canvas.text((x, self.bottom + 12 + lower), &label, 12.0, HPos::Center);
        }
        canvas.line(
            vec![(self.left, self.bottom), (self.right, self.bottom)],
            INK,
            1,
        );
        let middle = (self.left + self.right) / 2;
        canvas.text(
            (middle, self.whole - 14),
            &chart.x.title,
            12.0,
            HPos::Center,
        );
    }

    fn bars(&self, canvas: &Canvas<'_>, chart: &Chart, bars: &[Bar], side_by_side: bool) {
        let lying = chart.y.scale.is_names();
        let beside = match (&chart.colors, side_by_side) {
            (Some(colors), true) => colors.names.len().max(1) as f64,
            _ => 1.0,
        };
        for bar in bars {
            let (mut from, mut to) = bar.place.ends();
            if let super::Place::Name(_) = bar.place {
                (from, to) = (from + 0.1, to - 0.1);
                if side_by_side {
                    let width = (to - from) / beside;
                    from += width * bar.color as f64;
                    to = from + width;
                }
            }
            let (corner, other) = match lying {
                true => (
                    (self.x(&chart.x, bar.from), self.y(&chart.y, from)),
                    (self.x(&chart.x, bar.to), self.y(&chart.y, to)),
                ),
                false => {
                    let (x, x2) = (self.x(&chart.x, from), self.x(&chart.x, to));
                    // A gap tells neighbours apart where there is room for one.
                    let x2 = if x2 - x > 3 { x2 - 1 } else { x2 };
                    (
                        (x, self.y(&chart.y, bar.from)),
                        (x2, self.y(&chart.y, bar.to)),
                    )
                }
            };
            canvas.rectangle(corner, other, color_of(bar.color));
        }
    }

    fn lines(&self, canvas: &Canvas<'_>, chart: &Chart, lines: &[Line], filled: bool) {
        for line in lines {
            let at = |(x, y): (f64, f64)| (self.x(&chart.x, x), self.y(&chart.y, y));
            let tops = line.points.iter().map(|(x, _, y)| at((*x, *y)));
            let tops: Vec<_> = tops.collect();
            if filled {
                let lows = line.points.iter().rev().map(|(x, low, _)| at((*x, *low)));
                let around: Vec<_> = tops.iter().copied().chain(lows).collect();
                let style = rgb(color_of(line.color)).mix(0.8).filled();
                let _ = canvas.0.draw(&Polygon::new(around, style));
                continue;
            }
            let exact = tops.iter().map(|(x, y)| (f64::from(*x), f64::from(*y)));
            let exact: Vec<_> = exact.collect();
            // Dashes of a line that goes up and down from pixel to pixel are not seen.
            let few = exact.len() <= MARKED;
            match few {
                true => dashed(canvas, &exact, line.color, color_of(line.color)),
                false => canvas.line(tops.clone(), color_of(line.color), 2),
            }
            if few {
                for top in tops {
                    mark(canvas, top, line.color);
                }
            }
        }
    }

    fn points(&self, canvas: &Canvas<'_>, chart: &Chart, points: &[Point]) {
        for point in points {
            let at = (self.x(&chart.x, point.x), self.y(&chart.y, point.y));
            mark(canvas, at, point.color);
        }
    }

    fn tiles(&self, canvas: &Canvas<'_>, chart: &Chart, tiles: &[Tile], by_ratio: bool) {
        let ends = amounts(tiles);
        let gap = i32::from(chart.x.scale.is_names());
        for tile in tiles {
            let (x, x2) = tile.x.ends();
            let (y, y2) = tile.y.ends();
            let corner = (self.x(&chart.x, x), self.y(&chart.y, y));
            let other = (self.x(&chart.x, x2) - gap, self.y(&chart.y, y2) - gap);
            canvas.rectangle(corner, other, shade(share(tile.amount, ends, by_ratio)));
        }
    }
}

/// A name, cut where it is long.
fn shown(name: &str) -> String {
    let name = visible(name);
    match cut(&name, LONGEST) {
        Some(start) => format!("{start}…"),
        None => name,
    }
}

/// Whether the names at the bottom fit beside each other.
fn fits(ticks: &[Tick]) -> bool {
    let widths = ticks
        .iter()
        .map(|tick| width(&shown(&tick.label)) as i32 + 2);
    let longest = widths.max().unwrap_or(0) * CHARACTER;
    longest * ticks.len() as i32 <= WIDTH - 120
}

fn legend_width(name: &str) -> i32 {
    32 + (width(name) as i32 + 2) * CHARACTER
}

fn legend_rows(names: &[String]) -> i32 {
    let mut rows = 1;
    let mut x = 8;
    for name in names {
        let wide = legend_width(&shown(name));
        if x + wide > WIDTH && x > 8 {
            (rows, x) = (rows + 1, 8);
        }
        x += wide;
    }
    rows
}
