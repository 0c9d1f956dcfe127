//! Small readings of pods that several decisions share.

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::attach::state::Phase;
use crate::cluster::names::DRIVER_CONTAINER;

/// The longest that somebody else is quoted, in characters.
const QUOTE: usize = 240;

/// Whether none of the pod's containers will run any more.
pub(crate) fn ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Failed" | "Succeeded"))
}

/// How far the start of a driver's pod is.
///
/// A pod does not say which of its images are there. The driver's is the large one, so that until
/// its container runs the node is taken to pull it.
pub(crate) fn phase(pod: &Pod) -> Phase {
    let Some(status) = &pod.status else {
        return Phase::Scheduling;
    };
    let mut containers = status.container_statuses.iter().flatten();
    let driver = containers.find(|container| container.name == DRIVER_CONTAINER);
    let begun = driver.and_then(|driver| driver.state.as_ref());
    if begun.is_some_and(|state| state.waiting.is_none()) {
        return Phase::StartingContainers;
    }
    match condition(status, "PodScheduled") {
        Some(scheduled) if scheduled.status == "True" => Phase::PreparingPod,
        _ => Phase::Scheduling,
    }
}

/// A condition of a pod, by its type.
pub(super) fn condition<'s>(status: &'s PodStatus, kind: &str) -> Option<&'s PodCondition> {
    let mut all = status.conditions.iter().flatten();
    all.find(|condition| condition.type_ == kind)
}

/// When somebody asked for the pod to be deleted. Kubernetes records the end of the time it was
/// given, not its beginning.
pub(super) fn asked_to_end_at(pod: &Pod) -> Option<Timestamp> {
    let metadata = &pod.metadata;
    let end = metadata.deletion_timestamp.as_ref()?.0;
    let grace = metadata.deletion_grace_period_seconds.unwrap_or_default();
    end.checked_sub(SignedDuration::from_secs(grace)).ok()
}

/// The longest that somebody is quoted who names all that is wrong, in characters.
const LONG_QUOTE: usize = 800;

/// What somebody said as one line that is not too long.
pub(super) fn line(said: &str) -> String {
    cut(said, QUOTE)
}

/// The same of somebody who has much to say, such as a policy of the cluster.
pub(crate) fn long_line(said: &str) -> String {
    cut(said, LONG_QUOTE)
}

fn cut(said: &str, most: usize) -> String {
    let words = said.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('…');
    }
    line.truncate(line.trim_end_matches(['.', ' ']).len());
    line
}

/// What a container runtime says of a container that it cannot start, without the names of its own
/// layers.
pub(super) fn of_runtime(said: &str) -> String {
    let own = "unable to start container process: ";
    let said = said.split_once(own).map_or(said, |(_, said)| said);
    line(said.trim_end().trim_end_matches(": unknown"))
}

/// So many lines of what a program said at last are told.
const LAST_LINES: usize = 5;

/// The last lines of what a program said.
pub(super) fn last_lines(said: &str) -> Vec<String> {
    let lines = said.lines().map(line).filter(|line| !line.is_empty());
    let mut lines: Vec<String> = lines.collect();
    lines.split_off(lines.len().saturating_sub(LAST_LINES))
}

/// The line that tells most of what a program said at last: its last error, else its last line.
pub(super) fn telling(said: &str) -> Option<String> {
    let lines = || {
        said.lines()
            .rev()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let is_error = |line: &&str| {
        // Where it happened is for whoever reads the log.
        !line.starts_with("at ")
            && ["Exception", "Error", "ERROR", "FATAL"]
                .iter()
                .any(|word| line.contains(word))
    };
    lines().find(is_error).or_else(|| lines().next()).map(line)
}
