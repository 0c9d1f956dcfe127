//! Whether what a profile names is there: accounts, Secrets, ConfigMaps, volume claims, classes.

use super::facts::{Seen, Thing};
use crate::profile::{BundleSource, Kubernetes, Variable, VolumeSource};
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "names";

/// The types of Secrets that open registries.
const PULL_TYPES: [&str; 2] = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];

/// Something that a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// The key that is read of it, of a Secret or a ConfigMap.
    pub(crate) key: Option<String>,
    /// Where the profile names it.
    said_by: String,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Account,
    PullSecret,
    Secret,
    ConfigMap,
    Claim,
    PriorityClass,
    StorageClass,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Account => "service account",
            Self::PullSecret | Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Claim => "volume claim",
            Self::PriorityClass => "priority class",
            Self::StorageClass => "storage class",
        }
    }
}

/// All that the profile names, by itself or as what it does not say otherwise.
pub(crate) fn named(spec: &Kubernetes) -> Vec<Named> {
    let one = |kind: Kind, name: &str, key: Option<&str>, said_by: &str| Named {
        kind,
        name: name.to_owned(),
        key: key.map(str::to_owned),
        said_by: said_by.to_owned(),
    };
    let accounts = [
        (&spec.driver_account, "kubernetes.accounts.driver"),
        (&spec.executor_account, "kubernetes.accounts.executor"),
        (&spec.keeper_account, "kubernetes.accounts.keeper"),
    ];
    let mut all: Vec<Named> = accounts
        .iter()
        .map(|(name, by)| one(Kind::Account, name, None, by))
        .collect();
    let token = format!("{}-token", spec.keeper_account);
    all.push(one(
        Kind::Secret,
        &token,
        Some("token"),
        "kubernetes.accounts.keeper",
    ));
    let secrets = spec.pull_secrets.iter();
    all.extend(secrets.map(|name| one(Kind::PullSecret, name, None, "kubernetes.pullSecrets")));
    for (variable, value) in &spec.environment {
        if let Variable::Secret { secret, key } = value {
            let by = format!("kubernetes.environment.{variable}");
            all.push(one(Kind::Secret, secret, Some(key), &by));
        }
    }
    all.extend(spec.ca_bundle.iter().map(|bundle| {
        let (kind, name) = match &bundle.source {
            BundleSource::ConfigMap(name) => (Kind::ConfigMap, name),
            BundleSource::Secret(name) => (Kind::Secret, name),
        };
        one(kind, name, Some(&bundle.key), "kubernetes.caBundle")
    }));
    for volume in &spec.volumes {
        if let VolumeSource::Claim(claim) = &volume.source {
            let by = format!("kubernetes.volumes.{}", volume.name);
            all.push(one(Kind::Claim, claim, None, &by));
        }
    }
    let classes = [
        (
            Kind::PriorityClass,
            &spec.priority_class,
            "kubernetes.priorityClass",
        ),
        (
            Kind::StorageClass,
            &spec.local_disk.storage_class,
            "kubernetes.localDisk.storageClass",
        ),
    ];
    for (kind, name, by) in classes {
        all.extend(name.iter().map(|name| one(kind, name, None, by)));
    }
    all
}

