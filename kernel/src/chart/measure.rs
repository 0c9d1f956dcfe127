//! What is shown of the rows of a group.

use super::Source;
use super::along::names;
use super::plan::{Function, Measure};
use super::refusal::Refusal;
use crate::frame::{Column, Key, Kind, Names, Tally, tally};

impl Measure {
    /// What is shown of a group; `single` says that no group has more than one row.
    pub(super) fn of(self, tally: &Tally, single: bool) -> Option<f64> {
        if tally.count == 0 {
            return None;
        }
        let value = match self.function(single) {
            Function::Count => tally.count as f64,
            Function::Sum => tally.sum,
            Function::Mean => tally.sum / tally.count as f64,
            Function::Min => tally.least,
            Function::Max => tally.most,
        };
        value.is_finite().then_some(value)
    }

    /// Whether what is shown of two groups adds up to what would be of both.
    pub(super) fn adds_up(self, single: bool) -> bool {
        matches!(self.function(single), Function::Count | Function::Sum)
    }

    /// The column that is put together.
    pub(super) fn column(self) -> Option<usize> {
        match self {
            Self::Rows => None,
            Self::Of(_, column) => Some(column),
        }
    }

    /// What it is called.
    pub(super) fn title(self, name: &str, single: bool) -> String {
        match self {
            Self::Rows => "count".to_owned(),
            Self::Of(None, _) if single => name.to_owned(),
            Self::Of(..) => format!("{}({name})", self.function(single).name()),
        }
    }

    fn function(self, single: bool) -> Function {
        match self {
            Self::Rows => Function::Count,
            Self::Of(Some(function), _) => function,
            // Of one row it is the row's value.
            Self::Of(None, _) if single => Function::Sum,
            Self::Of(None, _) => Function::Mean,
        }
    }
}

/// Whether no group has more than one row.
pub(super) fn single(tallies: &[Tally]) -> bool {
    tallies.iter().all(|tally| tally.count <= 1)
}

/// How many rows are in groups.
pub(super) fn counted(tallies: &[Tally]) -> u64 {
    tallies.iter().map(|tally| tally.count).sum()
}

/// The column that a measure puts together.
pub(super) enum Values<'a> {
    /// None: rows are counted.
    Rows,
    /// Numbers or times.
    Of(Column),
    /// Names, of which those that are there are counted.
    Names(&'a Names, Vec<Option<usize>>),
}

impl<'a> Values<'a> {
    pub(super) fn of(source: &'a Source<'_>, measure: Measure) -> Result<Self, Refusal> {
        let Some(column) = measure.column() else {
            return Ok(Self::Rows);
        };
        if source.rows.kind(column).is_some_and(Kind::is_name) {
            let names = names(source, column)?;
            return Ok(Self::Names(names, vec![Some(0); names.all.len()]));
        }
        source.column(column).map(Self::Of)
    }

    /// Counts the rows that have a value into the groups of these keys.
    pub(super) fn tally<'k>(&'k self, mut keys: Vec<Key<'k>>) -> Vec<Tally> {
        if let Self::Names(names, one) = self {
            // All in one group, but for those without a name.
            keys.push(Key::Names(names, one));
        }
        let keys: Vec<&Key<'_>> = keys.iter().collect();
        match self {
            Self::Of(column) => tally(&keys, Some(column)),
            Self::Rows | Self::Names(..) => tally(&keys, None),
        }
    }
}
