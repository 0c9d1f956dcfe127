//! What is said of executors.

use crate::cluster::trouble::{Part, Trouble};

/// The most that are named one by one.
const NAMED: usize = 6;

/// That these were lost.
pub(super) fn lost(ids: &[String], why: &Trouble) -> String {
    said(ids, why, "")
}

/// That these do not start.
pub(super) fn hindered(ids: &[String], why: &Trouble) -> String {
    said(ids, why, " yet")
}

fn said(ids: &[String], why: &Trouble, yet: &str) -> String {
    let many = ids.len() > 1;
    let subject = match ids {
        [id] => format!("Executor {id}"),
        ids if ids.len() > NAMED => format!("{} executors", ids.len()),
        ids => format!("{} executors ({})", ids.len(), ids.join(", ")),
    };
    let happened = why.happened(many);
    // "cannot be placed yet" is said of what may change.
    let happened = match happened.split_once(": ") {
        Some((what, said)) => format!("{what}{yet}: {said}"),
        None => format!("{happened}{yet}"),
    };
    format!("{subject} {happened}. {}", why.remedy(Part::Executor))
}
