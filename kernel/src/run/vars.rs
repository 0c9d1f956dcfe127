//! What has a name: kept results, and values of parameters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use firesteel_session::engine::Argument;
use jupyter_protocol::Media;

use super::cells::Settings;
use super::interpreter::Failure;
use crate::cell::{Word, nearest};
use crate::display::{self, Held, Var, bytes, parameter, rows};
use crate::kept::{ALL_BYTES, Cut, Kept};

/// Lists what is kept and what `%set` gave.
pub(super) fn list(settings: &Settings, now: SystemTime) -> Media {
    let Settings { values, shelf, .. } = settings;
    let results = shelf.list().map(|(name, kept)| Var {
        name,
        result: Some(Held {
            rows: kept.rows,
            cut: kept.cut.map(|cut| match cut {
                Cut::Rows => format!("at {}", rows(kept.rows)),
                Cut::Bytes(most) => format!("at {}", bytes(most)),
            }),
            bytes: kept.bytes,
            schema: &kept.schema,
            age: now.duration_since(kept.at).unwrap_or_default(),
        }),
        parameter: value_of(settings, name, kept).map(|value| parameter(name, &value)),
    });
    let set = values.iter().map(|(name, value)| Var {
        name,
        result: None,
        parameter: Some(parameter(name, value)),
    });
    let vars: Vec<Var<'_>> = results.chain(set).collect();
    // One that is the last and has a name holds its memory once.
    let held: BTreeMap<_, _> = shelf
        .list()
        .map(|(_, kept)| (Arc::as_ptr(kept), kept.bytes))
        .collect();
    display::vars(&vars, held.values().sum(), ALL_BYTES)
}

/// What a parameter of a kept result's name stands for, where it is the result's value.
fn value_of(settings: &Settings, name: &str, kept: &Kept) -> Option<Argument> {
    let value = kept.scalar().ok()?;
    (!settings.values.contains_key(name)).then_some(value)
}

/// The parameters that have a value, each with `:NAME = VALUE (TYPE)`.
pub(super) fn parameters(settings: &Settings) -> Vec<Word> {
    let set = settings.values.iter().map(|(name, value)| Word {
        name: name.clone(),
        about: parameter(name, value),
    });
    let kept = settings.shelf.list().filter_map(|(name, kept)| {
        let value = value_of(settings, name, kept)?;
        Some(Word {
            name: name.to_owned(),
            about: format!("{}, a kept result", parameter(name, &value)),
        })
    });
    set.chain(kept).collect()
}

/// The parameters that have a value, with it, a line for each.
pub(super) fn values(settings: &Settings) -> String {
    let known = parameters(settings).into_iter();
    let lines: Vec<String> = known.map(|word| word.about).collect();
    match lines.is_empty() {
        true => "No parameter has a value; `%set NAME VALUE` gives `:NAME` one.".to_owned(),
        false => lines.join("\n"),
    }
}

/// Gives a parameter a value, and says so.
pub(super) fn set(settings: &mut Settings, name: &str, value: &Argument) -> String {
    let mut said = parameter(name, value);
    let kept = settings.shelf.get(name);
    if kept.is_some_and(|kept| kept.scalar().is_ok()) {
        said.push_str(&format!(", no longer the kept result `{name}`"));
    }
    settings.values.insert(name.to_owned(), value.clone());
    said
}

/// Takes a parameter's value back, and says so.
pub(super) fn unset(settings: &mut Settings, name: &str) -> String {
    let had = settings.values.remove(name);
    let kept = settings.shelf.get(name).and_then(|kept| kept.scalar().ok());
    match (had, kept) {
        (Some(_), Some(value)) => {
            format!("{}, the kept result `{name}`", parameter(name, &value))
        }
        (Some(_), None) => format!("`:{name}` has no value any more."),
        (None, Some(_)) => {
            format!("`:{name}` is the kept result `{name}`; `%vars drop {name}` lets it go.")
        }
        (None, None) => format!("`:{name}` had no value."),
    }
}

/// Lets a kept result go, and says so.
pub(super) fn drop(settings: &mut Settings, name: &str) -> Result<String, Failure> {
    match settings.shelf.remove(name) {
        Some(gone) => Ok(dropped(name, &gone)),
        None => Err(unknown(settings, name)),
    }
}

fn dropped(name: &str, gone: &Kept) -> String {
    format!(
        "`{name}` is no longer kept; {} are free.",
        bytes(gone.bytes)
    )
}

/// No result is kept under this name.
pub(super) fn unknown(settings: &Settings, name: &str) -> Failure {
    let names = settings.shelf.list().map(|(name, _)| name);
    let what = match (settings.values.contains_key(name), nearest(name, names)) {
        (true, _) => format!("`%set {name}` takes the value of `:{name}` back."),
        (false, Some(near)) => format!("Did you mean `{near}`?"),
        (false, None) => "`%vars` lists what is kept.".to_owned(),
    };
    let value = format!("No result is kept as `{name}`.");
    Failure {
        name: "UsageError".to_owned(),
        traceback: vec![value.clone(), what],
        value,
        ..Failure::default()
    }
}
