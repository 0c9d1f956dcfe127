//! A driver on this machine that is thought through and not started.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::PathBuf;

use super::{Finding, Made, Rehearsal, without_secrets};
use crate::cause::Cause;
use crate::claim::Claim;
use crate::driver::{Order, Parts, Plan};
use crate::paths::Paths;
use crate::place::Place;
use crate::profile::{Local, Memory, Profile, Runs};

/// The setting that is known at the start alone, and what is said in its place.
const AT_THE_START: (&str, &str) = ("spark.connect.grpc.binding.port", "(a free port)");

/// What this machine has for a driver, or why it has it not.
pub(crate) struct Machine {
    pub(crate) paths: Paths,
    /// Spark, Java and Python.
    pub(crate) parts: Result<Parts, Cause>,
    /// How much memory may be used.
    pub(crate) limit: Option<Memory>,
    /// The driver's heap.
    pub(crate) heap: Result<Memory, Cause>,
    /// How many processors may be used.
    pub(crate) cores: NonZeroU16,
    /// The program that keeps drivers.
    pub(crate) program: Result<PathBuf, Cause>,
    /// Where the driver would have its things.
    pub(crate) place: Result<Place, Cause>,
}

/// What would be started for `claim`, by what the machine has. `local` is what `profile` runs.
pub(crate) fn local(
    claim: &Claim,
    profile: &Profile,
    local: &Local,
    machine: Machine,
) -> Rehearsal {
    let cores = local.cores.unwrap_or(machine.cores);
    let mut findings = of_parts(&machine.parts);
    findings.extend([
        told("memory", &machine.heap, |heap| match machine.limit {
            Some(limit) => format!("A heap of {heap} fits into the {limit} that may be used"),
            None => format!("A heap of {heap}; how much memory there is cannot be told"),
        }),
        told("keeper", &machine.program, |program| {
            format!("The program that keeps drivers is {}", program.display())
        }),
        told("folders", &machine.place, |place| {
            format!("The driver's files go into {}", place.scratch.display())
        }),
        processors(cores, machine.cores),
    ]);
    if !local.packages.is_empty() {
        findings.push(Finding::untried(
            "packages",
            "Whether the profile's packages can be fetched is not tried; they are at the first start",
        ));
    }
    let mut rehearsal = Rehearsal::new(profile, &claim.user, "on this machine");
    let shown = without_secrets(profile);
    if let (
        Machine {
            paths,
            parts: Ok(parts),
            heap: Ok(heap),
            place: Ok(place),
            ..
        },
        Runs::Local(local),
    ) = (machine, &shown.runs)
    {
        let order = Order {
            paths,
            claim: claim.clone(),
            profile: shown.clone(),
            parts,
            heap,
            cores,
            environment: BTreeMap::new(),
        };
        let plan = Plan::local(&order, local, &place);
        rehearsal.made = vec![Made {
            title: "The driver's command".to_owned(),
            text: plan.command(),
        }];
        rehearsal.conf = plan.conf;
        let (name, words) = AT_THE_START;
        rehearsal.conf.insert(name.to_owned(), words.to_owned());
    }
    rehearsal.found(findings)
}

/// What a driver is made of, each part on a line of its own.
fn of_parts(parts: &Result<Parts, Cause>) -> Vec<Finding> {
    match parts {
        Err(cause) => vec![Finding::bad(
            "runtime",
            cause.sentence.clone(),
            cause.remedy.clone(),
        )],
        Ok(parts) => {
            let java = format!("{} in {}", parts.java_major, parts.java.display());
            vec![
                Finding::good("Spark", parts.spark_home.display().to_string()),
                Finding::good("Java", java),
                Finding::good("Python", parts.python.display().to_string()),
            ]
        }
    }
}

fn told<T>(
    name: &'static str,
    had: &Result<T, Cause>,
    words: impl FnOnce(&T) -> String,
) -> Finding {
    match had {
        Ok(had) => Finding::good(name, words(had)),
        Err(cause) => Finding::bad(name, cause.sentence.clone(), cause.remedy.clone()),
    }
}

