//! Where groups of rows lie along an axis.

use super::refusal::Refusal;
use super::{Source, plan};
use crate::display::chart::{Place, Scale, Steps, TimeSteps, amount};
use crate::display::count;
use crate::frame::{Column, Key, Kind, Names, Range, Tally};

/// Names of a colour or of a heat map's side that are not shown one by one.
const OTHERS: &str = "others";

/// Different numbers that are shown one by one, as names are: the days of a month.
const MOST_NUMBERS: usize = 31;

/// How the rows are grouped along an axis.
pub(super) enum Along<'a> {
    /// By name.
    Names {
        names: &'a Names,
        /// What each name becomes.
        becomes: Vec<Option<usize>>,
        labels: Vec<String>,
    },
    /// By number.
    Numbers { column: Column, values: Vec<f64> },
    /// By ranges of numbers.
    Steps { column: Column, steps: Steps },
    /// By pieces of time.
    Times { column: Column, steps: TimeSteps },
}

impl<'a> Along<'a> {
    /// Groups a column: names as they come, at most `most` of them where there is a limit; few whole
    /// numbers one by one, unless `ranges` are asked for; others by at most `steps` steps.
    pub(super) fn of(
        source: &'a Source<'_>,
        column: usize,
        ranges: bool,
        most: Option<usize>,
        steps: usize,
    ) -> Result<Self, Refusal> {
        let kind = source.rows.kind(column);
        if kind.is_some_and(Kind::is_name) {
            let names = names(source, column)?;
            let becomes = match most {
                Some(most) => largest(&names.counts(), most),
                None => (0..names.all.len()).map(Some).collect(),
            };
            let labels = kept(&names.all, &becomes);
            return Ok(Self::Names {
                names,
                becomes,
                labels,
            });
        }
        let (column, range) = source.ranged(column)?;
        if column.kind.is_time() {
            let steps = times(&column, range, steps);
            return Ok(Self::Times { column, steps });
        }
        if column.kind == Kind::Whole
            && !ranges
            && let Some(values) = column.distinct(MOST_NUMBERS)
        {
            return Ok(Self::Numbers { column, values });
        }
        let steps = match column.kind == Kind::Whole && range.to - range.from < steps as f64 {
            true => Steps::around(range.from, range.to),
            false => Steps::cover(range.from, range.to, steps),
        };
        Ok(Self::Steps { column, steps })
    }

    /// What tells its groups apart.
    pub(super) fn key(&self) -> Key<'_> {
        match self {
            Self::Names { names, becomes, .. } => Key::Names(names, becomes),
            Self::Numbers { column, values } => Key::Exact(column, values),
            Self::Steps { column, steps } => Key::Steps(column, *steps),
            Self::Times { column, steps } => time_key(column, steps),
        }
    }

    /// How values lie along the axis.
    pub(super) fn scale(&self) -> Scale {
        match self {
            Self::Names { labels, .. } => Scale::Names(labels.clone()),
            Self::Numbers { values, .. } => {
                Scale::Names(values.iter().map(|value| whole(*value)).collect())
            }
            Self::Steps { steps, .. } => Scale::Numbers {
                from: steps.edge(0),
                to: steps.edge(steps.count),
            },
            Self::Times { steps, .. } => Scale::Times {
                from: steps.edges.first().copied().unwrap_or_default(),
                to: steps.edges.last().copied().unwrap_or_default(),
            },
        }
    }

    /// Where a group lies.
    pub(super) fn place(&self, group: usize) -> Place {
        match self {
            Self::Names { .. } | Self::Numbers { .. } => Place::Name(group),
            Self::Steps { steps, .. } => Place::Span(steps.edge(group), steps.edge(group + 1)),
            Self::Times { steps, .. } => {
                let edge = |number: usize| steps.edges.get(number).copied().unwrap_or_default();
                Place::Span(edge(group), edge(group + 1))
            }
        }
    }

    /// What groups are made by, for the title: `day of departure`.
    pub(super) fn title(&self, name: &str) -> String {
        match self {
            Self::Times { steps, .. } => format!("{} of {name}", steps.name),
            _ => name.to_owned(),
        }
    }

    /// A sentence about names that are not shown, where there are some.
    pub(super) fn note(&self, name: &str) -> Option<String> {
        match self {
            Self::Names { names, labels, .. } if labels.len() < names.all.len() => Some(format!(
                "the {} most frequent of {} values of {name}",
                labels.len(),
                count(names.all.len() as u64)
            )),
            _ => None,
        }
    }
}

