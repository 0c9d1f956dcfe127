//! How the program is linked.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A program that may lie anywhere in memory names 80,000 of its places that have to be moved when
    // it starts. Packed they take some kilobytes and not two megabytes, all of which would be read.
    if packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the C library that the program will start with can read packed relocations: glibc can
/// from 2.36 on (<https://sourceware.org/glibc/wiki/Release/2.36>). What is built on one of these is
/// for machines with such a one.
fn packed_relocations() -> bool {
    let native = env::var_os("HOST") == env::var_os("TARGET");
    let gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu");
    native && gnu && glibc().is_some_and(|version| version >= (2, 36))
}

fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
