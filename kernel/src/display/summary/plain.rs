//! A summary as aligned text.

use super::super::text::{cut, push_isolated, visible, width};
use super::figures::{Figures, blocks};

/// Columns of a terminal that a line fits into.
pub(super) const WIDEST: usize = 120;

/// Between columns.
const GAP: &str = "  ";

/// What stands first in each line, and whether it stands at the right.
const FIRST: [(&str, bool); 5] = [
    ("column", false),
    ("type", false),
    ("nulls", true),
    ("distinct", true),
    ("histogram", false),
];

/// What a name takes at most.
const WIDEST_NAME: usize = 24;

/// What a type takes at most, unless it names a zone.
const WIDEST_TYPE: usize = 16;

/// What follows in a line of a number.
const NUMBERS: [&str; 6] = ["min", "25 %", "median", "75 %", "max", "mean"];

/// Which of [`NUMBERS`] are shown, the most that there is room for.
const CHOICES: [&[usize]; 4] = [&[0, 1, 2, 3, 4, 5], &[0, 2, 4, 5], &[0, 2, 4], &[0, 4]];

/// Frequent values of a line.
const MOST: usize = 3;

/// Columns that a frequent value takes at most.
const WIDEST_VALUE: usize = 20;

/// A column as a line.
struct Line {
    first: [String; FIRST.len()],
    rest: Rest,
}

enum Rest {
    Numbers([String; NUMBERS.len()]),
    Said(String),
    /// As many of them are shown as there is room for, but one at least.
    Listed(Vec<String>),
}

/// Heads, a rule and a line for each column. Numbers stand in columns of their own; other values
/// are listed in the same place.
pub(super) fn table(lines: &[Figures]) -> String {
    let lines: Vec<Line> = lines.iter().map(Line::new).collect();
    let heads = FIRST.map(|(head, _)| head.to_owned());
    let mut widths = FIRST.map(|_| 0);
    for (at, (head, _)) in FIRST.into_iter().enumerate() {
        let widest = lines.iter().map(|line| width(&line.first[at])).max();
        // What no column has takes no room.
        widths[at] = match widest.unwrap_or(0) {
            0 => 0,
            widest => widest.max(head.len()),
        };
    }
    let room: usize = widths
        .iter()
        .filter(|width| **width > 0)
        .map(|width| width + GAP.len())
        .sum();
    let numbers = Numbers::fit(&lines, WIDEST.saturating_sub(room));
    let mut out = String::new();
    push_first(&mut out, &heads, &widths);
    numbers.push(&mut out, &NUMBERS.map(str::to_owned));
    end_line(&mut out, 0);
    let rule = out.trim_end().chars().count().max(room);
    out.extend(std::iter::repeat_n('─', rule.min(WIDEST)));
    out.push('\n');
    for line in &lines {
        let start = out.len();
        push_first(&mut out, &line.first, &widths);
        match &line.rest {
            Rest::Numbers(texts) => numbers.push(&mut out, texts),
            Rest::Said(said) => push_isolated(&mut out, said),
            Rest::Listed(values) => push_listed(&mut out, values, WIDEST.saturating_sub(room)),
        }
        end_line(&mut out, start);
    }
    out
}

/// Ends the line that began at a byte, cut to its width.
fn end_line(out: &mut String, start: usize) {
    if let Some(short) = cut(&out[start..], WIDEST) {
        let end = start + short.len();
        out.truncate(end);
        out.push('…');
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

impl Line {
    fn new(figures: &Figures) -> Self {
        Self {
            first: [
                short(&figures.name, WIDEST_NAME),
                match figures.zoned {
                    true => visible(&figures.type_name),
                    false => short(&figures.type_name, WIDEST_TYPE),
                },
                figures.missing.clone(),
                figures.distinct.clone(),
                blocks(&figures.few_bars),
            ],
            rest: match figures.in_columns() {
                true => {
                    let [min, first, median, third, max] = figures.marks.clone();
                    let mean = figures.mean.clone();
                    Rest::Numbers([min, first, median, third, max, mean])
                }
                false => rest(figures),
            },
        }
    }
}

/// The most frequent values; of numbers and times, or where there are none, the range.
fn rest(figures: &Figures) -> Rest {
    if figures.number || figures.time {
        return Rest::Said(figures.range(|text| short(text, WIDEST)));
    }
    if figures.frequent.is_empty() {
        return Rest::Said(figures.range(|text| short(text, WIDEST_VALUE)));
    }
    let frequent = figures.frequent.iter().take(MOST);
    let values = frequent.map(|(value, number)| format!("{} {number}", short(value, WIDEST_VALUE)));
    Rest::Listed(values.collect())
}

fn push_listed(out: &mut String, values: &[String], mut room: usize) {
    for (at, value) in values.iter().enumerate() {
        let between = if at == 0 { "" } else { " · " };
        let wide = width(between) + width(value);
        if at > 0 && wide > room {
            return;
        }
        out.push_str(between);
        push_isolated(out, value);
        room = room.saturating_sub(wide);
    }
}

/// A text with everything in it visible, or its start with a sign that there is more.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = visible(text);
    match cut(&text, most) {
        Some(start) => format!("{start}…"),
        None => text,
    }
}

fn push_first(out: &mut String, texts: &[String; FIRST.len()], widths: &[usize; FIRST.len()]) {
    for ((text, room), (_, right)) in std::iter::zip(std::iter::zip(texts, widths), FIRST) {
        if *room == 0 {
            continue;
        }
        push_aligned(out, text, *room, right);
        out.push_str(GAP);
    }
}

fn push_aligned(out: &mut String, text: &str, room: usize, right: bool) {
    let space = std::iter::repeat_n(' ', room.saturating_sub(width(text)));
    if right {
        out.extend(space.clone());
    }
    push_isolated(out, text);
    if !right {
        out.extend(space);
    }
}

/// The columns of numbers that there is room for.
struct Numbers {
    chosen: &'static [usize],
    widths: [usize; NUMBERS.len()],
}

impl Numbers {
    fn fit(lines: &[Line], room: usize) -> Self {
        let mut widths = NUMBERS.map(|_| 0);
        for line in lines {
            if let Rest::Numbers(texts) = &line.rest {
                for (widest, (text, head)) in
                    std::iter::zip(&mut widths, std::iter::zip(texts, NUMBERS))
                {
                    *widest = width(text).max(width(head)).max(*widest);
                }
            }
        }
        let taken = |chosen: &[usize]| -> usize {
            let texts: usize = chosen.iter().map(|at| widths[*at]).sum();
            texts + GAP.len() * (chosen.len() - 1)
        };
        let fitting = CHOICES.into_iter().find(|chosen| taken(chosen) <= room);
        let [.., fewest] = CHOICES;
        Self {
            chosen: fitting.unwrap_or(fewest),
            widths,
        }
    }

    fn push(&self, out: &mut String, texts: &[String; NUMBERS.len()]) {
        for (place, at) in self.chosen.iter().enumerate() {
            if self.widths[*at] == 0 {
                continue;
            }
            if place > 0 {
                out.push_str(GAP);
            }
            push_aligned(out, &texts[*at], self.widths[*at], true);
        }
    }
}
