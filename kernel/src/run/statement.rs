//! Runs one statement: its events in, its display out.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use firesteel_session::engine::{Argument, Done, Event, Progress, Statement};
use firesteel_session::error::Error;
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::failure::{self, Place};
use super::interpreter::{Failure, Outcome};
use super::margin::Margin;
use super::view::View;
use crate::cell::Rows;
use crate::display::{self, Facts, Remaining, Start};
use crate::engine::{Opened, Source, Unavailable};
use crate::wire::iopub::Output;

/// How often a running statement's progress is looked at.
const TICK: Duration = Duration::from_millis(250);

/// How long after the driver's end the statement may still tell why it failed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What comes of a statement.
enum Ran {
    Done(Answer),
    Failed(Failure),
    Interrupted,
}

/// A result as it was fetched.
#[derive(Default)]
struct Answer {
    schema: Option<SchemaRef>,
    batches: Vec<RecordBatch>,
    progress: Progress,
    done: Done,
    /// When the first executor came, where there was none at the beginning.
    first_executor: Option<Duration>,
}

/// Runs a statement and shows what comes of it.
pub(super) async fn run(
    source: &mut dyn Source,
    place: Place<'_>,
    rows: Rows,
    output: &Output,
    margin: &mut Margin,
    stop: &CancellationToken,
) -> Outcome {
    let mut view = View::new(output);
    let opened = match open(source, &mut view, stop).await {
        None => {
            leave(view, "Interrupted", margin).await;
            return Outcome::Interrupted;
        }
        Some(Err(unavailable)) => {
            leave(view, "Failed", margin).await;
            return Outcome::Failed(failure::of_unavailable(&unavailable));
        }
        Some(Ok(opened)) => opened,
    };
    if let Some(notice) = &opened.notice {
        output.stderr(&format!("{notice}\n")).await;
    }
    match fetch(source, &opened, place, rows, &mut view, output, stop).await {
        Ran::Interrupted => {
            leave(view, "Interrupted", margin).await;
            Outcome::Interrupted
        }
        Ran::Failed(failure) => {
            leave(view, "Failed", margin).await;
            Outcome::Failed(failure)
        }
        Ran::Done(answer) => {
            source.record(&place.statement.subject);
            let mut media = shown(&answer, place, rows, &opened);
            if let Some(started) = &opened.started {
                media = display::with_start(media, started, answer.first_executor);
            }
            margin.remember(view.result(media).await);
            Outcome::Done
        }
    }
}

/// Leaves a line where progress was shown.
async fn leave(view: View<'_>, line: &str, margin: &mut Margin) {
    if let Some(shown) = view.instead(line).await {
        margin.remember(shown);
    }
}

/// The session, while the view tells how its driver starts. `None` when interrupted.
async fn open(
    source: &mut dyn Source,
    view: &mut View<'_>,
    stop: &CancellationToken,
) -> Option<Result<Opened, Unavailable>> {
    let (phase, phases) = watch::channel(Start::default());
    let mut opening = pin!(source.open(phase));
    let mut tick = ticks();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            opened = &mut opening => return Some(opened),
            _ = tick.tick() => {
                let phase = phases.borrow().clone();
                if !phase.phase.is_empty() {
                    view.progress(display::starting(&phase, view.elapsed())).await;
                }
            }
        }
    }
}

async fn fetch(
    source: &mut dyn Source,
    opened: &Opened,
    place: Place<'_>,
    rows: Rows,
    view: &mut View<'_>,
    output: &Output,
    stop: &CancellationToken,
) -> Ran {
    let statement = Statement {
        sql: place.statement.text.clone(),
        rows: to_fetch(rows),
        pure: place.statement.kind.is_pure(),
        arguments: arguments(place),
    };
    let mut events = opened.engine.run(statement, stop.clone());
    let mut answer = Answer::default();
    let mut tick = ticks();
    // Set when the driver has ended: from then on the statement has little time to say why it fails.
    let mut last_words = None;
    let began = tokio::time::Instant::now();
    let mut without = source
        .executors()
        .is_some_and(|executors| executors.running == 0);
    let error = loop {
        let hurry = async {
            match last_words {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => source.ended().await,
            }
        };
        tokio::select! {
            biased;
            event = events.next() => match event {
                Some(Ok(Event::Progress(progress))) => answer.progress = progress,
                Some(Ok(Event::Schema(schema))) => answer.schema = Some(schema),
                Some(Ok(Event::Batch(batch))) => answer.batches.push(batch.rows),
                Some(Ok(Event::Done(done))) => {
                    answer.done = done;
                    return Ran::Done(answer);
                }
                Some(Err(error)) => break Some(error),
                None => break None,
            },
            _ = tick.tick() => {
                for notice in source.notices() {
                    output.stderr(&format!("{notice}\n")).await;
                }
                let executors = source.executors();
                if without && executors.is_some_and(|executors| executors.running > 0) {
                    without = false;
                    answer.first_executor = Some(began.elapsed());
                }
                let running =
                    display::running(&answer.progress, executors, view.elapsed(), place.number);
                view.progress(running).await;
            }
            () = hurry => match last_words {
                None => last_words = Some(tokio::time::Instant::now() + LAST_WORDS),
                Some(_) => break None,
            },
        }
    };
    drop(events);
    explain(source, error, place, stop).await
}

