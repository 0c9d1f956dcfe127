//! How a driver's start goes, and what it took.

use std::time::Duration;

use jupyter_protocol::{Media, MediaType};

use super::facts::{push_footer, tenths};
use super::progress::show;

/// A start that goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// What is going on, in words; empty where there is nothing to say yet.
    pub phase: String,
    /// What is over, in words, and how long each took.
    pub passed: Vec<(&'static str, Duration)>,
    /// What is in the way, where something is.
    pub trouble: Option<String>,
}

impl Start {
    /// A start of which no more than this is known.
    pub fn phase(words: &str) -> Self {
        Self {
            phase: words.to_owned(),
            ..Self::default()
        }
    }
}

/// A start that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The version of Spark, where it is known.
    pub spark: Option<String>,
    /// What it took in all.
    pub took: Duration,
    /// Its phases, in words, and how long each took.
    pub phases: Vec<(&'static str, Duration)>,
}

/// Phases shorter than this are not worth a word once the start is over.
const WORTH_A_WORD: Duration = Duration::from_millis(50);

/// How a start goes: `Starting Spark: waiting for a node 0.1 s · waiting for Spark · 5 s`, and on
/// lines of their own what is in the way and what to do about it.
pub fn starting(start: &Start, waited: Duration) -> Media {
    show(&starting_text(start, waited), None)
}

fn starting_text(start: &Start, waited: Duration) -> String {
    let mut parts: Vec<String> = start.passed.iter().map(phase).collect();
    parts.push(start.phase.clone());
    parts.push(format!("{} s", waited.as_secs()));
    let line = format!("Starting Spark: {}", parts.join(" · "));
    match &start.trouble {
        Some(trouble) => format!("{line}\n{trouble}"),
        None => line,
    }
}

/// Puts what a start took under the result of the statement that waited for it.
/// `first_executor` is how long the first executor took to come after that.
pub fn with_start(mut media: Media, started: &Started, first_executor: Option<Duration>) -> Media {
    let line = started_text(started, first_executor);
    for content in &mut media.content {
        match content {
            MediaType::Html(html) => push_footer(html, &line),
            MediaType::Plain(text) => {
                text.push('\n');
                text.push_str(&super::text::visible(&line));
            }
            _ => {}
        }
    }
    media
}

fn started_text(started: &Started, first_executor: Option<Duration>) -> String {
    let spark = match &started.spark {
        Some(version) => format!("Spark {version}"),
        None => "Spark".to_owned(),
    };
    let phases = started.phases.iter();
    let mut parts: Vec<String> = phases
        .filter(|(_, took)| *took >= WORTH_A_WORD)
        .map(phase)
        .collect();
    parts.extend(first_executor.map(|took| format!("first executor {}", tenths(took))));
    let took = tenths(started.took);
    if parts.is_empty() {
        format!("{spark} started in {took}")
    } else {
        format!("{spark} started in {took}: {}", parts.join(" · "))
    }
}

fn phase((words, took): &(&'static str, Duration)) -> String {
    format!("{words} {}", tenths(*took))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: (&str, Duration) = ("waiting for a node", Duration::from_millis(120));
    const POD: (&str, Duration) = ("preparing its pod", Duration::from_millis(20));
    const SPARK: (&str, Duration) = ("waiting for Spark", Duration::from_millis(71_400));

    #[test]
    fn a_start_says_what_is_over_what_goes_on_and_what_is_in_the_way() {
        let mut start = Start::phase("waiting for Spark");
        let waited = Duration::from_millis(5900);
        assert_eq!(
            starting_text(&start, waited),
            "Starting Spark: waiting for Spark · 5 s"
        );
        start.passed = vec![NODE, POD];
        start.trouble = Some("no node has room".to_owned());
        assert_eq!(
            starting_text(&start, waited),
            "Starting Spark: waiting for a node 0.1 s · preparing its pod 0.0 s · waiting for Spark · 5 s\nno node has room"
        );
    }

    #[test]
    fn what_is_in_the_way_has_lines_of_its_own_in_every_form() {
        let mut start = Start::phase("waiting for a node");
        start.trouble = Some("A quota <i>\u{7}.\nWait for `it`.".to_owned());
        for content in starting(&start, Duration::from_secs(5)).content {
            match content {
                MediaType::Html(html) => assert!(
                    html.contains("5 s<br>A quota &lt;i&gt;")
                        && html.contains("<br>Wait for <code>it</code>."),
                    "{html}"
                ),
                MediaType::Plain(text) => {
                    let lines: Vec<&str> = text.lines().collect();
                    assert_eq!(lines.len(), 3, "{text}");
                    assert_eq!(lines[2], "Wait for `it`.");
                    assert!(!text.contains('\u{7}'), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_a_start_took_stands_under_the_result_in_every_form() {
        let started = Started {
            spark: Some("4.3.0".to_owned()),
            took: Duration::from_millis(71_540),
            phases: vec![NODE, POD, SPARK],
        };
        let media = with_start(
            super::super::plain("table"),
            &started,
            Some(Duration::from_millis(6240)),
        );
        for content in &media.content {
            if let MediaType::Plain(text) = content {
                assert_eq!(
                    text,
                    "table\nSpark 4.3.0 started in 1 min 11 s: waiting for a node 0.1 s · waiting for Spark 1 min 11 s · first executor 6.2 s"
                );
            }
        }
        let bare = Started {
            spark: None,
            took: Duration::from_secs(3),
            phases: Vec::new(),
        };
        assert_eq!(started_text(&bare, None), "Spark started in 3.0 s");
    }
}
