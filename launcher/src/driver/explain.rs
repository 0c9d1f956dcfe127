//! Why a driver did not start, or ended: one sentence and what to do, from its exit and its log.

use std::path::Path;
use std::time::Duration;

use super::jars;
use super::process::Exit;
use crate::cause::{Cause, Kind};
use crate::cluster::causes::{Fields, Why};
use crate::cluster::executors;
use crate::profile::Memory;

/// How many lines of the log go with a cause.
pub(crate) const TAIL: usize = 20;

/// What went wrong with a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It ended before it took calls.
    ToStart(Exit),
    /// It did not take calls in time.
    ToStartWithin(Duration),
    /// It ended after it took calls.
    Later(Exit),
}

/// Where a driver is: who has to put something right there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Home {
    /// On this machine, from a runtime of ours.
    Machine,
    /// In a pod, from this image.
    Image(String),
}

/// What the driver was started with, as far as it explains anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting<'a> {
    /// Where it is.
    pub(crate) home: &'a Home,
    /// Whether memory ran out for its whole group of processes since it started.
    pub(crate) out_of_memory: bool,
    /// How much memory all that runs there may use, as far as that is known.
    pub(crate) limit: Option<Memory>,
    /// Its heap.
    pub(crate) heap: Memory,
    /// Its Java.
    pub(crate) java: &'a Path,
    /// Its Spark.
    pub(crate) spark_home: &'a Path,
    /// Where it spills.
    pub(crate) scratch: &'a Path,
    /// Whether it fetches packages.
    pub(crate) packages: bool,
    /// The profile it was made from.
    pub(crate) profile: &'a str,
}

/// Exit code of a Java that was told to end when its heap is full (`ExitOnOutOfMemoryError`).
const HEAP_FULL: i32 = 3;

/// Exit code of a Spark whose executors failed more often than it bears
/// (`SparkExitCode.EXCEED_MAX_EXECUTOR_FAILURES`).
const TOO_MANY_LOST: i32 = 11;

/// Exit code of our stand-in, when Java could not be run.
const NOT_RUN: i32 = 127;

/// SIGKILL: the kernel's memory killer sends it, and so do people.
const KILL: i32 = 9;

/// Says why. `log` is the end of what the driver printed.
pub(crate) fn explain(failed: Failed, log: &str, setting: &Setting<'_>) -> Cause {
    let known = by_log(failed, log, setting).or_else(|| by_exit(failed, setting));
    let cause = known.unwrap_or_else(|| unknown(failed, log));
    cause.with_tail(tail(log))
}

/// What the log says plainly, the most telling first.
fn by_log(failed: Failed, log: &str, setting: &Setting<'_>) -> Option<Cause> {
    let says = |words: &str| log.contains(words);
    let line = |words: &str| log.lines().rev().find(|line| line.contains(words));
    let heap = setting.heap.to_string();
    let profile = ("profile", setting.profile);

    if says("No space left on device") || says("Disk quota exceeded") {
        let folder = setting.scratch.display().to_string();
        return Some(setting.told(
            Why::DiskFull,
            &[("folder", &folder)],
            "Make room there, or set TMPDIR to a folder on a larger disk, and run the cell again.",
        ));
    }
    if says("BindException") || says("Address already in use") {
        let again = "Run the cell again; other ports are tried.";
        return Some(setting.told(Why::PortsTaken, &[], again));
    }
    if says("Could not reserve enough space")
        || says("Cannot allocate memory")
        || says("Invalid maximum heap size")
    {
        return Some(setting.told(
            Why::HeapNotGiven,
            &[("heap", &heap), profile],
            "Set `memory` in the profile to less, or end what else uses memory.",
        ));
    }
    if says("INVALID_DRIVER_MEMORY") || says("Too small maximum heap") {
        return Some(setting.told(
            Why::HeapTooSmall,
            &[("heap", &heap)],
            "Set `memory` in the profile to 1g or more.",
        ));
    }
    if says("java.lang.OutOfMemoryError") {
        return Some(heap_full(setting));
    }
    if says("unresolved dependency") || says("UNRESOLVED DEPENDENCIES") {
        let what = line("unresolved dependency:")
            .and_then(|line| {
                Some(
                    line.split_once("unresolved dependency:")?
                        .1
                        .trim()
                        .trim_end_matches(']'),
                )
            })
            .unwrap_or("one of them");
        return Some(match unreachable(log) {
            Some(said) => setting.told(
                Why::PackagesUnreachable,
                &[profile, ("said", &said)],
                "See whether the network is up and Maven Central can be reached from here.",
            ),
            None => Why::PackagesUnresolved.cause(&[profile, ("said", what)]),
        });
    }
    if says("UnsupportedClassVersionError") || says("Unrecognized option: --") {
        let java = setting.java.display().to_string();
        return Some(setting.told(
            Why::JavaTooOld,
            &[("java", &java), ("image", setting.image())],
            "Install Java 17 or later and name it by `java` in the profile, or run `firesteel runtime install --with-java`.",
        ));
    }
    // Later, what is refused is a statement's.
    let starts = !matches!(failed, Failed::Later(_));
    let refused = || by_cluster(log, setting).or_else(|| refused_conf(log, setting));
    if let Some(cause) = starts.then(refused).flatten() {
        return Some(cause);
    }
    let broken = [
        "ClassNotFoundException",
        "NoClassDefFoundError",
        "Could not find or load main class",
        "zip END header not found",
        "error in opening zip file",
        "java.util.zip.ZipException",
    ];
    // Later, a class that is missing is one of the user's.
    if broken.iter().any(|words| says(words)) && !says("Spark Connect server started") {
        let said = match jars::broken(setting.spark_home).first() {
            Some(jar) => format!("The jar {} of Spark is broken", jar.display()),
            None => format!(
                "A jar of Spark in {} is missing or broken",
                setting.spark_home.join("jars").display()
            ),
        };
        return Some(setting.told(
            Why::JarBroken,
            &[("said", &said), ("image", setting.image())],
            "Run `firesteel runtime install --again`.",
        ));
    }
    None
}

