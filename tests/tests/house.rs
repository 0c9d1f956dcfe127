//! The rules of the house, held by reading it.

#![allow(clippy::unwrap_used, reason = "a test fails loudly, where it is")]

use std::collections::BTreeMap;
use std::fs;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use firesteel_tests::house::{Source, sources, top};

/// Which of our crates each of our crates may use.
const MAY_USE: [(&str, &[&str]); 4] = [
    ("firesteel-session", &[]),
    ("firesteel-launcher", &["firesteel-session"]),
    (
        "firesteel-kernel",
        &["firesteel-launcher", "firesteel-session"],
    ),
    (
        "firesteel-tests",
        &[
            "firesteel-kernel",
            "firesteel-launcher",
            "firesteel-session",
        ],
    ),
];

/// Crates that have a room of their own: where else they are named, the house is mixed up.
const ROOMS: [(&str, &[&str]); 5] = [
    ("polars::", &["kernel/src/frame", "tests"]),
    ("polars_", &["kernel/src/frame", "tests"]),
    ("zeromq::", &["kernel/src/wire", "tests"]),
    ("firesteel_session::proto", &["launcher/src", "tests"]),
    ("jupyter_zmq_client", &["tests"]),
];

fn ours() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(top().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    metadata.packages
}

#[test]
fn each_crate_uses_only_what_it_may() {
    let may: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for package in ours() {
        let allowed = may
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} is not in the table of who may use whom", package.name));
        for dependency in &package.dependencies {
            if dependency.name.starts_with("firesteel-") {
                assert!(
                    allowed.contains(&dependency.name.as_str()),
                    "{} must not use {}",
                    package.name,
                    dependency.name
                );
            }
        }
    }
}

#[test]
fn the_keeper_stays_small() {
    for package in ours() {
        if ["firesteel-session", "firesteel-launcher"].contains(&package.name.as_str()) {
            let heavy = package.dependencies.iter().find(|dependency| {
                dependency.kind == DependencyKind::Normal
                    && (dependency.name.starts_with("polars") || dependency.name == "zeromq")
            });
            assert!(heavy.is_none(), "{} uses {heavy:?}", package.name);
        }
    }
}

#[test]
fn versions_stand_in_the_top_manifest_alone() {
    for package in ours() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        let stray: Vec<&str> = manifest
            .lines()
            .skip_while(|line| !line.contains("dependencies]"))
            .filter(|line| line.contains('=') && !line.contains(".workspace = true"))
            .filter(|line| !line.starts_with('['))
            .collect();
        assert!(stray.is_empty(), "{}: {stray:?}", package.name);
    }
}

#[test]
fn each_crate_is_named_in_its_own_room_only() {
    for source in sources() {
        for (name, rooms) in ROOMS {
            let inside = rooms.iter().any(|room| source.path.starts_with(room));
            assert!(
                inside || !source.production().contains(name),
                "{} names {name}, which belongs to {rooms:?}",
                source.path.display()
            );
        }
    }
}

#[test]
fn files_are_small() {
    let mut lengths: Vec<usize> = sources().iter().map(|s| s.text.lines().count()).collect();
    lengths.sort_unstable();
    let at = |share: f64| lengths[((lengths.len() - 1) as f64 * share) as usize];
    assert!(at(0.5) <= 180, "the median file has {} lines", at(0.5));
    assert!(at(0.9) <= 450, "one file in ten has over {} lines", at(0.9));
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= 700, "{} has {lines} lines", source.path.display());
    }
}

#[test]
fn what_is_public_is_explained() {
    let (mut docs, mut code) = (0, 0);
    for source in sources().iter().filter(|source| source.is_production()) {
        for line in source.production().lines().map(str::trim) {
            if line.starts_with("///") || line.starts_with("//!") {
                docs += 1;
            } else if !line.is_empty() && !line.starts_with("//") {
                code += 1;
            }
        }
    }
    let density = docs * 1000 / code;
    assert!(density >= 80, "{density} doc lines per 1,000 of code");
}

#[test]
fn no_test_is_switched_off_and_no_code_is_left_unwritten() {
    // Put together here, so that this file does not name them itself.
    let banned = ["#[ig", "todo!", "unimpl", "thread::sle"]
        .iter()
        .zip(["nore", "(", "emented!(", "ep("])
        .map(|(start, end)| format!("{start}{end}"))
        .collect::<Vec<_>>();
    for Source { path, text } in sources() {
        for word in &banned {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}
