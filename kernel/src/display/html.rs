//! Writing HTML.

use super::facts::count;
use super::text::{push_visible_char, start_of};

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
.firesteel-foot.firesteel-foot code{font-size:1em;padding:.1em .3em;border-radius:3px;\
color:inherit;background:#8883}\
@media print{.firesteel.firesteel{max-height:none!important;overflow:visible!important;border:0}\
.firesteel.firesteel th{position:static}.firesteel.firesteel tr{break-inside:avoid}}\
</style>";

/// Opens what scrolls past a height. `JupyterLab` strips the style sheet in a notebook that is not
/// trusted, and keeps these two properties.
pub(super) const SCROLLED: &str =
    "<div class=\"firesteel\" style=\"max-height:34em;overflow:auto\">";

/// Characters of a value that its title holds.
pub(super) const LONGEST_TITLE: usize = 10_000;

/// Appends `text` as the content of an element or of a double-quoted attribute.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !stays(byte)) {
        out.push_str(&rest[..at]);
        let mut behind = rest[at..].chars();
        if let Some(ch) = behind.next() {
            push_escaped_char(out, ch);
        }
        rest = behind.as_str();
    }
    out.push_str(rest);
}

/// Whether a byte of text is a character that HTML shows as it is.
fn stays(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')
}

/// The same for a sentence of ours, in which a piece of SQL or an order stands between backticks.
pub(super) fn push_prose(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`')
        && let Some((code, behind)) = behind.split_once('`')
    {
        push_escaped(out, before);
        out.push_str("<code>");
        push_escaped(out, code);
        out.push_str("</code>");
        rest = behind;
    }
    push_escaped(out, rest);
}

/// Appends many lines of text likewise; their line ends and tabs stay.
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

/// Opens a cell of a table up to its attributes; one of a number stands at the right.
pub(super) fn push_open(html: &mut String, element: &str, number: bool) {
    html.push('<');
    html.push_str(element);
    if number {
        html.push_str(" align=\"right\"");
    }
}

/// Appends the attribute that holds a text which is longer than what is shown of it.
pub(super) fn push_title(html: &mut String, text: &str) {
    html.push_str(" title=\"");
    let start = start_of(text, LONGEST_TITLE);
    push_escaped_lines(html, start.unwrap_or(text));
    if let Some(start) = start {
        let left_out = text[start.len()..].chars().count() as u64;
        push_escaped(html, &format!("… and {} characters more", count(left_out)));
    }
    html.push('"');
}

/// Appends `text`, or in its place its `start` with a sign that there is more.
pub(super) fn push_text(html: &mut String, text: &str, start: Option<&str>) {
    push_escaped(html, start.unwrap_or(text));
    if start.is_some() {
        html.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_all_is_escaped() {
        for (text, expected) in [
            ("", ""),
            ("no < code", "no &lt; code"),
            (
                "`%limit` shows > `WHERE`",
                "<code>%limit</code> shows &gt; <code>WHERE</code>",
            ),
            ("`<b>`", "<code>&lt;b&gt;</code>"),
            ("one ` alone", "one ` alone"),
            ("`a` and ` alone", "<code>a</code> and ` alone"),
            ("``", "<code></code>"),
        ] {
            let mut html = String::new();
            push_prose(&mut html, text);
            assert_eq!(html, expected);
        }
    }
}