/// A whole number as the name of itself.
fn whole(value: f64) -> String {
    match value.abs() < 1e15 {
        // A year has no comma.
        true => format!("{value:.0}"),
        false => amount(value),
    }
}

/// Pieces of time that cover a range.
pub(super) fn times(column: &Column, range: Range, most: usize) -> TimeSteps {
    let days = column.kind == Kind::Date;
    TimeSteps::cover(range.from as i64, range.to as i64, most, days)
}

/// What tells pieces of time apart.
pub(super) fn time_key<'a>(column: &'a Column, steps: &'a TimeSteps) -> Key<'a> {
    match (steps.width(), steps.edges.first()) {
        (Some(width), Some(first)) => Key::Even(column, *first, width, steps.count()),
        _ => Key::Edges(column, &steps.edges),
    }
}

/// A column of names.
pub(super) fn names<'a>(source: &'a Source<'_>, column: usize) -> Result<&'a Names, Refusal> {
    let names = source.rows.names(column);
    names.ok_or_else(|| Refusal::TooMany(source.name(column)))
}

/// Numbers for the names with most rows, in the order in which they come; nothing for the others.
fn largest(counts: &[u64], most: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|name| (std::cmp::Reverse(counts[*name]), *name));
    let mut shown = vec![false; counts.len()];
    for name in order.into_iter().take(most) {
        shown[name] = true;
    }
    let mut next = 0..;
    let becomes = shown
        .into_iter()
        .map(|shown| shown.then(|| next.next()).flatten());
    becomes.collect()
}

fn kept(all: &[String], becomes: &[Option<usize>]) -> Vec<String> {
    let kept = all
        .iter()
        .zip(becomes)
        .filter(|(_, becomes)| becomes.is_some());
    kept.map(|(name, _)| name.clone()).collect()
}

/// The colours of a chart.
pub(super) struct Hues<'a> {
    names: &'a Names,
    becomes: Vec<Option<usize>>,
    pub(super) labels: Vec<String>,
}

impl<'a> Hues<'a> {
    /// The colours of a column's names; where they are too many, of those with most rows, and one for
    /// all others.
    pub(super) fn of(source: &'a Source<'_>, column: usize) -> Result<Self, Refusal> {
        let names = names(source, column)?;
        if names.all.len() <= super::MOST_COLORS {
            return Ok(Self {
                names,
                becomes: (0..names.all.len()).map(Some).collect(),
                labels: names.all.clone(),
            });
        }
        let most = super::MOST_COLORS - 1;
        let becomes = largest(&names.counts(), most);
        let mut labels = kept(&names.all, &becomes);
        labels.push(OTHERS.to_owned());
        Ok(Self {
            names,
            becomes: becomes
                .into_iter()
                .map(|name| name.or(Some(most)))
                .collect(),
            labels,
        })
    }

    pub(super) fn key(&self) -> Key<'_> {
        Key::Names(self.names, &self.becomes)
    }

    /// The colour of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = Option<usize>> {
        let rows = self.names.rows();
        rows.map(|name| self.becomes.get(name?).copied().flatten())
    }
}

/// The tallies of each group of the first key, all colours together.
pub(super) fn together(tallies: &[Tally], colors: usize) -> Vec<Tally> {
    let groups = tallies.chunks(colors.max(1));
    groups
        .map(|group| group.iter().copied().fold(Tally::NOTHING, Tally::and))
        .collect()
}

/// The columns of a plan, for the sentence about rows that are left out.
pub(super) fn columns(along: &[usize], measure: plan::Measure, color: Option<usize>) -> Vec<usize> {
    along
        .iter()
        .copied()
        .chain(color)
        .chain(measure.column())
        .collect()
}
