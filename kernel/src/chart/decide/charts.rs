//! The charts there are, and what each needs.

use std::ops::RangeInclusive;

use super::table::{Asked, Pick, Table};
use crate::chart::plan::{Bars, Lines, Measure, Plan, Scatter, Tiles};
use crate::chart::refusal::Refusal;
use crate::chart::{MOST_COLORS, MOST_POINTS};
use crate::frame::Kind;

/// Different names that have a colour each, unasked.
const FEW_NAMES: RangeInclusive<usize> = 2..=MOST_COLORS;

impl Table<'_> {
    /// The column along x, which is no function.
    fn along(
        &self,
        asked: &Asked,
        chart: &'static str,
        needs: &'static str,
    ) -> Result<Option<usize>, Refusal> {
        match asked.x {
            None => Ok(None),
            Some(Measure::Of(None, column)) => Ok(Some(column)),
            Some(Measure::Rows) => Err(Refusal::Needs {
                chart,
                needs,
                got: "`count` is how many rows there are".to_owned(),
                hint: Some("`y=count` draws that.".to_owned()),
            }),
            Some(Measure::Of(Some(_), column)) => Err(Refusal::Needs {
                chart,
                needs,
                got: format!("a function of `{}` is none", self.columns[column].name),
                hint: Some("Functions are for `y=`.".to_owned()),
            }),
        }
    }

    /// What is shown upwards: what is asked for, else the first number that is free, else the count.
    fn measure(
        &self,
        pick: Option<Pick>,
        asked: &Asked,
        along: usize,
        chart: &'static str,
    ) -> Result<Measure, Refusal> {
        match pick {
            Some(Measure::Of(None, column)) if !self.kind(column).is_some_and(Kind::is_number) => {
                Err(self.needs(
                    chart,
                    "a number upwards",
                    column,
                    Some("`y=count` counts rows."),
                ))
            }
            Some(measure) => Ok(measure),
            None => {
                let number = self
                    .free(asked, Kind::is_number)
                    .find(|column| *column != along);
                Ok(number.map_or(Measure::Rows, |column| Measure::Of(None, column)))
            }
        }
    }

    /// The column of names that colours are asked for.
    fn color(&self, asked: &Asked) -> Result<Option<usize>, Refusal> {
        match asked.color {
            None => Ok(None),
            Some(Measure::Of(None, column)) if self.kind(column).is_some_and(Kind::is_name) => {
                Ok(Some(column))
            }
            Some(Measure::Of(_, column)) => Err(self.needs(
                "`color=`",
                "a column of texts or booleans",
                column,
                Some("A number of few values becomes one by CAST(… AS STRING) in the SELECT."),
            )),
            Some(Measure::Rows) => Err(Refusal::Needs {
                chart: "`color=`",
                needs: "a column of texts or booleans",
                got: "`count` is how many rows there are".to_owned(),
                hint: None,
            }),
        }
    }

    /// A column of few names to colour by, where no column was asked for: who names some wants these.
    fn few_names(&self, asked: &Asked) -> Option<usize> {
        let few = |column: &usize| {
            let distinct = self.columns[*column].distinct;
            distinct.is_some_and(|distinct| FEW_NAMES.contains(&distinct))
        };
        match (asked.x, asked.y) {
            (None, None) => self.free(asked, Kind::is_name).find(few),
            _ => None,
        }
    }

    pub(super) fn bars(&self, asked: &Asked) -> Result<Plan, Refusal> {
        let chart = "A bar chart";
        let needs = "a column along its bars";
        let kinds: [fn(Kind) -> bool; 3] = [Kind::is_name, Kind::is_time, Kind::is_number];
        let chosen = || {
            kinds
                .into_iter()
                .find_map(|kind| self.free(asked, kind).next())
        };
        let along = self.along(asked, chart, needs)?.or_else(chosen);
        // A number alone is what bars stand for ranges of.
        let (along, y) = match (along, asked.y) {
            (Some(along), y) => (along, y),
            (None, Some(Measure::Of(None, column))) => (column, Some(Measure::Rows)),
            // Nothing but the column of the colours is left, and that has none then.
            (None, y) if asked.color.is_some() => match self.color(asked)? {
                Some(color) => (color, y),
                None => return Err(self.lacks(chart, needs)),
            },
            (None, _) => return Err(self.lacks(chart, needs)),
        };
        Ok(Plan::Bars(Bars {
            along,
            measure: self.measure(y, asked, along, chart)?,
            color: self.color(asked)?.filter(|color| *color != along),
            ranges: false,
        }))
    }

    pub(super) fn lines(&self, asked: &Asked, filled: bool) -> Result<Plan, Refusal> {
        let chart = if filled { "An area" } else { "A line" };
        let needs = "a time or a number along x";
        let chosen = || {
            let time = self.free(asked, Kind::is_time).next();
            // A number alone is upwards.
            let mut numbers = self.free(asked, Kind::is_number);
            let number = numbers.next();
            let second = asked.y.is_some() || numbers.next().is_some();
            time.or(number.filter(|_| second))
        };
        let along = match self.along(asked, chart, needs)?.or_else(chosen) {
            Some(along) if self.kind(along).is_some_and(Kind::is_name) => {
                let hint = "`%chart bar` draws it.";
                return Err(self.needs(chart, needs, along, Some(hint)));
            }
            Some(along) => along,
            None => {
                return Err(Refusal::Needs {
                    chart,
                    needs,
                    got: "the result has no time, and no number besides the one upwards".to_owned(),
                    hint: Some("`%chart bar` draws what has names.".to_owned()),
                });
            }
        };
        let measure = self.measure(asked.y, asked, along, chart)?;
        Ok(Plan::Lines(Lines {
            along,
            measure,
            color: self.color(asked)?.or_else(|| self.few_names(asked)),
            filled,
        }))
    }

    pub(super) fn scatter(&self, asked: &Asked) -> Result<Plan, Refusal> {
        let chart = "A scatter plot";
        let needs = "two columns of numbers or times";
        let drawable = |kind: Kind| !kind.is_name();
        let side = |pick: Option<Pick>, other: Option<usize>| match pick {
            Some(Measure::Of(None, column)) if self.kind(column).is_some_and(drawable) => {
                Ok(column)
            }
            Some(Measure::Of(None, column)) => {
                Err(self.needs(chart, needs, column, Some("`%chart bar` draws it.")))
            }
            Some(_) => Err(Refusal::Needs {
                chart,
                needs,
                got: "it shows each row, and a function puts rows together".to_owned(),
                hint: Some("`%chart bar` and `%chart line` draw functions.".to_owned()),
            }),
            None => {
                let number = self
                    .free(asked, Kind::is_number)
                    .find(|c| Some(*c) != other);
                let time = || self.free(asked, Kind::is_time).find(|c| Some(*c) != other);
                number.or_else(time).ok_or_else(|| self.lacks(chart, needs))
            }
        };
        let x = side(asked.x, None)?;
        let y = side(asked.y, Some(x))?;
        let chosen = || self.few_names(asked).filter(|_| self.rows <= MOST_POINTS);
        Ok(Plan::Scatter(Scatter {
            x,
            y,
            color: self.color(asked)?.or_else(chosen),
        }))
    }

    pub(super) fn hist(&self, asked: &Asked) -> Result<Plan, Refusal> {
        let chart = "A histogram";
        let needs = "a number or a time";
        let column = match (asked.x, asked.y) {
            (Some(Measure::Of(None, column)), None | Some(Measure::Rows)) => column,
            (None, Some(Measure::Of(None, column))) => column,
            (None, None | Some(Measure::Rows)) => {
                let number = self.free(asked, Kind::is_number).next();
                let time = || self.free(asked, Kind::is_time).next();
                number
                    .or_else(time)
                    .ok_or_else(|| self.lacks(chart, needs))?
            }
            _ => {
                return Err(Refusal::Needs {
                    chart,
                    needs,
                    got: "it counts the values of one column".to_owned(),
                    hint: Some("`%chart bar` draws two.".to_owned()),
                });
            }
        };
        if self.kind(column).is_some_and(Kind::is_name) {
            let hint = "`%chart bar` counts it.";
            return Err(self.needs(chart, needs, column, Some(hint)));
        }
        Ok(Plan::Bars(Bars {
            along: column,
            measure: Measure::Rows,
            color: self.color(asked)?,
            ranges: true,
        }))
    }

    pub(super) fn tiles(&self, asked: &Asked) -> Result<Plan, Refusal> {
        let chart = "A heat map";
        let needs = "two columns, one for each side";
        let side = |pick: Option<Pick>, other: Option<usize>| match pick {
            Some(Measure::Of(None, column)) => Ok(column),
            Some(_) => Err(Refusal::Needs {
                chart,
                needs,
                got: "a function is no side of it".to_owned(),
                hint: Some("`color=` takes what its fields measure.".to_owned()),
            }),
            None => {
                let kinds: [fn(Kind) -> bool; 3] = [Kind::is_name, Kind::is_time, Kind::is_number];
                let free = kinds
                    .into_iter()
                    .find_map(|kind| self.free(asked, kind).find(|c| Some(*c) != other));
                free.ok_or_else(|| self.lacks(chart, needs))
            }
        };
        let x = side(asked.x, None)?;
        let y = side(asked.y, Some(x))?;
        let measure = match asked.color {
            Some(pick) => self.measure(Some(pick), asked, x, chart)?,
            None => {
                let mut numbers = self.free(asked, Kind::is_number);
                let number = numbers.find(|column| *column != x && *column != y);
                number.map_or(Measure::Rows, |column| Measure::Of(None, column))
            }
        };
        Ok(Plan::Tiles(Tiles { x, y, measure }))
    }
}
