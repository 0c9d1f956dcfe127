//! A chart: one model, drawn as Vega-Lite for front ends that run it, as SVG where no script runs,
//! and as blocks of text.

mod label;
mod palette;
mod plain;
mod steps;
mod svg;
mod vega;

use jupyter_protocol::{Media, MediaType};

pub use label::amount;
pub use steps::{Steps, TimeSteps};

/// What a chart shows. It holds few points: rows are counted into them before.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What stands over it.
    pub title: String,
    /// Sentences under the title: what was left out, and how rows were put together.
    pub notes: Vec<String>,
    /// What runs from left to right.
    pub x: Axis,
    /// What runs from bottom to top; names from top to bottom.
    pub y: Axis,
    /// The names of the colours and what they are names of; nothing where there is one colour.
    pub colors: Option<Colors>,
    /// What is drawn.
    pub layer: Layer,
}

/// One of the two directions of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is along it.
    pub title: String,
    /// Where its values lie.
    pub scale: Scale,
}

/// How values lie along an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// A place for each name; a value is the place's number.
    Names(Vec<String>),
    /// Numbers.
    Numbers {
        /// Where the axis begins.
        from: f64,
        /// Where it ends.
        to: f64,
    },
    /// What clocks show, in microseconds since 1970-01-01 00:00.
    Times {
        /// Where the axis begins.
        from: f64,
        /// Where it ends.
        to: f64,
    },
}

/// What colours stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Colors {
    /// What they are names of.
    pub title: String,
    /// The name of each.
    pub names: Vec<String>,
}

/// What is drawn between the axes.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Bars, which lie where the names stand at the left and stand upright elsewhere.
    Bars {
        /// The bars.
        bars: Vec<Bar>,
        /// Whether bars of different colours at one place stand side by side.
        side_by_side: bool,
    },
    /// Lines, or the areas below them.
    Lines {
        /// One for each colour.
        lines: Vec<Line>,
        /// Whether the area below a line is filled.
        filled: bool,
    },
    /// A point for each row.
    Points(Vec<Point>),
    /// Rectangles whose shade is an amount.
    Tiles {
        /// The rectangles.
        tiles: Vec<Tile>,
        /// What the amount is.
        title: String,
        /// Whether twice as much is one shade darker, rather than so much more: amounts are then
        /// above zero.
        by_ratio: bool,
    },
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its place along the axis that it stands on: from a value to another, or one name.
    pub place: Place,
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// The number of its colour.
    pub color: usize,
}

/// What a bar or a tile covers of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// The name with this number.
    Name(usize),
    /// From a value to another.
    Span(f64, f64),
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The number of its colour.
    pub color: usize,
    /// Its points from left to right: where, and from the base of its area to the line itself.
    pub points: Vec<(f64, f64, f64)>,
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the bottom.
    pub y: f64,
    /// The number of its colour.
    pub color: usize,
}

/// A rectangle with an amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile {
    /// From left to right.
    pub x: Place,
    /// From bottom to top.
    pub y: Place,
    /// How much.
    pub amount: f64,
}

/// Shows a chart.
pub fn chart(chart: &Chart) -> Media {
    Media::new(vec![
        MediaType::VegaLiteV5(vega::spec(chart)),
        MediaType::Svg(svg::draw(chart)),
        MediaType::Plain(plain::draw(chart)),
    ])
}

impl Scale {
    /// Where the axis begins and ends.
    fn ends(&self) -> (f64, f64) {
        match self {
            Self::Names(names) => (0.0, names.len() as f64),
            Self::Numbers { from, to } | Self::Times { from, to } => (*from, *to),
        }
    }

    /// Where a value lies, from 0 at the beginning to 1 at the end.
    fn share(&self, value: f64) -> f64 {
        let (from, to) = self.ends();
        // Halved, so that the widest axis there is has a width.
        let width = to / 2.0 - from / 2.0;
        match width > 0.0 {
            true => ((value / 2.0 - from / 2.0) / width).clamp(0.0, 1.0),
            false => 0.5,
        }
    }

    fn is_names(&self) -> bool {
        matches!(self, Self::Names(_))
    }
}

impl Place {
    fn ends(self) -> (f64, f64) {
        match self {
            Self::Name(number) => (number as f64, number as f64 + 1.0),
            Self::Span(from, to) => (from, to),
        }
    }
}

/// The least and the greatest amount of tiles.
fn amounts(tiles: &[Tile]) -> (f64, f64) {
    let amounts = tiles.iter().map(|tile| tile.amount);
    amounts.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), amount| (least.min(amount), most.max(amount)),
    )
}

/// Where an amount lies between the least, 0, and the greatest, 1; in the middle where all are one.
fn share(amount: f64, (least, most): (f64, f64), by_ratio: bool) -> f64 {
    if most <= least {
        return 0.5;
    }
    match by_ratio {
        true => (amount / least).ln() / (most / least).ln(),
        false => (amount / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0),
    }
}

#[cfg(test)]
mod tests;
