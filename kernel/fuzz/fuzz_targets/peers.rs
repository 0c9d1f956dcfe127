//! What peers send to a kernel's sockets. From `kernel`, on a stable Rust:
//! `cargo fuzz run --sanitizer none peers fuzz/corpus fuzz/seeds`.

#![no_main]

use firesteel_kernel::wire::rules::broken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| assert_eq!(broken(bytes), None));
