//! Which chart is drawn of which columns.

mod charts;
mod table;

use super::plan::{Facts, Measure, Plan};
use super::refusal::Refusal;
use crate::cell::{ChartRequest, Mark};
use crate::frame::Kind;
use table::{Asked, Table};

/// Says what to draw of so many rows.
pub(super) fn decide(
    columns: &[Facts],
    rows: usize,
    request: &ChartRequest,
) -> Result<Plan, Refusal> {
    let table = Table { columns, rows };
    let asked = Asked {
        mark: request.mark,
        x: request
            .x
            .as_deref()
            .map(|text| table.pick(text))
            .transpose()?,
        y: request
            .y
            .as_deref()
            .map(|text| table.pick(text))
            .transpose()?,
        color: request
            .color
            .as_deref()
            .map(|text| table.pick(text))
            .transpose()?,
    };
    let asked = table.turned(asked);
    let mark = match asked.mark {
        Some(mark) => mark,
        None => table.mark(&asked)?,
    };
    match mark {
        Mark::Bar => table.bars(&asked),
        Mark::Line => table.lines(&asked, false),
        Mark::Area => table.lines(&asked, true),
        Mark::Scatter => table.scatter(&asked),
        Mark::Hist => table.hist(&asked),
        Mark::Heatmap => table.tiles(&asked),
    }
}

impl Table<'_> {
    /// Names across and amounts along x: the same is asked the other way round.
    fn turned(&self, asked: Asked) -> Asked {
        let along_y = self.is(asked.y, Kind::is_time)
            || (matches!(asked.mark, None | Some(Mark::Bar)) && self.is(asked.y, Kind::is_name));
        let amount_in_x = match asked.x {
            None => true,
            Some(Measure::Rows | Measure::Of(Some(_), _)) => true,
            Some(Measure::Of(None, column)) => self.kind(column).is_some_and(Kind::is_number),
        };
        match along_y && amount_in_x && !matches!(asked.mark, Some(Mark::Heatmap | Mark::Scatter)) {
            true => Asked {
                x: asked.y,
                y: asked.x,
                ..asked
            },
            false => asked,
        }
    }

    /// The chart that the types of the columns ask for.
    fn mark(&self, asked: &Asked) -> Result<Mark, Refusal> {
        if self.is(asked.x, Kind::is_time) {
            return Ok(Mark::Line);
        }
        if self.is(asked.x, Kind::is_name) {
            let pair = self.is(asked.y, Kind::is_name);
            return Ok(if pair { Mark::Heatmap } else { Mark::Bar });
        }
        if self.is(asked.x, Kind::is_number) {
            return Ok(match asked.y {
                None => Mark::Hist,
                Some(Measure::Of(None, _)) => Mark::Scatter,
                Some(_) => Mark::Bar,
            });
        }
        let names: Vec<_> = self.free(asked, Kind::is_name).collect();
        if self.free(asked, Kind::is_time).next().is_some() {
            return Ok(Mark::Line);
        }
        match names.as_slice() {
            [] => {}
            // Two columns of names of which each comes again with others of the other.
            [first, second, ..]
                if asked.y.is_none()
                    && asked.color.is_none()
                    && self.repeats(*first)
                    && self.repeats(*second) =>
            {
                return Ok(Mark::Heatmap);
            }
            _ => return Ok(Mark::Bar),
        }
        let numbers = self.free(asked, Kind::is_number).count();
        match (asked.y, numbers) {
            (None, 0) => match asked.color {
                Some(_) => Ok(Mark::Bar),
                None => Err(self.nothing()),
            },
            (None, 1) => Ok(Mark::Hist),
            (Some(Measure::Of(None, _)), 0) => Ok(Mark::Hist),
            (Some(Measure::Rows), 1) => Ok(Mark::Hist),
            (Some(Measure::Rows | Measure::Of(Some(_), _)), _) => Ok(Mark::Bar),
            _ => Ok(Mark::Scatter),
        }
    }
}

#[cfg(test)]
mod tests;
