//! Lines that are folded where a terminal ends.

use super::super::text::{cut, visible};

/// Columns that a line takes at most.
pub(super) const WIDTH: usize = 120;

/// Appends a line with everything in it visible, folded between words where it can be; what is
/// behind a fold begins after so many columns.
pub(super) fn push_folded(text: &mut String, indent: usize, line: &str) {
    let line = visible(line);
    let mut rest = line.as_str();
    let mut before = 0;
    while let Some(start) = cut(rest, WIDTH - before) {
        // A fold that leaves less than half of a line helps nobody.
        let word = start.rfind(' ').filter(|at| *at > start.len() / 2);
        let end = word.unwrap_or(start.len());
        if end == 0 {
            break;
        }
        text.push_str(rest[..end].trim_end());
        rest = rest[end..].trim_start();
        before = indent;
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
    }
    text.push_str(rest);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::text::width;
    use super::*;

    fn folded(indent: usize, line: &str) -> String {
        let mut text = String::new();
        push_folded(&mut text, indent, line);
        text
    }

    #[test]
    fn a_line_is_folded_between_words_and_a_long_word_anywhere() {
        assert_eq!(folded(4, "short"), "short\n");
        let words = "word ".repeat(30);
        let (first, second) = folded(4, words.trim_end())
            .split_once('\n')
            .map(|(first, second)| (first.to_owned(), second.to_owned()))
            .unwrap();
        assert_eq!(first, "word ".repeat(23).trim_end());
        assert_eq!(second, format!("    {}\n", "word ".repeat(7).trim_end()));
        let long = folded(2, &"x".repeat(200));
        assert_eq!(long, format!("{}\n  {}\n", "x".repeat(119), "x".repeat(81)));
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(line in "\\PC{0,400}", indent in 0_usize..30) {
            let text = folded(indent, &line);
            for line in text.lines() {
                prop_assert!(width(line) <= WIDTH, "{} {:?}", width(line), line);
            }
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&text), bare(&visible(&line)));
        }
    }
}
