//! How many rows there are in all, of a sorted result of which only the first were wanted.

use crate::proto::execute_plan_response::Metrics;
use crate::proto::execute_plan_response::metrics::MetricObject;

/// The operator that sorts all rows it gets and hands on the first of them.
const TAKE: &str = "TakeOrderedAndProject";

/// What may stand above it where it gives the whole result.
const ABOVE: [&str; 2] = ["AdaptiveSparkPlan", "ResultQueryStage"];

/// What hands on as many rows as it gets; compiled stages have a number behind their name.
const PASSES: [&str; 8] = [
    "AQEShuffleRead",
    "ColumnarToRow",
    "Exchange",
    "InputAdapter",
    "Project",
    "ShuffleQueryStage",
    "Sort",
    "WholeStageCodegen",
];

/// Operators from one to the root of a plan, at most.
const DEEPEST: usize = 100;

/// Rows that were sorted for a result that is the first of them, as the operator below counted them
/// (`SQLMetrics`, Spark 4.3). A stage that ran twice has counted twice.
pub(super) fn sorted(metrics: &Metrics) -> Option<u64> {
    let all = &metrics.metrics;
    let mut takes = all.iter().filter(|operator| operator.name == TAKE);
    let take = takes.next().filter(|_| takes.next().is_none())?;
    gives_the_result(take, all).then_some(())?;
    let mut operator = take;
    for _ in 0..DEEPEST {
        operator = only(all.iter().filter(|other| {
            other.parent == operator.plan_id && other.plan_id != operator.plan_id
        }))?;
        if let Some(rows) = operator.execution_metrics.get("numOutputRows") {
            return u64::try_from(rows.value).ok();
        }
        is_one_of(&PASSES, operator).then_some(())?;
    }
    None
}

fn gives_the_result(operator: &MetricObject, all: &[MetricObject]) -> bool {
    let mut operator = operator;
    for _ in 0..DEEPEST {
        if operator.parent == operator.plan_id {
            return true;
        }
        let above = all.iter().filter(|other| other.plan_id == operator.parent);
        match only(above) {
            Some(above) if is_one_of(&ABOVE, above) => operator = above,
            _ => return false,
        }
    }
    false
}

fn only<'a>(mut operators: impl Iterator<Item = &'a MetricObject>) -> Option<&'a MetricObject> {
    operators.next().filter(|_| operators.next().is_none())
}

fn is_one_of(names: &[&str], operator: &MetricObject) -> bool {
    let name = operator.name.split(' ').next();
    name.is_some_and(|name| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use crate::proto::execute_plan_response::metrics::MetricValue;

    use super::*;

    /// Operators as Spark 4.3.0 reported them: name, id, the id of the one above, rows given.
    type Plan<'a> = &'a [(&'a str, i64, i64, Option<i64>)];

    fn metrics(plan: Plan<'_>) -> Metrics {
        let operator = |&(name, plan_id, parent, rows): &(&str, i64, i64, Option<i64>)| {
            let rows = rows.map(|value| {
                let metric = MetricValue {
                    name: "numOutputRows".to_owned(),
                    value,
                    metric_type: "sum".to_owned(),
                };
                ("numOutputRows".to_owned(), metric)
            });
            MetricObject {
                name: name.to_owned(),
                plan_id,
                parent,
                execution_metrics: rows.into_iter().collect(),
            }
        };
        Metrics {
            metrics: plan.iter().map(operator).collect(),
        }
    }

    #[test]
    fn rows_are_those_that_reach_the_sort_of_the_result() {
        let grouped: Plan<'_> = &[
            ("Exchange", 37, 0, None),
            (TAKE, 54, 1, None),
            ("Range", 18, 19, Some(1_000_000)),
            ("Project", 19, 20, None),
            ("AdaptiveSparkPlan", 23, 23, None),
            ("ResultQueryStage", 1, 23, None),
            ("HashAggregate", 20, 36, Some(400_000)),
            ("WholeStageCodegen (1)", 36, 37, None),
            ("ShuffleQueryStage", 0, 48, None),
            ("AQEShuffleRead", 48, 51, None),
            ("InputAdapter", 51, 52, None),
            ("HashAggregate", 52, 53, Some(100_000)),
            ("WholeStageCodegen (2)", 53, 54, None),
        ];
        let filtered: Plan<'_> = &[
            ("Range", 140, 141, Some(1_000_000)),
            ("Filter", 141, 142, Some(10)),
            ("Project", 142, 144, None),
            (TAKE, 145, 145, None),
            ("WholeStageCodegen (1)", 144, 145, None),
        ];
        let limited_within: Plan<'_> = &[
            (TAKE, 443, 443, None),
            ("Range", 413, 414, Some(400)),
            ("Project", 414, 415, None),
            ("LocalLimit", 415, 441, None),
            ("GlobalLimit", 441, 442, None),
            ("WholeStageCodegen (2)", 442, 443, None),
        ];
        let not_sorted: Plan<'_> = &[
            ("Range", 113, 114, Some(11)),
            ("Project", 114, 116, None),
            ("CollectLimit", 117, 117, None),
            ("WholeStageCodegen (1)", 116, 117, None),
        ];
        let sorted_within: Plan<'_> = &[
            ("Range", 1, 2, Some(11)),
            (TAKE, 2, 3, None),
            ("HashAggregate", 3, 3, Some(2)),
        ];
        let joined: Plan<'_> = &[
            (TAKE, 4, 4, None),
            ("CartesianProduct", 3, 4, None),
            ("Range", 1, 3, Some(2)),
            ("Range", 2, 3, Some(3)),
        ];
        let in_a_circle: Plan<'_> = &[(TAKE, 4, 5, None), ("AdaptiveSparkPlan", 5, 4, None)];
        for (name, plan, expected) in [
            ("grouped", grouped, Some(100_000)),
            ("filtered", filtered, Some(10)),
            ("limited within", limited_within, None),
            ("not sorted", not_sorted, None),
            ("sorted within", sorted_within, None),
            ("joined", joined, None),
            ("in a circle", in_a_circle, None),
            ("nothing", &[], None),
        ] {
            assert_eq!(sorted(&metrics(plan)), expected, "{name}");
        }
    }
}
