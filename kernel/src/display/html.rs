//! Writing HTML.

use super::text::{is_printable_ascii, push_visible_char};

/// The look of everything we show. Colours come from the page, so that light and dark themes both
/// work; every rule names our class twice, to win over a front end's own table styles and to touch
/// nothing else.
pub(super) const STYLE: &str = "<style>\
.firesteel.firesteel{max-height:34em;overflow:auto;width:fit-content;max-width:100%;\
box-sizing:border-box;\
border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:3px}\
.firesteel.firesteel table{border-collapse:separate;border-spacing:0;border:0;margin:0;\
table-layout:auto;color:inherit;font-variant-numeric:tabular-nums}\
.firesteel.firesteel th,.firesteel.firesteel td{padding:.2em .8em;border:0;text-align:left;\
vertical-align:top;white-space:pre;max-width:none;unicode-bidi:plaintext;\
border-bottom:1px solid color-mix(in srgb,currentColor 10%,transparent)}\
.firesteel.firesteel th{position:sticky;top:0;z-index:1;font-weight:600;\
background:var(--jp-layout-color0,var(--vscode-editor-background,\
color-mix(in srgb,currentColor 8%,transparent)));backdrop-filter:blur(14px);\
border-bottom:1px solid color-mix(in srgb,currentColor 35%,transparent)}\
.firesteel.firesteel th small{display:block;font-weight:400;font-size:.85em;opacity:.65}\
.firesteel.firesteel .n{text-align:right}\
.firesteel.firesteel i{opacity:.5}\
.firesteel.firesteel pre{margin:0;padding:.5em .8em;border:0;background:none;color:inherit;\
line-height:1.35;font-family:var(--jp-code-font-family,monospace)}\
.firesteel-foot.firesteel-foot{font-size:.85em;opacity:.75;padding:.3em 0}\
</style>";

/// Appends `text` as the content of an element or of a double-quoted attribute.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    if is_printable_ascii(text) && !text.contains(['&', '<', '>', '"', '\'']) {
        out.push_str(text);
        return;
    }
    for ch in text.chars() {
        push_escaped_char(out, ch);
    }
}

/// The same for many lines of text, whose line ends and tabs stay.
pub(super) fn push_escaped_lines(out: &mut String, text: &str) {
    for ch in text.chars() {
        match ch {
            '\n' | '\t' => out.push(ch),
            ch => push_escaped_char(out, ch),
        }
    }
}

pub(super) fn push_escaped_char(out: &mut String, ch: char) {
    match ch {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        ch => push_visible_char(out, ch),
    }
}
