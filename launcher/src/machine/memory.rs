//! How much memory a driver may have: the cgroup's limit, not the host's.

use crate::cause::{Cause, Kind};
use crate::profile::Memory;

const LEAST: Memory = Memory::LEAST_DRIVER;

/// What a JVM needs beside its heap at least, as Spark's own `memoryOverhead` has it.
const LEAST_BESIDE: u64 = 384;

/// The least and the most heap that is chosen where the profile chooses none.
const USUAL: (u64, u64) = (1024, 4096);

/// The memory we may use: the smallest limit of our cgroup and its ancestors (v1 or v2), else what
/// the machine has. `read` gives the text of a file of `/proc` or `/sys`.
pub fn limit(read: impl Fn(&str) -> Option<String>) -> Option<Memory> {
    let total = read("/proc/meminfo").and_then(|text| total(&text));
    let limits = files(&read, Version::limit)
        .into_iter()
        .flatten()
        .filter_map(|file| read(&file)?.trim().parse::<u64>().ok());
    // Without a limit v1 says a number larger than any machine, v2 says `max`.
    limits.chain(total).min().map(Memory::of_bytes)
}

/// How many processes of our own cgroup were killed so far because it ran out of memory. `None`
/// where the system does not say. `read` gives the text of a file of `/proc` or `/sys`.
pub fn kills(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let own = files(&read, Version::events).into_iter();
    own.filter_map(|files| files.into_iter().next())
        .find_map(|file| {
            let text = read(&file)?;
            let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
            line?.trim().parse().ok()
        })
}

/// For each hierarchy that can limit our memory, a file of our group and of all its ancestors.
fn files(
    read: impl Fn(&str) -> Option<String>,
    name: fn(Version) -> &'static str,
) -> Vec<Vec<String>> {
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let mounts = read("/proc/self/mountinfo").unwrap_or_default();
    groups
        .lines()
        .filter_map(Group::parse)
        .filter_map(|group| {
            let (root, point) = mounts.lines().find_map(|line| group.mount(line))?;
            Some(group.files(name(group.version), root, point))
        })
        .collect()
}

/// Our place in one hierarchy that can limit memory.
struct Group<'a> {
    version: Version,
    path: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// The file with a group's limit.
    fn limit(self) -> &'static str {
        match self {
            Self::One => "memory.limit_in_bytes",
            Self::Two => "memory.max",
        }
    }

    /// The file that counts what happened to a group.
    fn events(self) -> &'static str {
        match self {
            Self::One => "memory.oom_control",
            Self::Two => "memory.events",
        }
    }
}

