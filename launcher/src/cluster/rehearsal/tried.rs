//! What the cluster's server says to the creation of each thing, short of making it.

use kube::core::Status;

use super::facts::{Outcome, Tried, What};
use crate::cluster::causes::{self, Asked, Part};
use crate::cluster::trouble::long_line;
use crate::profile::Kubernetes;
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "admission";

impl What {
    fn words(self) -> &'static str {
        match self {
            Self::Job => "the driver's Job",
            Self::DriverPod => "the driver's pod",
            Self::ExecutorPod => "an executor's pod",
            Self::Secret => "the driver's Secret",
            Self::ConfigMap => "the driver's ConfigMap",
            Self::Service => "the driver's Service",
        }
    }

    fn is_pod(self) -> bool {
        matches!(self, Self::DriverPod | Self::ExecutorPod)
    }
}

impl Outcome {
    /// Reads what the server refused with.
    pub(crate) fn refused(status: &Status) -> Self {
        let said = long_line(&status.message);
        let about = status.details.as_ref().map(|details| details.kind.as_str());
        match status.code {
            // The name is looked at last, after everything that might refuse it.
            409 => Self::There,
            404 if about == Some("namespaces") => Self::NoNamespace,
            // The server's own words where nobody gave a right; admission has others.
            403 if said.contains(" cannot create resource ") => Self::Forbidden,
            400 | 403 | 404 | 422 => Self::Refused(said),
            code => Self::Failed(format!("{said} ({code})")),
        }
    }
}

/// What is said of all that would be made.
pub(super) fn findings(spec: &Kubernetes, tries: &[Tried]) -> Vec<Finding> {
    let namespace = &spec.namespace;
    let any = |outcome: &Outcome| tries.iter().any(|tried| tried.outcome == *outcome);
    if any(&Outcome::NoNamespace) {
        return vec![Finding::bad(
            NAME,
            format!("There is no namespace `{namespace}` in the cluster"),
            "Correct `kubernetes.namespace` in the profile, or have the namespace made.",
        )];
    }
    let mut findings = Vec::new();
    let mut taken = Vec::new();
    for Tried { what, outcome } in tries {
        let what_words = what.words();
        match outcome {
            Outcome::Taken => taken.push(what_words),
            Outcome::There if *what == What::Job => findings.push(Finding::good(
                "driver",
                "You have a driver of this profile already, or one that has just ended: a driver that \
                 runs is joined as it is",
            )),
            Outcome::There => taken.push(what_words),
            Outcome::Refused(said) => findings.push(refused(*what, namespace, said)),
            // That of pods is told below; all others are rights that were asked for.
            Outcome::Forbidden | Outcome::NoNamespace => {}
            Outcome::Failed(said) => findings.push(Finding::untried(
                NAME,
                format!("Whether the cluster takes {what_words} is not known: {said}"),
            )),
        }
    }
    let forbidden = |tried: &&Tried| tried.what.is_pod() && tried.outcome == Outcome::Forbidden;
    if tries.iter().any(|tried| forbidden(&tried)) {
        findings.push(Finding::untried(
            NAME,
            "Whether policies of the cluster take the pods is not known: you make pods by a Job, and \
             may not try one yourself",
        ));
    }
    if !taken.is_empty() {
        let taken = taken.join(", ");
        findings.push(Finding::good(
            NAME,
            format!("The cluster takes {taken} (a dry run on the server)"),
        ));
    }
    findings
}

