//! What is known of columns, and what is to be drawn of them.

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
pub(super) const FUNCTIONS: [(&str, Function); 6] = [
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
