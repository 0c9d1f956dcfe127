//! Kernels of one user share a driver, each in its own session.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::time::Duration;

use firesteel_launcher::attach::state::DriverState;
use firesteel_launcher::backend::Attachment;
use firesteel_launcher::cause::Kind;
use firesteel_launcher::launcher::LogsOf;
use firesteel_session::engine::Engine as _;
use firesteel_tests::connect::outcome::{End, collect, rows, run, statement};
use firesteel_tests::drivers::{Machine, ended, eventually, session};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

/// What a driver's end may take beyond its grace: Spark is asked first, and then killed.
const END: Duration = Duration::from_secs(20);

/// What may pass until a keeper has taken in that a kernel left.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn ten_kernels_at_once_get_one_driver_which_ends_after_the_last() {
    let Some(machine) =
        Machine::with_spark("profiles: {local: {compiler: quick, grace: 2s}}").await
    else {
        return;
    };
    let names: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
    let attached = join_all(names.iter().map(|name| machine.attach_ready(name))).await;
    let (mut kernels, facts): (Vec<_>, Vec<_>) = attached.into_iter().unzip();
    for other in &facts {
        assert_eq!(other.incarnation, facts[0].incarnation);
        assert_eq!(other.home, facts[0].home);
    }
    let processes = machine.processes();
    assert_eq!(
        processes.len(),
        2,
        "one keeper and one driver: {processes:?}"
    );
    let listed = machine.launcher().list().await.unwrap();
    assert_eq!((listed.len(), listed[0].attachments), (1, 10));
    assert!(matches!(listed[0].state, DriverState::Ready(_)));
    let log = machine
        .launcher()
        .logs(&listed[0].id, &LogsOf::Driver, 1000)
        .await
        .unwrap();
    assert!(log.contains("Spark Connect server started"), "{log}");

    // Sessions know nothing of each other.
    let (one, other) = (session(&kernels[0]), session(&kernels[1]));
    rows(&one, "CREATE TEMPORARY VIEW mine AS SELECT 1 AS n").await;
    assert_eq!(rows(&one, "SELECT * FROM mine").await.num_rows(), 1);
    let unknown = run(&other, statement("SELECT * FROM mine")).await.end;
    assert!(
        matches!(&unknown, End::Failed(why) if why.contains("TABLE_OR_VIEW_NOT_FOUND")),
        "{unknown:?}"
    );

    // What a kernel runs is counted, whether it says so itself or its calls pass the door.
    kernels[1].running(2);
    let launcher = machine.launcher();
    eventually(SOON, async || {
        let listed = launcher.list().await.unwrap();
        match listed[0].cells {
            2 => Ok(()),
            other => Err(format!("{other} cells run")),
        }
    })
    .await;

    // One restarts: its old session is released at once, a new one is there, the driver stays.
    drop(kernels.remove(0));
    eventually(SOON, async || {
        // Until it is released, a statement may still run, or be interrupted as what ran before.
        let events = one.run(statement("SELECT 1"), CancellationToken::new());
        match collect(events).await {
            (_, Some(error)) if error.session_is_gone() => Ok(()),
            (outcome, _) => Err(format!("{outcome:?}")),
        }
    })
    .await;
    assert_eq!(launcher.list().await.unwrap()[0].attachments, 9);
    let (again, same) = machine.attach_ready("k0").await;
    assert_eq!(same.incarnation, facts[0].incarnation);
    assert_eq!(rows(&session(&again), "SELECT 1").await.num_rows(), 1);
    assert_eq!(rows(&other, "SELECT 1").await.num_rows(), 1);

    // A profile that was edited is joined with a warning.
    machine.edit("profiles: {local: {compiler: quick, grace: 2s, cores: 1}}");
    let late = machine.attach("late").await.unwrap();
    let warnings = late.take_notices();
    assert!(warnings[0].contains("`%stop`"), "{warnings:?}");
    assert_eq!(again.take_notices(), [""; 0]);

    kernels.extend([again, late]);
    join_all(kernels.into_iter().map(Attachment::goodbye)).await;
    machine.wait_until_gone(Duration::from_secs(2) + END).await;
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
    assert_eq!(launcher.list().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_stopped_tells_its_kernels_and_the_next_is_another() {
    let Some(machine) =
        Machine::with_spark("profiles: {local: {compiler: quick, grace: 2s}}").await
    else {
        return;
    };
    let (kernel, facts) = machine.attach_ready("k").await;
    let table = "CREATE TABLE t AS SELECT 1 AS n";
    rows(&session(&kernel), table).await;
    let launcher = machine.launcher();
    let id = launcher.list().await.unwrap()[0].id.clone();
    assert!(launcher.stop(&id).await.unwrap());
    let cause = ended(&kernel, SOON).await;
    assert_eq!(cause.kind, Kind::Stopped);
    assert!(cause.sentence.contains("%stop"), "{cause}");
    assert_eq!(machine.processes(), []);
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
    assert!(!launcher.stop(&id).await.unwrap());
    assert!(launcher.logs(&id, &LogsOf::Driver, 10).await.is_ok());

    // Its tables went with it: their name is free again.
    let (kernel, next) = machine.attach_ready("k").await;
    assert_ne!(next.incarnation, facts.incarnation);
    rows(&session(&kernel), table).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kernels_that_do_not_share_have_drivers_of_their_own() {
    let profiles = "profiles: {local: {compiler: quick, grace: 2s, share: kernel, memory: 512m}}";
    let Some(machine) = Machine::with_spark(profiles).await else {
        return;
    };
    let (one, other) = tokio::join!(machine.attach_ready("a"), machine.attach_ready("b"));
    assert_ne!(one.1.home, other.1.home);
    assert_eq!(machine.launcher().list().await.unwrap().len(), 2);
    one.0.goodbye().await;
    eventually(Duration::from_secs(2) + END, async || {
        let drivers = machine.launcher().list().await.unwrap();
        match drivers.len() {
            1 => Ok(()),
            other => Err(format!("{other} drivers")),
        }
    })
    .await;
    assert_eq!(rows(&session(&other.0), "SELECT 1").await.num_rows(), 1);
}
