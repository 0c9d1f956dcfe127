//! A table as HTML.

use super::super::html::{SCROLLED, push_open, push_text, push_title};
use super::super::text::start_of;
use super::super::value::NULL;
use super::Head;
use super::grid::{Grid, Value};

/// Characters of a value that a cell shows.
const LONGEST: usize = 100;

/// Characters of a column's type that its header shows.
const LONGEST_TYPE: usize = 60;

/// Appends the table. What comes from data is element content or the value of a `title`.
pub(super) fn push_table(html: &mut String, heads: &[Head], grid: &Grid) {
    html.reserve(grid.rows * grid.columns * 24);
    html.push_str(SCROLLED);
    html.push_str("<table><thead><tr>");
    for head in heads {
        push_open(html, "th", head.number);
        let name = start_of(&head.name, LONGEST);
        let type_name = start_of(&head.type_name, LONGEST_TYPE);
        if name.is_some() || type_name.is_some() {
            push_title(html, &format!("{} {}", head.name, head.type_name));
        }
        html.push('>');
        push_text(html, &head.name, name);
        html.push_str("<br><small>");
        push_text(html, &head.type_name, type_name);
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
    push_open(html, "td", number);
    let (text, whole) = match value {
        Value::Null => {
            html.push_str("><i>");
            html.push_str(NULL);
            html.push_str("</i></td>");
            return;
        }
        Value::Text(text) => (text, text),
        Value::Short { text, whole } => (text, whole),
    };
    let start = start_of(text, LONGEST);
    if start.is_some() || text.len() != whole.len() {
        push_title(html, whole);
    }
    html.push('>');
    push_text(html, text, start);
    html.push_str("</td>");
}
