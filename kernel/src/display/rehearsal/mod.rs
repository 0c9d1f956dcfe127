//! A driver's start that was gone through and not made.

mod folded;

use firesteel_launcher::rehearsal::{Finding, Rehearsal, Verdict};
use jupyter_protocol::Media;

use super::bundle;
use super::html::{SCROLLED, STYLE, push_escaped, push_escaped_lines, push_prose};
use folded::push_folded;

/// Columns of the text that a verdict and the name of what it is about take.
const BESIDE: usize = 20;

/// Shows what would be made and what would refuse it: what refuses first, what is as it should be
/// and what would be made folded away.
pub fn rehearsal(rehearsal: &Rehearsal) -> Media {
    let mut html = String::from(STYLE);
    html.push_str("<div>");
    push_prose(&mut html, &about(rehearsal));
    html.push_str("<br><b>");
    push_prose(&mut html, &standing(rehearsal));
    html.push_str("</b></div>");
    let of = |good: bool| {
        let findings = rehearsal.findings.iter();
        let findings = findings.filter(move |one| (one.verdict == Verdict::Good) == good);
        findings.collect::<Vec<_>>()
    };
    push_list(&mut html, &of(false));
    let good = of(true);
    if !good.is_empty() {
        push_summary(&mut html, &format!("As it should be: {}", good.len()));
        push_list(&mut html, &good);
        html.push_str("</details>");
    }
    if !rehearsal.conf.is_empty() {
        push_summary(
            &mut html,
            &format!("Spark's settings: {}", rehearsal.conf.len()),
        );
        push_pre(&mut html, &settings(rehearsal));
    }
    for made in &rehearsal.made {
        push_summary(&mut html, &made.title);
        push_pre(&mut html, &made.text);
    }
    bundle(html, rehearsal_text(rehearsal))
}

/// The same for a terminal, all of it.
pub fn rehearsal_text(rehearsal: &Rehearsal) -> String {
    let mut text = String::new();
    push_folded(&mut text, 0, &about(rehearsal));
    push_folded(&mut text, 0, &standing(rehearsal));
    text.push('\n');
    for finding in &rehearsal.findings {
        let (word, _) = words(finding.verdict);
        let line = format!("{word:<5} {:<13} {}", finding.name, finding.found);
        push_folded(&mut text, BESIDE, &line);
        if let Some(remedy) = &finding.remedy {
            let line = format!("{:BESIDE$}→ {remedy}", "");
            push_folded(&mut text, BESIDE + 2, &line);
        }
    }
    let conf = (!rehearsal.conf.is_empty()).then(|| {
        let title = format!("Spark's settings: {}", rehearsal.conf.len());
        (title, settings(rehearsal))
    });
    let made = rehearsal.made.iter();
    let made = made.map(|made| (made.title.clone(), made.text.clone()));
    for (title, lines) in conf.into_iter().chain(made) {
        text.push('\n');
        push_folded(&mut text, 0, &title);
        for line in lines.lines() {
            let line = format!("    {line}");
            let own = line.len() - line.trim_start().len();
            push_folded(&mut text, own + 4, &line);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whose driver it would be.
fn about(rehearsal: &Rehearsal) -> String {
    let Rehearsal {
        profile,
        user,
        place,
        ..
    } = rehearsal;
    format!("A driver of profile `{profile}` for `{user}` {place}")
}

/// How it stands with it.
fn standing(rehearsal: &Rehearsal) -> String {
    let unknown = match rehearsal.count(Verdict::Untried) {
        0 => String::new(),
        1 => " 1 thing could not be looked at.".to_owned(),
        many => format!(" {many} things could not be looked at."),
    };
    let said = match rehearsal.count(Verdict::Bad) {
        0 if unknown.is_empty() => "Nothing would refuse it.".to_owned(),
        0 => format!("Nothing that is known would refuse it.{unknown}"),
        1 => format!("1 thing is in its way.{unknown}"),
        many => format!("{many} things are in its way.{unknown}"),
    };
    format!("Nothing was made. {said}")
}

/// A verdict in a terminal and on a page.
fn words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Bad => ("BAD", "✗"),
        Verdict::Poor => ("poor", "!"),
        Verdict::Untried => ("-", "?"),
        Verdict::Good => ("ok", "✓"),
    }
}

fn settings(rehearsal: &Rehearsal) -> String {
    let lines = rehearsal.conf.iter();
    let lines = lines.map(|(name, value)| format!("{name} = {}\n", value.replace('\n', "\\n")));
    lines.collect()
}

fn push_list(html: &mut String, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    html.push_str("<ul>");
    for finding in findings {
        let (_, mark) = words(finding.verdict);
        html.push_str("<li>");
        let refuses = finding.verdict == Verdict::Bad;
        html.push_str(if refuses { "<mark>" } else { "<b>" });
        html.push_str(mark);
        html.push(' ');
        push_escaped(html, finding.name);
        html.push_str(if refuses { "</mark> " } else { "</b> " });
        push_prose(html, &finding.found);
        if let Some(remedy) = &finding.remedy {
            html.push_str("<br>→ ");
            push_prose(html, remedy);
        }
        html.push_str("</li>");
    }
    html.push_str("</ul>");
}

/// Opens what is folded away.
fn push_summary(html: &mut String, title: &str) {
    html.push_str("<details><summary>");
    push_escaped(html, title);
    html.push_str("</summary>");
}

/// Appends many lines, and closes what is folded away.
fn push_pre(html: &mut String, lines: &str) {
    html.push_str(SCROLLED);
    html.push_str("<pre>");
    push_escaped_lines(html, lines.trim_end());
    html.push_str("</pre></div></details>");
}

#[cfg(test)]
mod tests;
