//! Processes that a driver started and did not end itself.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};

/// Has those whose parent dies become children of ours, so that they can be found.
pub(super) fn adopt() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "what a driver leaves running cannot be found");
    }
}

/// Kills every child we have. The driver has ended; what is left were its children.
pub(super) fn kill() {
    for (pid, _state) in children() {
        if let Some(child) = Pid::from_raw(pid) {
            tracing::info!(pid, "something the driver started is ended");
            // It may have ended by itself meanwhile.
            let _gone = rustix::process::kill_process(child, Signal::KILL);
        }
    }
}

/// Time between two looks at the dead.
const LOOK: Duration = Duration::from_secs(5);

/// Takes the dead away that nobody waits for, for ever: whose parent died are our children, and
/// stay in the table of processes until we ask for them.
///
/// The driver itself is waited for by who started it, who takes it away at once. So a child of ours
/// that was dead at the last look and is there still, is nobody's.
pub(super) async fn reap() {
    let mut dead = BTreeSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        dead = look(&dead);
    }
}

/// Takes away who was dead before, and gives who else is dead now.
fn look(before: &BTreeSet<i32>) -> BTreeSet<i32> {
    let dead = children().into_iter().filter(|&(_, state)| state == 'Z');
    let (old, new): (BTreeSet<i32>, BTreeSet<i32>) = dead
        .map(|(pid, _)| pid)
        .partition(|pid| before.contains(pid));
    for pid in old.into_iter().filter_map(Pid::from_raw) {
        if let Err(error) = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG) {
            tracing::debug!(%error, "a dead process cannot be taken away");
        }
    }
    new
}

/// Our children and their states, as letters of `proc(5)`.
fn children() -> Vec<(i32, char)> {
    let keeper = rustix::process::getpid().as_raw_pid();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (state, parent) = state_and_parent(&stat)?;
            (parent == keeper).then_some((pid, state))
        })
        .collect()
}

/// State and parent in a text of `/proc/PID/stat`; the program's name before them may hold anything.
fn state_and_parent(stat: &str) -> Option<(char, i32)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn parents_are_read_whatever_the_name_is() {
        assert_eq!(state_and_parent("12 (java) S 7 12 12 0"), Some(('S', 7)));
        assert_eq!(state_and_parent("12 (a) b (c) 1 2) Z 7 12"), Some(('Z', 7)));
        assert_eq!(state_and_parent(""), None);
    }

    #[test]
    #[expect(
        clippy::zombie_processes,
        reason = "a dead child nobody waits for is what is tested"
    )]
    fn only_who_was_dead_before_is_taken_away() {
        let child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let dead = |pid| children().contains(&(pid, 'Z'));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !dead(pid) {
            assert!(std::time::Instant::now() < deadline, "`true` does not end");
            std::thread::yield_now();
        }
        assert!(look(&BTreeSet::new()).contains(&pid));
        assert!(dead(pid));
        look(&BTreeSet::from([pid]));
        assert!(!dead(pid));
    }
}
