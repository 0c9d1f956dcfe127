//! What is missing is said in a sentence, before or while a driver starts.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firesteel_launcher::cause::{Cause, Kind};
use firesteel_tests::drivers::{Machine, START, ended, runtime};

/// What is refused before anything starts is refused at once.
async fn refused(profiles: &str, variables: &[(&str, &str)]) -> Cause {
    let machine = Machine::without_spark(profiles, variables);
    let cause = machine.attach("k").await.unwrap_err();
    assert_eq!(machine.processes(), [], "nothing was started");
    cause
}

/// A runtime like the real one, but for what a test changes in the folder of jars.
fn runtime_with(root: &Path, change: impl FnOnce(&Path)) -> PathBuf {
    let real = runtime().unwrap();
    let home = root.join("runtime");
    let spark = home.join("spark");
    fs::create_dir_all(spark.join("jars")).unwrap();
    for jar in fs::read_dir(real.spark_home.join("jars"))
        .unwrap()
        .flatten()
    {
        symlink(jar.path(), spark.join("jars").join(jar.file_name())).unwrap();
    }
    symlink(&real.python, home.join("python")).unwrap();
    change(&spark.join("jars"));
    let marker = fs::read_to_string(real.home.join("runtime.json")).unwrap();
    let mut marker: serde_json::Value = serde_json::from_str(&marker).unwrap();
    marker["spark_home"] = "spark".into();
    marker["python"] = "python".into();
    fs::write(home.join("runtime.json"), marker.to_string()).unwrap();
    home
}

#[tokio::test]
async fn what_is_missing_is_refused_before_anything_starts() {
    if Machine::with_spark("{}").await.is_none() {
        return;
    }
    for (profile, kind, words) in [
        ("memory: 100m", Kind::Memory, "100m"),
        ("memory: 900t", Kind::Memory, "there are"),
        ("java: /nowhere/java", Kind::Runtime, "/nowhere/java"),
        ("sparkVersion: '3.5'", Kind::Runtime, "wants Spark 3.5"),
    ] {
        let cause = refused(&format!("profiles: {{local: {{{profile}}}}}"), &[]).await;
        assert_eq!(cause.kind, kind, "{profile}: {cause}");
        assert!(cause.sentence.contains(words), "{cause}");
    }
    let nowhere = [("FIRESTEEL_RUNTIME", "/nowhere")];
    let cause = refused("{}", &nowhere).await;
    assert_eq!(cause.kind, Kind::Runtime);
    assert!(
        cause.remedy.contains("firesteel runtime install"),
        "{cause}"
    );
    let cause = refused("{}", &[("FIRESTEEL_LAUNCHER", "/nowhere/launcher")]).await;
    assert_eq!(cause.kind, Kind::Keeper);
    assert!(cause.sentence.contains("/nowhere/launcher"), "{cause}");
    let cause = refused("{}", &[("FIRESTEEL_LAUNCHER", "/bin/true")]).await;
    assert_eq!(cause.kind, Kind::Keeper);
    assert!(cause.sentence.contains("ended before it began"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_jar_is_named_with_the_end_of_the_log() {
    let Some(machine) = Machine::with_spark("profiles: {local: {grace: 1s}}").await else {
        return;
    };
    let home = runtime_with(machine.root(), |jars| {
        let core = fs::read_dir(jars)
            .unwrap()
            .flatten()
            .find(|jar| jar.file_name().to_string_lossy().starts_with("spark-core_"))
            .unwrap();
        fs::remove_file(core.path()).unwrap();
        fs::write(core.path(), "this is no jar").unwrap();
    });
    let home = home.to_string_lossy().into_owned();
    let broken = Machine::without_spark(
        "profiles: {local: {grace: 1s}}",
        &[("FIRESTEEL_RUNTIME", &home)],
    );
    let kernel = broken.attach("k").await.unwrap();
    let cause = ended(&kernel, START).await;
    assert_eq!(cause.kind, Kind::Jars, "{cause:?}");
    assert!(cause.sentence.contains("/spark-core_"), "{cause:?}");
    assert!(
        cause
            .tail
            .as_deref()
            .is_some_and(|tail| tail.contains("NoClassDefFoundError")),
        "{cause:?}"
    );
    assert!(cause.remedy.contains("runtime install"), "{cause}");
    broken.wait_until_gone(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_not_ready_in_time_is_ended() {
    let profiles = "profiles: {local: {startDeadline: 1s}}";
    let Some(machine) = Machine::with_spark(profiles).await else {
        return;
    };
    let kernel = machine.attach("k").await.unwrap();
    let cause = ended(&kernel, Duration::from_secs(15)).await;
    assert_eq!(cause.kind, Kind::Deadline, "{cause:?}");
    assert!(cause.sentence.contains("1 s"), "{cause}");
    machine.wait_until_gone(Duration::from_secs(10)).await;
    assert_eq!(machine.left_behind(), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_do_not_exist_are_named() {
    let profiles =
        "profiles: {local: {grace: 1s, packages: ['org.firesteel.nowhere:nothing:9.9']}}";
    let Some(machine) = Machine::with_spark(profiles).await else {
        return;
    };
    let kernel = machine.attach("k").await.unwrap();
    let cause = ended(&kernel, START).await;
    assert_eq!(cause.kind, Kind::Packages, "{cause:?}");
    assert!(
        cause.sentence.contains("org.firesteel.nowhere#nothing;9.9"),
        "{cause}"
    );
    machine.wait_until_gone(Duration::from_secs(10)).await;
}
