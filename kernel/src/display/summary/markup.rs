//! A summary as HTML.

use std::fmt::Write;

use super::super::html::{SCROLLED, push_escaped, push_open, push_text, push_title};
use super::super::text::start_of;
use super::figures::{Figures, MARKS, TALLEST, blocks};

/// Columns, and whether each stands at the right.
const HEADS: [(&str, bool); 12] = [
    ("column", false),
    ("type", false),
    ("nulls", true),
    ("distinct", true),
    ("histogram", false),
    ("min", true),
    ("25 %", true),
    ("median", true),
    ("75 %", true),
    ("max", true),
    ("mean", true),
    ("top values", false),
];

/// Characters of a frequent value that are shown.
const LONGEST: usize = 30;

/// The width of a bar in pixels; heights are those of [`Figures::bars`].
const BAR: usize = 5;

pub(super) fn push_table(html: &mut String, lines: &[Figures]) {
    html.push_str(SCROLLED);
    html.push_str("<table><thead><tr>");
    for (head, number) in HEADS {
        push_open(html, "th", number);
        html.push('>');
        html.push_str(head);
        html.push_str("</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for line in lines {
        html.push_str("<tr>");
        push_value(html, &line.name, false);
        push_value(html, &line.type_name, false);
        push_value(html, &line.missing, true);
        push_value(html, &line.distinct, true);
        html.push_str("<td>");
        push_bars(html, &line.bars);
        html.push_str("</td>");
        push_marks(html, line);
        push_frequent(html, &line.frequent);
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>");
}

fn push_value(html: &mut String, value: &str, number: bool) {
    push_open(html, "td", number);
    push_short(html, value);
    html.push_str("</td>");
}

/// Closes an element's tag and appends as much of a value as is shown; the title holds more of it.
fn push_short(html: &mut String, value: &str) {
    let start = start_of(value, LONGEST);
    if start.is_some() {
        push_title(html, value);
    }
    html.push('>');
    push_text(html, value, start);
}

/// Draws bars in the colour of the text. Where a front end strips drawings, the blocks that
/// describe them remain.
fn push_bars(html: &mut String, bars: &[usize]) {
    if bars.is_empty() {
        return;
    }
    let width = bars.len() * BAR;
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<svg width=\"{width}\" height=\"{TALLEST}\" role=\"img\"><desc>{}</desc><path fill=\"currentColor\" opacity=\".6\" d=\"",
        blocks(bars)
    );
    for (at, bar) in bars.iter().enumerate() {
        let (left, wide) = (at * BAR, BAR - 1);
        if *bar > 0 {
            let _ = write!(html, "M{left} {TALLEST}v-{bar}h{wide}v{bar}z");
        }
    }
    html.push_str("\"/></svg>");
}

/// Numbers in columns of their own, other values in one cell in their place.
fn push_marks(html: &mut String, line: &Figures) {
    if line.in_columns() {
        for mark in &line.marks {
            push_value(html, mark, true);
        }
        push_value(html, &line.mean, true);
        return;
    }
    let [_, _, median, _, _] = &line.marks;
    let mut range = line.range(|text| match start_of(text, LONGEST) {
        Some(start) => format!("{start}…"),
        None => text.to_owned(),
    });
    if !median.is_empty() {
        range.push_str(&format!(", median {median}"));
    }
    let _ = write!(html, "<td colspan=\"{}\">", MARKS + 1);
    push_escaped(html, &range);
    html.push_str("</td>");
}

fn push_frequent(html: &mut String, frequent: &[(String, String)]) {
    html.push_str("<td>");
    for (at, (value, number)) in frequent.iter().enumerate() {
        if at > 0 {
            html.push_str(" · ");
        }
        html.push_str("<span");
        push_short(html, value);
        html.push_str("</span> <small>");
        push_escaped(html, number);
        html.push_str("</small>");
    }
    html.push_str("</td>");
}
