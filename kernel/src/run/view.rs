//! The one display of a statement: first how it goes, in place, and at the end its result.

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
    pub(super) async fn result(self, media: Media) -> Shown {
        self.put(media.clone()).await;
        Shown {
            output: self.output.clone(),
            id: self.id,
            media,
        }
    }

    /// Where progress was shown, leaves a line in its place.
    pub(super) async fn instead(self, line: &str) -> Option<Shown> {
        self.shown.as_ref()?;
        let text = format!("{line} after {:.1} s", self.elapsed().as_secs_f64());
        Some(self.result(display::plain(text)).await)
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

    #[tokio::test(start_paused = true)]
    async fn the_result_takes_the_place_of_the_progress() {
        let (output, captured) = Output::captured();
        let mut view = View::new(&output);
        tokio::time::advance(Duration::from_secs(1)).await;
        view.progress(display::plain("1 of 2 tasks")).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        view.progress(display::plain("1 of 2 tasks")).await;
        view.result(display::plain("table")).await;
        let messages = captured.messages();
        let kinds: Vec<_> = messages.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["display_data", "update_display_data"]);
        assert_eq!(messages[0].1["transient"], messages[1].1["transient"]);
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
