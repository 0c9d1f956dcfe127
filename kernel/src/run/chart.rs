//! Draws a kept result.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::cells::Settings;
use super::interpreter::{Cell, Failure, Outcome};
use super::vars;
use crate::cell::{ChartRequest, MARKS, nearest};
use crate::chart;
use crate::display;
use crate::kept::{Kept, LAST};

/// Draws what is asked for.
pub(super) async fn run(request: &ChartRequest, settings: &Settings, cell: &Cell) -> Outcome {
    let kept = match kept(request, settings) {
        Ok(kept) => Arc::clone(kept),
        Err(failure) => return Outcome::Failed(failure),
    };
    let request = request.clone();
    // Millions of rows take a while, in which the kernel has others to answer.
    let drawing = spawn_blocking(move || {
        let part = kept.part();
        let (schema, batches) = (&kept.schema, &kept.batches);
        let chart = chart::draw(schema, batches, &kept.zone, &request, part.as_deref());
        chart.map(|chart| display::chart::chart(&chart))
    });
    let drawn = tokio::select! {
        biased;
        () = cell.stop.cancelled() => return Outcome::Interrupted,
        drawn = drawing => drawn,
    };
    match drawn {
        Ok(Ok(media)) => {
            cell.output.result(cell.count, media).await;
            Outcome::Done
        }
        Ok(Err(refusal)) => Outcome::Failed(failed(refusal.to_string(), Vec::new())),
        Err(broken) => Outcome::Failed(failed(
            format!("The chart could not be drawn: {broken}."),
            vec!["That is a mistake of the kernel; its log says more.".to_owned()],
        )),
    }
}

/// The result that a chart is asked of.
fn kept<'a>(request: &ChartRequest, settings: &'a Settings) -> Result<&'a Arc<Kept>, Failure> {
    let name = request.of.as_deref().unwrap_or(LAST);
    if let Some(kept) = settings.shelf.get(name) {
        return Ok(kept);
    }
    if name == LAST {
        return Err(failed(
            "There is no result to draw yet.".to_owned(),
            vec!["A SELECT above `%chart`, or in a cell before, gives one.".to_owned()],
        ));
    }
    let mut failure = vars::unknown(settings, name);
    let marks = MARKS.iter().map(|(mark, _)| *mark);
    if let Some(mark) = nearest(name, marks) {
        let hint = format!("`%chart {mark}` draws the last result that way.");
        failure.traceback.push(hint);
    }
    Err(failure)
}

fn failed(value: String, more: Vec<String>) -> Failure {
    let lines = std::iter::once(value.clone()).chain(more);
    Failure {
        name: "ChartError".to_owned(),
        traceback: lines.collect(),
        value,
        stack: Vec::new(),
    }
}
