//! Why a driver did not start, or ended: one sentence and what to do, from its exit and its log.

use std::path::Path;
use std::time::Duration;

use super::jars;
use super::process::Exit;
use crate::cause::{Cause, Kind};
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
    let known = by_log(log, setting).or_else(|| by_exit(failed, setting));
    let cause = known.unwrap_or_else(|| unknown(failed, log, setting));
    cause.with_tail(tail(log))
}

/// What the log says plainly, the most telling first.
fn by_log(log: &str, setting: &Setting<'_>) -> Option<Cause> {
    let says = |words: &str| log.contains(words);
    let line = |words: &str| log.lines().rev().find(|line| line.contains(words));
    let Setting { heap, profile, .. } = setting;

    if says("No space left on device") || says("Disk quota exceeded") {
        return Some(Cause::new(
            Kind::Disk,
            format!(
                "The Spark driver ran out of disk space; it spills to {}",
                setting.scratch.display()
            ),
            match setting.home {
                Home::Machine => {
                    "Make room there, or set TMPDIR to a folder on a larger disk, and run the cell again."
                }
                Home::Image(_) => {
                    "Give the driver's pod more local disk in the profile, and run the cell again."
                }
            },
        ));
    }
    if says("BindException") || says("Address already in use") {
        return Some(Cause::new(
            Kind::Port,
            "The ports chosen for the Spark driver were taken by other programs",
            "Run the cell again; other ports are tried.",
        ));
    }
    if says("Could not reserve enough space")
        || says("Cannot allocate memory")
        || says("Invalid maximum heap size")
    {
        return Some(Cause::new(
            Kind::Memory,
            format!(
                "Java cannot get the {heap} of heap that profile `{profile}` gives the Spark driver"
            ),
            match setting.home {
                Home::Machine => {
                    "Set `memory` in the profile to less, or end what else uses memory."
                }
                Home::Image(_) => {
                    "Set the driver's memory in the profile to less, or its overhead to more."
                }
            },
        ));
    }
    if says("INVALID_DRIVER_MEMORY") || says("Too small maximum heap") {
        return Some(Cause::new(
            Kind::Memory,
            format!("{heap} of heap is too little for Spark"),
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
        return Some(Cause::new(
            Kind::Packages,
            format!("The packages of profile `{profile}` cannot be fetched: {what}"),
            "Correct `packages` in the profile, or see to it that Maven Central can be reached.",
        ));
    }
    if says("UnsupportedClassVersionError") || says("Unrecognized option: --") {
        return Some(Cause::new(
            Kind::Runtime,
            format!("{} is too old for Spark", setting.java.display()),
            match setting.home {
                Home::Machine => "Install Java 17 or later and name it by `java` in the profile, or run `firesteel runtime install --with-java`.".to_owned(),
                Home::Image(image) => format!("Add Java 17 or later to image `{image}`, and set JAVA_HOME in it."),
            },
        ));
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
        let sentence = match jars::broken(setting.spark_home).first() {
            Some(jar) => format!("The jar {} of Spark is broken", jar.display()),
            None => format!(
                "A jar of Spark in {} is missing or broken",
                setting.spark_home.join("jars").display()
            ),
        };
        return Some(Cause::new(
            Kind::Jars,
            sentence,
            match setting.home {
                Home::Machine => "Run `firesteel runtime install --again`.".to_owned(),
                Home::Image(image) => format!("Make image `{image}` again."),
            },
        ));
    }
    None
}

/// What the way it ended says.
fn by_exit(failed: Failed, setting: &Setting<'_>) -> Option<Cause> {
    match failed {
        Failed::ToStartWithin(deadline) => Some(Cause::new(
            Kind::Deadline,
            format!(
                "The Spark driver was not ready after {} s and was ended",
                deadline.as_secs()
            ),
            match setting.home {
                _ if setting.packages => {
                    "Fetching packages may take longer: set `startDeadline` in the profile to more."
                }
                Home::Machine => {
                    "See whether the machine is busy or out of memory, or set `startDeadline` in \
                     the profile to more."
                }
                Home::Image(_) => {
                    "Give the driver more cores in the profile, or set `startDeadline` to more."
                }
            },
        )),
        Failed::ToStart(Exit::Code(NOT_RUN)) => Some(Cause::new(
            Kind::Runtime,
            format!("{} cannot be run", setting.java.display()),
            match setting.home {
                Home::Machine => "Run `firesteel doctor`.".to_owned(),
                Home::Image(image) => format!("See whether image `{image}` is for this processor."),
            },
        )),
        Failed::Later(Exit::Code(TOO_MANY_LOST)) => Some(Cause::new(
            Kind::Exited,
            "The Spark driver lost too many executors in a short time and gave up",
            "See by `%logs` why they failed; the next cell starts a new driver.",
        )),
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
                Home::Image(_) => Cause::new(
                    Kind::Killed,
                    "The Spark driver was killed in its pod (signal 9), and not for want of memory",
                    "See who or what killed it; the next cell starts a new driver.",
                ),
            })
        }
        Failed::ToStart(Exit::Signal(signal)) | Failed::Later(Exit::Signal(signal)) => {
            Some(Cause::new(
                Kind::Killed,
                format!("The Spark driver was killed by signal {signal}"),
                "The next cell starts a new driver.",
            ))
        }
        Failed::ToStart(Exit::Code(_)) | Failed::Later(Exit::Code(_)) => None,
    }
}

