//! What is in the image of a pod: a Spark, a Java, a Python, whoever made it.

use std::fs;
use std::path::{Path, PathBuf};

use super::order::Parts;
use crate::cause::{Cause, Kind};
use crate::runtime::{Java, OLDEST_JAVA};

/// The archive of classes beside Spark's jars, made for their sorted list as class path.
const ARCHIVE: &str = "firesteel.jsa";

/// The program that Spark's own images have an executor's pod run before it goes.
const DECOMMISSION: &str = "/opt/decom.sh";

/// What stands for it in an image that has none: Spark tells its executors itself what to hand over,
/// and a program that does not exist would only make noise.
const NOTHING: &str = "true";

/// Where images keep their Javas when neither a variable nor the search path says.
const JAVAS: &str = "/opt/java";

/// What an image holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) parts: Parts,
    /// The archive of classes, where there is one.
    pub(crate) archive: Option<PathBuf>,
    /// What an executor's pod runs before it goes.
    pub(crate) decommission: String,
}

impl Image {
    /// Looks around. `name` is the image's, for those who have to put it right; `wanted` is the
    /// Spark the profile says is in it.
    ///
    /// # Errors
    /// When something is missing that no driver can do without.
    pub(crate) fn look(
        name: &str,
        wanted: &str,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Cause> {
        let spark_home =
            var("SPARK_HOME").map_or_else(|| PathBuf::from("/opt/spark"), PathBuf::from);
        let jars = names(&spark_home.join("jars"));
        let Some(version) = jars.iter().find_map(|jar| version_of(jar)) else {
            return Err(Cause::new(
                Kind::Runtime,
                format!(
                    "There is no Spark in {} of image `{name}`",
                    spark_home.display()
                ),
                "Set SPARK_HOME in the image to where its Spark is, or name another image in the profile.",
            ));
        };
        if !is_version(version, wanted) {
            return Err(Cause::new(
                Kind::Runtime,
                format!(
                    "The profile says Spark {wanted}, and image `{name}` holds Spark {version}"
                ),
                "Correct `image` or `sparkVersion` in the profile.",
            ));
        }
        if !jars.iter().any(|jar| jar.starts_with("spark-connect_")) {
            return Err(Cause::new(
                Kind::Jars,
                format!("The Spark in image `{name}` has no Spark Connect"),
                format!("Add the jar spark-connect_2.13-{version} to the image's Spark."),
            ));
        }
        let java = java(&var).map_err(|what| {
            Cause::new(
                Kind::Runtime,
                format!("{what} (in image `{name}`)"),
                format!("Add Java {OLDEST_JAVA} or newer to the image, and set JAVA_HOME in it."),
            )
        })?;
        let python = python(&var).unwrap_or_else(|| {
            tracing::warn!(
                image = name,
                "the image has no Python: functions in Python cannot run"
            );
            PathBuf::from("python3")
        });
        let archive = spark_home.join(ARCHIVE);
        let decommission = if Path::new(DECOMMISSION).is_file() {
            DECOMMISSION
        } else {
            NOTHING
        };
        Ok(Self {
            parts: Parts {
                spark_home,
                java: java.program,
                java_major: java.major,
                python,
            },
            archive: archive.is_file().then_some(archive),
            decommission: decommission.to_owned(),
        })
    }
}

/// Whether `installed` is the version `wanted`, or one of its.
pub(crate) fn is_version(installed: &str, wanted: &str) -> bool {
    installed
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The version of Spark, from the name of its core's jar: `spark-core_2.13-4.3.0.jar`.
fn version_of(jar: &str) -> Option<&str> {
    let (_scala, version) = jar.strip_prefix("spark-core_")?.split_once('-')?;
    version.strip_suffix(".jar")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// The Java to run, or why there is none.
fn java(var: impl Fn(&str) -> Option<String>) -> Result<Java, String> {
    let mut along = vec![None];
    let mut kept: Vec<String> = names(Path::new(JAVAS));
    kept.sort();
    along.extend(
        kept.into_iter()
            .map(|name| Some(Path::new(JAVAS).join(name).join("bin/java"))),
    );
    let mut why = String::new();
    for along in along {
        match Java::find(None, along.as_deref(), &var) {
            Ok(java) => return Ok(java),
            Err(missing) => why = missing.what,
        }
    }
    Err(why)
}

/// The Python to run functions on: `PYSPARK_PYTHON`, else `python3` on the search path.
fn python(var: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let named = var("PYSPARK_PYTHON").unwrap_or_else(|| "python3".to_owned());
    if named.contains('/') {
        return Some(PathBuf::from(named)).filter(|python| python.is_file());
    }
    let path = var("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(&named))
        .find(|python| python.is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// An image as a folder, with these jars, and a Java of that version where one is given.
    fn image(dir: &Path, jars: &[&str], java: Option<&str>) -> Result<Image, Cause> {
        fs::create_dir_all(dir.join("spark/jars")).unwrap();
        for jar in jars {
            fs::write(dir.join("spark/jars").join(jar), "").unwrap();
        }
        if let Some(version) = java {
            let program = dir.join("java/bin/java");
            fs::create_dir_all(dir.join("java/bin")).unwrap();
            fs::write(&program, "").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let release = format!("JAVA_VERSION=\"{version}\"\n");
            fs::write(dir.join("java/release"), release).unwrap();
        }
        let at = |part: &str| Some(dir.join(part).to_string_lossy().into_owned());
        Image::look("registry/img:1", "4.3", |name| match name {
            "SPARK_HOME" => at("spark"),
            "JAVA_HOME" => at("java"),
            _ => None,
        })
    }

    const JARS: [&str; 2] = ["spark-core_2.13-4.3.0.jar", "spark-connect_2.13-4.3.0.jar"];

    #[test]
    fn what_is_missing_is_said_with_the_images_name() {
        let cases: [(&[&str], Option<&str>, &str); 5] = [
            (&[], Some("17.0.1"), "There is no Spark in"),
            (&["other.jar"], Some("17.0.1"), "There is no Spark in"),
            (
                &["spark-core_2.13-4.2.1.jar"],
                Some("17.0.1"),
                "holds Spark 4.2.1",
            ),
            (
                &["spark-core_2.13-4.3.0.jar"],
                Some("17.0.1"),
                "no Spark Connect",
            ),
            (&JARS, Some("11.0.1"), "version 11"),
        ];
        for (jars, java, words) in cases {
            let dir = tempfile::tempdir().unwrap();
            let cause = image(dir.path(), jars, java).unwrap_err();
            assert!(cause.sentence.contains(words), "{cause}");
            assert!(cause.sentence.contains("`registry/img:1`"), "{cause}");
            assert!(cause.remedy.ends_with('.'), "{cause}");
        }
    }

    #[test]
    fn an_archive_is_used_where_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let without = image(dir.path(), &JARS, Some("17.0.1")).unwrap();
        assert_eq!(without.archive, None);
        assert_eq!(without.parts.java_major, 17);
        let archive = dir.path().join("spark/firesteel.jsa");
        fs::write(&archive, "").unwrap();
        let with = image(dir.path(), &JARS, Some("17.0.1")).unwrap();
        assert_eq!(with.archive, Some(archive));
    }

    #[test]
    fn a_python_is_named_or_found_on_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("python3");
        fs::write(&python, "").unwrap();
        let path = dir.path().to_string_lossy().into_owned();
        let named = python.to_string_lossy().into_owned();
        let found = super::python(|name| (name == "PATH").then(|| path.clone()));
        assert_eq!(found, Some(python.clone()));
        let found = super::python(|name| (name == "PYSPARK_PYTHON").then(|| named.clone()));
        assert_eq!(found, Some(python));
        assert_eq!(super::python(|_| None), None);
    }

    #[test]
    fn a_version_stands_for_its_patches() {
        for (wanted, fits) in [
            ("4.3.0", true),
            ("4.3", true),
            ("4", true),
            ("4.3.1", false),
            ("4.2", false),
            ("4.30", false),
        ] {
            assert_eq!(is_version("4.3.0", wanted), fits, "{wanted}");
        }
    }
}
