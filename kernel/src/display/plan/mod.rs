//! How Spark would run a statement, as a tree.

mod cost;
mod parse;

use std::collections::{BTreeMap, BTreeSet};

use jupyter_protocol::Media;

use super::bundle;
use super::facts::push_footer;
use super::html::{STYLE, push_escaped, push_escaped_lines};
use super::text::{cut, visible, visible_lines};
use cost::{Cost, Mark, items, mark};
use parse::{Details, Node, Plan, Tree, parse};

/// Columns that a line of the text takes at most.
const WIDTH: usize = 120;

/// Columns that a line of the page takes at most.
const PAGE_WIDTH: usize = 400;

/// Bytes of Spark's own text that are shown beside the tree.
const LONGEST: usize = 200_000;

/// Operators that say nothing of their own.
const HIDDEN: [&str; 4] = [
    "AdaptiveSparkPlan",
    "ColumnarToRow",
    "InputAdapter",
    "RowToColumnar",
];

/// Shows what `EXPLAIN FORMATTED` answered: a tree in which an operator stands above what feeds it,
/// the costly ones marked with why. What cannot be read as a plan is shown as it came.
pub fn plan(explained: &str) -> Media {
    let plan = parse(explained);
    if plan.trees.is_empty() {
        let mut html = String::from(STYLE);
        html.push_str("<div class=\"firesteel\"><pre>");
        push_escaped_lines(&mut html, explained.trim_end());
        html.push_str("</pre></div>");
        return bundle(html, visible_lines(explained.trim_end()));
    }
    let blocks = blocks(&plan);
    let summary = summary(&blocks);
    let adaptive = plan.trees.iter().any(|tree| tree.has("AdaptiveSparkPlan"));
    let mut html = String::from(STYLE);
    html.push_str("<div class=\"firesteel\"><pre>");
    let mut text = String::new();
    for (at, block) in blocks.iter().enumerate() {
        if at > 0 {
            html.push('\n');
            text.push('\n');
        }
        if let Some(title) = &block.title {
            push_cut(&mut html, title);
            html.push('\n');
            push_fitting(&mut text, title);
        }
        for row in &block.rows {
            row.push_html(&mut html);
            row.push_text(&mut text);
        }
    }
    html.push_str("</pre></div>");
    let mut footer = format!("The statement was not run. {summary}");
    if adaptive {
        footer.push_str(" Spark may change joins and partitions while it runs.");
    }
    push_footer(&mut html, &footer);
    push_source(&mut html, explained);
    text.push('\n');
    text.push_str(&footer);
    bundle(html, text)
}

impl Tree {
    fn has(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| node.name == name)
    }
}

/// Spark's own text, folded.
fn push_source(html: &mut String, explained: &str) {
    let mut end = explained.len().min(LONGEST);
    while !explained.is_char_boundary(end) {
        end -= 1;
    }
    html.push_str("<details><summary>Spark's own words</summary><pre>");
    push_escaped_lines(html, explained[..end].trim_end());
    if end < explained.len() {
        html.push_str("\n…");
    }
    html.push_str("</pre></details>");
}

/// A tree as it is shown.
struct Block {
    title: Option<String>,
    rows: Vec<Row>,
}

/// An operator as it is shown.
struct Row {
    /// The lines that lead to it.
    branch: String,
    name: String,
    mark: Option<Mark>,
    /// What it does to what, in a few words.
    about: String,
}

impl Row {
    fn push_text(&self, text: &mut String) {
        let mut line = format!("{}{}", self.branch, self.name);
        if let Some(mark) = &self.mark {
            line.push_str(" ◀ ");
            line.push_str(&mark.why);
        }
        if !self.about.is_empty() {
            line.push_str(" · ");
            line.push_str(&self.about);
        }
        push_fitting(text, &line);
    }

    fn push_html(&self, html: &mut String) {
        html.push_str(&self.branch);
        html.push_str("<b>");
        push_cut(html, &self.name);
        html.push_str("</b>");
        if let Some(mark) = &self.mark {
            html.push_str(" <mark>◀ ");
            push_cut(html, &mark.why);
            html.push_str("</mark>");
        }
        if !self.about.is_empty() {
            html.push_str(" <small>");
            push_cut(html, &self.about);
            html.push_str("</small>");
        }
        html.push('\n');
    }
}

/// Appends as much of a line as fits.
fn push_fitting(text: &mut String, line: &str) {
    let line = visible(line);
    match cut(&line, WIDTH) {
        Some(start) => {
            text.push_str(start);
            text.push('…');
        }
        None => text.push_str(&line),
    }
    text.push('\n');
}

fn push_cut(html: &mut String, text: &str) {
    let shown = cut(text, PAGE_WIDTH);
    push_escaped(html, shown.unwrap_or(text));
    if shown.is_some() {
        html.push('…');
    }
}

fn blocks(plan: &Plan) -> Vec<Block> {
    let mut seen = BTreeSet::new();
    let mut blocks = Vec::new();
    for tree in &plan.trees {
        let numbers: BTreeSet<u32> = tree.nodes.iter().filter_map(|n| n.number).collect();
        // A subquery that is used twice is told twice.
        if tree.subquery.is_some() && numbers.is_subset(&seen) {
            continue;
        }
        seen.extend(numbers);
        blocks.push(Block {
            title: tree.subquery.as_deref().map(|said| subquery(said, plan)),
            rows: rows(tree, &plan.details),
        });
    }
    blocks
}

