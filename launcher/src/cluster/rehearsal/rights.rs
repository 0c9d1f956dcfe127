//! Who may do what, and must.

use super::facts::Answer;
use crate::profile::Kubernetes;
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "rights";

/// Who acts in the namespace of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever asks.
    You,
    /// The JVM of a driver, by its service account.
    Driver,
    /// The keeper of a driver, by its service account.
    Keeper,
}

/// One thing that somebody has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) who: Who,
    pub(crate) group: &'static str,
    /// As `kubectl` writes it: `pods`, `pods/log`.
    pub(crate) resource: &'static str,
    pub(crate) verb: &'static str,
    /// Whether no driver works without it.
    pub(crate) vital: bool,
}

/// When a right is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where the profile asks for a Service.
    Service,
    /// Where the kernel is not in the cluster, and has to be let through to a pod.
    Outside,
}

/// What is to be allowed of one resource.
struct Rule {
    who: Who,
    when: When,
    group: &'static str,
    resource: &'static str,
    /// The verbs without which no driver works.
    vital: &'static [&'static str],
    /// The verbs whose lack is felt later: in a list, a log, an explanation.
    felt: &'static [&'static str],
}

const fn rule(
    who: Who,
    resource: &'static str,
    vital: &'static [&'static str],
    felt: &'static [&'static str],
) -> Rule {
    Rule {
        who,
        when: When::Always,
        group: "",
        resource,
        vital,
        felt,
    }
}

/// What `deploy/rbac` gives, but for what only this rehearsal asks; a test compares the two.
const RULES: [Rule; 12] = [
    Rule {
        group: "batch",
        ..rule(
            Who::You,
            "jobs",
            &["create", "get", "watch", "delete"],
            &["list", "patch"],
        )
    },
    rule(Who::You, "secrets", &["create", "get"], &[]),
    rule(Who::You, "configmaps", &["create"], &[]),
    Rule {
        when: When::Service,
        ..rule(Who::You, "services", &["create"], &[])
    },
    rule(Who::You, "pods", &["list", "watch"], &[]),
    rule(Who::You, "events", &[], &["list", "watch"]),
    rule(Who::You, "pods/log", &[], &["get"]),
    Rule {
        when: When::Outside,
        ..rule(Who::You, "pods/portforward", &["create", "get"], &[])
    },
    rule(
        Who::Driver,
        "pods",
        &["get", "list", "watch", "create", "delete"],
        &["deletecollection"],
    ),
    Rule {
        group: "batch",
        ..rule(Who::Keeper, "jobs", &["get", "patch"], &[])
    },
    rule(Who::Keeper, "pods", &[], &["get", "list", "watch", "patch"]),
    rule(Who::Keeper, "pods/log", &[], &["get"]),
];

impl Who {
    /// The service account, where it is one.
    pub(crate) fn account(self, spec: &Kubernetes) -> Option<&str> {
        match self {
            Self::You => None,
            Self::Driver => Some(&spec.driver_account),
            Self::Keeper => Some(&spec.keeper_account),
        }
    }

    /// The Role of `deploy/rbac`.
    fn role(self) -> &'static str {
        match self {
            Self::You => "firesteel-user",
            Self::Driver => "firesteel-driver",
            Self::Keeper => "firesteel-keeper",
        }
    }

    fn words(self, spec: &Kubernetes) -> String {
        match (self, self.account(spec)) {
            (Self::Driver, Some(account)) => format!("The driver's account `{account}`"),
            (Self::Keeper, Some(account)) => format!("The keeper's account `{account}`"),
            _ => "You".to_owned(),
        }
    }
}

/// The rights that a driver of this profile needs. `inside` tells whether the kernel is in the
/// cluster itself.
pub(crate) fn needed(spec: &Kubernetes, inside: bool) -> Vec<Right> {
    let applies = |rule: &&Rule| match rule.when {
        When::Always => true,
        When::Service => spec.service,
        When::Outside => !inside,
    };
    let rights = |rule: &'static Rule| {
        let vital = rule.vital.iter().map(|verb| (*verb, true));
        let felt = rule.felt.iter().map(|verb| (*verb, false));
        vital.chain(felt).map(|(verb, vital)| Right {
            who: rule.who,
            group: rule.group,
            resource: rule.resource,
            verb,
            vital,
        })
    };
    RULES.iter().filter(applies).flat_map(rights).collect()
}

