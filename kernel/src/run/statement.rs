//! Runs one statement: its events in, its display out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use firesteel_session::engine::{Event, Progress, Statement};
use firesteel_session::error::Error;
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::cells::Settings;
use super::failure::{self, Place};
use super::interpreter::{Cell, Failure, Outcome};
use super::keep::{Said, keep};
use super::limits::{Fetched, Limits, first};
use super::margin::Margin;
use super::total::there;
use super::view::View;
use crate::cell::Rows;
use crate::display::{self, Facts, Remaining, Start};
use crate::engine::{Opened, Source, Unavailable};
use crate::wire::iopub::Output;

/// How often a running statement's progress is looked at.
const TICK: Duration = Duration::from_millis(250);

/// How long after the driver's end the statement may still tell why it failed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a driver may take to end whose Spark has stopped.
const ENDING: Duration = Duration::from_secs(25);

/// What comes of a statement.
pub(super) enum Ran {
    Done(Answer),
    Failed(Failure),
    Interrupted,
}

/// A result as it was fetched.
pub(super) struct Answer {
    pub(super) schema: Option<SchemaRef>,
    pub(super) fetched: Fetched,
    progress: Progress,
    /// Rows that Spark sorted, where the result is the first of them.
    pub(super) sorted: Option<u64>,
    /// From the request to the last response that was wanted.
    pub(super) elapsed: Duration,
    /// When the first executor came, where there was none at the beginning.
    pub(super) first_executor: Option<Duration>,
}

impl Answer {
    /// Its columns; none where Spark did not tell any.
    pub(super) fn schema(&self) -> SchemaRef {
        let schema = self.schema.clone();
        schema.unwrap_or_else(|| Arc::new(Schema::empty()))
    }

    /// Bytes that Spark read from storage for it, where it says so.
    pub(super) fn bytes_read(&self) -> Option<u64> {
        let read = self.progress.stages.iter().map(|s| s.bytes_read).sum();
        Some(read).filter(|read| *read > 0)
    }
}

/// Runs a statement and shows what comes of it.
pub(super) async fn run(
    source: &mut dyn Source,
    place: Place<'_>,
    settings: &mut Settings,
    cell: &Cell,
    margin: &mut Margin,
) -> Outcome {
    let Cell { output, stop, .. } = cell;
    let (mut view, opened) = match begin(source, output, margin, stop).await {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    let limits = settings.limits.of(place.statement);
    let ran = fetch(source, &opened, place, limits, &mut view, output, stop).await;
    let (view, answer) = match end(ran, view, margin).await {
        Ok(ended) => ended,
        Err(outcome) => return outcome,
    };
    source.record(&place.statement.subject);
    let kept = keep(&answer, place, &opened.zone, settings, cell.silent);
    let rows = settings.limits.rows;
    let there = there(&answer, place, opened.engine.as_ref(), stop).await;
    let mut media = shown(
        &answer,
        there,
        place,
        &opened,
        kept.as_ref().map(|kept| (kept, rows)),
    );
    if let Some(kept) = kept {
        for word in &kept.aside {
            output.stderr(&format!("{word}\n")).await;
        }
        media = display::noted(&media, &kept.note);
    }
    if let Some(started) = &opened.started {
        media = display::with_start(media, started, answer.first_executor);
    }
    margin.remember(view.result(media).await);
    Outcome::Done
}

/// The session, and a display that tells how its driver starts where it has to.
pub(super) async fn begin<'a>(
    source: &mut dyn Source,
    output: &'a Output,
    margin: &mut Margin,
    stop: &CancellationToken,
) -> Result<(View<'a>, Opened), Outcome> {
    let mut view = View::new(output);
    match open(source, &mut view, stop).await {
        None => {
            leave(view, "Stopped", margin).await;
            Err(Outcome::Interrupted)
        }
        Some(Err(unavailable)) => {
            leave(view, "Failed", margin).await;
            Err(Outcome::Failed(failure::of_unavailable(&unavailable)))
        }
        Some(Ok(opened)) => {
            if let Some(notice) = &opened.notice {
                output.stderr(&format!("{notice}\n")).await;
            }
            Ok((view, opened))
        }
    }
}

/// What came of a statement, or how its cell ends for it.
pub(super) async fn end<'a>(
    ran: Ran,
    view: View<'a>,
    margin: &mut Margin,
) -> Result<(View<'a>, Answer), Outcome> {
    match ran {
        Ran::Interrupted => {
            leave(view, "Stopped", margin).await;
            Err(Outcome::Interrupted)
        }
        Ran::Failed(failure) => {
            leave(view, "Failed", margin).await;
            Err(Outcome::Failed(failure))
        }
        Ran::Done(answer) => Ok((view, answer)),
    }
}

/// Leaves a line where progress was shown, which says what came of it.
async fn leave(view: View<'_>, word: &str, margin: &mut Margin) {
    if let Some(shown) = view.instead(word).await {
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

/// Runs a statement to its end, while the view tells how it goes.
pub(super) async fn fetch(
    source: &mut dyn Source,
    opened: &Opened,
    place: Place<'_>,
    limits: Limits,
    view: &mut View<'_>,
    output: &Output,
    stop: &CancellationToken,
) -> Ran {
    let statement = Statement {
        sql: place.statement.text.clone(),
        rows: limits.rows_to_fetch(),
        pure: place.statement.kind.is_pure(),
        arguments: place.parameters.values.clone(),
    };
    let mut events = opened.engine.run(statement, stop.clone());
    let mut answer = Answer {
        schema: None,
        fetched: Fetched::new(limits),
        progress: Progress::default(),
        sorted: None,
        elapsed: Duration::ZERO,
        first_executor: None,
    };
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
                Some(Ok(Event::Batch(batch))) => {
                    if !answer.fetched.take(&batch.rows) {
                        // The events are dropped, which ends the statement and releases it.
                        answer.elapsed = began.elapsed();
                        return Ran::Done(answer);
                    }
                }
                Some(Ok(Event::Done(done))) => {
                    answer.elapsed = done.elapsed;
                    answer.sorted = done.sorted;
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
    // Not as the user wanted: whoever ends a session interrupts what runs in it first.
    let ends = matches!(error, Error::Cancelled { .. }) && !stop.is_cancelled();
    let patience = match error.spark_has_stopped() {
        true => ENDING,
        false if ends => LAST_WORDS,
        false => Duration::ZERO,
    };
    let ends = !patience.is_zero()
        && tokio::select! {
            ended = timeout(patience, source.ended()) => ended.is_ok(),
            () = stop.cancelled() => false,
        };
    if ends || error.session_is_gone() || error.server_is_gone() {
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

/// The result as it is shown; one that is kept by name, up to so many rows of it.
fn shown(
    answer: &Answer,
    there: Option<u64>,
    place: Place<'_>,
    opened: &Opened,
    kept: Option<(&Said, Rows)>,
) -> jupyter_protocol::Media {
    let (mut batches, mut remaining) = answer.fetched.within();
    let mut rows = answer.fetched.rows();
    if let Some((said, most)) = kept {
        batches = first(&batches, place.statement.rows.unwrap_or(most));
        // The line under it says what is left of the others.
        remaining = Remaining::NotShown;
        rows = said.rows;
    }
    let facts = Facts {
        remaining,
        rows,
        there,
        bytes: answer.fetched.bytes(),
        elapsed: answer.elapsed,
        bytes_read: answer.bytes_read(),
    };
    display::answer(
        place.statement,
        &answer.schema(),
        &batches,
        &opened.zone,
        &facts,
        opened.lifetime,
    )
}
