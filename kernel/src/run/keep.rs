//! Keeps the result of a statement that has run.

use super::cells::Settings;
use super::failure::Place;
use super::statement::Answer;
use crate::display::{self, Remaining, Zone, bytes, rows};
use crate::kept::{Cut, Dropped, Kept};

/// What is said of a result that is kept by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Under it.
    pub(super) note: String,
    /// Beside it: what was dropped for it.
    pub(super) aside: Vec<String>,
    /// How many rows are kept.
    pub(super) rows: u64,
}

/// Keeps the result as the last one, and by name where the cell says so. A statement that answers
/// with no rows leaves everything as it was, and a silent cell the last result.
pub(super) fn keep(
    answer: &Answer,
    place: Place<'_>,
    zone: &Zone,
    settings: &mut Settings,
    silent: bool,
) -> Option<Said> {
    let name = place.statement.keep.as_deref();
    let (batches, remaining) = answer.fetched.within();
    let schema = answer.schema.clone();
    let Some(schema) = schema.filter(|schema| display::is_table(place.statement, schema, &batches))
    else {
        return name.map(|name| Said {
            note: format!("Nothing is kept as `{name}`: the statement answers with no rows."),
            aside: Vec::new(),
            rows: 0,
        });
    };
    let cut = match remaining {
        Remaining::Nothing | Remaining::NotShown => None,
        Remaining::OverRows => Some(Cut::Rows),
        Remaining::OverBytes(limit) => Some(Cut::Bytes(limit)),
    };
    let kept = Kept::new(schema, batches, cut, zone.clone());
    let Some(name) = name else {
        if !silent {
            settings.shelf.put_last(kept);
        }
        return None;
    };
    let dropped = settings.shelf.put(name, kept);
    let kept = settings.shelf.get(name)?.clone();
    let scalar = kept.scalar().is_ok();
    let set = settings.values.contains_key(name);
    if scalar {
        settings.values.remove(name);
    }
    let value = match (scalar, set) {
        (true, true) => format!(" `:{name}` is its value from now on, not what `%set` gave it."),
        (true, false) => format!(" `:{name}` in a statement is its value."),
        (false, true) => format!(" `:{name}` stays what `%set` gave it."),
        (false, false) => String::new(),
    };
    Some(Said {
        note: format!("{}{value}", note(name, &kept)),
        aside: dropped.iter().map(word).collect(),
        rows: kept.rows,
    })
}

fn note(name: &str, kept: &Kept) -> String {
    let Some(part) = kept.part() else {
        return format!("Kept as `{name}`: {}.", rows(kept.rows));
    };
    let more = match kept.cut {
        Some(Cut::Bytes(_)) => "there are more; fewer columns or a `WHERE` keep the rest",
        _ => "as `-n` asks; there are more",
    };
    format!("Kept as `{name}`: {part}, {more}.")
}

fn word(dropped: &Dropped) -> String {
    format!(
        "`{}` ({}) is no longer kept: it was the oldest, and there was no more room for all of them.",
        dropped.name,
        bytes(dropped.bytes),
    )
}