/// What is said of each who acts.
pub(super) fn findings(spec: &Kubernetes, rights: &[(Right, Answer)]) -> Vec<Finding> {
    let each = [Who::You, Who::Driver, Who::Keeper].into_iter();
    each.flat_map(|who| of_one(spec, who, rights)).collect()
}

fn of_one(spec: &Kubernetes, who: Who, rights: &[(Right, Answer)]) -> Vec<Finding> {
    let own = || rights.iter().filter(|(right, _)| right.who == who);
    let missing = |vital: bool| {
        let missing = own().filter(|(right, answer)| right.vital == vital && *answer == Answer::No);
        missing.map(|(right, _)| *right).collect::<Vec<_>>()
    };
    let subject = who.words(spec);
    let namespace = &spec.namespace;
    let role = who.role();
    let mut findings = Vec::new();
    let (vital, felt) = (missing(true), missing(false));
    if !vital.is_empty() {
        findings.push(Finding::bad(
            NAME,
            format!(
                "{subject} may not {} in namespace `{namespace}`, without which no driver works",
                verbs(&vital)
            ),
            remedy(spec, who, &vital),
        ));
    }
    if !felt.is_empty() {
        findings.push(Finding::poor(
            NAME,
            format!(
                "{subject} may not {} in namespace `{namespace}`: drivers start, and lists, logs or \
                 explanations are missing later, or what is not wanted any more stays for longer",
                verbs(&felt)
            ),
            remedy(spec, who, &felt),
        ));
    }
    let unknown = own().find_map(|(_, answer)| match answer {
        Answer::Forbidden => Some("you may not ask for others' rights".to_owned()),
        Answer::Failed(said) => Some(said.clone()),
        Answer::Yes | Answer::No => None,
    });
    match unknown {
        Some(why) => findings.push(Finding::untried(
            NAME,
            format!(
                "Whether {} may do all that is needed is not known: {why}",
                lower(&subject)
            ),
        )),
        None if findings.is_empty() => findings.push(Finding::good(
            NAME,
            format!("{subject} may do all that is needed (the Role `{role}`)"),
        )),
        None => {}
    }
    findings
}

fn remedy(spec: &Kubernetes, who: Who, missing: &[Right]) -> String {
    let role = who.role();
    let namespace = &spec.namespace;
    let apply = format!("`kubectl apply --namespace {namespace} -f deploy/rbac`");
    let rules = rules(missing);
    match who.account(spec) {
        None => format!(
            "Ask whoever runs the cluster for {apply} and to be bound to its Role `{role}`, or for a Role \
             with {rules}."
        ),
        Some(account) => format!(
            "Ask whoever runs the cluster for {apply}, or to bind to `{account}` a Role with {rules}."
        ),
    }
}

/// Each resource of the rights with its verbs, in the order in which they stand.
fn by_resource(rights: &[Right]) -> Vec<(Right, Vec<&'static str>)> {
    let mut parts: Vec<(Right, Vec<&str>)> = Vec::new();
    for right in rights {
        match parts.last_mut() {
            Some((first, verbs)) if first.resource == right.resource => verbs.push(right.verb),
            _ => parts.push((*right, vec![right.verb])),
        }
    }
    parts
}

/// The rules of a Role that gives them, as its YAML has them.
fn rules(rights: &[Right]) -> String {
    let rules = by_resource(rights).into_iter().map(|(right, verbs)| {
        format!(
            "`{{apiGroups: [\"{}\"], resources: [{}], verbs: [{}]}}`",
            right.group,
            right.resource,
            verbs.join(", ")
        )
    });
    rules.collect::<Vec<_>>().join(", ")
}

