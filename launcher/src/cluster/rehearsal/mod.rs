//! A driver in a cluster that is thought through and not made: what would be made, and what the
//! cluster's answers say of it. Pure; who asks the cluster is `backend::kubernetes`.

mod demand;
pub(crate) mod facts;
mod images;
mod made;
mod named;
mod nodes;
mod quota;
mod rights;
mod tried;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::preview;
use crate::claim::Claim;
use crate::cluster::quantity::Amount;
use crate::profile::{Kubernetes, Profile};
use crate::rehearsal::{Finding, Rehearsal, without_secrets};
use demand::counted;
use facts::{Facts, Outcome, What};
use quota::Demand;

pub(crate) use named::{Kind, Named, named};
pub(crate) use rights::{Right, needed};

/// What is known without asking anybody: what would be made, and with which settings.
pub(crate) fn unasked(claim: &Claim, profile: &Profile, spec: &Kubernetes) -> Rehearsal {
    let place = format!("in namespace `{}` of a cluster", spec.namespace);
    let mut rehearsal = Rehearsal::new(profile, &claim.user, place);
    let shown = without_secrets(profile);
    rehearsal.conf = made::conf(claim, &shown);
    rehearsal.made = made::objects(claim, &shown);
    // The driver carries the hash of the whole profile.
    for made in &mut rehearsal.made {
        made.text = made.text.replace(&shown.hash(), &profile.hash());
    }
    rehearsal
}

/// What can be said of a profile where no cluster answers.
pub(crate) fn known_anyway(spec: &Kubernetes) -> Vec<Finding> {
    images::findings(spec)
}

/// What the answers of a cluster say, by what `claim` and `profile` would make in it.
pub(crate) fn findings(
    claim: &Claim,
    profile: &Profile,
    spec: &Kubernetes,
    facts: &Facts,
) -> Vec<Finding> {
    let pods = Pods::of(&preview(claim, profile));
    let there = facts.outcome(What::Job) == Some(&Outcome::There);
    let demand = pods.demand(spec, there);
    let mut findings = rights::findings(spec, &facts.rights);
    findings.extend(tried::findings(spec, &facts.tries));
    findings.extend(quota::findings(spec, &demand, &facts.quotas));
    findings.extend(named::findings(spec, &facts.named));
    findings.extend(known_anyway(spec));
    findings.extend(nodes::findings(&pods.driver, &pods.executor, &facts.nodes));
    findings
}

/// The pods among what would be made.
struct Pods {
    driver: Pod,
    executor: Pod,
}

impl Pods {
    fn of(made: &[Value]) -> Self {
        let mut pods = made
            .iter()
            .filter(|one| one["kind"] == "Pod")
            .filter_map(|one| serde_json::from_value(one.clone()).ok());
        Self {
            driver: pods.next().unwrap_or_default(),
            executor: pods.next().unwrap_or_default(),
        }
    }

    /// What they count in quotas. `there` tells whether there is a driver already, which is counted.
    fn demand(&self, spec: &Kubernetes, there: bool) -> Demand {
        let mut driver = counted(&self.driver);
        let beside = [
            "count/jobs.batch",
            "secrets",
            "count/secrets",
            "configmaps",
            "count/configmaps",
        ];
        let service = ["services", "count/services"];
        let service = service.into_iter().filter(|_| spec.service);
        for name in beside.into_iter().chain(service) {
            driver.insert(name.to_owned(), Amount::of(1));
        }
        if there {
            driver.clear();
        }
        Demand {
            driver,
            executor: counted(&self.executor),
        }
    }
}

#[cfg(test)]
mod tests;
