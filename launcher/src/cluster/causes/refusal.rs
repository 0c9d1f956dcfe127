//! What an API server says of something that it does not let into a namespace: in its answer, in an
//! event of a Job, or in the log of a Spark that makes executors.
//!
//! The words are those of Kubernetes' admission plugins: `resourcequota`, `limitranger`,
//! `serviceaccount`, `priority`, `namespace/lifecycle`, `podsecurity`, `policy/validating` and
//! `webhook`, and of its RBAC authorizer.

use super::{Part, Why};
use crate::cause::Cause;
use crate::cluster::quantity::Amount;
use crate::cluster::trouble::long_line;

/// What was to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// As in "there is no room for it": `the driver's pod`.
    pub(crate) thing: &'a str,
    /// Where.
    pub(crate) namespace: &'a str,
    /// Whose size it has.
    pub(crate) part: Part,
}

/// Why it was not made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refused {
    /// A quota has no room for it.
    Quota(Shortage),
    /// A quota wants more to be said.
    QuotaWants { quota: String, figures: String },
    /// A limit range is in the way. Names the resources.
    Limits {
        resources: Vec<String>,
        said: String,
    },
    /// Pod Security is in the way.
    Security(String),
    /// A webhook said no.
    Webhook { policy: String, said: String },
    /// A policy said no.
    Policy { policy: String, said: String },
    /// A webhook said nothing.
    WebhookFailed { policy: String, said: String },
    /// There is no such service account.
    Account(String),
    /// There is no such priority class.
    PriorityClass(String),
    /// The namespace is being deleted.
    Ending,
    /// Who asked may not. Says the rule that would let it.
    Right { rule: String, said: String },
}

/// A quota that has no room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shortage {
    pub(crate) quota: String,
    /// What there is not enough of.
    pub(crate) lacks: Vec<Lack>,
    /// As the server put it.
    said: String,
}

/// Too little of one resource, in quantities of Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lack {
    /// As the quota calls it: `requests.memory`, `pods`.
    pub(crate) resource: String,
    pub(crate) asked: String,
    pub(crate) used: String,
    pub(crate) limit: String,
}

/// Reads what the server said. `None` where it is none of the refusals that are known.
pub(crate) fn read(said: &str) -> Option<Refused> {
    let said = long_line(said);
    let said = said.as_str();
    let after = |words: &str| said.split_once(words).map(|(_, rest)| rest);
    if let Some(rest) = after("exceeded quota: ") {
        return Some(Refused::Quota(shortage(rest)));
    }
    if let Some((quota, rest)) = after("failed quota: ").and_then(|rest| rest.split_once(": ")) {
        return Some(Refused::QuotaWants {
            quota: quota.to_owned(),
            figures: figures(rest),
        });
    }
    if said.contains("because it is being terminated") {
        return Some(Refused::Ending);
    }
    if let Some(rest) = after("violates PodSecurity ") {
        return Some(Refused::Security(rest.replace('"', "")));
    }
    if let Some((policy, said)) = after("admission webhook \"").and_then(|rest| {
        let (policy, rest) = rest.split_once('"')?;
        let said = rest.split_once("denied the request").map(|(_, said)| said);
        Some((policy, said?.trim_start_matches([':', ' '])))
    }) {
        return Some(Refused::Webhook {
            policy: policy.to_owned(),
            said: said.to_owned(),
        });
    }
    if let Some((policy, rest)) =
        after("failed calling webhook \"").and_then(|rest| rest.split_once('"'))
    {
        return Some(Refused::WebhookFailed {
            policy: policy.to_owned(),
            said: rest.trim_start_matches([':', ' ']).to_owned(),
        });
    }
    if let Some((policy, rest)) =
        after("ValidatingAdmissionPolicy '").and_then(|rest| rest.split_once('\''))
    {
        let said = rest.split_once("denied request: ").map_or(rest, |(_, s)| s);
        return Some(Refused::Policy {
            policy: policy.to_owned(),
            said: said.to_owned(),
        });
    }
    if let Some(rest) = after("error looking up service account ") {
        let name = rest.split([':', ' ']).next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        return Some(Refused::Account(name.to_owned()));
    }
    if let Some((class, _)) =
        after("no PriorityClass with name ").and_then(|rest| rest.split_once(' '))
    {
        return Some(Refused::PriorityClass(class.to_owned()));
    }
    if let Some(rest) = limits(said) {
        return Some(rest);
    }
    right(said)
}

