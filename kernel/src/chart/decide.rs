//! Which chart is drawn of which columns.

use super::refusal::Refusal;
use crate::cell::{ChartRequest, Mark, nearest, unquoted};
use crate::frame::Kind;

/// What is known of a column before anything is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) name: String,
    /// What Spark calls its type.
    pub(super) type_name: String,
    /// What its values are; `None` where they are not drawn.
    pub(super) kind: Option<Kind>,
    /// Whether any is there.
    pub(super) filled: bool,
    /// How many different names it has, where that was counted.
    pub(super) distinct: Option<usize>,
}

/// What is drawn. Columns are named by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Bars(Bars),
    Lines(Lines),
    Scatter(Scatter),
    Tiles(Tiles),
}

/// Bars along a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bars {
    pub(super) along: usize,
    pub(super) measure: Measure,
    pub(super) color: Option<usize>,
    /// Whether a bar stands for a range of numbers, even where they are few.
    pub(super) ranges: bool,
}

/// Lines along a column of times or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) along: usize,
    pub(super) measure: Measure,
    pub(super) color: Option<usize>,
    pub(super) filled: bool,
}

/// A point for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scatter {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) color: Option<usize>,
}

/// Fields for pairs of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) measure: Measure,
}

/// What is shown of the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// How many they are.
    Rows,
    /// What a function makes of a column; without one the value where each group is a single row,
    /// and else the mean.
    Of(Option<Function>, usize),
}

/// What makes one number of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Mean,
    Min,
    Max,
}

/// The functions and what else they are called.
const FUNCTIONS: [(&str, Function); 6] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("mean", Function::Mean),
    ("avg", Function::Mean),
    ("min", Function::Min),
    ("max", Function::Max),
];

impl Function {
    pub(super) fn name(self) -> &'static str {
        let known = FUNCTIONS.iter().find(|(_, function)| *function == self);
        known.map_or("", |(name, _)| name)
    }
}

/// Different names that have a colour each, unasked.
const FEW_NAMES: std::ops::RangeInclusive<usize> = 2..=super::MOST_COLORS;

/// Rows beyond which they are not drawn one by one.
pub(super) const MOST_ROWS: usize = super::MOST_POINTS;

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

/// What a column or measure of the request turned out to be.
type Pick = Measure;

struct Asked {
    mark: Option<Mark>,
    x: Option<Pick>,
    y: Option<Pick>,
    color: Option<Pick>,
}

impl Asked {
    /// Whether the column has a part in the request already.
    fn uses(&self, column: usize) -> bool {
        let picks = [self.x, self.y, self.color];
        picks
            .into_iter()
            .flatten()
            .any(|pick| pick.column() == Some(column))
    }
}

struct Table<'a> {
    columns: &'a [Facts],
    rows: usize,
}

