//! The one display of a statement: first how it goes, in place, and at the end its result.
//!
//! A front end in a terminal cannot change what it has printed and shows no update of a display.
//! So where the progress is all that the cell shows, it is cleared away and the result is a display
//! of its own, which looks the same in a page. Behind other outputs of the cell, which would be
//! cleared with it, the result is an update.

use std::time::Duration;

use jupyter_protocol::{Media, MediaType};
use tokio::time::Instant;

use super::margin::Shown;
use crate::display;
use crate::wire::iopub::{DisplayId, Output};

/// How long a statement runs before its progress is shown: most are done before.
const QUIET: Duration = Duration::from_millis(400);

/// A statement's display.
pub(super) struct View<'a> {
    output: &'a Output,
    id: DisplayId,
    since: Instant,
    /// What is shown, and since when; `None` while nothing is.
    shown: Option<(String, Duration)>,
}

impl<'a> View<'a> {
    pub(super) fn new(output: &'a Output) -> Self {
        Self {
            output,
            id: DisplayId::unique(),
            since: Instant::now(),
            shown: None,
        }
    }

    /// Since the statement's turn came.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Shows how it goes, unless that is too soon or nothing new.
    pub(super) async fn progress(&mut self, media: Media) {
        let now = self.elapsed();
        if now < QUIET {
            return;
        }
        let text = plain(&media);
        let last = self.shown.as_ref();
        let changed = last.is_none_or(|(shown, _)| *shown != text);
        if !display::should_update(last.map(|(_, at)| *at), now, changed) {
            return;
        }
        self.put(media).await;
        self.shown = Some((text, now));
    }

    /// Shows the result, in the place of the progress.
    pub(super) async fn result(mut self, media: Media) -> Shown {
        if self.shown.is_some() && self.output.shows_one() {
            self.output.clear(true).await;
            self.shown = None;
            self.id = DisplayId::unique();
        }
        self.put(media.clone()).await;
        Shown {
            output: self.output.clone(),
            id: self.id,
            media,
        }
    }

    /// Where progress was shown, leaves a line in its place: `word after 3.2 s`.
    pub(super) async fn instead(self, word: &str) -> Option<Shown> {
        self.shown.as_ref()?;
        let line = display::ended(word, self.elapsed());
        Some(self.result(line).await)
    }

    async fn put(&self, media: Media) {
        if self.shown.is_some() {
            self.output.update(&self.id, media).await;
        } else {
            self.output.display(media, Some(&self.id)).await;
        }
    }
}

fn plain(media: &Media) -> String {
    let text = media.content.iter().find_map(|content| match content {
        MediaType::Plain(text) => Some(text.clone()),
        _ => None,
    });
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quick_statement_shows_its_result_alone() {
        let (output, captured) = Output::captured();
        let mut view = View::new(&output);
        view.progress(display::plain("1 of 2 tasks")).await;
        view.result(display::plain("table")).await;
        let messages = captured.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].0, "display_data");
    }

    async fn progress_and_result(output: &Output) {
        let mut view = View::new(output);
        tokio::time::advance(Duration::from_secs(1)).await;
        view.progress(display::plain("1 of 2 tasks")).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        view.progress(display::plain("1 of 2 tasks")).await;
        let shown = view.result(display::plain("table")).await;
        output.update(&shown.id, display::plain("noted")).await;
    }

    fn kinds(messages: &[(String, serde_json::Value)]) -> Vec<&str> {
        messages.iter().map(|(kind, _)| kind.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_result_takes_the_place_of_the_progress_as_a_display_of_its_own() {
        let (output, captured) = Output::captured();
        progress_and_result(&output).await;
        let messages = captured.messages();
        let expected = ["display_data", "clear_output", "display_data"];
        assert_eq!(kinds(&messages[..3]), expected);
        assert_eq!(messages[1].1["wait"], true);
        let transient = |n: usize| &messages[n].1["transient"];
        assert_ne!(transient(0), transient(2));
        assert_eq!(transient(2), transient(3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_else_the_cell_shows_stays_when_the_result_takes_the_place_of_the_progress() {
        for before in [true, false] {
            let (output, captured) = Output::captured();
            if before {
                output.stderr("a notice\n").await;
                progress_and_result(&output).await;
            } else {
                let mut view = View::new(&output);
                tokio::time::advance(Duration::from_secs(1)).await;
                view.progress(display::plain("1 of 2 tasks")).await;
                output.stderr("a notice\n").await;
                view.result(display::plain("table")).await;
            }
            let messages = captured.messages();
            let kinds = kinds(&messages);
            assert!(!kinds.contains(&"clear_output"), "{kinds:?}");
            assert_eq!(kinds[2], "update_display_data");
            let shown = usize::from(before);
            assert_eq!(messages[shown].1["transient"], messages[2].1["transient"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_leaves_a_line_where_progress_was_and_nothing_where_none_was() {
        let (output, captured) = Output::captured();
        View::new(&output).instead("Failed").await;
        assert!(captured.messages().is_empty());
        let mut view = View::new(&output);
        tokio::time::advance(Duration::from_secs(2)).await;
        view.progress(display::plain("1 of 2 tasks")).await;
        view.instead("Failed").await;
        let (_, last) = captured.messages().pop().unwrap();
        assert_eq!(last["data"]["text/plain"], "Failed after 2.0 s");
    }
}