/// The repository that packages were looked for in and that did not answer, as Ivy says it. The one
/// that Spark adds has next to none.
fn unreachable(log: &str) -> Option<String> {
    log.lines().rev().find_map(|line| {
        let line = line.trim();
        let host = line
            .split_once(". url=")
            .filter(|(host, _)| host.starts_with("Host ") && host.ends_with(" not found"));
        let said = match host {
            Some((host, _)) => host,
            None => line.strip_prefix("Server access error at url ")?,
        };
        (!said.contains("repos.spark-packages.org")).then(|| said.to_owned())
    })
}

/// What the cluster's API said to Spark, which asks it for its own pod and for executors.
fn by_cluster(log: &str, setting: &Setting<'_>) -> Option<Cause> {
    let Home::Image(_) = setting.home else {
        return None;
    };
    if let Some(cause) = log.lines().rev().find_map(executors::refused) {
        return Some(cause);
    }
    // The client of Spark ends in this when it gets no answer.
    let client = "KubernetesClientException";
    let silent = [
        "ConnectException",
        "SocketTimeoutException",
        "UnknownHostException",
        "NoRouteToHostException",
    ];
    let why = log.lines().rev().find(|line| {
        line.starts_with("Caused by: ") && silent.iter().any(|words| line.contains(words))
    })?;
    let said = why.trim_start_matches("Caused by: ");
    log.contains(client)
        .then(|| Why::ApiUnreachable.cause(&[("said", said)]))
}

/// The setting that Spark does not take: it names it where it says why.
fn refused_conf(log: &str, setting: &Setting<'_>) -> Option<Cause> {
    let exceptions = [
        "IllegalArgumentException: ",
        "NumberFormatException: ",
        "SparkException: ",
    ];
    let starts = [
        "Exception in thread",
        "Caused by: ",
        "java.lang.",
        "org.apache.spark.",
    ];
    log.lines().rev().find_map(|line| {
        if !starts.iter().any(|start| line.starts_with(start)) && !line.contains(" ERROR ") {
            return None;
        }
        let exception = exceptions.iter().find(|words| line.contains(*words))?;
        let (_, said) = line.split_once(exception)?;
        let key = format!("`{}`", setting_in(said)?);
        // What Spark's own list of errors calls it is for its developers.
        let said = said.split(" SQLSTATE: ").next().unwrap_or(said);
        let said = match said
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        {
            Some((_, said)) => said,
            None => said,
        };
        Some(Why::ConfRefused.cause(&[
            ("profile", setting.profile),
            ("said", said.trim().trim_end_matches('.')),
            ("key", &key),
        ]))
    })
}

/// Whether a line of the log means that Spark will never take calls, though it stays: it makes no
/// session with such a setting.
pub(super) fn is_hopeless(line: &str) -> bool {
    line.contains("SparkIllegalArgumentException: [INVALID_CONF_VALUE")
}

/// The first name of a setting in a text: `spark.a.b`, not a part of a longer name.
fn setting_in(said: &str) -> Option<&str> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    let mut names = said.split(|c| !of_name(c));
    let name = names.find(|name| name.starts_with("spark.") && name.len() > "spark.".len())?;
    Some(name.trim_end_matches('.'))
}