async fn explain(
    source: &mut dyn Source,
    error: Option<Error>,
    place: Place<'_>,
    stop: &CancellationToken,
) -> Ran {
    let error = error.unwrap_or_else(|| Error::SessionNotFound {
        said: "its driver ended".to_owned(),
    });
    if error.session_is_gone() || error.server_is_gone() {
        let what = source.lost(&error).await;
        return Ran::Failed(failure::of_loss(&what, place));
    }
    match error {
        Error::Cancelled { .. } if stop.is_cancelled() => Ran::Interrupted,
        error => Ran::Failed(failure::of_statement(&error, place)),
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The values of what the statement may have as parameters.
fn arguments(place: Place<'_>) -> BTreeMap<String, Argument> {
    let parameters = place.statement.parameters.iter();
    parameters
        .filter_map(|name| Some((name.clone(), place.values.get(name)?.clone())))
        .collect()
}

/// How many rows are asked of Spark: one more than is shown tells whether there are more.
fn to_fetch(rows: Rows) -> Option<u64> {
    match rows {
        Rows::AtMost(count) => Some(count.saturating_add(1)),
        Rows::All => None,
    }
}

fn shown(
    answer: &Answer,
    place: Place<'_>,
    rows: Rows,
    opened: &Opened,
) -> jupyter_protocol::Media {
    let (batches, remaining) = cut(&answer.batches, rows);
    let bytes_read: u64 = answer.progress.stages.iter().map(|s| s.bytes_read).sum();
    let facts = Facts {
        remaining,
        elapsed: answer.done.elapsed,
        bytes_read: (bytes_read > 0).then_some(bytes_read),
    };
    let empty = Schema::empty();
    display::answer(
        place.statement,
        answer.schema.as_deref().unwrap_or(&empty),
        &batches,
        &opened.zone,
        &facts,
        opened.lifetime,
    )
}

/// The rows that are shown, and whether there are others.
fn cut(batches: &[RecordBatch], rows: Rows) -> (Vec<RecordBatch>, Remaining) {
    let Rows::AtMost(limit) = rows else {
        return (batches.to_vec(), Remaining::Nothing);
    };
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut shown = Vec::with_capacity(batches.len());
    let mut remaining = Remaining::Nothing;
    for batch in batches {
        if batch.num_rows() > left {
            remaining = Remaining::More;
        }
        let taken = batch.num_rows().min(left);
        shown.push(batch.slice(0, taken));
        left -= taken;
    }
    (shown, remaining)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let ids: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
        RecordBatch::try_from_iter([("id", ids)]).unwrap()
    }

    #[test]
    fn one_row_more_is_fetched_than_is_shown() {
        assert_eq!(to_fetch(Rows::AtMost(1000)), Some(1001));
        assert_eq!(to_fetch(Rows::AtMost(u64::MAX)), Some(u64::MAX));
        assert_eq!(to_fetch(Rows::All), None);
    }

    #[test]
    fn what_is_over_the_limit_is_cut_and_said() {
        for (batches, limit, expected, remaining) in [
            (vec![3, 4], 7, vec![3, 4], Remaining::Nothing),
            (vec![3, 4], 6, vec![3, 3], Remaining::More),
            (vec![3, 4], 3, vec![3, 0], Remaining::More),
            (vec![], 3, vec![], Remaining::Nothing),
            (vec![2], 0, vec![0], Remaining::More),
        ] {
            let batches: Vec<_> = batches.into_iter().map(batch).collect();
            let (shown, rest) = cut(&batches, Rows::AtMost(limit));
            let sizes: Vec<_> = shown.iter().map(RecordBatch::num_rows).collect();
            assert_eq!((sizes, rest), (expected, remaining), "{limit}");
        }
    }
}
