//! What we are made of: which crates, how many of each, under which licences; and what images say of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};
use firesteel_tests::house::top;
use serde_json::{Value, json};

/// What secures connections is rustls alone: another library would have to be patched as well, and is
/// none of the crates that a static program is made of.
const BANNED: [&str; 4] = ["aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

/// What begins these crates' names there is once: two of them are built, shipped and patched twice, and
/// their types are not each other's.
const ONCE: [&str; 22] = [
    "arrow",
    "axum",
    "bytes",
    "chrono",
    "clap",
    "futures",
    "h2",
    "http",
    "hyper",
    "k8s-openapi",
    "kube",
    "polars",
    "prost",
    "ring",
    "rustls",
    "serde",
    "sqlparser",
    "tokio",
    "tonic",
    "tower",
    "tracing",
    "zeromq",
];

/// Licences that ask for no more than to be named, and MPL-2.0, which asks for the source of its own
/// files alone, which we take as they are.
const LICENCES: [&str; 13] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn command() -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command
        .manifest_path(top().join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()]);
    command
}

fn metadata() -> Metadata {
    command().exec().unwrap()
}

#[test]
fn connections_are_secured_by_one_library_that_needs_no_other() {
    for package in metadata().packages {
        let banned = BANNED.contains(&package.name.as_str());
        assert!(!banned, "{} {}", package.name, package.version);
    }
}

#[test]
fn there_is_one_of_each_big_crate() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata().packages {
        let named = versions.entry(package.name.to_string()).or_default();
        named.insert(package.version.to_string());
    }
    for big in ONCE {
        assert!(
            versions.keys().any(|name| name.starts_with(big)),
            "{big} is gone"
        );
        let twice = versions
            .iter()
            .find(|(name, versions)| name.starts_with(big) && versions.len() > 1);
        assert!(twice.is_none(), "{twice:?}");
    }
}

/// Whether an expression of licences, as SPDX writes it, can be met by those of the list.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> bool {
    let mut allowed = all_of(words);
    while let Some(after) = words.strip_prefix(&["OR"]) {
        *words = after;
        // Both are read, whatever the first is.
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut &[&str]) -> bool {
    let mut allowed = one(words);
    while let Some(after) = words.strip_prefix(&["AND"]) {
        *words = after;
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut &[&str]) -> bool {
    let rest = *words;
    let (licence, rest) = match rest {
        ["(", inner @ ..] => {
            *words = inner;
            let allowed = any_of(words);
            let closed = words.strip_prefix(&[")"]);
            *words = closed.unwrap_or_default();
            return allowed && closed.is_some();
        }
        [licence, "WITH", exception, rest @ ..] => (format!("{licence} WITH {exception}"), rest),
        [licence, rest @ ..] => ((*licence).to_owned(), rest),
        [] => return false,
    };
    *words = rest;
    LICENCES.contains(&licence.as_str())
}

#[test]
fn expressions_of_licences_are_read_as_they_are_meant() {
    for (expression, allowed) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT OR LGPL-2.1-or-later", true),
        ("LGPL-2.1-or-later OR GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("(GPL-3.0 OR MIT) AND Unicode-3.0", true),
        ("(GPL-3.0 OR AGPL-3.0) AND MIT", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0 WITH another-exception", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}

#[test]
fn every_crate_has_a_licence_that_we_can_meet() {
    let mut used = BTreeSet::new();
    for package in metadata().packages {
        let licence = package.license.clone().unwrap_or_default();
        assert!(is_allowed(&licence), "{}: {licence:?}", package.name);
        used.insert(licence);
    }
    for licence in LICENCES {
        let somewhere = used.iter().any(|expression| expression.contains(licence));
        assert!(somewhere, "{licence} is not used any more");
    }
}

/// A layer with these files.
fn layer(folder: &Path, files: &[(&str, &str)]) -> String {
    let root = folder.join("root");
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tar = folder.join("layer.tar").to_str().unwrap().to_owned();
    let made = Command::new("tar")
        .arg("-C")
        .arg(&root)
        .args(["-cf", &tar, "."])
        .status();
    assert!(made.unwrap().success());
    tar
}

fn sbom(arguments: &[&str]) -> Value {
    let output = Command::new(top().join("deploy/images/sbom.py"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn purls(document: &Value) -> Vec<&str> {
    let components = document["components"].as_array().unwrap();
    components
        .iter()
        .map(|one| one["purl"].as_str().unwrap())
        .collect()
}

#[test]
fn an_image_says_what_it_is_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u1\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
    let wheel = "Metadata-Version: 2.4\nName: Py_Arrow\nVersion: 20.0\nLicense-Expression: Apache-2.0\n\nVersion: 9\n";
    let tar = layer(
        dir.path(),
        &[
            ("var/lib/dpkg/status", status),
            (
                "usr/lib/python3/dist-packages/pyarrow-20.0.dist-info/METADATA",
                wheel,
            ),
            ("opt/spark/jars/spark-core_2.13-4.3.0.jar", ""),
            ("opt/spark/jars/aws-sdk-s3.jar", ""),
        ],
    );
    let arguments = ["firesteel-spark", "4.3.0", "", "", &tar];
    let document = sbom(&arguments);
    assert_eq!(
        document,
        sbom(&arguments),
        "the same layers give the same document"
    );
    assert_eq!(
        purls(&document),
        [
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1",
            "pkg:generic/aws-sdk-s3",
            "pkg:generic/spark-core_2.13@4.3.0",
            "pkg:pypi/py-arrow@20.0",
        ]
    );
    assert_eq!(document["bomFormat"], "CycloneDX");
    assert_eq!(document["specVersion"], "1.6");
    let of_python = &document["components"][3];
    assert_eq!(
        of_python["licenses"],
        json!([{"license": {"name": "Apache-2.0"}}])
    );
}

#[test]
fn an_image_with_a_program_of_ours_names_each_crate_in_it_and_its_licence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("metadata");
    fs::write(&file, command().cargo_command().output().unwrap().stdout).unwrap();
    let file = file.to_str().unwrap();
    let keeper = sbom(&["firesteel-keeper", "0.1.0", file, "firesteel-launcher"]);
    let kernel = sbom(&["firesteel-notebook", "0.1.0", file, "firesteel-kernel"]);
    let has = |document: &Value, name: &str| {
        let start = format!("pkg:cargo/{name}@");
        purls(document).iter().any(|purl| purl.starts_with(&start))
    };
    for both in ["tokio", "hyper", "rustls", "firesteel-launcher"] {
        assert!(has(&keeper, both) && has(&kernel, both), "{both}");
    }
    assert!(has(&kernel, "zeromq") && !has(&keeper, "zeromq"));
    // What only builds or tests is not in the program.
    for neither in ["proptest", "protox", "serde_derive"] {
        assert!(
            !has(&keeper, neither) && !has(&kernel, neither),
            "{neither}"
        );
    }
    for component in kernel["components"].as_array().unwrap() {
        assert!(
            component["licenses"][0]["license"]["name"].is_string(),
            "{component}"
        );
    }
}
