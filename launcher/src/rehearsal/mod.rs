//! What a driver would be made of, and what would refuse it, without making anything.

mod hidden;
mod local;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::profile::Profile;

pub(crate) use hidden::without_secrets;
pub(crate) use local::{Machine, local};

/// A start that was thought through and not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// The profile's name.
    pub profile: String,
    /// Whose driver it would be.
    pub user: String,
    /// Where it would be, as in "on this machine".
    pub place: String,
    /// What was looked at, the worst first.
    pub findings: Vec<Finding>,
    /// The settings that Spark would be started with. What looks like a secret is not among the
    /// values.
    pub conf: BTreeMap<String, String>,
    /// What would be made, in the order of its making, likewise without secrets.
    pub made: Vec<Made>,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing: a word or two.
    pub name: &'static str,
    /// How it stands with it.
    pub verdict: Verdict,
    /// What is so. One sentence without the final full stop.
    pub found: String,
    /// What the reader does about it: one or two whole sentences, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How it stands with one thing, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No driver starts, or none that can work, before this is mended.
    Bad,
    /// A driver starts, but someone will stumble over this.
    Poor,
    /// It could not be looked at.
    Untried,
    /// It is as it should be.
    Good,
}

/// Something that would be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// What it is, and its name.
    pub title: String,
    /// All of it, many lines.
    pub text: String,
}

impl Rehearsal {
    /// One of which nothing is known yet.
    pub(crate) fn new(profile: &Profile, user: &str, place: impl Into<String>) -> Self {
        Self {
            profile: profile.name.clone(),
            user: user.to_owned(),
            place: place.into(),
            findings: Vec::new(),
            conf: BTreeMap::new(),
            made: Vec::new(),
        }
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.verdict == verdict)
            .count()
    }

    /// The same with these findings, the worst first; equals stay in their order.
    #[must_use]
    pub(crate) fn found(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self.findings.sort_by_key(|finding| finding.verdict);
        self
    }
}

impl Finding {
    pub(crate) fn bad(
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(name, Verdict::Bad, found, Some(remedy.into()))
    }

    pub(crate) fn poor(
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(name, Verdict::Poor, found, Some(remedy.into()))
    }

    pub(crate) fn untried(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Verdict::Untried, found, None)
    }

    pub(crate) fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Verdict::Good, found, None)
    }

    fn new(
        name: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            name,
            verdict,
            found: found.into(),
            remedy: remedy.filter(|remedy| !remedy.is_empty()),
        }
    }
}

/// What is said of an existing server: nothing is made for it.
pub(crate) fn remote(profile: &Profile, user: &str) -> Rehearsal {
    let found = "Nothing is made for it, and it is not asked before a statement runs";
    Rehearsal::new(profile, user, "on an existing server")
        .found(vec![Finding::untried("server", found)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_refuse_a_driver_is_told_first() {
        let rehearsal = Rehearsal::new(&Profile::built_in("local"), "ada", "on this machine");
        let rehearsal = rehearsal.found(vec![
            Finding::good("a", "fine"),
            Finding::untried("b", "not known"),
            Finding::bad("c", "none", "Get one."),
            Finding::poor("d", "few", ""),
            Finding::bad("e", "none", "Get one."),
        ]);
        let names: Vec<&str> = rehearsal.findings.iter().map(|one| one.name).collect();
        assert_eq!(names, ["c", "e", "d", "b", "a"]);
        assert_eq!(rehearsal.findings[2].remedy, None);
        assert_eq!(rehearsal.count(Verdict::Bad), 2);
    }
}