/// What is said of all that the profile names.
pub(super) fn findings(spec: &Kubernetes, named: &[(Named, Seen<Thing>)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut there = Vec::new();
    let mut forbidden = Vec::new();
    for (named, seen) in named {
        let called = format!("{} `{}`", named.kind.words(), named.name);
        match seen {
            Seen::Found(thing) => match flaw(named, thing) {
                Some(finding) => findings.push(finding),
                None => there.push(called),
            },
            Seen::Missing => findings.push(Finding::bad(
                NAME,
                format!(
                    "There is no {called} in namespace `{}`, which `{}` asks for",
                    spec.namespace, named.said_by
                ),
                have_it_made(named),
            )),
            Seen::Forbidden => forbidden.push(called),
            Seen::Failed(said) => findings.push(Finding::untried(
                NAME,
                format!("Whether there is a {called} is not known: {said}"),
            )),
        }
    }
    there.dedup();
    forbidden.dedup();
    if !forbidden.is_empty() {
        findings.push(Finding::untried(
            NAME,
            format!(
                "You may not look whether these are there: {}",
                forbidden.join(", ")
            ),
        ));
    }
    if !there.is_empty() {
        findings.push(Finding::good(
            NAME,
            format!("There are {}", there.join(", ")),
        ));
    }
    findings
}

fn have_it_made(named: &Named) -> String {
    match named.kind {
        Kind::Account => {
            "Have `deploy/rbac` applied to the namespace, or correct `kubernetes.accounts` in the profile."
                .to_owned()
        }
        Kind::Secret if named.said_by == "kubernetes.accounts.keeper" => {
            "Have `deploy/rbac` applied to the namespace: the keeper's token is kept in it.".to_owned()
        }
        _ => format!("Have it made, or correct `{}` in the profile.", named.said_by),
    }
}

/// What is wrong with a thing that is there.
fn flaw(named: &Named, thing: &Thing) -> Option<Finding> {
    let Named { name, said_by, .. } = named;
    let kind = named.kind.words();
    if let Some(key) = named.key.as_ref().filter(|key| !thing.keys.contains(*key)) {
        return Some(Finding::bad(
            NAME,
            format!("{kind} `{name}` has no key `{key}`, which `{said_by}` asks for"),
            format!("Correct `{said_by}` in the profile, or have the key added."),
        ));
    }
    let state = thing.state.as_str();
    match named.kind {
        Kind::PullSecret if !PULL_TYPES.contains(&state) => Some(Finding::poor(
            NAME,
            format!("Secret `{name}` is of type {state}, and opens no registry"),
            "Have one made by `kubectl create secret docker-registry`.",
        )),
        Kind::Claim if state == "Lost" => Some(Finding::bad(
            NAME,
            format!("Volume claim `{name}` has lost its volume"),
            format!("Have it made again, or correct `{said_by}` in the profile."),
        )),
        Kind::Claim if state == "Pending" => Some(Finding::poor(
            NAME,
            format!("Volume claim `{name}` has no volume yet"),
            "Where its class waits for a first pod, the driver's brings it; else see \
             `kubectl describe persistentvolumeclaim`.",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{kubernetes, said};
    use super::*;
    use crate::rehearsal::Verdict;

    const EVERYTHING: &str = ", pullSecrets: [registry], localDisk: {size: 1g, storageClass: fast},
        volumes: {home: {claim: home, path: /home/jovyan}}, caBundle: {configMap: authorities},
        priorityClass: high, environment: {PASSWORD: {secret: db, key: password}, PLAIN: a}";

    fn found(seen: impl Fn(&Named) -> Seen<Thing>) -> Vec<Finding> {
        let spec = kubernetes(EVERYTHING);
        let all = named(&spec).into_iter();
        let all: Vec<_> = all.map(|named| (named.clone(), seen(&named))).collect();
        findings(&spec, &all)
    }

    fn as_it_should_be(named: &Named) -> Thing {
        Thing {
            keys: named.key.iter().cloned().collect(),
            state: match named.kind {
                Kind::PullSecret => PULL_TYPES[0].to_owned(),
                Kind::Claim => "Bound".to_owned(),
                _ => String::new(),
            },
        }
    }

    #[test]
    fn all_that_is_named_is_looked_for() {
        let found = found(|named| Seen::Found(as_it_should_be(named)));
        assert_eq!(
            said(&found, Verdict::Good),
            [
                "There are service account `firesteel-driver`, service account `firesteel-executor`, \
              service account `firesteel-keeper`, Secret `firesteel-keeper-token`, Secret `registry`, \
              Secret `db`, ConfigMap `authorities`, volume claim `home`, priority class `high`, \
              storage class `fast`"
            ]
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn each_flaw_is_told_with_the_key_that_names_it() {
        type Change = fn(&mut Seen<Thing>);
        let cases: [(&str, Change, Verdict, &str, &str); 7] = [
            (
                "db",
                |seen| *seen = Seen::Missing,
                Verdict::Bad,
                "no Secret `db` in namespace `sparks`, which `kubernetes.environment.PASSWORD` asks for",
                "correct `kubernetes.environment.PASSWORD`",
            ),
            (
                "db",
                |seen| *seen = Seen::Found(Thing::default()),
                Verdict::Bad,
                "Secret `db` has no key `password`",
                "key added",
            ),
            (
                "firesteel-driver",
                |seen| *seen = Seen::Missing,
                Verdict::Bad,
                "no service account `firesteel-driver`",
                "deploy/rbac",
            ),
            (
                "firesteel-keeper-token",
                |seen| *seen = Seen::Missing,
                Verdict::Bad,
                "no Secret `firesteel-keeper-token`",
                "the keeper's token",
            ),
            (
                "registry",
                |seen| {
                    *seen = Seen::Found(Thing {
                        state: "Opaque".to_owned(),
                        ..Thing::default()
                    });
                },
                Verdict::Poor,
                "is of type Opaque",
                "docker-registry",
            ),
            (
                "home",
                |seen| {
                    *seen = Seen::Found(Thing {
                        state: "Lost".to_owned(),
                        ..Thing::default()
                    });
                },
                Verdict::Bad,
                "has lost its volume",
                "kubernetes.volumes.home",
            ),
            (
                "authorities",
                |seen| *seen = Seen::Forbidden,
                Verdict::Untried,
                "may not look whether these are there: ConfigMap `authorities`",
                "",
            ),
        ];
        for (name, change, verdict, words, remedy) in cases {
            let found = found(|named| {
                let mut seen = Seen::Found(as_it_should_be(named));
                if named.name == name {
                    change(&mut seen);
                }
                seen
            });
            assert_eq!(found[0].verdict, verdict, "{found:?}");
            assert!(found[0].found.contains(words), "{found:?}");
            let told = found[0].remedy.clone().unwrap_or_default();
            assert!(told.contains(remedy), "{found:?}");
            assert_eq!(found.len(), 2, "{found:?}");
        }
    }
}
