//! The list of all causes, for people who run clusters.

use std::fmt::Write as _;

use super::table::SECTIONS;
use super::{Certainty, Course, Row, Why, filled};

/// What stands above the list.
const HEAD: &str = "\
# Why a driver or an executor is not there

What a cell says of it, and what comes of it for a driver. ‹Words like these› are known when it happens. Where the sentence is about an
executor, the keys begin with `kubernetes.executor` and `kubernetes.placement.executors`; what is in its way is told, and Spark goes on
asking for executors until the cell is interrupted. What events tell is heard by who may list them, as the Role `firesteel-user` of
`deploy/rbac` lets; the largest node is named to who may list nodes.

This page is made from the table that cells take their words from, `launcher/src/cluster/causes/table.rs`:
`FIRESTEEL_ACCEPT=1 cargo test --workspace --locked --lib causes` writes it.
";

/// How a program ends that executors alone run.
const OF_EXECUTORS: [Why; 4] = [
    Why::NoFolder,
    Why::DriverNotHeard,
    Why::DriverUnreachable,
    Why::Uncaught,
];

/// What is shown for fields whose names would not do.
const SHOWN: [(&str, &str); 11] = [
    ("memory", "`kubernetes.driver.memory`"),
    ("overhead", "`kubernetes.driver.overhead`"),
    ("pod", "The Spark driver's pod"),
    ("labels", "the labels ‹labels›"),
    (
        "see",
        "See whether what the profile names in `kubernetes.volumes` and `kubernetes.caBundle` is there",
    ),
    (
        "disk",
        "Have what it writes go to a volume (`kubernetes.volumes`), or ask whoever runs the cluster for more \
         ephemeral storage. (Of an executor: Raise `kubernetes.localDisk.size` in the profile.)",
    ),
    ("was", "was"),
    ("its", "its"),
    ("nodes", "node"),
    (
        "again",
        "Run the cell again; a new driver is started. (Of an executor: Spark runs its tasks again.)",
    ),
    ("remedy", "‹What mends that.›"),
];

/// `launcher/causes.md`.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (section, causes) in SECTIONS {
        let _ = write!(page, "\n## {section}\n");
        for cause in *causes {
            let Row {
                title,
                happens,
                remedy,
                course,
                certainty,
                ..
            } = cause.row();
            let shown = |template| match OF_EXECUTORS.contains(cause) {
                true => shown(template).replace("The Spark driver's pod", "An executor"),
                false => shown(template),
            };
            let _ = write!(
                page,
                "\n### {title}\n\n> {}. {}\n\n{}{}\n",
                shown(happens),
                shown(remedy),
                outcome(course),
                guess(certainty),
            );
        }
    }
    page
}

fn outcome(course: Course) -> &'static str {
    match course {
        Course::AtOnce => "Only a change helps: the cell fails at once.",
        Course::Waits => {
            "It may pass: the cell says so and waits until the profile's `startDeadline`."
        }
        Course::Ended => "What was there has ended.",
    }
}

fn guess(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Sure => "",
        Certainty::Likely => " This is what is mostly behind what was seen; it is not certain.",
    }
}

/// A template with names for what is only known when it happens.
fn shown(template: &'static str) -> String {
    let names: Vec<&'static str> = fields_of(template).collect();
    let values: Vec<String> = names.iter().map(|name| value(name)).collect();
    let fields: Vec<(&'static str, &str)> = names
        .into_iter()
        .zip(values.iter().map(String::as_str))
        .collect();
    filled(template, &fields)
}

/// The names of a template's fields.
pub(super) fn fields_of(template: &'static str) -> impl Iterator<Item = &'static str> {
    let after = template.split('{').skip(1);
    after.filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn value(name: &str) -> String {
    let known = SHOWN.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| format!("‹{name}›"), |(_, shown)| (*shown).to_owned())
}
