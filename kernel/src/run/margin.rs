//! What is written under the last result when no cell runs.

use jupyter_protocol::{Media, MediaType};

use crate::display;
use crate::wire::iopub::{DisplayId, Output};

/// A result larger than this is not sent a second time for a line under it: front ends would lay it
/// out anew. The line then stands under a result before it, or nowhere.
const LARGEST: usize = 4 << 20;

/// A display that stays when its cell has ended.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Where its cell's outputs go.
    pub(super) output: Output,
    pub(super) id: DisplayId,
    pub(super) media: Media,
}

impl Shown {
    fn size(&self) -> usize {
        let text = |part: &MediaType| match part {
            MediaType::Html(text) | MediaType::Plain(text) => text.len(),
            _ => 0,
        };
        self.media.content.iter().map(text).sum()
    }
}

/// The space under the last result.
#[derive(Debug, Default)]
pub(super) struct Margin {
    last: Option<Shown>,
    /// Where a line stands now.
    written: Option<Shown>,
}

impl Margin {
    /// Takes note of what a cell shows in the end.
    pub(super) fn remember(&mut self, shown: Shown) {
        if shown.output.is_heard() && shown.size() <= LARGEST {
            self.last = Some(shown);
        }
    }

    /// Writes a line, in place of one that stands there. Where nothing was ever shown, nobody can
    /// be told anything.
    pub(super) async fn write(&mut self, line: &str) {
        let Some(shown) = self.written.clone().or_else(|| self.last.clone()) else {
            return;
        };
        let media = display::noted(&shown.media, line);
        self.written = Some(shown.clone());
        shown.output.update(&shown.id, media).await;
    }

    /// Removes the line that stands there.
    pub(super) async fn clear(&mut self) {
        if let Some(shown) = self.written.take() {
            shown.output.update(&shown.id, shown.media).await;
        }
    }

    /// Leaves the line where it is: it stays true.
    pub(super) fn leave(&mut self) {
        self.written = None;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn texts(messages: &[(String, Value)]) -> Vec<(&str, &str)> {
        messages
            .iter()
            .map(|(kind, content)| {
                let text = content["data"]["text/plain"].as_str().unwrap();
                (kind.as_str(), text)
            })
            .collect()
    }

    fn shown(output: &Output, text: &str) -> Shown {
        Shown {
            output: output.clone(),
            id: DisplayId::unique(),
            media: display::plain(text),
        }
    }

    #[tokio::test]
    async fn a_line_is_written_under_the_last_result_replaced_and_removed() {
        let (output, captured) = Output::captured();
        let mut margin = Margin::default();
        margin.write("nobody sees this").await;
        margin.clear().await;
        margin.remember(shown(&output, "first"));
        margin.remember(shown(&output, "last"));
        margin.remember(shown(&Output::nowhere(), "of a silent cell"));
        margin.remember(shown(&output, &"x".repeat(LARGEST + 1)));
        margin.write("soon").await;
        margin.write("now").await;
        margin.clear().await;
        margin.clear().await;
        let expected = [
            ("update_display_data", "last\nsoon"),
            ("update_display_data", "last\nnow"),
            ("update_display_data", "last"),
        ];
        let messages = captured.messages();
        assert_eq!(texts(&messages), expected);
        let ids = |n: usize| messages[n].1["transient"]["display_id"].clone();
        assert_eq!(ids(0), ids(2));
    }

    #[tokio::test]
    async fn a_line_is_removed_where_it_was_written_whatever_is_shown_since() {
        let (output, captured) = Output::captured();
        let mut margin = Margin::default();
        margin.remember(shown(&output, "first"));
        margin.write("soon").await;
        margin.remember(shown(&output, "second"));
        margin.clear().await;
        margin.write("soon").await;
        margin.leave();
        margin.clear().await;
        let messages = captured.messages();
        let texts: Vec<&str> = texts(&messages).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["first\nsoon", "first", "second\nsoon"]);
    }
}
