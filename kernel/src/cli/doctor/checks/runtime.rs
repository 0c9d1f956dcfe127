//! What a driver on this machine is made of.

use std::path::Path;

use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::{Java, Runtime};

use crate::cli::doctor::Verdict;
use crate::cli::var;

/// Spark, Java and Python. `java` is the profile's own choice.
pub(super) fn runtime(paths: &Paths, java: Option<&Path>) -> Vec<(&'static str, Verdict)> {
    match Runtime::locate(paths, java, var) {
        Err(missing) => vec![("runtime", Verdict::bad(missing.what, missing.remedy))],
        Ok(found) => {
            let spark = format!("{} in {}", found.spark_version, found.spark_home.display());
            let mut with = format!("{} in {}", found.java_major, found.java.display());
            for other in Java::passed_over(&found.java, java, var) {
                with.push_str(&format!(
                    "; not {} in {}, which $JAVA_HOME or $PATH names too",
                    other.major,
                    other.program.display()
                ));
            }
            vec![
                ("Spark", Verdict::good(spark)),
                ("Java", Verdict::good(with)),
                ("Python", Verdict::good(found.python.display().to_string())),
            ]
        }
    }
}