impl Table<'_> {
    /// Reads a column's name, or a function of one. A column that is called like a function's call, as
    /// Spark calls them where nobody did, is the column.
    fn pick(&self, text: &str) -> Result<Pick, Refusal> {
        if let Some(column) = self.find(text) {
            return self.drawn(column).map(|column| Measure::Of(None, column));
        }
        let call = text.strip_suffix(')').and_then(|rest| rest.split_once('('));
        let Some((name, inner)) = call else {
            return match text.eq_ignore_ascii_case("count") {
                true => Ok(Measure::Rows),
                false => Err(self.unknown(text)),
            };
        };
        let (name, inner) = (name.trim(), unquoted(inner.trim()));
        let known = FUNCTIONS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            None => Err(Refusal::Function(name.to_owned())),
            Some((_, Function::Count)) if ["*", "", "1"].contains(&inner.as_str()) => {
                Ok(Measure::Rows)
            }
            Some((_, function)) => {
                let column = self.find(&inner).ok_or_else(|| self.unknown(&inner))?;
                let column = self.drawn(column)?;
                let number = self.kind(column).is_some_and(Kind::is_number);
                match number || *function == Function::Count {
                    true => Ok(Measure::Of(Some(*function), column)),
                    false => {
                        Err(self.needs("Such a chart", "a number to put together", column, None))
                    }
                }
            }
        }
    }

    /// A column by its name, in any case where no other is meant.
    fn find(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| {
            let mut alike = (0..self.columns.len())
                .filter(|column| self.columns[*column].name.to_lowercase() == lower);
            alike.next().filter(|_| alike.next().is_none())
        })
    }

    fn unknown(&self, name: &str) -> Refusal {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        let listed: Vec<_> = names().take(20).map(|name| format!("`{name}`")).collect();
        let more = self.columns.len().saturating_sub(listed.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Refusal::Unknown {
            name: name.to_owned(),
            near: nearest(name, names()).map(str::to_owned),
            columns: format!("{}{more}", listed.join(", ")),
        }
    }

    /// The column, where it can be drawn.
    fn drawn(&self, column: usize) -> Result<usize, Refusal> {
        let facts = &self.columns[column];
        match (facts.kind, facts.filled) {
            (None, _) => Err(Refusal::Type {
                name: facts.name.clone(),
                type_name: facts.type_name.clone(),
            }),
            (Some(_), false) => Err(Refusal::NoValues(facts.name.clone())),
            (Some(_), true) => Ok(column),
        }
    }

    fn kind(&self, column: usize) -> Option<Kind> {
        self.columns.get(column)?.kind
    }

    fn is(&self, pick: Option<Pick>, what: fn(Kind) -> bool) -> bool {
        matches!(pick, Some(Measure::Of(None, column)) if self.kind(column).is_some_and(what))
    }

    /// The first columns of a kind that nothing else is asked of.
    fn free<'b>(
        &'b self,
        asked: &'b Asked,
        what: fn(Kind) -> bool,
    ) -> impl Iterator<Item = usize> + 'b {
        (0..self.columns.len()).filter(move |column| {
            let facts = &self.columns[*column];
            facts.filled && facts.kind.is_some_and(what) && !asked.uses(*column)
        })
    }

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

    /// Whether names come more than once.
    fn repeats(&self, column: usize) -> bool {
        let distinct = self.columns[column].distinct;
        distinct.is_some_and(|distinct| distinct < self.rows)
    }

    fn nothing(&self) -> Refusal {
        let types = self.columns.iter().take(5);
        let types: Vec<_> = types
            .map(|c| format!("`{}` is {}", c.name, c.type_name))
            .collect();
        match self.columns.iter().find(|column| column.kind.is_some()) {
            Some(empty) => Refusal::NoValues(empty.name.clone()),
            None => Refusal::NoColumns(format!("{}.", types.join(", "))),
        }
    }

    fn needs(
        &self,
        chart: &'static str,
        needs: &'static str,
        column: usize,
        hint: Option<&str>,
    ) -> Refusal {
        let facts = &self.columns[column];
        Refusal::Needs {
            chart,
            needs,
            got: format!("`{}` is {}", facts.name, facts.type_name),
            hint: hint.map(str::to_owned),
        }
    }

    fn lacks(&self, chart: &'static str, needs: &'static str) -> Refusal {
        Refusal::Needs {
            chart,
            needs,
            got: "the result has none that is not used already".to_owned(),
            hint: None,
        }
    }

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

    fn bars(&self, asked: &Asked) -> Result<Plan, Refusal> {
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

    fn lines(&self, asked: &Asked, filled: bool) -> Result<Plan, Refusal> {
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

    fn scatter(&self, asked: &Asked) -> Result<Plan, Refusal> {
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
        let chosen = || self.few_names(asked).filter(|_| self.rows <= MOST_ROWS);
        Ok(Plan::Scatter(Scatter {
            x,
            y,
            color: self.color(asked)?.or_else(chosen),
        }))
    }

    fn hist(&self, asked: &Asked) -> Result<Plan, Refusal> {
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

    fn tiles(&self, asked: &Asked) -> Result<Plan, Refusal> {
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

#[cfg(test)]
mod tests;