/// `1 Hosting operator id = 2 Hosting Expression = …` in other words.
fn subquery(said: &str, plan: &Plan) -> String {
    let number = said
        .split_once("Hosting operator id = ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    let mut nodes = plan.trees.iter().flat_map(|tree| &tree.nodes);
    match number.and_then(|_: u32| nodes.find(|node| node.number == number)) {
        Some(node) => format!("Subquery of {}:", node.name),
        None => "Subquery:".to_owned(),
    }
}

/// The operators that are shown. Only where several feed one the tree branches; what is fed by one
/// stands right above it.
fn rows(tree: &Tree, details: &BTreeMap<u32, Details>) -> Vec<Row> {
    let hidden = |node: &Node| HIDDEN.contains(&node.name.as_str());
    let of = |node: &Node| node.number.and_then(|number| details.get(&number));
    let mut feeders = vec![0_usize; tree.nodes.len()];
    for parent in tree.nodes.iter().filter_map(|node| node.parent) {
        feeders[parent] += 1;
    }
    let mut left = feeders.clone();
    // What stands before an operator, and before all that feeds it.
    let mut branches: Vec<(String, String)> = Vec::with_capacity(tree.nodes.len());
    let mut rows = Vec::new();
    for (place, node) in tree.nodes.iter().enumerate() {
        let (own, below) = match node.parent {
            None => (String::new(), String::new()),
            Some(parent) => {
                left[parent] -= 1;
                let (lead, stem) = &branches[parent];
                // What is hidden leaves its own branch to what feeds it.
                let first = match hidden(&tree.nodes[parent]) {
                    true => lead,
                    false => stem,
                };
                match (feeders[parent], left[parent]) {
                    (1, _) => (first.clone(), stem.clone()),
                    (_, 0) => (format!("{stem}└─ "), format!("{stem}   ")),
                    _ => (format!("{stem}├─ "), format!("{stem}│  ")),
                }
            }
        };
        if !hidden(node) {
            rows.push(Row {
                branch: own.clone(),
                name: node.name.clone(),
                mark: mark(tree, place, of).map(|mark| Mark {
                    why: without_ids(&mark.why),
                    ..mark
                }),
                about: of(node).map_or_else(String::new, |own| about(&node.name, own)),
            });
        }
        branches.push((own, below));
    }
    rows
}

/// What an operator does to what.
fn about(name: &str, details: &Details) -> String {
    let get = |key: &str| {
        let value = without_ids(details.get(key).unwrap_or_default());
        items(&value).join(", ")
    };
    let first = name.split(' ').next().unwrap_or_default();
    match first {
        "Scan" | "BatchScan" => {
            let filters = [
                ("partitions where", get("PartitionFilters")),
                ("pushed down", get("PushedFilters")),
            ];
            let told = filters.iter().filter(|(_, list)| !list.is_empty());
            let told: Vec<String> = told.map(|(what, list)| format!("{what} {list}")).collect();
            told.join("; ")
        }
        "Filter" => {
            let condition = get("Condition");
            let inner = condition
                .strip_prefix('(')
                .and_then(|c| c.strip_suffix(')'));
            inner.unwrap_or(&condition).to_owned()
        }
        "BroadcastExchange" => "sent whole to every executor".to_owned(),
        "Exchange" => String::new(),
        name if name.ends_with("Aggregate") => match (get("Keys"), get("Functions")) {
            (keys, functions) if keys.is_empty() => functions,
            (keys, functions) if functions.is_empty() => format!("by {keys}"),
            (keys, functions) => format!("{functions} by {keys}"),
        },
        name if name.ends_with("Join") => {
            let keys = format!("{} = {}", get("Left keys"), get("Right keys"));
            let keys = Some(keys).filter(|keys| keys != " = ");
            let condition = Some(get("Join condition")).filter(|c| !["", "None"].contains(&&**c));
            let told: Vec<String> = keys.into_iter().chain(condition).collect();
            told.join(", ")
        }
        "Project" => get("Output"),
        // Behind the first list stands what Spark needs to know.
        "Sort" | "Window" | "BatchEvalPython" | "ArrowEvalPython" => {
            let arguments = without_ids(details.get("Arguments").unwrap_or_default());
            let first = items(&arguments).into_iter().next().unwrap_or_default();
            items(first).join(", ")
        }
        _ => get("Arguments"),
    }
}

/// Names without the numbers that Spark tells them apart by, as in `carrier#145`.
fn without_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('#') {
        let (before, number) = rest.split_at(at);
        out.push_str(before);
        let after = number[1..].trim_start_matches(|ch: char| ch.is_ascii_digit());
        let named = before.ends_with(|ch: char| ch.is_alphanumeric() || "_)`".contains(ch));
        if after.len() + 1 == number.len() || !named {
            out.push('#');
            rest = &number[1..];
        } else {
            rest = after.strip_prefix('L').unwrap_or(after);
        }
    }
    out.push_str(rest);
    out
}

/// What is costly in all, counted.
fn summary(blocks: &[Block]) -> String {
    let mut counts: BTreeMap<Cost, usize> = BTreeMap::new();
    let rows = blocks.iter().flat_map(|block| &block.rows);
    for mark in rows.filter_map(|row| row.mark.as_ref()) {
        *counts.entry(mark.cost).or_default() += 1;
    }
    if counts.is_empty() {
        return "Nothing in it stands out as costly.".to_owned();
    }
    let told: Vec<String> = counts
        .into_iter()
        .map(|(cost, count)| match (count, cost.words()) {
            (1, (one, _)) => format!("1 {one}"),
            (count, (_, several)) => format!("{count} {several}"),
        })
        .collect();
    format!("Costly: {}.", told.join(", "))
}

#[cfg(test)]
mod tests;