fn heap_full(setting: &Setting<'_>) -> Cause {
    Cause::new(
        Kind::Memory,
        format!("The Spark driver's heap of {} was full", setting.heap),
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
        Home::Image(_) => Cause::new(
            Kind::Memory,
            format!(
                "The Spark driver was killed because its pod ran out of memory (OOM): its heap \
                 of {heap} and what it needs beside were more than the pod may have"
            ),
            format!(
                "Give the driver of profile `{profile}` more memory outside the heap (overhead); \
                 the next cell starts a new driver."
            ),
        ),
    }
}

fn unknown(failed: Failed, log: &str, _setting: &Setting<'_>) -> Cause {
    let (when, code) = match failed {
        Failed::ToStart(Exit::Code(code)) => ("while it started", code),
        Failed::Later(Exit::Code(code)) => ("unexpectedly", code),
        // Every other way has an explanation of its own.
        Failed::ToStart(Exit::Signal(_))
        | Failed::Later(Exit::Signal(_))
        | Failed::ToStartWithin(_) => ("unexpectedly", -1),
    };
    let says = log
        .lines()
        .rev()
        .find(|line| {
            line.starts_with("Exception in thread")
                || line.contains(" ERROR ")
                || line.starts_with("Error: ")
        })
        .map_or_else(String::new, |line| format!(": {}", line.trim()));
    Cause::new(
        Kind::Exited,
        format!("The Spark driver exited {when} with code {code}{says}"),
        "The end of its log tells more; `%logs` shows it. The next cell starts a new driver.",
    )
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
mod tests {
    use super::*;

    fn setting() -> Setting<'static> {
        Setting {
            home: &Home::Machine,
            out_of_memory: false,
            heap: Memory::mebibytes(2048),
            java: Path::new("/jdk/bin/java"),
            spark_home: Path::new("/spark"),
            scratch: Path::new("/scratch/d"),
            packages: false,
            profile: "local",
        }
    }

    /// Lines as Spark 4.3 and Java 17 print them.
    #[test]
    fn each_way_to_fail_has_its_sentence() {
        let start = |code| Failed::ToStart(Exit::Code(code));
        let cases: [(Failed, &str, Kind, &str); 18] = [
            (
                start(255),
                "ERROR SparkConnectServer: Error starting Spark Connect server\njava.net.BindException: Failed to bind to address /127.0.0.1:15999: Service 'org.apache.spark.sql.connect.service.SparkConnectService' failed after 0 retries (starting from 15999)!",
                Kind::Port,
                "ports",
            ),
            (
                start(1),
                "Error occurred during initialization of VM\nCould not reserve enough space for 104857600000KB object heap",
                Kind::Memory,
                "2g of heap",
            ),
            (
                start(1),
                "org.apache.spark.SparkIllegalArgumentException: [INVALID_DRIVER_MEMORY.SYSTEM_MEMORY] Insufficient driver memory: System memory 304087040 must be at least 471859200.",
                Kind::Memory,
                "too little",
            ),
            (
                start(1),
                "Exception in thread \"main\" java.lang.NoClassDefFoundError: org/apache/spark/scheduler/SparkListenerInterface\n\tat java.base/java.lang.Class.forName0(Native Method)",
                Kind::Jars,
                "/spark/jars",
            ),
            (
                start(1),
                "Error: Could not find or load main class org.apache.spark.sql.connect.service.SparkConnectServer\nCaused by: java.lang.ClassNotFoundException: org.apache.spark.sql.connect.service.SparkConnectServer",
                Kind::Jars,
                "missing or broken",
            ),
            (
                start(1),
                "Exception in thread \"main\" java.lang.RuntimeException: [unresolved dependency: org.nowhere#nothing;9.9: not found]",
                Kind::Packages,
                "org.nowhere#nothing;9.9: not found",
            ),
            (
                start(1),
                "java.io.IOException: No space left on device",
                Kind::Disk,
                "/scratch/d",
            ),
            (
                start(1),
                "Error: LinkageError occurred while loading main class\n\tjava.lang.UnsupportedClassVersionError: has been compiled by a more recent version",
                Kind::Runtime,
                "/jdk/bin/java",
            ),
            (
                start(127),
                "/jdk/bin/java cannot be run: No such file",
                Kind::Runtime,
                "cannot be run",
            ),
            (
                start(3),
                "Terminating due to java.lang.OutOfMemoryError: Java heap space",
                Kind::Memory,
                "full",
            ),
            (start(3), "", Kind::Memory, "full"),
            (Failed::Later(Exit::Code(3)), "", Kind::Memory, "full"),
            (
                Failed::ToStart(Exit::Signal(9)),
                "",
                Kind::Killed,
                "signal 9",
            ),
            (
                Failed::Later(Exit::Signal(9)),
                "INFO x",
                Kind::Killed,
                "signal 9",
            ),
            (
                Failed::Later(Exit::Signal(11)),
                "",
                Kind::Killed,
                "signal 11",
            ),
            (
                Failed::ToStartWithin(Duration::from_secs(180)),
                "",
                Kind::Deadline,
                "180 s",
            ),
            (
                start(1),
                "INFO a\nException in thread \"main\" java.lang.IllegalStateException: boo\n\tat x.y",
                Kind::Exited,
                "code 1: Exception in thread \"main\" java.lang.IllegalStateException: boo",
            ),
            (
                Failed::Later(Exit::Code(1)),
                "INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:1\nERROR of mine: java.lang.ClassNotFoundException: com.me.Mine",
                Kind::Exited,
                "exited unexpectedly with code 1",
            ),
        ];
        for (failed, log, kind, words) in cases {
            let cause = explain(failed, log, &setting());
            assert_eq!(cause.kind, kind, "{failed:?} {log}: {cause}");
            assert!(cause.sentence.contains(words), "{cause}");
            assert!(!cause.sentence.ends_with('.'), "{cause}");
            assert!(cause.remedy.ends_with('.'), "{cause}");
            assert_eq!(cause.tail.is_none(), log.is_empty());
        }
    }

    #[test]
    fn in_a_pod_it_is_the_image_or_the_profile_that_is_put_right() {
        let home = Home::Image("registry/img:1".to_owned());
        let pod = Setting {
            home: &home,
            ..setting()
        };
        let start = |code| Failed::ToStart(Exit::Code(code));
        let cases = [
            (start(127), "", Kind::Runtime, "`registry/img:1`"),
            (
                start(1),
                "Error: Could not find or load main class x",
                Kind::Jars,
                "`registry/img:1`",
            ),
            (
                start(1),
                "java.lang.UnsupportedClassVersionError: x",
                Kind::Runtime,
                "`registry/img:1`",
            ),
            (
                start(1),
                "java.io.IOException: No space left on device",
                Kind::Disk,
                "pod more local disk",
            ),
            (
                Failed::ToStartWithin(Duration::from_secs(9)),
                "",
                Kind::Deadline,
                "more cores",
            ),
            (
                Failed::Later(Exit::Code(11)),
                "INFO x",
                Kind::Exited,
                "why they failed",
            ),
        ];
        for (failed, log, kind, remedy) in cases {
            let cause = explain(failed, log, &pod);
            assert_eq!(cause.kind, kind, "{failed:?} {log}: {cause}");
            assert!(cause.remedy.contains(remedy), "{cause}");
            assert!(!cause.to_string().contains("firesteel runtime"), "{cause}");
        }
    }

    #[test]
    fn a_kill_is_for_memory_only_where_memory_ran_out() {
        let home = Home::Image("registry/img:1".to_owned());
        for failed in [
            Failed::ToStart(Exit::Signal(9)),
            Failed::Later(Exit::Signal(9)),
        ] {
            for (out_of_memory, kind, words) in [
                (true, Kind::Memory, "ran out of memory (OOM)"),
                (false, Kind::Killed, "signal 9"),
            ] {
                let pod = Setting {
                    home: &home,
                    out_of_memory,
                    ..setting()
                };
                let cause = explain(failed, "", &pod);
                assert_eq!(cause.kind, kind);
                assert!(cause.sentence.contains(words), "{cause}");
            }
        }
        // Another signal is another story.
        let pod = Setting {
            out_of_memory: true,
            ..setting()
        };
        let cause = explain(Failed::Later(Exit::Signal(11)), "", &pod);
        assert!(cause.sentence.contains("signal 11"), "{cause}");
    }

    #[test]
    fn the_tail_is_what_was_said_and_not_where() {
        let log = format!(
            "first\n{}last\n\tat a.b\n\n",
            "\tat x.y(Z.scala:1)\n".repeat(100)
        );
        let cause = explain(Failed::ToStart(Exit::Code(1)), &log, &setting());
        assert_eq!(cause.tail.as_deref(), Some("first\nlast"));
    }
}
