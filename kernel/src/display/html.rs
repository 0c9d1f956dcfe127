//! Writing HTML.

use super::text::{is_printable_ascii, push_visible_char};

/// The look of everything we show. Colours come from the page or are see-through greys, so that light
/// and dark themes both work; every rule names our class twice, to win over a front end's own table
/// styles and to touch nothing else. Alignment to the right, breaks and slants are in the elements
/// too: they remain where a front end strips styles.
pub(super) const STYLE: &str = "<style>\
.firesteel.firesteel{width:fit-content;max-width:100%;box-sizing:border-box;\
border:1px solid #8885;border-radius:3px;scrollbar-color:#888 transparent}\
.firesteel.firesteel table{border-collapse:separate;border-spacing:0;border:0;margin:0;\
table-layout:auto;color:inherit;font-variant-numeric:tabular-nums}\
.firesteel.firesteel th,.firesteel.firesteel td{padding:.2em .8em;border:0;text-align:left;\
vertical-align:top;white-space:pre;max-width:none;unicode-bidi:plaintext;\
border-bottom:1px solid #8883}\
.firesteel.firesteel th{position:sticky;top:0;z-index:1;font-weight:600;\
color:var(--jp-content-font-color1,var(--vscode-editor-foreground,CanvasText));\
background:var(--jp-layout-color0,var(--vscode-editor-background,Canvas));\
border-bottom:1px solid #888}\
.firesteel.firesteel th small{font-weight:400;font-size:.85em;opacity:.75}\
.firesteel.firesteel [align=right]{text-align:right}\
.firesteel.firesteel tbody tr:hover td{background:#8882}\
.firesteel.firesteel i{opacity:.7}\
.firesteel.firesteel pre{margin:0;padding:.5em .8em;border:0;background:none;color:inherit;\
line-height:1.35;font-family:var(--jp-code-font-family,monospace)}\
.firesteel-foot.firesteel-foot{font-size:.85em;opacity:.8;padding:.3em 0}\
@media print{.firesteel.firesteel{max-height:none!important;overflow:visible!important;border:0}\
.firesteel.firesteel th{position:static}.firesteel.firesteel tr{break-inside:avoid}}\
</style>";

/// Opens what scrolls past a height. `JupyterLab` strips the style sheet in a notebook that is not
/// trusted, and keeps these two properties.
pub(super) const SCROLLED: &str =
    "<div class=\"firesteel\" style=\"max-height:34em;overflow:auto\">";

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
