//! Processes that a driver started and did not end itself.

use std::fs;

use rustix::process::{Pid, Signal};

/// Has those whose parent dies become children of ours, so that they can be found.
pub(super) fn adopt() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "what a driver leaves running cannot be found");
    }
}

/// Kills every child we have. The driver has ended; what is left were its children.
pub(super) fn kill() {
    let keeper = rustix::process::getpid().as_raw_pid();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if parent(&stat) == Some(keeper)
            && let Some(child) = Pid::from_raw(pid)
        {
            tracing::info!(pid, "something the driver started is ended");
            // It may have ended by itself meanwhile.
            let _gone = rustix::process::kill_process(child, Signal::KILL);
        }
    }
}

/// The parent in a text of `/proc/PID/stat`; the program's name before it may hold anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_whatever_the_name_is() {
        assert_eq!(parent("12 (java) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) b (c) 1 2) S 7 12"), Some(7));
        assert_eq!(parent(""), None);
    }
}
