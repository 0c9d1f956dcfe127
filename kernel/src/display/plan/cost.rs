//! Which operators of a plan cost much, and why.

use super::parse::{Details, Node, Tree};

/// What makes an operator costly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// A table is read whole.
    FullScan,
    /// Every partition of a table is read.
    AllPartitions,
    /// Rows are read first and then filtered.
    LateFilter,
    /// Rows move between executors.
    Shuffle,
    /// Both sides of a join are shuffled and sorted, or hashed.
    ShuffledJoin,
    /// Every row is compared with every row.
    NestedLoop,
    /// All rows are in one task.
    OneTask,
    /// Rows go through Python.
    Python,
}

impl Cost {
    /// How it is counted in the summary: one, several.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::FullScan => ("full scan", "full scans"),
            Self::AllPartitions => ("scan of all partitions", "scans of all partitions"),
            Self::LateFilter => (
                "filter that is not pushed down",
                "filters that are not pushed down",
            ),
            Self::Shuffle => ("shuffle", "shuffles"),
            Self::ShuffledJoin => ("join of two shuffled sides", "joins of two shuffled sides"),
            Self::NestedLoop => (
                "join of every row with every row",
                "joins of every row with every row",
            ),
            Self::OneTask => (
                "window over all rows in one task",
                "windows over all rows in one task",
            ),
            Self::Python => ("trip through Python", "trips through Python"),
        }
    }
}

/// A costly operator, and why in a few words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) cost: Cost,
    pub(super) why: String,
}

/// What is costly in the operator at `place` of a tree.
pub(super) fn mark<'a>(
    tree: &Tree,
    place: usize,
    details: impl Fn(&Node) -> Option<&'a Details>,
) -> Option<Mark> {
    let node = tree.nodes.get(place)?;
    let own = details(node);
    let get = |key: &str| own.and_then(|own| own.get(key));
    let first = node.name.split(' ').next().unwrap_or_default();
    let made = |cost: Cost, why: &str| {
        Some(Mark {
            cost,
            why: why.to_owned(),
        })
    };
    match first {
        "Scan" => scan(own?),
        "Filter" => late_filter(tree, place, own?, details),
        "Exchange" | "ShuffleExchange" => Some(shuffle(get("Arguments").unwrap_or_default())),
        "SortMergeJoin" => made(
            Cost::ShuffledJoin,
            "both sides are shuffled and sorted; a side that fits into memory could be broadcast",
        ),
        "ShuffledHashJoin" => made(
            Cost::ShuffledJoin,
            "both sides are shuffled; one of them is held in memory",
        ),
        "BroadcastNestedLoopJoin" | "CartesianProduct" => made(
            Cost::NestedLoop,
            "compares every row with every row: no columns are equal in the condition",
        ),
        "Window" => one_task(tree, place, details),
        _ if first.contains("Python") || first.contains("Pandas") || first.contains("InArrow") => {
            made(
                Cost::Python,
                "rows go to Python and back; functions of SQL stay in Spark",
            )
        }
        _ => None,
    }
}

/// The items of `[a, b(c, d)]`, or of a list without brackets.
pub(super) fn items(list: &str) -> Vec<&str> {
    let list = list.trim();
    let whole = top_level(list, ", ");
    match whole.as_slice() {
        [one] if one.starts_with('[') && one.ends_with(']') => {
            top_level(&one[1..one.len() - 1], ", ")
        }
        _ => whole,
    }
}

