//! A table as HTML.

use super::super::facts::count;
use super::super::html::{push_escaped, push_escaped_char, push_escaped_lines};
use super::super::value::NULL;
use super::Head;
use super::grid::{Grid, Value, for_title};

/// Characters of a value that a cell shows.
const LONGEST: usize = 100;

/// Characters of a column's type that its header shows.
const LONGEST_TYPE: usize = 60;

/// Appends the table. What comes from data is element content or the value of a `title`.
pub(super) fn push_table(html: &mut String, heads: &[Head], grid: &Grid) {
    html.reserve(grid.rows * grid.columns * 24);
    html.push_str("<div class=\"firesteel\"><table><thead><tr>");
    for head in heads {
        html.push_str(if head.number {
            "<th class=\"n\""
        } else {
            "<th"
        });
        let long = is_longer(&head.type_name, LONGEST_TYPE) || is_longer(&head.name, LONGEST);
        if long {
            push_title(html, &format!("{} {}", head.name, head.type_name));
        }
        html.push('>');
        push_start(html, &head.name, LONGEST);
        html.push_str("<small>");
        push_start(html, &head.type_name, LONGEST_TYPE);
        html.push_str("</small></th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in 0..grid.rows {
        html.push_str("<tr>");
        for (column, head) in heads.iter().enumerate() {
            push_cell(html, grid.value(row, column), head.number);
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>");
}

fn push_cell(html: &mut String, value: Value<'_>, number: bool) {
    let (text, whole) = match value {
        Value::Null => {
            html.push_str(if number { "<td class=\"n\">" } else { "<td>" });
            html.push_str("<i>");
            html.push_str(NULL);
            html.push_str("</i></td>");
            return;
        }
        Value::Text(text) => (text, is_longer(text, LONGEST).then_some(text)),
        Value::Short { text, whole } => (text, Some(whole)),
    };
    html.push_str(if number { "<td class=\"n\"" } else { "<td" });
    if let Some(whole) = whole {
        push_title(html, whole);
    }
    html.push('>');
    push_start(html, text, LONGEST);
    html.push_str("</td>");
}

fn push_title(html: &mut String, text: &str) {
    html.push_str(" title=\"");
    let (start, left_out) = for_title(text);
    push_escaped_lines(html, start);
    if left_out > 0 {
        push_escaped(
            html,
            &format!("… and {} characters more", count(left_out as u64)),
        );
    }
    html.push('"');
}

fn push_start(html: &mut String, text: &str, longest: usize) {
    if text.len() <= longest {
        push_escaped(html, text);
        return;
    }
    let mut characters = text.chars();
    for ch in characters.by_ref().take(longest) {
        push_escaped_char(html, ch);
    }
    if characters.next().is_some() {
        html.push('…');
    }
}

fn is_longer(text: &str, characters: usize) -> bool {
    text.len() > characters && text.chars().nth(characters).is_some()
}
