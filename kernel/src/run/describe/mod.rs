//! Summarises the columns of a table, a view or a kept result.

mod answer;
mod histogram;
mod kept;
mod question;

use super::cells::Settings;
use super::failure::Place;
use super::interpreter::{Cell, Outcome};
use super::limits::Limits;
use super::margin::Margin;
use super::parameters::Parameters;
use super::statement::{Ran, begin, end, fetch};
use super::view::View;
use crate::cell::name::{as_typed, in_sql};
use crate::cell::{Catalog, Rows, SqlText};
use crate::display;
use crate::engine::{Opened, Source};

/// Columns that are looked at. Each takes memory of every task, and room on the page.
const MOST_COLUMNS: usize = 100;

/// Shows what the columns of a kept result hold, or else those of a table: asks for their types,
/// which runs nothing, and then runs one query over all of it.
pub(super) async fn run(
    source: &mut dyn Source,
    name: &[String],
    settings: &Settings,
    cell: &Cell,
    margin: &mut Margin,
) -> Outcome {
    if let [name] = name
        && let Some(kept) = settings.shelf.get(name)
    {
        let hides = settings.known.table(std::slice::from_ref(name)).is_some();
        return kept::run(name, kept, hides, cell).await;
    }
    let known = &settings.known;
    let (mut view, opened) = match begin(source, &cell.output, margin, &cell.stop).await {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    let table = in_sql(name);
    let types = question::types(&table);
    let ran = ask(source, &opened, types, &mut view, known, cell).await;
    let (mut view, types) = match end(ran, view, margin).await {
        Ok(ended) => ended,
        Err(outcome) => return outcome,
    };
    let fields = types.schema().fields().clone();
    let figures = question::figures(&table, &fields, MOST_COLUMNS);
    let ran = ask(source, &opened, figures, &mut view, known, cell).await;
    let (view, answer) = match end(ran, view, margin).await {
        Ok(ended) => ended,
        Err(outcome) => return outcome,
    };
    let (batches, _) = answer.fetched.within();
    let summary = answer::summary(&as_typed(name), &fields, &batches);
    let elapsed = types.elapsed + answer.elapsed;
    let mut media = display::summary(&summary, &opened.zone, elapsed, answer.bytes_read());
    if let Some(started) = &opened.started {
        media = display::with_start(media, started, answer.first_executor);
    }
    margin.remember(view.result(media).await);
    Outcome::Done
}

async fn ask(
    source: &mut dyn Source,
    opened: &Opened,
    question: String,
    view: &mut View<'_>,
    known: &Catalog,
    cell: &Cell,
) -> Ran {
    // What was interrupted as it ended is over, what follows it must not begin.
    if cell.stop.is_cancelled() {
        return Ran::Interrupted;
    }
    let statement = SqlText::query(question);
    let place = Place {
        statement: &statement,
        parameters: &Parameters::default(),
        number: (1, 1),
        known,
    };
    let limits = Limits {
        rows: Rows::All,
        ..Limits::default()
    };
    fetch(
        source,
        opened,
        place,
        limits,
        view,
        &cell.output,
        &cell.stop,
    )
    .await
}