/// Cuts at a separator outside parentheses.
fn top_level<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_i32, 0);
    for (at, ch) in text.char_indices() {
        match ch {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ if depth == 0 && at >= from && text[at..].starts_with(separator) => {
                parts.push(&text[from..at]);
                from = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from.min(text.len())..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The conditions that must all hold.
fn conjuncts(condition: &str) -> usize {
    let mut left = vec![condition.trim()];
    let mut count = 0;
    while let Some(part) = left.pop() {
        let inner = part.strip_prefix('(').and_then(|p| p.strip_suffix(')'));
        let parts = top_level(inner.unwrap_or(part), " AND ");
        match parts.len() {
            0 | 1 => count += 1,
            _ => left.extend(parts),
        }
    }
    count
}

fn filters(details: &Details, key: &str) -> usize {
    details.get(key).map_or(0, |list| items(list).len())
}

fn scan(details: &Details) -> Option<Mark> {
    // Only what reads storage says what it reads.
    details.get("ReadSchema")?;
    let partitions = filters(details, "PartitionFilters");
    let all = details
        .get("Location")
        .is_some_and(|location| location.starts_with("CatalogFileIndex"));
    if partitions == 0 && all {
        return Some(Mark {
            cost: Cost::AllPartitions,
            why: "reads every partition: no condition on a partition column".to_owned(),
        });
    }
    if partitions > 0 {
        return None;
    }
    let pushed = items(details.get("PushedFilters").unwrap_or_default());
    let why = match pushed.iter().all(|filter| filter.starts_with("IsNotNull(")) {
        true if pushed.is_empty() => "reads the whole table: no filter reaches it",
        true => "reads the whole table but for nulls: no other filter reaches it",
        false => return None,
    };
    Some(Mark {
        cost: Cost::FullScan,
        why: why.to_owned(),
    })
}

/// A filter right above a scan with more conditions than the scan was given.
fn late_filter<'a>(
    tree: &Tree,
    place: usize,
    own: &Details,
    details: impl Fn(&Node) -> Option<&'a Details>,
) -> Option<Mark> {
    let below = feeding(tree, place, &["ColumnarToRow", "Project", "InputAdapter"])?;
    let scan = details(below).filter(|_| below.name.starts_with("Scan"))?;
    scan.get("ReadSchema")?;
    let pushed = filters(scan, "PushedFilters");
    let asked = conjuncts(own.get("Condition")?);
    (asked > pushed).then(|| Mark {
        cost: Cost::LateFilter,
        why: match pushed {
            0 => "is not pushed down: every row is read, then filtered".to_owned(),
            _ => format!(
                "{} of {asked} conditions are not pushed down",
                asked - pushed
            ),
        },
    })
}

/// The operator that feeds this one, past those of these names.
fn feeding<'a>(tree: &'a Tree, place: usize, past: &[&str]) -> Option<&'a Node> {
    let mut place = place;
    loop {
        let behind = tree.nodes.iter().enumerate().skip(place + 1);
        let (next, node) = behind
            .into_iter()
            .find(|(_, node)| node.parent == Some(place))?;
        if !past.contains(&node.name.as_str()) {
            return Some(node);
        }
        place = next;
    }
}

fn shuffle(arguments: &str) -> Mark {
    let made = |why: String| Mark {
        cost: Cost::Shuffle,
        why,
    };
    let by = |name: &str| {
        let rest = arguments.strip_prefix(name)?.strip_prefix('(')?;
        let mut depth = 1;
        let end = rest.find(|ch| {
            depth += match ch {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        let mut columns = top_level(&rest[..end], ", ");
        let parts = columns.pop()?;
        Some((columns.join(", "), parts.to_owned()))
    };
    if let Some((columns, parts)) = by("hashpartitioning") {
        return made(format!("shuffle by {columns} into {parts} partitions"));
    }
    if let Some((columns, parts)) = by("rangepartitioning") {
        return made(format!("shuffle into {parts} ranges to sort by {columns}"));
    }
    if let Some((_, parts)) = by("RoundRobinPartitioning") {
        return made(format!("shuffle evenly into {parts} partitions"));
    }
    if arguments.starts_with("SinglePartition") {
        return made("shuffle into one partition".to_owned());
    }
    made("shuffle".to_owned())
}

fn one_task<'a>(
    tree: &Tree,
    place: usize,
    details: impl Fn(&Node) -> Option<&'a Details>,
) -> Option<Mark> {
    let below = feeding(tree, place, &["Sort", "Project"])?;
    let arguments = details(below)?.get("Arguments")?;
    let single = below.name == "Exchange" && arguments.starts_with("SinglePartition");
    single.then(|| Mark {
        cost: Cost::OneTask,
        why: "all rows in one task: its OVER has no PARTITION BY".to_owned(),
    })
}