/// What the way it ended says.
fn by_exit(failed: Failed, setting: &Setting<'_>) -> Option<Cause> {
    match failed {
        Failed::ToStartWithin(deadline) => {
            let time = format!("{} s", deadline.as_secs());
            let mut cause = setting.told(
                Why::NotReady,
                &[("time", &time)],
                "See whether the machine is busy or out of memory, or set `startDeadline` in \
                 the profile to more.",
            );
            if setting.packages {
                "Fetching packages may take longer: set `startDeadline` in the profile to more."
                    .clone_into(&mut cause.remedy);
            }
            Some(cause)
        }
        Failed::ToStart(Exit::Code(NOT_RUN)) => {
            let java = setting.java.display().to_string();
            Some(setting.told(
                Why::JavaNotRun,
                &[("java", &java), ("image", setting.image())],
                "Run `firesteel doctor`.",
            ))
        }
        Failed::Later(Exit::Code(TOO_MANY_LOST)) => Some(Why::TooManyLost.cause(&[])),
        Failed::ToStart(Exit::Signal(KILL)) | Failed::Later(Exit::Signal(KILL))
            if setting.out_of_memory =>
        {
            Some(out_of_memory(setting))
        }
        Failed::ToStart(Exit::Code(HEAP_FULL)) | Failed::Later(Exit::Code(HEAP_FULL)) => {
            Some(heap_full(setting))
        }
        Failed::ToStart(Exit::Signal(KILL)) | Failed::Later(Exit::Signal(KILL)) => {
            Some(match setting.home {
                Home::Machine => Cause::new(
                    Kind::Killed,
                    "The Spark driver was killed (signal 9), as the system does when memory runs out",
                    format!(
                        "Set `memory` in the profile to less than {}, give the machine more, or see \
                         who killed it; the next cell starts a new driver.",
                        setting.heap
                    ),
                ),
                Home::Image(_) => Why::DriverKilled.cause(&[]),
            })
        }
        Failed::ToStart(Exit::Signal(signal)) | Failed::Later(Exit::Signal(signal)) => {
            Some(Why::DriverSignalled.cause(&[("signal", &signal.to_string())]))
        }
        Failed::ToStart(Exit::Code(_)) | Failed::Later(Exit::Code(_)) => None,
    }
}

fn heap_full(setting: &Setting<'_>) -> Cause {
    setting.told(
        Why::DriverHeapFull,
        &[("heap", &setting.heap.to_string()), ("profile", setting.profile)],
        format!(
            "Set `memory` in profile `{}` to more, or fetch less; the next cell starts a new driver.",
            setting.profile
        ),
    )
}

fn out_of_memory(setting: &Setting<'_>) -> Cause {
    let Setting { heap, profile, .. } = setting;
    match setting.home {
        Home::Machine => Cause::new(
            Kind::Memory,
            "The Spark driver was killed because memory ran out here",
            format!(
                "Set `memory` in profile `{profile}` to less than {heap}, or end what else uses \
                 memory; the next cell starts a new driver."
            ),
        ),
        Home::Image(_) => {
            let limit = setting.limit.map(|limit| limit.to_string());
            Why::DriverOutOfMemory.cause(&[
                ("heap", &heap.to_string()),
                ("limit", limit.as_deref().unwrap_or("memory")),
                ("profile", profile),
            ])
        }
    }
}

fn unknown(failed: Failed, log: &str) -> Cause {
    let (when, code) = match failed {
        Failed::ToStart(Exit::Code(code)) => ("while it started", code),
        Failed::Later(Exit::Code(code)) => ("unexpectedly", code),
        // Every other way has an explanation of its own.
        Failed::ToStart(Exit::Signal(_))
        | Failed::Later(Exit::Signal(_))
        | Failed::ToStartWithin(_) => ("unexpectedly", -1),
    };
    let says = log.lines().rev().find(|line| {
        line.starts_with("Exception in thread")
            || line.contains(" ERROR ")
            || line.starts_with("Error: ")
    });
    Why::DriverExited.cause(&[
        ("when", when),
        ("code", &code.to_string()),
        ("said", says.unwrap_or_default().trim()),
    ])
}

impl Setting<'_> {
    /// A cause with the remedy for where the driver is: that of the table is for a pod.
    fn told(&self, why: Why, fields: &Fields<'_>, here: impl Into<String>) -> Cause {
        let mut cause = why.cause(fields);
        if *self.home == Home::Machine {
            cause.remedy = here.into();
        }
        cause
    }

    fn image(&self) -> &str {
        match self.home {
            Home::Machine => "",
            Home::Image(image) => image,
        }
    }
}

/// The last lines, without those of a Java stack, which hide what they belong to.
fn tail(log: &str) -> String {
    let telling: Vec<&str> = log
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("at "))
        .collect();
    let skip = telling.len().saturating_sub(TAIL);
    telling
        .into_iter()
        .skip(skip)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
pub(crate) use tests::examples;

#[cfg(test)]
mod tests;
