//! What is shown while a statement runs or a driver starts, in one display that is replaced in
//! place.

use std::time::Duration;

use firesteel_session::engine::Progress;
use jupyter_protocol::Media;

use super::bundle;
use super::facts::{bytes, count, seconds};
use super::html::{STYLE, push_escaped};

/// The shortest time between two updates of a display: front ends and cullers take every one of
/// them for activity.
const BETWEEN_UPDATES: Duration = Duration::from_millis(250);

/// Whether a display that was last updated at `last` is updated at `now`, both counted from the
/// same start, where `changed` says whether it would read otherwise.
pub fn should_update(last: Option<Duration>, now: Duration, changed: bool) -> bool {
    changed && last.is_none_or(|last| now.saturating_sub(last) >= BETWEEN_UPDATES)
}

/// How a start goes: `Starting Spark: waiting for Connect, 3 s`. `phase` says in words what is
/// going on.
pub fn starting(phase: &str, waited: Duration) -> Media {
    let text = format!("Starting Spark: {phase}, {} s", waited.as_secs());
    show(&text, None)
}

/// How far a statement is. `statement` is its number and how many the cell has.
pub fn running(progress: &Progress, elapsed: Duration, statement: (usize, usize)) -> Media {
    let all: u64 = progress.stages.iter().map(|stage| stage.tasks).sum();
    let done: u64 = progress.stages.iter().map(|stage| stage.tasks_done).sum();
    show(
        &running_text(progress, elapsed, statement),
        (all > 0).then_some((done.min(all), all)),
    )
}

fn running_text(progress: &Progress, elapsed: Duration, (number, of): (usize, usize)) -> String {
    let mut parts = Vec::new();
    if of > 1 {
        parts.push(format!("statement {number} of {of}"));
    }
    let sum = |part: fn(&firesteel_session::engine::Stage) -> u64| -> u64 {
        progress.stages.iter().map(part).sum()
    };
    let stages = progress.stages.len();
    if stages == 0 {
        parts.push("running".to_owned());
    } else {
        let ended = progress.stages.iter().filter(|stage| stage.done).count();
        parts.push(format!("{ended} of {stages} stages"));
        parts.push(format!(
            "{} of {} tasks, {} running",
            count(sum(|stage| stage.tasks_done)),
            count(sum(|stage| stage.tasks)),
            count(progress.running_tasks)
        ));
    }
    let read = sum(|stage| stage.bytes_read);
    if read > 0 {
        parts.push(format!("{} read", bytes(read)));
    }
    parts.push(match elapsed.as_secs() {
        whole @ 0..60 => format!("{whole} s"),
        _ => seconds(elapsed),
    });
    parts.join(" · ")
}

fn show(text: &str, bar: Option<(u64, u64)>) -> Media {
    let mut html = String::from(STYLE);
    html.push_str("<div class=\"firesteel-foot\">");
    if let Some((done, all)) = bar {
        html.push_str(&format!(
            "<progress max=\"{all}\" value=\"{done}\"></progress> "
        ));
    }
    push_escaped(&mut html, text);
    html.push_str("</div>");
    bundle(html, super::text::visible(text))
}
