//! The columns of a kept result, counted here.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::MOST_COLUMNS;
use crate::display::{self, ColumnSummary, Summary};
use crate::frame;
use crate::kept::{Kept, LAST};
use crate::run::interpreter::{Cell, Outcome};

/// Shows what the columns of a kept result hold. `hides` says that a table has the same name.
pub(super) async fn run(name: &str, kept: &Arc<Kept>, hides: bool, cell: &Cell) -> Outcome {
    let began = Instant::now();
    let fields = kept.schema.fields();
    let mut columns = Vec::new();
    for at in 0..fields.len().min(MOST_COLUMNS) {
        let counted = tokio::select! {
            biased;
            () = cell.stop.cancelled() => return Outcome::Interrupted,
            counted = count(kept, at) => counted,
        };
        columns.extend(counted);
    }
    let summary = Summary {
        of: words(name, kept),
        rows: kept.rows,
        left_out: fields.len() - columns.len(),
        columns,
        estimated: false,
    };
    let mut media = display::summary(&summary, &kept.zone, began.elapsed(), None);
    if hides {
        let note = format!(
            "A table or view has this name too: it is described when `%vars drop {name}` has let the result go."
        );
        media = display::noted(&media, &note);
    }
    cell.output.result(cell.count, media).await;
    Outcome::Done
}

/// The figures of a column. A large one takes seconds, in which this thread is free.
async fn count(kept: &Arc<Kept>, at: usize) -> Option<ColumnSummary> {
    let kept = Arc::clone(kept);
    let counted = spawn_blocking(move || {
        let field = kept.schema.fields().get(at)?;
        Some(frame::summary(field, &kept.batches, at))
    });
    counted.await.ok().flatten()
}

/// What the summary is of; a result that was cut says so.
fn words(name: &str, kept: &Kept) -> String {
    let result = match name {
        LAST => "the last result".to_owned(),
        name => format!("the kept result `{name}`"),
    };
    match kept.part() {
        Some(part) => format!("{part} of {result}"),
        None => result,
    }
}
