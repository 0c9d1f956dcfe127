//! Which chart a result becomes, and the result counted into it.
//!
//! [`decide`](decide::decide) is a pure function of what the columns are and what was asked. The rest
//! carries its plan out: rows are counted into few groups before anything is drawn, so that a chart
//! of ten million rows is as small as one of a hundred.

mod along;
mod bars;
mod decide;
mod lines;
mod measure;
mod plan;
mod refusal;
mod scatter;
mod tiles;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use crate::cell::ChartRequest;
use crate::display::Zone;
use crate::display::chart::{Chart, Scale, Steps};
use crate::display::spark_type;
use crate::frame::{Column, Range, Rows};
use decide::decide;
use plan::{Facts, Plan};
use refusal::Refusal;

pub use refusal::Refusal as ChartError;

/// Points of a chart at most, whatever the result holds.
const MOST_POINTS: usize = 2_000;

/// Colours that are told apart.
const MOST_COLORS: usize = 7;

/// Columns of names of which the different ones are counted before a chart is chosen.
const COUNTED: usize = 3;

/// Draws rows. `part` says which part of its result they are, where they are not all of it.
pub fn draw(
    schema: &Schema,
    batches: &[RecordBatch],
    zone: &Zone,
    request: &ChartRequest,
    part: Option<&str>,
) -> Result<Chart, Refusal> {
    let rows = Rows::new(schema, batches, zone);
    if rows.count() == 0 {
        return Err(Refusal::NoRows);
    }
    // Who names columns needs no choice, and a choice alone asks how many different names there are.
    let choice = request.x.is_none() && request.y.is_none();
    let plan = decide(&facts(&rows, choice), rows.count(), request)?;
    let source = Source { rows };
    let mut chart = match plan {
        Plan::Bars(plan) => bars::draw(&source, plan)?,
        Plan::Lines(plan) => lines::draw(&source, plan)?,
        Plan::Scatter(plan) => scatter::draw(&source, plan)?,
        Plan::Tiles(plan) => tiles::draw(&source, plan)?,
    };
    if let Some(part) = part {
        chart.title = format!("{} – of {part} alone", chart.title);
    }
    Ok(chart)
}

fn facts(rows: &Rows<'_>, choice: bool) -> Vec<Facts> {
    let mut counted = 0;
    let facts = rows.fields().enumerate().map(|(number, field)| {
        let kind = rows.kind(number);
        let is_name = kind.is_some_and(crate::frame::Kind::is_name);
        counted += usize::from(is_name);
        Facts {
            name: field.name().clone(),
            type_name: spark_type(field),
            kind,
            filled: rows.has_values(number),
            distinct: (choice && is_name && counted <= COUNTED)
                .then(|| rows.names(number).map(|names| names.all.len()))
                .flatten(),
        }
    });
    facts.collect()
}

/// What a chart is made of.
struct Source<'a> {
    rows: Rows<'a>,
}

impl Source<'_> {
    /// A column's name.
    fn name(&self, column: usize) -> String {
        let field = self.rows.fields().nth(column);
        field.map_or_else(String::new, |field| field.name().clone())
    }

    /// What stands at the axis of a column: its name, and of instants the zone whose clocks show them.
    fn title(&self, column: usize) -> String {
        let name = self.name(column);
        match self.rows.zone(column) {
            Some(zone) => format!("{name} ({zone})"),
            None => name,
        }
    }

    /// A column of numbers or times.
    fn column(&self, column: usize) -> Result<Column, Refusal> {
        let found = self.rows.column(column);
        found.ok_or_else(|| Refusal::NoValues(self.name(column)))
    }

    /// The same with its range.
    fn ranged(&self, column: usize) -> Result<(Column, Range), Refusal> {
        let found = self.column(column)?;
        match found.range() {
            Some(range) => Ok((found, range)),
            None => Err(Refusal::NoValues(self.name(column))),
        }
    }

    /// A sentence about rows that are in no group, where there are some.
    fn left_out(&self, counted: u64, columns: &[usize]) -> Option<String> {
        let missing = (self.rows.count() as u64).saturating_sub(counted);
        let lacking = |column: &&usize| self.rows.has_nulls(**column);
        let mut guilty: Vec<_> = columns.iter().filter(lacking).collect();
        if guilty.is_empty() {
            // What is there and left out is not finite.
            guilty = columns.iter().collect();
        }
        let mut names: Vec<_> = guilty
            .into_iter()
            .map(|column| self.name(*column))
            .collect();
        names.dedup();
        let verb = if missing == 1 { "is" } else { "are" };
        (missing > 0).then(|| {
            let rows = crate::display::rows(missing);
            format!(
                "{rows} without a value of {} {verb} left out",
                names.join(" or ")
            )
        })
    }
}

/// An axis of numbers that begins and ends at a round one, with zero where it belongs to it.
fn numbers(values: impl Iterator<Item = f64>, with_zero: bool) -> Scale {
    let start = if with_zero {
        (0.0, 0.0)
    } else {
        (f64::INFINITY, f64::NEG_INFINITY)
    };
    let (mut from, mut to) = values
        .filter(|value| value.is_finite())
        .fold(start, |(least, most), value| {
            (least.min(value), most.max(value))
        });
    if from > to {
        (from, to) = (0.0, 1.0);
    }
    let steps = Steps::cover(from, to, 6);
    // Where the greatest value stands on an edge, the step behind it is empty.
    let behind = steps.edge(steps.count - 1);
    let end = if to == behind && steps.count > 1 {
        behind
    } else {
        steps.edge(steps.count)
    };
    Scale::Numbers {
        from: steps.edge(0),
        to: end,
    }
}

#[cfg(test)]
mod tests;
