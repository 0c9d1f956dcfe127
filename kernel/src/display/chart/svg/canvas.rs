//! Lines, shapes and text of an SVG drawing, in pixels from the top left.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, PathElement, RGBColor, Rectangle, SVGBackend, TriangleMarker,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont, ShapeStyle};

use crate::display::chart::palette::{COLORS, Color, DASHES, INK};
use crate::display::text::visible;

/// What is drawn on. To draw into a string cannot fail.
pub(super) struct Canvas<'a>(pub(super) DrawingArea<SVGBackend<'a>, Shift>);

pub(super) fn rgb((r, g, b): Color) -> RGBColor {
    RGBColor(r, g, b)
}

impl Canvas<'_> {
    pub(super) fn text(&self, at: (i32, i32), text: &str, size: f64, side: HPos) {
        let style = ("sans-serif", size * 1.24)
            .into_font()
            .color(&rgb(INK))
            .pos(Pos::new(side, VPos::Center));
        let _ = self.0.draw_text(&visible(text), &style, at);
    }

    pub(super) fn rectangle(&self, corner: (i32, i32), other: (i32, i32), color: Color) {
        let corners = [
            (corner.0.min(other.0), corner.1.min(other.1)),
            (corner.0.max(other.0), corner.1.max(other.1)),
        ];
        let _ = self.0.draw(&Rectangle::new(corners, rgb(color).filled()));
    }

    pub(super) fn line(&self, points: Vec<(i32, i32)>, color: Color, stroke: u32) {
        let style = ShapeStyle::from(&rgb(color)).stroke_width(stroke);
        let _ = self.0.draw(&PathElement::new(points, style));
    }

    /// A faint line behind what is drawn.
    pub(super) fn grid(&self, from: (i32, i32), to: (i32, i32)) {
        let style = ShapeStyle::from(&rgb(INK).mix(0.25)).stroke_width(1);
        let _ = self.0.draw(&PathElement::new(vec![from, to], style));
    }
}
pub(super) fn color_of(number: usize) -> Color {
    COLORS[number % COLORS.len()]
}

/// A point in the shape of its colour.
pub(super) fn mark(canvas: &Canvas<'_>, at: (i32, i32), number: usize) {
    let style = rgb(color_of(number)).filled();
    let _ = match number % 3 {
        0 => canvas.0.draw(&Circle::new(at, 3, style)),
        1 => canvas.0.draw(&TriangleMarker::new(at, 5, style)),
        _ => {
            let corners = [(at.0 - 3, at.1 - 3), (at.0 + 3, at.1 + 3)];
            canvas.0.draw(&Rectangle::new(corners, style))
        }
    };
}

/// A line with the dashes of this number.
pub(super) fn dashed(canvas: &Canvas<'_>, points: &[(f64, f64)], number: usize, color: Color) {
    let pixel = |(x, y): (f64, f64)| (x.round() as i32, y.round() as i32);
    let dashes = DASHES[number % DASHES.len()];
    if dashes.is_empty() {
        canvas.line(points.iter().copied().map(pixel).collect(), color, 2);
        return;
    }
    let (mut dash, mut left) = (0, f64::from(dashes[0]));
    let mut stretch = Vec::new();
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if dash % 2 == 0 && stretch.is_empty() {
                stretch.push(pixel(from));
            }
            if length <= left {
                left -= length;
                if dash % 2 == 0 {
                    stretch.push(pixel(to));
                }
                break;
            }
            let part = left / length;
            from = (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            );
            if dash % 2 == 0 {
                stretch.push(pixel(from));
                canvas.line(std::mem::take(&mut stretch), color, 2);
            }
            dash = (dash + 1) % dashes.len();
            left = f64::from(dashes[dash]);
        }
    }
    if stretch.len() > 1 {
        canvas.line(stretch, color, 2);
    }
}
