//! A line under something that is shown.

use jupyter_protocol::{Media, MediaType};

use super::facts::push_footer;
use super::text::visible;

/// The same with a quiet line under it.
pub fn noted(media: &Media, note: &str) -> Media {
    let content = media.content.iter().map(|part| match part {
        MediaType::Html(html) => {
            let mut html = html.clone();
            push_footer(&mut html, note);
            MediaType::Html(html)
        }
        MediaType::Plain(text) => MediaType::Plain(format!("{text}\n{}", visible(note))),
        other => other.clone(),
    });
    Media::new(content.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_stands_under_what_is_shown_and_is_escaped() {
        let html = MediaType::Html("<b>1</b>".to_owned());
        let plain = MediaType::Plain("1".to_owned());
        let media = noted(&Media::new(vec![html, plain]), "lost: `<v>`\u{1b}");
        assert_eq!(
            media.content,
            [
                MediaType::Html(
                    "<b>1</b><div class=\"firesteel-foot\">lost: <code>&lt;v&gt;</code>\\u{1b}</div>"
                        .to_owned()
                ),
                MediaType::Plain("1\nlost: `<v>`\\u{1b}".to_owned()),
            ]
        );
    }
}
