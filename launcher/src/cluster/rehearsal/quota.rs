//! Whether the quotas of a namespace have room for a driver and its executors.

use k8s_openapi::api::core::v1::ResourceQuota;

use super::demand::{Amounts, amounts};
use super::facts::Seen;
use crate::cluster::quantity::Amount;
use crate::profile::Kubernetes;
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "quota";

/// What quotas count of a driver.
pub(super) struct Demand {
    /// The driver's pod, its Job and what belongs to it; nothing, where there is one already.
    pub(super) driver: Amounts,
    /// One executor.
    pub(super) executor: Amounts,
}

/// What is said of each quota.
pub(super) fn findings(
    spec: &Kubernetes,
    demand: &Demand,
    quotas: &Seen<Vec<ResourceQuota>>,
) -> Vec<Finding> {
    let namespace = &spec.namespace;
    let unknown = |why: &str| {
        let found = format!("The quotas of namespace `{namespace}` are not known: {why}");
        vec![Finding::untried(NAME, found)]
    };
    match quotas {
        Seen::Forbidden => unknown("you may not list them"),
        Seen::Failed(said) => unknown(said),
        Seen::Missing => Vec::new(),
        Seen::Found(quotas) => {
            let applying = quotas.iter().filter(|quota| applies(quota, spec));
            let findings: Vec<Finding> =
                applying.map(|quota| of_one(spec, demand, quota)).collect();
            if findings.is_empty() {
                let found = format!("No quota limits drivers in namespace `{namespace}`");
                return vec![Finding::good(NAME, found)];
            }
            findings
        }
    }
}

/// Whether our pods count in a quota. They ask for something, they have no end of their own, and
/// they are of the profile's class.
fn applies(quota: &ResourceQuota, spec: &Kubernetes) -> bool {
    let Some(said) = &quota.spec else {
        return false;
    };
    let scopes = said.scopes.iter().flatten();
    let not_ours = ["BestEffort", "Terminating"];
    if scopes
        .into_iter()
        .any(|scope| not_ours.contains(&scope.as_str()))
    {
        return false;
    }
    let selector = said.scope_selector.as_ref();
    let wanted = selector.and_then(|selector| selector.match_expressions.as_ref());
    wanted.into_iter().flatten().all(|wanted| {
        let class = spec.priority_class.as_deref();
        let among = || {
            let values = wanted.values.iter().flatten();
            values
                .into_iter()
                .any(|value| Some(value.as_str()) == class)
        };
        match (wanted.scope_name.as_str(), wanted.operator.as_str()) {
            ("PriorityClass", "In") => among(),
            ("PriorityClass", "NotIn") => !among(),
            ("PriorityClass", "DoesNotExist") => class.is_none(),
            ("PriorityClass", "Exists") => class.is_some(),
            (scope, "Exists") => !not_ours.contains(&scope),
            _ => true,
        }
    })
}

/// What a quota has of one resource.
struct Room<'a> {
    resource: &'a str,
    hard: Amount,
    used: Amount,
    driver: Amount,
    executor: Amount,
}

impl Room<'_> {
    fn free(&self) -> Amount {
        self.hard.less(self.used)
    }

    fn driver_fits(&self) -> bool {
        self.driver == Amount::NONE || self.driver <= self.free()
    }

    /// How many executors fit beside the driver.
    fn executors(&self) -> u32 {
        self.free().less(self.driver).holds(self.executor)
    }

    /// `requests.memory: 3 GiB of 4 GiB used`.
    fn words(&self) -> String {
        format!(
            "{}: {} of {} used",
            self.resource,
            self.used.words(self.resource),
            self.hard.words(self.resource)
        )
    }
}