impl<'a> Group<'a> {
    /// Reads a line of `/proc/self/cgroup`: `id:controllers:path`.
    fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let version = if controllers.is_empty() {
            Version::Two
        } else if controllers.split(',').any(|name| name == "memory") {
            Version::One
        } else {
            return None;
        };
        Some(Self { version, path })
    }

    /// Reads a line of `/proc/self/mountinfo`: which group is seen where, if it is our hierarchy.
    fn mount<'m>(&self, line: &'m str) -> Option<(&'m str, &'m str)> {
        let (mount, system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let mut system = system.split(' ');
        let ours = match (system.next()?, self.version) {
            ("cgroup2", Version::Two) => true,
            ("cgroup", Version::One) => system.nth(1)?.split(',').any(|option| option == "memory"),
            _ => false,
        };
        ours.then_some((root, point))
    }

    /// The files of that name of our group and all its ancestors that can be seen.
    fn files(&self, file: &str, root: &str, point: &str) -> Vec<String> {
        // In a container the mount may show our group as its top.
        let below = match root {
            "/" => self.path,
            _ => self.path.strip_prefix(root).unwrap_or_default(),
        };
        let mut below = below.trim_matches('/');
        let mut files = Vec::new();
        while !below.is_empty() {
            files.push(format!("{point}/{below}/{file}"));
            below = below.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        files.push(format!("{point}/{file}"));
        files
    }
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The heap of a driver: what the profile asks for, else a quarter of the limit between 1 and 4 GiB,
/// or as much less as fits.
///
/// # Errors
/// When what is asked for, or the least a driver can do with, does not fit.
pub fn heap(asked: Option<Memory>, limit: Option<Memory>) -> Result<Memory, Cause> {
    match (asked, limit) {
        (Some(asked), _) if asked < LEAST => Err(Cause::new(
            Kind::Memory,
            format!(
                "The profile gives the Spark driver {asked} of memory, and Spark needs {LEAST}"
            ),
            format!("Set `memory` in the profile to {LEAST} or more."),
        )),
        (Some(asked), Some(limit)) if with_beside(asked) > limit.in_mebibytes() => Err(Cause::new(
            Kind::Memory,
            format!(
                "The profile gives the Spark driver {asked} of memory, which takes {}m with what \
                 Java needs beside it, and there are {limit} here",
                with_beside(asked)
            ),
            match fits(limit) {
                Some(most) => format!("Set `memory` in the profile to {most} or less."),
                None => nowhere(),
            },
        )),
        (Some(asked), _) => Ok(asked),
        (None, None) => Ok(Memory::mebibytes(USUAL.0)),
        (None, Some(limit)) => {
            let usual = (limit.in_mebibytes() / 4).clamp(USUAL.0, USUAL.1);
            let most = fits(limit).ok_or_else(|| {
                Cause::new(
                    Kind::Memory,
                    format!(
                        "There are {limit} of memory here, and a Spark driver needs {}m",
                        with_beside(LEAST)
                    ),
                    nowhere(),
                )
            })?;
            Ok(Memory::mebibytes(usual).min(most))
        }
    }
}

fn nowhere() -> String {
    "Give the container or the machine more memory, or use a remote Spark by `connect`.".to_owned()
}

/// Heap and what a JVM needs beside it, in MiB.
fn with_beside(heap: Memory) -> u64 {
    let heap = heap.in_mebibytes();
    heap + (heap / 10).max(LEAST_BESIDE)
}

/// The largest heap that fits, if one does.
fn fits(limit: Memory) -> Option<Memory> {
    let limit = limit.in_mebibytes();
    let most = (limit * 10 / 11).min(limit.saturating_sub(LEAST_BESIDE));
    let most = Memory::mebibytes(most);
    (most >= LEAST).then_some(most)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn limit_of(files: &[(&str, &str)]) -> Option<u64> {
        let files: HashMap<&str, &str> = files.iter().copied().collect();
        limit(|path| files.get(path).map(|&text| text.to_owned())).map(Memory::in_mebibytes)
    }

    const HOST: (&str, &str) = (
        "/proc/meminfo",
        "MemFree: 1 kB\nMemTotal:       8388608 kB\n",
    );
    const V2: (&str, &str) = (
        "/proc/self/mountinfo",
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
    );
    const V1: (&str, &str) = (
        "/proc/self/mountinfo",
        "31 24 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
         32 24 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
    );

    #[test]
    fn the_machine_counts_where_nothing_limits() {
        assert_eq!(limit_of(&[HOST]), Some(8192));
        assert_eq!(limit_of(&[]), None);
        let unlimited = (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        let group = ("/proc/self/cgroup", "4:memory:/a\n");
        assert_eq!(limit_of(&[HOST, V1, group, unlimited]), Some(8192));
        let max = ("/sys/fs/cgroup/a/memory.max", "max\n");
        assert_eq!(
            limit_of(&[HOST, V2, ("/proc/self/cgroup", "0::/a\n"), max]),
            Some(8192)
        );
    }

    #[test]
    fn the_smallest_limit_of_all_ancestors_counts() {
        let group = ("/proc/self/cgroup", "4:memory:/user/ada\n2:cpu:/\n0::/\n");
        let own = (
            "/sys/fs/cgroup/memory/user/ada/memory.limit_in_bytes",
            "4294967296\n",
        );
        let parent = (
            "/sys/fs/cgroup/memory/user/memory.limit_in_bytes",
            "2147483648\n",
        );
        assert_eq!(limit_of(&[HOST, V1, group, own]), Some(4096));
        assert_eq!(limit_of(&[HOST, V1, group, own, parent]), Some(2048));

        let group = ("/proc/self/cgroup", "0::/user.slice/a.scope\n");
        let parent = ("/sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
        let own = ("/sys/fs/cgroup/user.slice/a.scope/memory.max", "max\n");
        assert_eq!(limit_of(&[HOST, V2, group, own, parent]), Some(1024));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_top() {
        let mount = (
            "/proc/self/mountinfo",
            "9 8 0:2 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
        );
        let group = ("/proc/self/cgroup", "3:memory:/docker/abc\n");
        let own = (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "1073741824\n",
        );
        assert_eq!(limit_of(&[HOST, mount, group, own]), Some(1024));
    }

    #[test]
    fn kills_are_counted_in_our_own_group_alone() {
        let kills_of = |files: &[(&str, &str)]| {
            let files: HashMap<&str, &str> = files.iter().copied().collect();
            kills(|path| files.get(path).map(|&text| text.to_owned()))
        };
        let one = ("/proc/self/cgroup", "4:memory:/a/b\n0::/\n");
        let events = (
            "/sys/fs/cgroup/memory/a/b/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        );
        let parents = (
            "/sys/fs/cgroup/memory/a/memory.oom_control",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
        );
        assert_eq!(kills_of(&[V1, one, events, parents]), Some(2));

        let two = ("/proc/self/cgroup", "0::/a\n");
        let events = (
            "/sys/fs/cgroup/a/memory.events",
            "low 0\nhigh 0\nmax 12\noom 3\noom_kill 1\noom_group_kill 0\n",
        );
        assert_eq!(kills_of(&[V2, two, events]), Some(1));
        assert_eq!(kills_of(&[V2, two]), None);
        assert_eq!(kills_of(&[]), None);
    }

    #[test]
    fn the_heap_follows_the_limit() {
        for (asked, limit, heap_is) in [
            (None, Some(32_768), Some(4096)),
            (None, Some(8192), Some(2048)),
            (None, Some(2048), Some(1024)),
            (None, Some(1024), Some(640)),
            (None, Some(895), None),
            (None, None, Some(1024)),
            (Some(2048), Some(4096), Some(2048)),
            (Some(4096), Some(4096), None),
            (Some(3712), Some(4096), Some(3712)),
            (Some(256), Some(4096), None),
            (Some(4096), None, Some(4096)),
        ] {
            let result = heap(asked.map(Memory::mebibytes), limit.map(Memory::mebibytes));
            let got = result.as_ref().ok().map(|memory| memory.in_mebibytes());
            assert_eq!(got, heap_is, "{asked:?} of {limit:?}: {result:?}");
            if let Err(cause) = result {
                assert_eq!(cause.kind, Kind::Memory);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_advised_fits(limit in 896_u64..100_000) {
            let limit = Memory::mebibytes(limit);
            let most = fits(limit).unwrap();
            prop_assert_eq!(heap(Some(most), Some(limit)), Ok(most));
        }

        #[test]
        fn what_is_chosen_is_allowed(limit in 0_u64..100_000) {
            let limit = Some(Memory::mebibytes(limit));
            if let Ok(chosen) = heap(None, limit) {
                prop_assert_eq!(heap(Some(chosen), limit), Ok(chosen));
            }
        }
    }
}
