//! What an interrupted statement leaves of itself in a real Spark: nothing, whenever the interrupt comes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::Runtime;
use firesteel_session::engine::Engine;
use firesteel_tests::connect::outcome::{query, run};
use firesteel_tests::connect::real::shared;
use futures::StreamExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Has stages that adaptive execution submits side by side, each from a thread of its own, and each
/// for as many tasks as the server has cores. It would take months.
const ENDLESS: &str = "
    SELECT count(*) FROM (
        SELECT id % 7 AS k, count(*) FROM range(100000000000000) GROUP BY k
        UNION ALL SELECT id % 11 AS k, sum(id) FROM range(100000000000000) GROUP BY k
        UNION ALL SELECT hash(id) % 13 AS k, max(id) FROM range(100000000000000) GROUP BY k
    )";

/// Needs a core to itself for a moment.
const NEXT: &str = "SELECT count(*) FROM range(1000) GROUP BY id % 2";

/// How long the next statement may wait for a core: one that is not given back is never given back.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_moment_leaves_the_cores_to_the_next_statement() {
    let Some(spark) = shared() else { return };
    // The first is planned by a server that has loaded nothing yet, which takes seconds.
    for moment in (0..40).map(|n| Duration::from_millis(25 * (n % 20))) {
        let session = spark.session();
        let stop = CancellationToken::new();
        let mut events = session.run(query(ENDLESS), stop.clone());
        // What is tried is the moment itself.
        let _running = timeout(moment, async { while events.next().await.is_some() {} }).await;
        stop.cancel();
        let told = timeout(DEADLINE, async { while events.next().await.is_some() {} }).await;
        assert!(
            told.is_ok(),
            "interrupted after {moment:?}: the statement goes on"
        );
        let next = timeout(DEADLINE, run(&session, query(NEXT))).await;
        let outcome = next
            .unwrap_or_else(|_| panic!("interrupted after {moment:?}: the next statement waits"));
        assert_eq!(outcome.rows(), 2, "interrupted after {moment:?}");
    }
}

#[test]
fn the_listener_is_made_of_its_source() {
    if shared().is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../launcher/listener");
    let var = |name: &str| std::env::var(name).ok();
    let runtime = Runtime::locate(&Paths::from_env(var), None, var).unwrap();
    let out = tempfile::tempdir().unwrap();
    let made = out.path().join("listener.jar");
    let build = Command::new(folder.join("build"))
        .arg(&runtime.spark_home)
        .arg(&made)
        .status();
    assert!(build.unwrap().success());
    let kept = std::fs::read(folder.join("firesteel-listener.jar")).unwrap();
    assert!(
        std::fs::read(made).unwrap() == kept,
        "launcher/listener/firesteel-listener.jar is not what its source makes: run launcher/listener/build"
    );
}
