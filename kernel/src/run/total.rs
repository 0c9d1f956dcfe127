//! How many rows there are in all, where the limit of rows let only the first of them through.

use std::time::Duration;

use arrow::array::AsArray as _;
use firesteel_session::engine::{Engine, Event, Statement};
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::failure::Place;
use super::statement::Answer;
use crate::display::Remaining;

/// How long a result may wait to be shown with its number of rows; planning takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(2);

/// Stands before the statement.
const EXPLAIN: &str = "EXPLAIN EXTENDED\n";

/// What Spark writes above the plan that it optimised.
const OPTIMIZED: &str = "== Optimized Logical Plan ==";

/// The rows of a result in all, where more were there than its limit of rows and Spark had to sort
/// every one of them to give the first. Asks for a plan and runs nothing.
pub(super) async fn there(
    answer: &Answer,
    place: Place<'_>,
    engine: &dyn Engine,
    stop: &CancellationToken,
) -> Option<u64> {
    let (_, remaining) = answer.fetched.within();
    let sorted = answer.sorted.filter(|_| remaining == Remaining::OverRows)?;
    let question = Statement {
        sql: format!("{EXPLAIN}{}", place.statement.text),
        rows: None,
        pure: true,
        arguments: place.parameters.values.clone(),
    };
    let plan = timeout(DEADLINE, text(engine, question, stop))
        .await
        .ok()??;
    ends_in_sort(&plan).then_some(sorted)
}

/// What a statement answers in its first column.
async fn text(
    engine: &dyn Engine,
    statement: Statement,
    stop: &CancellationToken,
) -> Option<String> {
    let mut events = engine.run(statement, stop.clone());
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event.ok()? {
            Event::Batch(batch) => {
                let column = batch.rows.columns().first()?.as_string_opt::<i32>()?;
                text.extend(column.iter().flatten());
            }
            Event::Done(_) => return Some(text),
            Event::Progress(_) | Event::Schema(_) => {}
        }
    }
    None
}

/// Whether the statement itself ends in a sort of all its rows: one that ends in a limit of its own
/// has no more rows than that, and Spark sorts as many for the smaller of two limits.
fn ends_in_sort(plan: &str) -> bool {
    let optimized = plan
        .split_once(OPTIMIZED)
        .map(|(_, rest)| rest.trim_start());
    let root = optimized.and_then(|rest| rest.lines().next());
    root.is_some_and(|root| root.starts_with("Sort [") && root.ends_with("], true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_at_the_end_is_told_from_a_limit() {
        for (root, expected) in [
            ("Sort [c#1L ASC NULLS FIRST], true\n+- Range", true),
            ("Sort [c#1L ASC NULLS FIRST], false\n+- Range", false),
            (
                "GlobalLimit 5000\n+- LocalLimit 5000\n   +- Sort [k ASC], true",
                false,
            ),
            ("Project [k]\n+- Sort [k ASC], true", false),
            ("", false),
        ] {
            let plan = format!(
                "== Analyzed Logical Plan ==\nSort [k], true\n\n{OPTIMIZED}\n{root}\n\n== Physical Plan ==\n"
            );
            assert_eq!(ends_in_sort(&plan), expected, "{root}");
        }
        assert!(!ends_in_sort("Sort [k], true"));
    }
}
