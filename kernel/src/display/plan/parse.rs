//! From the text of `EXPLAIN FORMATTED` to a tree.

use std::collections::BTreeMap;

/// What Spark plans, as far as its text could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The plan itself and behind it those of its subqueries. Empty where there is no tree in the
    /// text.
    pub(super) trees: Vec<Tree>,
    /// What Spark says of each operator, by its number.
    pub(super) details: BTreeMap<u32, Details>,
}

/// One tree of operators.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// The subquery that it is, in Spark's words.
    pub(super) subquery: Option<String>,
    /// Its operators, each before those that feed it.
    pub(super) nodes: Vec<Node>,
}

/// An operator in its tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its name with what Spark puts behind it, such as `SortMergeJoin Inner`.
    pub(super) name: String,
    /// Its number among the details.
    pub(super) number: Option<u32>,
    /// The operator that it feeds, by its place among the nodes; `None` for the first.
    pub(super) parent: Option<usize>,
}

/// What Spark says of an operator: keys such as `PushedFilters` and their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Details(Vec<(String, String)>);

impl Details {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Where in the text a line stands.
enum Part {
    Between,
    Tree { indents: Vec<(usize, usize)> },
    Details(u32),
}

/// Reads a plan. Whatever is not understood is left out.
pub(super) fn parse(text: &str) -> Plan {
    let mut plan = Plan::default();
    let mut part = Part::Between;
    for line in text.lines() {
        if line == "== Physical Plan ==" || line.starts_with("Subquery:") {
            plan.trees.push(Tree {
                subquery: line.strip_prefix("Subquery:").map(str::to_owned),
                nodes: Vec::new(),
            });
            part = Part::Tree {
                indents: Vec::new(),
            };
            continue;
        }
        if line.trim().is_empty() || line.starts_with("==") {
            part = Part::Between;
            continue;
        }
        match (&mut part, header(line)) {
            (Part::Between, Some(number)) => {
                plan.details.entry(number).or_default();
                part = Part::Details(number);
            }
            (Part::Between, None) => {}
            (Part::Tree { indents }, _) => {
                if let Some(tree) = plan.trees.last_mut() {
                    tree.nodes.push(node(line, indents, tree.nodes.len()));
                }
            }
            (Part::Details(number), _) => {
                if let Some(Details(known)) = plan.details.get_mut(number) {
                    read_detail(known, line);
                }
            }
        }
    }
    plan.trees
        .retain(|tree| tree.nodes.iter().any(|node| node.number.is_some()));
    plan
}

/// The number in `(3) Filter [codegen id : 1]`.
fn header(line: &str) -> Option<u32> {
    let (number, rest) = line.strip_prefix('(')?.split_once(')')?;
    rest.starts_with(' ').then(|| number.parse().ok())?
}

fn read_detail(known: &mut Vec<(String, String)>, line: &str) {
    let key_and_value = line.split_once(':').filter(|(key, _)| is_key(key));
    match (key_and_value, known.last_mut()) {
        (Some((key, value)), _) => {
            let key = key.split(" [").next().unwrap_or(key).trim();
            known.push((key.to_owned(), value.trim().to_owned()));
        }
        // A text in a condition may have line ends of its own.
        (None, Some((_, value))) => {
            value.push(' ');
            value.push_str(line.trim());
        }
        (None, None) => {}
    }
}

/// Such as `Output [2]` and `Join type`.
fn is_key(key: &str) -> bool {
    key.starts_with(|ch: char| ch.is_ascii_uppercase())
        && key
            .chars()
            .all(|ch| ch.is_ascii_alphanumeric() || " []".contains(ch))
}

/// Reads a line of a tree; `indents` holds the operators that it may feed.
fn node(line: &str, indents: &mut Vec<(usize, usize)>, place: usize) -> Node {
    let name = line.trim_start_matches([' ', ':', '+', '-']);
    let indent = line.len() - name.len();
    while indents.last().is_some_and(|(known, _)| *known >= indent) {
        indents.pop();
    }
    // What has no indent of its own is a second root; it hangs from the first.
    let parent = indents.last().map(|(_, parent)| *parent);
    let parent = parent.or(Some(0).filter(|_| place > 0));
    indents.push((indent, place));
    let name = name.strip_prefix("* ").unwrap_or(name);
    let (name, number) = numbered(name);
    Node {
        name: name.trim().to_owned(),
        number,
        parent,
    }
}

/// The name and the number in `Scan In-memory table t (1) (columnarIn=false)`.
fn numbered(text: &str) -> (&str, Option<u32>) {
    let found = text.match_indices(" (").filter_map(|(at, open)| {
        let (number, _) = text[at + open.len()..].split_once(')')?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        Some((at, number.parse().ok().filter(|_| digits)?))
    });
    match found.last() {
        Some((at, number)) => (&text[..at], Some(number)),
        None => (text, None),
    }
}