fn processors(wanted: NonZeroU16, there: NonZeroU16) -> Finding {
    let name = "processors";
    if wanted > there {
        return Finding::poor(
            name,
            format!("{wanted} tasks run at a time, and {there} processors may be used"),
            "Set `cores` in the profile to what there is, or leave it out.",
        );
    }
    Finding::good(
        name,
        format!("{wanted} tasks run at a time, of {there} processors"),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cause::Kind;
    use crate::rehearsal::Verdict;

    fn machine() -> Machine {
        let paths = Paths::from_env(|_| None);
        let folder = |name: &str| Path::new("/x").join(name);
        let claim = claim();
        Machine {
            paths,
            parts: Ok(Parts {
                spark_home: folder("spark"),
                java: folder("java"),
                java_major: 17,
                python: folder("python"),
            }),
            limit: Some(Memory::mebibytes(8192)),
            heap: Ok(Memory::mebibytes(2048)),
            cores: NonZeroU16::new(4).unwrap(),
            program: Ok(folder("firesteel-launcher")),
            place: Ok(Place {
                id: claim.id(),
                folder: folder("run"),
                scratch: folder("scratch"),
                log: folder("log"),
                keeper_log: folder("keeper.log"),
            }),
        }
    }

    fn claim() -> Claim {
        Claim {
            user: "ada".to_owned(),
            profile: "local".to_owned(),
            kernel: None,
        }
    }

    fn rehearsed(profile: &Profile, machine: Machine) -> Rehearsal {
        match &profile.runs {
            Runs::Local(runs) => local(&claim(), profile, runs, machine),
            Runs::Remote(_) | Runs::Kubernetes(_) => panic!("not on this machine"),
        }
    }

    #[test]
    fn a_driver_that_would_start_is_shown_with_its_command_and_settings() {
        let mut profile = Profile::built_in("local");
        if let Runs::Local(local) = &mut profile.runs {
            let secret = "spark.hadoop.fs.s3a.secret.key".to_owned();
            local.conf.insert(secret, "hunter2".to_owned());
        }
        let rehearsal = rehearsed(&profile, machine());
        assert_eq!(rehearsal.count(Verdict::Good), 7, "{rehearsal:?}");
        let all = serde_json::to_string(&rehearsal).unwrap();
        assert!(!all.contains("hunter2"), "{all}");
        let text = &rehearsal.made[0].text;
        assert!(text.starts_with("/x/java\n"), "{text}");
        assert!(
            text.contains("\"-Xmx2g\"") && text.contains("/x/spark/jars/*"),
            "{text}"
        );
        assert!(!text.contains("-Dspark."), "{text}");
        assert_eq!(rehearsal.conf["spark.master"], "local[4]");
        assert_eq!(
            rehearsal.conf["spark.connect.grpc.binding.port"],
            "(a free port)"
        );
    }

    #[test]
    fn what_the_machine_lacks_is_told_and_nothing_is_made_up() {
        let no = || Cause::new(Kind::Runtime, "No Java was found", "Get one.");
        type Change = fn(&mut Machine, Cause);
        let cases: [(Change, &str, bool); 4] = [
            (|machine, no| machine.parts = Err(no), "runtime", false),
            (|machine, no| machine.heap = Err(no), "memory", false),
            (|machine, no| machine.place = Err(no), "folders", false),
            (|machine, no| machine.program = Err(no), "keeper", true),
        ];
        for (change, name, made) in cases {
            let mut machine = machine();
            change(&mut machine, no());
            let rehearsal = rehearsed(&Profile::built_in("local"), machine);
            let first = &rehearsal.findings[0];
            assert_eq!((first.name, first.verdict), (name, Verdict::Bad));
            assert_eq!(first.remedy.as_deref(), Some("Get one."));
            assert_eq!(!rehearsal.made.is_empty(), made, "{name}");
            assert_eq!(!rehearsal.conf.is_empty(), made, "{name}");
        }
    }

    #[test]
    fn more_tasks_than_processors_are_told() {
        let mut profile = Profile::built_in("local");
        if let Runs::Local(local) = &mut profile.runs {
            local.cores = NonZeroU16::new(64);
        }
        let rehearsal = rehearsed(&profile, machine());
        assert_eq!(rehearsal.findings[0].name, "processors");
        assert_eq!(rehearsal.findings[0].verdict, Verdict::Poor);
    }
}
