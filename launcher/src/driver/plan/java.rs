//! The arguments of Java.

use std::num::NonZeroU16;
use std::path::PathBuf;

use crate::profile::Memory;

/// What Spark needs opened of Java 17 and later, as in `JavaModuleOptions` of Spark 4.3; without
/// `jdk.incubator.vector`, which small Javas lack and which only makes linear algebra faster.
const OPENED: [&str; 15] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
];

/// What every driver's Java is told: class path, heap, collector, and what Spark needs of it.
pub(super) fn usual<'a>(
    jars: impl IntoIterator<Item = &'a PathBuf>,
    heap: Memory,
    cores: NonZeroU16,
) -> Vec<String> {
    let mut arguments = vec!["-cp".to_owned(), class_path(jars)];
    arguments.push(format!("-Xmx{heap}"));
    if small(heap, cores) {
        arguments.push("-XX:+UseSerialGC".to_owned());
    }
    arguments.extend(
        [
            "-XX:+ExitOnOutOfMemoryError",
            // Leaves no file in /tmp when killed.
            "-XX:-UsePerfData",
            "-XX:+IgnoreUnrecognizedVMOptions",
            "--sun-misc-unsafe-memory-access=allow",
            "--enable-native-access=ALL-UNNAMED",
            "-Dio.netty.tryReflectionSetAccessible=true",
            "-Dio.netty.allocator.type=pooled",
        ]
        .map(str::to_owned),
    );
    arguments.extend(OPENED.map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
    arguments
}

/// Where one processor or little heap is, several collectors' threads cost more than they bring.
fn small(heap: Memory, cores: NonZeroU16) -> bool {
    cores.get() <= 2 || heap <= Memory::mebibytes(2048)
}

fn class_path<'a>(jars: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let jars: Vec<_> = jars.into_iter().map(|jar| jar.to_string_lossy()).collect();
    jars.join(":")
}

/// The text of a Java argument file: one argument a line, quoted, as `java(1)` reads it.
pub(super) fn argument_file(arguments: &[String]) -> String {
    let mut text = String::new();
    for argument in arguments {
        text.push('"');
        for c in argument.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                _ => text.push(c),
            }
        }
        text.push_str("\"\n");
    }
    text
}
