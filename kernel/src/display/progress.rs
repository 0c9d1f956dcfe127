//! What is shown while a statement runs or a driver starts, in one display that is replaced in
//! place.

use std::time::Duration;

use firesteel_launcher::attach::state::Executors;
use firesteel_session::engine::Progress;
use jupyter_protocol::Media;

use super::bundle;
use super::facts::{bytes, count, seconds, tenths};
use super::html::{STYLE, push_prose};

/// The shortest time between two updates of a display: front ends and cullers take every one of
/// them for activity.
const BETWEEN_UPDATES: Duration = Duration::from_millis(250);

/// The bar's look: in most browsers its own is a thin line of greys, and nearly none on a dark page.
const BAR: &str = "<style>\
.firesteel-foot progress{width:14em;height:.7em;margin-right:.6em;border:0;border-radius:.35em;\
overflow:hidden;vertical-align:baseline;appearance:none;-webkit-appearance:none;background:#8886}\
.firesteel-foot progress::-webkit-progress-bar{background:#8886}\
.firesteel-foot progress::-webkit-progress-value{\
background:var(--jp-brand-color1,var(--vscode-progressBar-background,#1976d2))}\
.firesteel-foot progress::-moz-progress-bar{\
background:var(--jp-brand-color1,var(--vscode-progressBar-background,#1976d2))}\
</style>";

/// Whether a display that was last updated at `last` is updated at `now`, both counted from the
/// same start, where `changed` says whether it would read otherwise.
pub fn should_update(last: Option<Duration>, now: Duration, changed: bool) -> bool {
    changed && last.is_none_or(|last| now.saturating_sub(last) >= BETWEEN_UPDATES)
}

/// How far a statement is. `statement` is its number and how many the cell has; `executors` are
/// those of a driver that has any apart from itself.
pub fn running(
    progress: &Progress,
    executors: Option<Executors>,
    elapsed: Duration,
    statement: (usize, usize),
) -> Media {
    let all: u64 = progress.stages.iter().map(|stage| stage.tasks).sum();
    let done: u64 = progress.stages.iter().map(|stage| stage.tasks_done).sum();
    show(
        &running_text(progress, executors, elapsed, statement),
        (all > 0).then_some((done.min(all), all)),
    )
}

fn running_text(
    progress: &Progress,
    executors: Option<Executors>,
    elapsed: Duration,
    (number, of): (usize, usize),
) -> String {
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
    // A statement that has no stage yet may never need an executor.
    parts.extend(
        executors
            .filter(|executors| stages > 0 || executors.running > 0)
            .map(executors_text),
    );
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

fn executors_text(executors: Executors) -> String {
    match executors {
        Executors {
            running: 0,
            pending: 0,
        } => "waiting for an executor".to_owned(),
        Executors {
            running: 0,
            pending,
        } => format!("waiting for the first executor, {pending} coming"),
        Executors {
            running,
            pending: 0,
        } => number_of(running),
        Executors { running, pending } => format!("{}, {pending} coming", number_of(running)),
    }
}

fn number_of(executors: u32) -> String {
    match executors {
        1 => "1 executor".to_owned(),
        number => format!("{number} executors"),
    }
}

/// How something ended that was shown on its way: `word after 3.2 s`.
pub fn ended(word: &str, elapsed: Duration) -> Media {
    show(&format!("{word} after {}", tenths(elapsed)), None)
}

/// Lines of prose, and beside them how much of all is done.
pub(super) fn show(text: &str, bar: Option<(u64, u64)>) -> Media {
    let mut html = String::from(STYLE);
    if bar.is_some() {
        html.push_str(BAR);
    }
    html.push_str("<div class=\"firesteel-foot\">");
    if let Some((done, all)) = bar {
        html.push_str(&format!(
            "<progress max=\"{all}\" value=\"{done}\"></progress>"
        ));
    }
    for (place, line) in text.lines().enumerate() {
        if place > 0 {
            html.push_str("<br>");
        }
        push_prose(&mut html, line);
    }
    html.push_str("</div>");
    bundle(html, super::text::visible_lines(text))
}

#[cfg(test)]
mod tests {
    use firesteel_session::engine::Stage;

    use super::*;

    #[test]
    fn a_display_is_updated_four_times_a_second_at_most_and_only_when_it_changes() {
        let ms = Duration::from_millis;
        let cases = [
            (None, 0, true, true),
            (None, 0, false, false),
            (Some(0), 249, true, false),
            (Some(0), 250, true, true),
            (Some(0), 250, false, false),
            (Some(500), 100, true, false),
        ];
        for (last, now, changed, expected) in cases {
            assert_eq!(should_update(last.map(ms), ms(now), changed), expected);
        }
    }

    #[test]
    fn progress_counts_stages_tasks_and_bytes() {
        let stage = |tasks, tasks_done, bytes_read, done| Stage {
            id: 0,
            tasks,
            tasks_done,
            bytes_read,
            done,
        };
        let progress = Progress {
            stages: vec![
                stage(1200, 1200, 3_000_000, true),
                stage(200, 45, 141_592, false),
            ],
            running_tasks: 8,
        };
        let text = running_text(&progress, None, Duration::from_millis(4_900), (2, 3));
        assert_eq!(
            text,
            "statement 2 of 3 · 1 of 2 stages · 1,245 of 1,400 tasks, 8 running · 3.1 MB read · 4 s"
        );
        let nothing = running_text(&Progress::default(), None, Duration::from_secs(125), (1, 1));
        assert_eq!(nothing, "running · 2 min 5 s");
    }

    #[test]
    fn executors_are_counted_where_work_waits_for_them() {
        let progress = Progress {
            stages: vec![Stage {
                id: 0,
                tasks: 8,
                tasks_done: 0,
                bytes_read: 0,
                done: false,
            }],
            running_tasks: 0,
        };
        let text = |progress: &Progress, running, pending| {
            let executors = Some(Executors { running, pending });
            running_text(progress, executors, Duration::from_secs(3), (1, 1))
        };
        for (running, pending, expected) in [
            (0, 0, "waiting for an executor"),
            (0, 2, "waiting for the first executor, 2 coming"),
            (1, 0, "1 executor"),
            (2, 1, "2 executors, 1 coming"),
        ] {
            let text = text(&progress, running, pending);
            assert!(text.contains(&format!(" · {expected} · 3 s")), "{text}");
        }
        assert_eq!(text(&Progress::default(), 0, 0), "running · 3 s");
    }
}