fn of_one(spec: &Kubernetes, demand: &Demand, quota: &ResourceQuota) -> Finding {
    let name = quota.metadata.name.as_deref().unwrap_or_default();
    let status = quota.status.as_ref();
    let hard = status.and_then(|status| status.hard.as_ref());
    let hard = hard.or_else(|| quota.spec.as_ref()?.hard.as_ref());
    let used = status.and_then(|status| status.used.as_ref());
    let (hard, used) = (
        hard.map(amounts).unwrap_or_default(),
        used.map(amounts).unwrap_or_default(),
    );
    let of = |amounts: &Amounts, resource: &str| amounts.get(resource).copied().unwrap_or_default();
    let rooms: Vec<Room<'_>> = hard
        .iter()
        .map(|(resource, hard)| Room {
            resource,
            hard: *hard,
            used: of(&used, resource),
            driver: of(&demand.driver, resource),
            executor: of(&demand.executor, resource),
        })
        .collect();
    if let Some(room) = rooms.iter().find(|room| !room.driver_fits()) {
        return Finding::bad(
            NAME,
            format!(
                "Quota `{name}` has no room for the driver, which takes {} ({})",
                room.driver.words(room.resource),
                room.words()
            ),
            "Stop drivers that nobody uses by `firesteel drivers stop`, make `kubernetes.driver` in the \
             profile smaller, or ask for more quota.",
        );
    }
    let least = rooms.iter().min_by_key(|room| room.executors());
    let max = spec.executors.max;
    let Some(room) = least.filter(|room| room.executors() < max) else {
        return Finding::good(
            NAME,
            format!(
                "Quota `{name}` has room for the driver and all of its executors, {max} at most"
            ),
        );
    };
    let fit = room.executors();
    let about = format!(
        "one takes {} ({})",
        room.executor.words(room.resource),
        room.words()
    );
    let remedy = "Make `kubernetes.executor` in the profile smaller, give back what nobody uses, or ask \
                  for more quota.";
    match fit {
        0 => Finding::bad(
            NAME,
            format!("Quota `{name}` has room for the driver and not for an executor: {about}"),
            remedy,
        ),
        fit if fit < spec.executors.min => Finding::poor(
            NAME,
            format!(
                "Quota `{name}` has room for {fit} of the {} executors that the profile starts with: {about}",
                spec.executors.min
            ),
            remedy,
        ),
        fit => Finding::poor(
            NAME,
            format!("Quota `{name}` has room for {fit} of at most {max} executors: {about}"),
            remedy,
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::kubernetes;
    use super::*;
    use crate::rehearsal::Verdict;

    fn demand() -> Demand {
        let amounts = |of: &[(&str, &str)]| {
            let of = of.iter();
            of.map(|(name, text)| ((*name).to_owned(), Amount::read(text).unwrap()))
                .collect()
        };
        Demand {
            driver: amounts(&[
                ("pods", "1"),
                ("requests.memory", "2Gi"),
                ("count/jobs.batch", "1"),
            ]),
            executor: amounts(&[
                ("pods", "1"),
                ("requests.memory", "4Gi"),
                ("requests.nvidia.com/gpu", "1"),
            ]),
        }
    }

    fn quota(spec: &Value, hard: &Value, used: &Value) -> ResourceQuota {
        let quota = json!({
            "metadata": {"name": "small"},
            "spec": spec,
            "status": {"hard": hard, "used": used},
        });
        serde_json::from_value(quota).unwrap()
    }

    fn found(hard: &Value, used: &Value) -> Finding {
        let spec = kubernetes(", executors: {min: 2, max: 4}");
        let quotas = Seen::Found(vec![quota(&json!({}), hard, used)]);
        let mut findings = findings(&spec, &demand(), &quotas);
        assert_eq!(findings.len(), 1);
        findings.remove(0)
    }

    #[test]
    fn a_quota_tells_who_fits() {
        for (hard, used, verdict, words) in [
            (
                json!({"requests.memory": "18Gi", "pods": "10"}),
                json!({"requests.memory": "0", "pods": "5"}),
                Verdict::Good,
                "Quota `small` has room for the driver and all of its executors, 4 at most",
            ),
            (
                json!({"requests.memory": "18Gi", "pods": "10"}),
                json!({"requests.memory": "4Gi", "pods": "6"}),
                Verdict::Poor,
                "Quota `small` has room for 3 of at most 4 executors: one takes ",
            ),
            (
                json!({"requests.memory": "8Gi"}),
                json!({}),
                Verdict::Poor,
                "Quota `small` has room for 1 of the 2 executors that the profile starts with: one takes 4 GiB \
                 (requests.memory: 0 KiB of 8 GiB used)",
            ),
            (
                json!({"requests.nvidia.com/gpu": "2"}),
                json!({"requests.nvidia.com/gpu": "2"}),
                Verdict::Bad,
                "Quota `small` has room for the driver and not for an executor: one takes 1 \
                 (requests.nvidia.com/gpu: 2 of 2 used)",
            ),
            (
                json!({"requests.memory": "4Gi"}),
                json!({"requests.memory": "3Gi"}),
                Verdict::Bad,
                "Quota `small` has no room for the driver, which takes 2 GiB (requests.memory: 3 GiB of 4 GiB used)",
            ),
            (
                json!({"count/jobs.batch": "1"}),
                json!({"count/jobs.batch": "1"}),
                Verdict::Bad,
                "Quota `small` has no room for the driver, which takes 1 (count/jobs.batch: 1 of 1 used)",
            ),
            // Already over, in what ours take nothing of.
            (
                json!({"services": "1"}),
                json!({"services": "2"}),
                Verdict::Good,
                "Quota `small` has room",
            ),
        ] {
            let found = found(&hard, &used);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.found.starts_with(words), "{found:?}");
        }
    }

    #[test]
    fn only_quotas_of_pods_like_ours_count() {
        let full = json!({"pods": "0"});
        let class = |operator: &str, values: Value| {
            json!({"scopeSelector": {"matchExpressions": [
                {"scopeName": "PriorityClass", "operator": operator, "values": values}]}})
        };
        for (spec, more, counts) in [
            (json!({}), "", true),
            (json!({"scopes": ["NotTerminating"]}), "", true),
            (json!({"scopes": ["NotBestEffort"]}), "", true),
            (json!({"scopes": ["BestEffort"]}), "", false),
            (json!({"scopes": ["Terminating"]}), "", false),
            (class("In", json!(["high"])), "", false),
            (class("In", json!(["high"])), ", priorityClass: high", true),
            (
                class("NotIn", json!(["high"])),
                ", priorityClass: high",
                false,
            ),
            (class("Exists", json!([])), "", false),
            (class("DoesNotExist", json!([])), "", true),
        ] {
            let quotas = Seen::Found(vec![quota(&spec, &full, &json!({}))]);
            let findings = findings(&kubernetes(more), &demand(), &quotas);
            assert_eq!(findings[0].verdict == Verdict::Bad, counts, "{spec} {more}");
        }
    }

    #[test]
    fn quotas_that_are_not_known_are_told_as_such() {
        for (seen, verdict, words) in [
            (Seen::Forbidden, Verdict::Untried, "you may not list them"),
            (Seen::Failed("slow".to_owned()), Verdict::Untried, "slow"),
            (Seen::Found(Vec::new()), Verdict::Good, "No quota limits"),
        ] {
            let findings = findings(&kubernetes(""), &demand(), &seen);
            assert_eq!(findings[0].verdict, verdict);
            assert!(findings[0].found.contains(words), "{findings:?}");
        }
    }
}
