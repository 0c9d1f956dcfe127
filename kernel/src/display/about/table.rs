//! A table or view, from what Spark describes of it.

use jupyter_protocol::Media;

use super::super::bundle;
use super::super::html::{SCROLLED, STYLE, push_escaped, push_text, push_title};
use super::super::text::{start_of, visible, width};
use super::{WIDEST, line, push_wrapped};

/// Characters of a type or comment that the page shows.
const LONGEST: usize = 100;

/// Columns of a terminal that a column's name takes at most.
const WIDEST_NAME: usize = 40;

/// What is told of a table or view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableAbout {
    /// Its name, as one would type it.
    pub name: String,
    /// Names, types and comments of its columns.
    pub columns: Vec<[String; 3]>,
    /// Its own comment; empty where it has none.
    pub comment: String,
    /// What else is told, each under its heading.
    pub facts: Vec<(&'static str, String)>,
}

/// What is shown of what Spark tells of a table itself: its words, and ours for them.
const FACTS: [(&str, &str); 6] = [
    ("Type", "kind"),
    ("Provider", "format"),
    ("Location", "location"),
    ("Statistics", "size"),
    ("Created Time", "created"),
    ("View Text", "query"),
];

impl TableAbout {
    /// Reads the answer to `DESCRIBE TABLE EXTENDED`, rows of name, type and comment: the columns,
    /// then under headings the columns that partition the table and what is known of the table.
    pub fn read(name: String, rows: &[Vec<String>]) -> Self {
        let mut about = Self {
            name,
            ..Self::default()
        };
        let mut heading = "";
        let mut partitions = Vec::new();
        let mut facts = Vec::new();
        for row in rows {
            let [key, value, comment] = [0, 1, 2].map(|at| row.get(at).map_or("", String::as_str));
            match (heading, key) {
                (_, "") => heading = "end",
                (_, "# col_name") => {}
                (_, key) if key.starts_with("# ") => heading = key,
                ("", key) => {
                    let column = [key, value, comment].map(str::to_owned);
                    about.columns.push(column);
                }
                ("# Partition Information", key) => partitions.push(key),
                (_, "Comment") => value.clone_into(&mut about.comment),
                (_, key) => facts.push((key, value)),
            }
        }
        for (word, ours) in FACTS {
            let told = facts
                .iter()
                .find(|(key, value)| *key == word && !value.is_empty());
            about
                .facts
                .extend(told.map(|(_, value)| (ours, (*value).to_owned())));
        }
        if !partitions.is_empty() {
            about.facts.push(("partitioned by", partitions.join(", ")));
        }
        about
    }
}

/// Shows a table's name and comment, its columns with types and comments, and what else is known.
pub fn about_table(about: &TableAbout) -> Media {
    bundle(markup(about), plain(about))
}

fn markup(about: &TableAbout) -> String {
    let mut html = String::from(STYLE);
    html.push_str("<div><b>");
    push_escaped(&mut html, &about.name);
    html.push_str("</b></div>");
    if !about.comment.is_empty() {
        html.push_str("<div>");
        push_escaped(&mut html, &about.comment);
        html.push_str("</div>");
    }
    if !about.columns.is_empty() {
        html.push_str(SCROLLED);
        html.push_str("<table><thead><tr>");
        let comments = about
            .columns
            .iter()
            .any(|[.., comment]| !comment.is_empty());
        let heads = ["column", "type", "comment"];
        let shown = if comments { 3 } else { 2 };
        for head in &heads[..shown] {
            html.push_str("<th>");
            html.push_str(head);
            html.push_str("</th>");
        }
        html.push_str("</tr></thead><tbody>\n");
        for column in &about.columns {
            html.push_str("<tr>");
            for text in &column[..shown] {
                push_cell(&mut html, text);
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
    }
    for (heading, fact) in &about.facts {
        html.push_str("<div class=\"firesteel-foot\">");
        html.push_str(heading);
        html.push_str(": ");
        push_escaped(&mut html, fact);
        html.push_str("</div>");
    }
    html
}

fn push_cell(html: &mut String, text: &str) {
    let start = start_of(text, LONGEST);
    html.push_str("<td");
    if start.is_some() {
        push_title(html, text);
    }
    html.push('>');
    push_text(html, text, start);
    html.push_str("</td>");
}

fn plain(about: &TableAbout) -> String {
    let mut text = line(&about.name);
    push_wrapped(&mut text, &about.comment, "  ");
    let widest = |at: usize, most: usize| {
        let widths = about
            .columns
            .iter()
            .map(|column| width(&visible(&column[at])));
        widths.max().unwrap_or(0).min(most)
    };
    let (name, data_type) = (widest(0, WIDEST_NAME), widest(1, WIDEST / 3));
    for column in &about.columns {
        let [first, second, comment] = column.each_ref().map(|text| visible(text));
        let mut told = String::from("  ");
        for (text, room) in [(first, name), (second, data_type)] {
            told.push_str(&text);
            let space = room.saturating_sub(width(&text)) + 2;
            told.extend(std::iter::repeat_n(' ', space));
        }
        told.push_str(&comment);
        text.push('\n');
        text.push_str(&line(told.trim_end()));
    }
    for (heading, fact) in &about.facts {
        text.push('\n');
        text.push_str(&line(&format!("{heading}: {fact}")));
    }
    text
}
