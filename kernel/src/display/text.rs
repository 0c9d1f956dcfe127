//! Text that is safe to show, and how wide it is.

use std::fmt::Write;

use unicode_segmentation::GraphemeCursor;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Appends `ch`, or a visible stand-in for a character that acts instead of showing: control
/// characters (a terminal obeys them) and those that turn the direction of the text around them.
pub(super) fn push_visible_char(out: &mut String, ch: char) {
    match ch {
        ' '..='~' => out.push(ch),
        '\n' => out.push('↵'),
        '\t' => out.push('⇥'),
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{061c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{206f}'
        | '\u{feff}' => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(ch));
        }
        ch => out.push(ch),
    }
}

/// Appends `text` with everything in it visible.
pub(super) fn push_visible(out: &mut String, text: &str) {
    if is_printable_ascii(text) {
        out.push_str(text);
        return;
    }
    for ch in text.chars() {
        push_visible_char(out, ch);
    }
}

/// Whether `text` may be shown as it is, as most text may.
pub(super) fn is_printable_ascii(text: &str) -> bool {
    // All bytes are looked at: that is quicker than to look for the first that is none.
    let others = text.bytes().map(|byte| !matches!(byte, b' '..=b'~'));
    !others.fold(false, |any, other| any | other)
}

/// `text` with everything in it visible.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(&mut out, text);
    out
}

/// The same for many lines of text, whose line ends and tabs stay.
pub(super) fn visible_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '\n' | '\t' => out.push(ch),
            ch => push_visible_char(&mut out, ch),
        }
    }
    out
}

/// The columns that `text` takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        UnicodeWidthStr::width(text)
    }
}

/// The longest start of `text` that, with a sign that something is missing behind it, takes at
/// most `columns`; `None` if all of `text` fits.
pub(super) fn cut(text: &str, columns: usize) -> Option<&str> {
    if is_printable_ascii(text) {
        return (text.len() > columns).then(|| &text[..columns.saturating_sub(1)]);
    }
    let mut total = 0;
    let mut end = 0;
    for (at, ch) in text.char_indices() {
        total += UnicodeWidthChar::width(ch).unwrap_or(0);
        if total < columns {
            end = at + ch.len_utf8();
        }
        if total > columns.saturating_mul(2) + 16 {
            break;
        }
    }
    if total <= columns.saturating_mul(2) && width(text) <= columns {
        return None;
    }
    // A sequence of characters can be wider than its characters are one by one.
    let mut start = &text[..end];
    while width(start) >= columns
        && let Some(last) = start.chars().next_back()
    {
        start = &start[..start.len() - last.len_utf8()];
    }
    Some(&text[..boundary(text, start.len())])
}

/// The longest start of `text` that has at most so many code points and ends where a character as
/// people see it does; `None` if all of `text` fits.
pub(super) fn start_of(text: &str, code_points: usize) -> Option<&str> {
    if text.len() <= code_points {
        return None;
    }
    let (end, _) = text.char_indices().nth(code_points)?;
    Some(&text[..boundary(text, end)])
}

/// The last place up to `end` between two characters as people see them. One that reaches back to
/// the beginning is cut all the same: nothing bounds what can be piled on a letter.
fn boundary(text: &str, end: usize) -> usize {
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return end;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(before)) if before > 0 => before,
        _ => end,
    }
}

/// Appends `text` so that it does not turn what stands after it, where it is written from right to
/// left.
pub(super) fn push_isolated(out: &mut String, text: &str) {
    if is_right_to_left(text) {
        out.push('\u{2068}');
        out.push_str(text);
        out.push('\u{2069}');
    } else {
        out.push_str(text);
    }
}

/// Whether `text` holds letters that are written from right to left.
fn is_right_to_left(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|ch| {
            matches!(ch, '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        })
}
