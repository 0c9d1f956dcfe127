//! A column of a result.

use polars::prelude::Series;

/// A column as Polars holds it, in one of the few types that counting needs.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the result, which need not be unique there.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// The values; [`Kind`] says in which type.
    pub series: Series,
}

/// What the values of a column are, and the type that holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers, as `Int64`.
    Whole,
    /// Numbers with decimals, as `Float64`: also decimals, of which the first 15 digits are right.
    Fraction,
    /// True or false, as `Boolean`.
    Truth,
    /// Text, as `String`.
    Text,
    /// Days, as the microseconds from 1970-01-01 to their midnight, `Int64`.
    Date,
    /// What a clock shows, as microseconds since 1970-01-01 00:00, `Int64`: instants as the clocks
    /// of their zone show them.
    Time,
}

impl Kind {
    /// Whether its values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction)
    }

    /// Whether its values are points in time.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Time)
    }

    /// Whether its values are names that things have, rather than amounts.
    pub fn is_name(self) -> bool {
        matches!(self, Self::Text | Self::Truth)
    }
}
