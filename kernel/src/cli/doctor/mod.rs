//! `firesteel doctor`: whether notebooks will run on this machine, and what to mend where not.

mod checks;
mod profile;

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Answer;

/// `firesteel doctor`.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Answer as JSON, for machines.
    #[arg(long)]
    json: bool,
    /// Go through the start of a driver by this profile, and make nothing: what would be made, and
    /// what would refuse it.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// The thing: a word or two.
    name: &'static str,
    /// What is so.
    #[serde(flatten)]
    verdict: Verdict,
}

/// How it stands with one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    /// It is as it should be.
    Good {
        /// What was found.
        found: String,
    },
    /// Notebooks run, but someone will stumble over this.
    Poor {
        /// What was found.
        found: String,
        /// What to do about it.
        remedy: String,
    },
    /// It was not looked at, because of something else.
    Untried {
        /// Because of what.
        found: String,
    },
    /// No notebook runs before this is mended.
    Bad {
        /// What was found.
        found: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Verdict {
    fn good(found: impl Into<String>) -> Self {
        Self::Good {
            found: found.into(),
        }
    }

    fn poor(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Poor {
            found: found.into(),
            remedy: remedy.into(),
        }
    }

    fn untried(found: impl Into<String>) -> Self {
        Self::Untried {
            found: found.into(),
        }
    }

    fn bad(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Bad {
            found: found.into(),
            remedy: remedy.into(),
        }
    }
}

impl Doctor {
    pub(super) async fn run(&self) -> Answer {
        if let Some(profile) = &self.profile {
            return profile::rehearse(profile, self.json).await;
        }
        let mut findings = Vec::new();
        let mut report = |finding: Finding| {
            if !self.json {
                print(&finding);
            }
            findings.push(finding);
        };
        checks::all(&mut report).await;
        let healthy = will_run(&findings);
        if self.json {
            let report = serde_json::json!({ "healthy": healthy, "findings": findings });
            say!("{report:#}");
        } else if healthy {
            say!("\nNotebooks will run.");
        } else {
            say!("\nNotebooks will not run before this is mended.");
        }
        Ok(if healthy {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Whether nothing that was found keeps a notebook from running.
fn will_run(findings: &[Finding]) -> bool {
    !findings
        .iter()
        .any(|finding| matches!(finding.verdict, Verdict::Bad { .. }))
}

fn print(finding: &Finding) {
    let (mark, found, remedy) = match &finding.verdict {
        Verdict::Good { found } => ("ok  ", found, None),
        Verdict::Poor { found, remedy } => ("poor", found, Some(remedy)),
        Verdict::Untried { found } => ("-   ", found, None),
        Verdict::Bad { found, remedy } => ("BAD ", found, Some(remedy)),
    };
    say!("{mark}  {:<12} {found}", finding.name);
    if let Some(remedy) = remedy {
        say!("      {:<12} → {remedy}", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict) -> Finding {
        Finding {
            name: "java",
            verdict,
        }
    }

    #[test]
    fn only_what_is_good_or_poor_lets_notebooks_run() {
        let good = finding(Verdict::good("17"));
        let poor = finding(Verdict::poor("17", "25 starts faster"));
        let bad = finding(Verdict::bad("none", "install one"));
        assert!(will_run(&[good.clone(), poor]));
        assert!(!will_run(&[good, bad]));
    }

    #[test]
    fn a_finding_is_flat_json() {
        let json = serde_json::to_value(finding(Verdict::bad("none", "install one"))).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"name": "java", "verdict": "bad", "found": "none", "remedy": "install one"})
        );
    }
}