/// `small, requested: pods=1, used: pods=2, limited: pods=2`; several resources are parted by commas
/// without a blank.
fn shortage(said: &str) -> Shortage {
    let part = |name: &str| -> Vec<(&str, &str)> {
        let Some((_, rest)) = said.split_once(&format!(", {name}: ")) else {
            return Vec::new();
        };
        let list = rest.split(", ").next().unwrap_or_default();
        list.split(',')
            .filter_map(|one| one.split_once('='))
            .collect()
    };
    let (used, limited) = (part("used"), part("limited"));
    let of = |list: &[(&str, &str)], resource: &str| {
        let found = list.iter().find(|(name, _)| *name == resource);
        found.map_or_else(String::new, |(_, quantity)| (*quantity).to_owned())
    };
    let lacks = part("requested").into_iter().map(|(resource, asked)| Lack {
        resource: resource.to_owned(),
        asked: asked.to_owned(),
        used: of(&used, resource),
        limit: of(&limited, resource),
    });
    Shortage {
        quota: said
            .split(", ")
            .next()
            .unwrap_or_default()
            .trim_end_matches(':')
            .to_owned(),
        lacks: lacks.filter(Lack::is_short).collect(),
        said: said.to_owned(),
    }
}

/// `must specify limits.cpu for: driver; limits.memory for: driver`, or with commas.
fn figures(said: &str) -> String {
    let said = said.trim_start_matches("must specify ");
    let mut all: Vec<&str> = said
        .split([';', ','])
        .map(|one| one.split(" for: ").next().unwrap_or(one).trim())
        .collect();
    all.dedup();
    all.join(", ")
}

/// `maximum memory usage per Container is 1Gi, but limit is 5Gi`, or several of these in brackets.
fn limits(said: &str) -> Option<Refused> {
    let words = [
        "usage per Container is",
        "usage per Pod is",
        "ratio per Container is",
        "ratio per Pod is",
    ];
    if !words.iter().any(|words| said.contains(words)) {
        return None;
    }
    let said = said
        .split_once("is forbidden: ")
        .map_or(said, |(_, said)| said)
        .trim_matches(['[', ']', '.']);
    let mut resources: Vec<String> = said
        .split(", ")
        .filter_map(|one| {
            let mut words = one.split(' ');
            let bound = words.next()?;
            let resource = if ["maximum", "minimum"].contains(&bound) {
                words.next()?
            } else {
                bound
            };
            (resource != "but" && resource != "request").then(|| resource.to_owned())
        })
        .collect();
    resources.sort();
    resources.dedup();
    Some(Refused::Limits {
        resources,
        said: said.to_owned(),
    })
}

