//! A table or result by its columns: a row of figures for each.

mod bins;
mod figures;
mod markup;
mod plain;

use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use jupyter_protocol::Media;

use super::bundle;
use super::facts::{count, push_footer, rows, seconds};
use super::html::STYLE;
use super::zone::Zone;
pub use bins::Bins;
use figures::Figures;

/// What is known of each column of a table or result.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What it is of, in words.
    pub of: String,
    /// Its rows.
    pub rows: u64,
    /// Its columns, as far as they were looked at.
    pub columns: Vec<ColumnSummary>,
    /// How many columns it has beyond those.
    pub left_out: usize,
    /// Whether quartiles, frequencies and histograms are estimates.
    pub estimated: bool,
}

/// How many different values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distinct {
    /// This many.
    Exactly(u64),
    /// About so many.
    About(u64),
}

/// The figures of one column. What its type does not have is left out.
#[derive(Debug, Clone)]
pub struct ColumnSummary {
    /// Its name and type.
    pub field: FieldRef,
    /// Rows that hold a null.
    pub nulls: u64,
    /// Rows that hold NaN, which no other figure takes into account.
    pub nans: u64,
    /// How many different values there are besides null and NaN.
    pub distinct: Option<Distinct>,
    /// Five values of the column's type: minimum, quartiles, maximum; null where one is not known.
    pub marks: Option<ArrayRef>,
    /// The mean.
    pub mean: Option<f64>,
    /// The most frequent values.
    pub frequent: Option<Frequent>,
    /// The numbers of values in intervals of one width from the minimum to the maximum; empty where
    /// there is nothing to draw.
    pub histogram: Vec<u64>,
}

/// The most frequent values of a column, most frequent first.
#[derive(Debug, Clone)]
pub struct Frequent {
    /// The values, of the column's type.
    pub values: ArrayRef,
    /// In how many rows each of them stands.
    pub counts: Vec<u64>,
}

/// Shows a summary as an HTML table and as aligned text. Instants are shown as in a table of
/// results. `elapsed` and `bytes_read` are what it took.
pub fn summary(
    summary: &Summary,
    zone: &Zone,
    elapsed: Duration,
    bytes_read: Option<u64>,
) -> Media {
    let lines: Vec<Figures> = summary
        .columns
        .iter()
        .map(|column| Figures::new(column, summary.rows, zone))
        .collect();
    let title = title(summary);
    let footer = footer(summary, elapsed, bytes_read);
    let mut html = String::from(STYLE);
    push_footer(&mut html, &title);
    markup::push_table(&mut html, &lines);
    push_footer(&mut html, &footer);
    let text = format!(
        "{}\n{}{footer}",
        plain::short(&title, plain::WIDEST),
        plain::table(&lines)
    );
    bundle(html, text)
}

/// `the table flights: 336,776 rows, 19 columns`.
fn title(summary: &Summary) -> String {
    let columns = summary.columns.len() + summary.left_out;
    let noun = match columns {
        1 => "column",
        _ => "columns",
    };
    let columns = count(columns as u64);
    format!("{}: {}, {columns} {noun}", summary.of, rows(summary.rows))
}

fn footer(summary: &Summary, elapsed: Duration, bytes_read: Option<u64>) -> String {
    let mut parts = Vec::new();
    if summary.left_out > 0 {
        let shown = summary.columns.len();
        parts.push(format!(
            "the first {} of {} columns; a view of others shows them",
            count(shown as u64),
            count((shown + summary.left_out) as u64)
        ));
    }
    if summary.estimated && summary.rows > 0 {
        parts.push("quartiles, frequencies and histograms are estimates".to_owned());
    }
    parts.push(seconds(elapsed));
    if let Some(read) = bytes_read.filter(|read| *read > 0) {
        parts.push(format!("{} read", super::bytes(read)));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests;
