//! A function, from what Spark says of it.

use jupyter_protocol::Media;

use super::super::bundle;
use super::super::html::{STYLE, push_escaped, push_escaped_lines, push_prose};
use super::{line, push_wrapped};

/// Lays out what `DESCRIBE FUNCTION EXTENDED` answered: how the function is called, what it does,
/// then arguments, examples and notes. What is told otherwise, as of functions that users made,
/// stays as it is.
pub fn about_function(name: &str, told: &str) -> Media {
    let told = Told::read(told);
    let mut html = String::from(STYLE);
    let mut text = String::new();
    let calls = match told.calls.is_empty() {
        true => vec![name],
        false => told.calls,
    };
    html.push_str("<div>");
    for (at, call) in calls.iter().enumerate() {
        if at > 0 {
            html.push_str("<br>");
            text.push('\n');
        }
        html.push_str("<code><b>");
        push_escaped(&mut html, call);
        html.push_str("</b></code>");
        text.push_str(&line(call));
    }
    html.push_str("</div>");
    if !told.does.is_empty() {
        html.push_str("<div>");
        push_prose(&mut html, &told.does);
        html.push_str("</div>");
        push_wrapped(&mut text, &told.does, "  ");
    }
    for section in &told.sections {
        if let Some(title) = section.title {
            html.push_str("<div><b>");
            push_escaped(&mut html, title);
            html.push_str("</b></div>");
            text.push_str("\n\n");
            text.push_str(&line(title));
        } else {
            text.push('\n');
        }
        html.push_str("<pre>");
        push_escaped_lines(&mut html, &section.lines.join("\n"));
        html.push_str("</pre>");
        for told in &section.lines {
            text.push('\n');
            text.push_str(&line(told));
        }
    }
    bundle(html, text)
}

/// What Spark says of a function, in its parts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told<'a> {
    /// How it is called, in as many ways as it can be.
    calls: Vec<&'a str>,
    /// What it does, in one line of words.
    does: String,
    sections: Vec<Section<'a>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Section<'a> {
    title: Option<&'a str>,
    lines: Vec<&'a str>,
}

/// Lines that only say what follows, or what is no use to who calls the function.
const SKIPPED: [&str; 4] = ["Function: ", "Class: ", "Extended Usage:", "Usage:"];

/// What begins a section, of which the colon is left out.
const TITLES: [&str; 5] = ["Arguments:", "Examples:", "Note:", "Since:", "Deprecated:"];

impl<'a> Told<'a> {
    fn read(text: &'a str) -> Self {
        let mut told = Self::default();
        let Some((_, behind)) = text.split_once("Usage:") else {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let lines: Vec<&str> = lines.collect();
            if !lines.is_empty() {
                told.sections.push(Section { title: None, lines });
            }
            return told;
        };
        let mut words: Vec<&str> = Vec::new();
        for line in behind.lines() {
            let inner = line.trim();
            if let Some(title) = TITLES.iter().find(|title| inner.starts_with(**title)) {
                let (title, rest) = inner.split_at(title.len() - 1);
                let rest = rest.trim_start_matches(':').trim();
                told.sections.push(Section {
                    title: Some(title),
                    lines: Some(rest)
                        .filter(|rest| !rest.is_empty())
                        .into_iter()
                        .collect(),
                });
            } else if SKIPPED.iter().any(|skipped| inner == skipped.trim_end()) {
                // Only says that more follows.
            } else if let Some(section) = told.sections.last_mut() {
                section.lines.push(line);
            } else if words.is_empty()
                && let Some((call, does)) = inner.split_once(" - ")
            {
                // One of several ways to call it, each with what it does, or the only one.
                told.calls.push(call);
                words.extend(does.split_whitespace());
            } else {
                words.extend(inner.split_whitespace());
            }
        }
        told.does = words.join(" ");
        for section in &mut told.sections {
            section.trim();
        }
        told.sections.retain(|section| !section.lines.is_empty());
        told
    }
}

impl Section<'_> {
    /// Leaves out empty lines at the ends and the indentation that all lines share.
    fn trim(&mut self) {
        while self.lines.last().is_some_and(|line| line.trim().is_empty()) {
            self.lines.pop();
        }
        let first = self.lines.iter().position(|line| !line.trim().is_empty());
        self.lines.drain(..first.unwrap_or(0));
        let full = self.lines.iter().filter(|line| !line.trim().is_empty());
        let shared = full.map(|line| line.len() - line.trim_start().len()).min();
        for line in &mut self.lines {
            *line = line
                .get(shared.unwrap_or(0)..)
                .unwrap_or_default()
                .trim_end();
        }
    }
}