/// `User "ada" cannot create resource "jobs" in API group "batch" in the namespace "sparks"`.
fn right(said: &str) -> Option<Refused> {
    let (_, rest) = said.split_once("\" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let group = rest
        .split_once("in API group \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(group, _)| group);
    let group = if group.is_empty() { "\"\"" } else { group };
    let said = said
        .split_once("is forbidden: ")
        .map_or(said, |(_, said)| said);
    Some(Refused::Right {
        rule: format!("{{apiGroups: [{group}], resources: [{resource}], verbs: [{verb}]}}"),
        said: said.to_owned(),
    })
}

impl Lack {
    /// Whether this is what the quota has too little of.
    fn is_short(&self) -> bool {
        let [asked, used, limit] =
            [&self.asked, &self.used, &self.limit].map(|one| Amount::read(one));
        let used = used.unwrap_or_default();
        asked
            .zip(limit)
            .is_some_and(|(asked, limit)| asked.plus(used) > limit)
    }

    /// Whether there would be too little with nothing in use.
    fn never_fits(&self) -> bool {
        let (asked, limit) = (Amount::read(&self.asked), Amount::read(&self.limit));
        asked.zip(limit).is_some_and(|(asked, limit)| asked > limit)
    }

    fn told(&self) -> String {
        let said = |quantity: &String| {
            let amount = Amount::read(quantity);
            amount.map_or_else(|| quantity.clone(), |amount| amount.words(&self.resource))
        };
        format!(
            "{}: {} allowed, {} used, {} more asked for",
            self.resource,
            said(&self.limit),
            said(&self.used),
            said(&self.asked)
        )
    }
}

impl Shortage {
    fn never_fits(&self) -> bool {
        self.lacks.iter().any(Lack::never_fits)
    }

    /// What is missing. Of one resource a quota often counts requests and limits, which are the
    /// same: that is said once.
    fn told(&self) -> String {
        let mut told: Vec<&Lack> = Vec::new();
        for lack in &self.lacks {
            let same = |other: &&Lack| {
                (&other.asked, &other.used, &other.limit) == (&lack.asked, &lack.used, &lack.limit)
            };
            if !told.iter().any(same) {
                told.push(lack);
            }
        }
        let told: Vec<String> = told.into_iter().map(Lack::told).collect();
        if told.is_empty() {
            return self.said.clone();
        }
        told.join("; ")
    }
}

impl Refused {
    /// Which cause it is.
    pub(crate) fn why(&self) -> Why {
        match self {
            Self::Quota(shortage) if shortage.never_fits() => Why::QuotaTooSmall,
            Self::Quota(_) => Why::QuotaExceeded,
            Self::QuotaWants { .. } => Why::QuotaWantsFigures,
            Self::Limits { .. } => Why::LimitRange,
            Self::Security(_) => Why::PodSecurity,
            Self::Webhook { .. } => Why::Webhook,
            Self::Policy { .. } => Why::Policy,
            Self::WebhookFailed { .. } => Why::WebhookFailed,
            Self::Account(_) => Why::AccountMissing,
            Self::PriorityClass(_) => Why::PriorityClassMissing,
            Self::Ending => Why::NamespaceEnding,
            Self::Right { .. } => Why::RightMissing,
        }
    }

    /// The same in words.
    pub(crate) fn cause(&self, asked: &Asked<'_>) -> Cause {
        let keys = |resources: &mut dyn Iterator<Item = &String>| {
            let mut keys: Vec<String> = resources.map(|name| asked.part.keys_of(name)).collect();
            keys.sort();
            keys.dedup();
            keys.join(" and ")
        };
        let mut fields = vec![("thing", asked.thing), ("namespace", asked.namespace)];
        let (resources, changed, what);
        match self {
            Self::Quota(shortage) => {
                resources = shortage.told();
                changed = keys(&mut shortage.lacks.iter().map(|lack| &lack.resource));
                fields.extend([
                    ("quota", shortage.quota.as_str()),
                    ("resources", &resources),
                    ("keys", &changed),
                ]);
            }
            Self::QuotaWants { quota, figures } => {
                fields.extend([("quota", quota.as_str()), ("said", figures)]);
            }
            Self::Limits { resources, said } => {
                changed = keys(&mut resources.iter());
                fields.extend([("keys", changed.as_str()), ("said", said)]);
            }
            Self::Security(said) => fields.push(("said", said)),
            Self::Webhook { policy, said }
            | Self::Policy { policy, said }
            | Self::WebhookFailed { policy, said } => {
                fields.extend([("policy", policy.as_str()), ("said", said)]);
            }
            Self::Account(name) => fields.push(("account", name)),
            Self::PriorityClass(name) => fields.push(("class", name)),
            Self::Ending => {}
            Self::Right { rule, said } => {
                what = format!("make {}", asked.thing);
                fields.extend([("what", what.as_str()), ("rule", rule), ("said", said)]);
            }
        }
        self.why().cause(&fields)
    }
}