/// What the server does not let in: by the table that a driver's cell takes its words from, or in
/// the server's own.
fn refused(what: What, namespace: &str, said: &str) -> Finding {
    let asked = Asked {
        thing: what.words(),
        namespace,
        part: match what {
            What::ExecutorPod => Part::Executor,
            _ => Part::Driver,
        },
    };
    match causes::read(said) {
        Some(refused) => {
            let cause = refused.cause(&asked);
            Finding::bad(NAME, cause.sentence, cause.remedy)
        }
        None => Finding::bad(
            NAME,
            format!(
                "The cluster does not take {} in namespace `{namespace}`: {said}",
                what.words()
            ),
            "Correct the profile, or ask whoever runs the cluster about its policies.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::super::tests::{kubernetes, said};
    use super::*;
    use crate::rehearsal::Verdict;

    #[test]
    fn an_answer_of_the_server_is_read() {
        let refused = |said: &str| Outcome::Refused(said.to_owned());
        let forbidden =
            "pods is forbidden: User \"ada\" cannot create resource \"pods\" in API group \"\"";
        for (code, message, kind, outcome) in [
            (409, "jobs \"x\" already exists", "jobs", Outcome::There),
            (
                404,
                "namespaces \"s\" not found",
                "namespaces",
                Outcome::NoNamespace,
            ),
            (403, forbidden, "pods", Outcome::Forbidden),
            (
                403,
                "pods \"p\" is forbidden: exceeded\nquota: small",
                "pods",
                refused("pods \"p\" is forbidden: exceeded quota: small"),
            ),
            (422, "invalid", "pods", refused("invalid")),
            (
                500,
                "failed calling webhook",
                "",
                Outcome::Failed("failed calling webhook (500)".to_owned()),
            ),
        ] {
            let status = Status {
                code,
                message: message.to_owned(),
                details: Some(StatusDetails {
                    name: String::new(),
                    group: String::new(),
                    kind: kind.to_owned(),
                    uid: String::new(),
                    causes: Vec::new(),
                    retry_after_seconds: 0,
                }),
                ..Status::default()
            };
            assert_eq!(Outcome::refused(&status), outcome, "{message}");
        }
    }

    fn found(what: What, outcome: Outcome) -> Vec<Finding> {
        findings(&kubernetes(""), &[Tried { what, outcome }])
    }

    #[test]
    fn each_answer_is_told_with_what_to_do() {
        let refused = |said: &str| Outcome::Refused(said.to_owned());
        for (what, outcome, verdict, found_words, remedy_words) in [
            (
                What::Job,
                Outcome::Taken,
                Verdict::Good,
                "takes the driver's Job",
                "",
            ),
            (
                What::Job,
                Outcome::There,
                Verdict::Good,
                "a driver of this profile already",
                "",
            ),
            (
                What::Secret,
                Outcome::NoNamespace,
                Verdict::Bad,
                "no namespace `sparks`",
                "kubernetes.namespace",
            ),
            (
                What::DriverPod,
                Outcome::Forbidden,
                Verdict::Untried,
                "may not try one yourself",
                "",
            ),
            (
                What::ExecutorPod,
                Outcome::Failed("slow".to_owned()),
                Verdict::Untried,
                "an executor's pod is not known: slow",
                "",
            ),
            (
                What::ExecutorPod,
                refused("exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4"),
                Verdict::Bad,
                "Quota `small` of namespace `sparks` has no room for an executor's pod: pods: 4 allowed",
                "more quota",
            ),
            (
                What::Job,
                refused("jobs \"p\" is invalid: no name"),
                Verdict::Bad,
                "does not take the driver's Job in namespace `sparks`: jobs",
                "Correct the profile",
            ),
        ] {
            let found = found(what, outcome);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].verdict, verdict, "{found:?}");
            assert!(found[0].found.contains(found_words), "{found:?}");
            let remedy = found[0].remedy.clone().unwrap_or_default();
            assert!(remedy.contains(remedy_words), "{found:?}");
        }
    }

    #[test]
    fn a_right_that_is_missing_is_told_among_the_rights() {
        assert!(found(What::Job, Outcome::Forbidden).is_empty());
        let both = [What::DriverPod, What::ExecutorPod].map(|what| Tried {
            what,
            outcome: Outcome::Forbidden,
        });
        let both = findings(&kubernetes(""), &both);
        assert_eq!(said(&both, Verdict::Untried).len(), 1);
    }
}