/// `create and delete jobs, get secrets`.
fn verbs(rights: &[Right]) -> String {
    let parts = by_resource(rights).into_iter().map(|(right, verbs)| {
        let verbs = match verbs.as_slice() {
            [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
            verbs => verbs.concat(),
        };
        format!("{verbs} {}", right.resource)
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn lower(subject: &str) -> String {
    match subject.strip_prefix("The ") {
        Some(rest) => format!("the {rest}"),
        None => subject.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{kubernetes, said};
    use super::*;
    use crate::rehearsal::Verdict;

    fn answered(spec: &Kubernetes, answer: impl Fn(&Right) -> Answer) -> Vec<Finding> {
        let rights = needed(spec, false).into_iter();
        let rights: Vec<_> = rights.map(|right| (right, answer(&right))).collect();
        findings(spec, &rights)
    }

    #[test]
    fn what_is_missing_is_named_with_the_role_that_gives_it() {
        let spec = kubernetes("");
        let not = |verb: &'static str, resource: &'static str| {
            move |right: &Right| match (right.verb, right.resource) == (verb, resource) {
                true => Answer::No,
                false => Answer::Yes,
            }
        };
        type Case = (fn(&Right) -> Answer, Verdict, &'static str);
        let cases: [Case; 3] = [
            (
                |_| Answer::Yes,
                Verdict::Good,
                "You may do all that is needed",
            ),
            (
                |_| Answer::Forbidden,
                Verdict::Untried,
                "Whether you may do all that is needed is not known",
            ),
            (
                |_| Answer::No,
                Verdict::Bad,
                "You may not create, get, watch and delete jobs; create and get secrets; create configmaps; \
                 list and watch pods; create and get pods/portforward in namespace `sparks`",
            ),
        ];
        for (answer, verdict, words) in cases {
            let found = answered(&spec, answer);
            assert_eq!(found[0].verdict, verdict, "{found:?}");
            assert!(found[0].found.starts_with(words), "{found:?}");
        }
        let found = answered(&spec, not("patch", "jobs"));
        assert_eq!(
            said(&found, Verdict::Bad),
            [
                "The keeper's account `firesteel-keeper` may not patch jobs in namespace `sparks`, without which no driver works"
            ]
        );
        let bad = found.iter().find(|one| one.verdict == Verdict::Bad);
        let remedy = bad.and_then(|one| one.remedy.clone()).unwrap();
        assert_eq!(
            remedy,
            "Ask whoever runs the cluster for `kubectl apply --namespace sparks -f deploy/rbac`, or to bind \
             to `firesteel-keeper` a Role with `{apiGroups: [\"batch\"], resources: [jobs], verbs: [patch]}`."
        );
        let found = answered(&spec, not("get", "pods/log"));
        assert_eq!(said(&found, Verdict::Poor).len(), 2, "{found:?}");
        assert!(said(&found, Verdict::Bad).is_empty());
    }

    #[test]
    fn what_is_not_used_is_not_asked_for() {
        let resources = |spec: &Kubernetes, inside| {
            let rights = needed(spec, inside).into_iter();
            rights.map(|right| right.resource).collect::<BTreeSet<_>>()
        };
        let usual = resources(&kubernetes(""), true);
        assert!(!usual.contains("services") && !usual.contains("pods/portforward"));
        let all = resources(&kubernetes(", service: true"), false);
        assert!(all.contains("services") && all.contains("pods/portforward"));
    }

    #[test]
    fn what_is_asked_for_is_what_the_roles_give() {
        use serde_json::Value;
        /// What the Role for people gives besides, so that this rehearsal can say more.
        const LOOKS: [(&str, &str, &str); 6] = [
            ("", "pods", "create"),
            ("", "configmaps", "get"),
            ("", "persistentvolumeclaims", "get"),
            ("", "resourcequotas", "list"),
            ("", "serviceaccounts", "get"),
            (
                "authorization.k8s.io",
                "localsubjectaccessreviews",
                "create",
            ),
        ];
        for (who, file) in [
            (Who::You, include_str!("../../../../deploy/rbac/user.yaml")),
            (
                Who::Driver,
                include_str!("../../../../deploy/rbac/driver.yaml"),
            ),
            (
                Who::Keeper,
                include_str!("../../../../deploy/rbac/keeper.yaml"),
            ),
        ] {
            let role: Value =
                serde_saphyr::from_str(file.split("\n---\n").next().unwrap()).unwrap();
            let strings = |value: &Value| -> Vec<String> {
                let list = value.as_array().unwrap().iter();
                list.map(|one| one.as_str().unwrap().to_owned()).collect()
            };
            let mut given = BTreeSet::new();
            for rule in role["rules"].as_array().unwrap() {
                for resource in strings(&rule["resources"]) {
                    for verb in strings(&rule["verbs"]) {
                        given.insert((
                            strings(&rule["apiGroups"])[0].clone(),
                            resource.clone(),
                            verb,
                        ));
                    }
                }
            }
            let spec = kubernetes(", service: true");
            let asked = needed(&spec, false)
                .into_iter()
                .filter(|right| right.who == who);
            let asked = asked.map(|right| (right.group, right.resource, right.verb));
            let looks = LOOKS.iter().filter(|_| who == Who::You);
            let looks = looks.copied();
            let asked: BTreeSet<_> = asked
                .chain(looks)
                .map(|(group, resource, verb)| {
                    (group.to_owned(), resource.to_owned(), verb.to_owned())
                })
                .collect();
            assert_eq!(asked, given, "{who:?}");
        }
    }
}
