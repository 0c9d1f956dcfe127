//! Why nothing is drawn.

/// Why nothing is drawn, for a person, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are no rows.
    #[error("There is nothing to draw: the result has no rows.")]
    NoRows,
    /// No column can be drawn.
    #[error("There is nothing to draw: no column holds numbers, texts, dates or times. {0}")]
    NoColumns(String),
    /// No column has this name.
    #[error("The result has no column `{name}`.{}", match near {
        Some(near) => format!(" Did you mean `{near}`?"),
        None => format!(" It has {columns}."),
    })]
    Unknown {
        /// As typed.
        name: String,
        /// The nearest, where one is near.
        near: Option<String>,
        /// What columns there are.
        columns: String,
    },
    /// No function has this name.
    #[error(
        "`{0}` puts no rows together in a chart: `count`, `sum`, `mean`, `min` and `max` do. Another one is for the SELECT, with GROUP BY."
    )]
    Function(String),
    /// A column whose values can be neither counted nor drawn.
    #[error(
        "`{name}` is {type_name}: numbers, texts, booleans, dates and timestamps are drawn. Take what you need out of it, or CAST it, in the SELECT."
    )]
    Type {
        /// The column.
        name: String,
        /// Its type.
        type_name: String,
    },
    /// A column without values.
    #[error("There is nothing to draw: `{0}` has no value that is there and finite.")]
    NoValues(String),
    /// A column of names that are too many.
    #[error(
        "`{0}` has more than 65,000 different values: too many to draw. A GROUP BY in the SELECT makes them fewer."
    )]
    TooMany(String),
    /// The chart needs a column of another type.
    #[error("{chart} needs {needs}; {got}.{}", hint.as_ref().map_or_else(String::new, |hint| format!(" {hint}")))]
    Needs {
        /// What was to be drawn: `A line`.
        chart: &'static str,
        /// What it needs: `a time or a number along x`.
        needs: &'static str,
        /// What there is in its place.
        got: String,
        /// What would do, if something would.
        hint: Option<String>,
    },
}
