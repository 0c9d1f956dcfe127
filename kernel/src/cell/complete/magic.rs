//! What could stand on the line of a magic.

use super::known::{Given, Known, Lack, Word};
use super::{Proposal, ProposalKind};
use crate::cell::chart::charts;
use crate::cell::magic::names;
use crate::cell::parse::head;
use crate::cell::split::{Stretch, split};

/// What could stand behind what is typed of a word on a magic's line.
pub(super) struct Found<'a> {
    /// What is typed of the word.
    pub(super) typed: &'a str,
    pub(super) matches: Vec<Proposal>,
    pub(super) lack: Option<Lack>,
}

/// The magic that the cursor is in, if it is in one.
pub(super) fn line(before: &str) -> Option<&str> {
    let first = before.trim_start();
    if first.starts_with("%%") && !first.contains('\n') {
        return Some(first);
    }
    let from = head(before).map_or(0, |head| head.end);
    let line = before.rsplit('\n').next()?.trim_start();
    match split(before, from).last() {
        Some(Stretch::Magic(_)) if line.starts_with('%') => Some(line),
        _ => None,
    }
}

/// What could stand at the end of a magic's `line`, which ends what stands `before` the cursor.
pub(super) fn complete<'a>(before: &str, line: &'a str, known: &Known) -> Found<'a> {
    let typed = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let earlier: Vec<&str> = line[..line.len() - typed.len()]
        .split_whitespace()
        .collect();
    let mut found = Found {
        typed,
        matches: Vec::new(),
        lack: None,
    };
    match earlier.as_slice() {
        [] => {
            let first = before.trim_start() == line;
            found.words(names().filter(|name| first || !name.starts_with("%%")));
        }
        ["%help"] if typed.starts_with('%') => found.words(names()),
        ["%help"] => found.words(names().map(|name| name.trim_start_matches('%'))),
        ["%%sql", .., "-o"] => {}
        ["%%sql", .., "-n"] | ["%limit", "rows"] => found.words(["all"]),
        ["%%sql", words @ ..] => {
            let free = ["-n", "-o"]
                .into_iter()
                .filter(|option| !words.contains(option));
            found.words(free);
        }
        ["%limit"] => found.words(["all", "bytes", "rows"]),
        ["%keep"] => found.words(["off"]),
        ["%logs"] => found.words(["executor"]),
        ["%vars"] => found.words(["drop"]),
        ["%vars", "drop"] | ["%describe"] => found.values(&known.kept),
        ["%chart", words @ ..] => {
            if words.is_empty() {
                found.values(&known.kept);
            }
            found.words(charts());
        }
        ["%set"] => found.values(&known.parameters),
        ["%profile" | "%dryrun"] => match &known.given {
            Some(Given::Profiles(profiles)) => found.words(profiles.iter().map(String::as_str)),
            _ => found.lack = Some(Lack::Profiles),
        },
        _ => {}
    }
    found
}

impl Found<'_> {
    fn words<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        for word in words {
            self.offer(word, ProposalKind::Magic, "");
        }
    }

    fn values(&mut self, words: &[Word]) {
        for Word { name, about } in words {
            self.offer(name, ProposalKind::Value, about);
        }
    }

    fn offer(&mut self, text: &str, kind: ProposalKind, signature: &str) {
        if text.starts_with(self.typed) {
            self.matches.push(Proposal {
                text: text.to_owned(),
                kind,
                signature: signature.to_owned(),
            });
        }
    }
}
