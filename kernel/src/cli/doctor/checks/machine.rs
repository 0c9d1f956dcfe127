//! What the machine has, and what its user set on it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use firesteel_launcher::driver::is_utf8;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::machine;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::place;

use crate::cli::doctor::Verdict;

/// A driver with less memory than this stumbles over the first larger join, in MiB.
const COMFORTABLE_MEMORY: u64 = 2048;

/// Memory with which no driver starts: its least heap and what Java needs beside it, in MiB.
const LEAST_MEMORY: u64 = 896;

/// Free space that a driver's shuffles and logs need at least, in MiB.
const LEAST_DISK: u64 = 1024;

/// By how much a clock may be behind: files come from machines with clocks of their own.
const BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn memory() -> Verdict {
    let Some(limit) = machine::limit(|file| std::fs::read_to_string(file).ok()) else {
        return Verdict::poor(
            "how much memory there is cannot be told",
            "Set `memory` in a profile.",
        );
    };
    let mebibytes = limit.in_mebibytes();
    let found = format!("{mebibytes} MiB may be used");
    if mebibytes < LEAST_MEMORY {
        return Verdict::bad(
            found,
            format!(
                "Spark needs {LEAST_MEMORY} MiB; raise the limit of memory, or use a driver elsewhere."
            ),
        );
    }
    if mebibytes < COMFORTABLE_MEMORY {
        return Verdict::poor(
            found,
            format!("Spark wants {COMFORTABLE_MEMORY} MiB or more to be comfortable."),
        );
    }
    Verdict::good(found)
}

/// Free space where drivers write: of what they spill or of their logs, where there is less.
pub(super) fn disk(paths: &Paths) -> Verdict {
    let free = |folder: &&PathBuf| {
        // The folder itself may not be there yet.
        let there = folder.ancestors().find(|folder| folder.exists());
        let disk = there.and_then(|folder| rustix::fs::statvfs(folder).ok());
        disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
    };
    let least = [&paths.scratch, &paths.state].into_iter().min_by_key(free);
    match least.and_then(|folder| Some((folder, free(&folder)?))) {
        Some((folder, mebibytes)) => room(folder, mebibytes),
        None => Verdict::bad(
            "the disk that drivers write to cannot be looked at",
            "Check $HOME, $TMPDIR and $XDG_STATE_HOME.",
        ),
    }
}

fn room(folder: &Path, mebibytes: u64) -> Verdict {
    let found = format!("{mebibytes} MiB free for {}", folder.display());
    if mebibytes < LEAST_DISK {
        return Verdict::bad(found, format!("Make room for {LEAST_DISK} MiB or more."));
    }
    Verdict::good(found)
}

/// Whether drivers can keep their sockets, locks, logs and what they spill.
pub(super) fn folders(paths: &Paths) -> Verdict {
    match place::usable(paths) {
        Err(cause) => Verdict::bad(cause.sentence, cause.remedy),
        Ok(run) if run == paths.run => {
            Verdict::good(format!("sockets and locks in {}", run.display()))
        }
        Ok(run) => Verdict::good(format!(
            "sockets and locks in {}, because {} cannot hold them",
            run.display(),
            paths.run.display()
        )),
    }
}

/// Whether the clock can be right: it is not by much before `made`, when this program was written.
pub(super) fn clock(made: SystemTime, now: SystemTime) -> Verdict {
    let date = |time: SystemTime| DateTime::<Utc>::from(time).format("%Y-%m-%d");
    if now + BEHIND < made {
        return Verdict::poor(
            format!(
                "it is {} by the clock, and this program was made on {}",
                date(now),
                date(made)
            ),
            "Set the clock: certificates, leases and limits go by it.",
        );
    }
    Verdict::good(format!("{} (UTC)", date(now)))
}

/// How the names of files are read.
pub(super) fn locale(environment: &Environment) -> Verdict {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    match set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"))
    {
        Some(locale) if is_utf8(locale) => Verdict::good(locale),
        Some(locale) => Verdict::good(format!("{locale} has no UTF-8; drivers take C.UTF-8")),
        None => Verdict::good("none is set; drivers take C.UTF-8"),
    }
}

/// What proxies mean to drivers. `packages` tells whether the profile names any.
pub(super) fn proxy(environment: &Environment, packages: bool) -> Verdict {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    let set = |name: &&str| environment.get(name).is_some_and(|value| !value.is_empty());
    match names.iter().find(|name| set(name)) {
        None => Verdict::good("none is set"),
        // Ivy asks Java's own properties, never the environment.
        Some(name) if packages => Verdict::poor(
            format!("${name} is set, and Spark fetches the profile's packages without it"),
            "If they do not come, download their jars where a proxy can be used, and name a repository \
             that this machine reaches in `spark.jars.repositories`.",
        ),
        Some(name) => Verdict::good(format!(
            "${name} is set; a driver on this machine asks nobody through it"
        )),
    }
}
