//! Whoever is killed, in whatever state, leaves no process behind.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::time::Duration;

use firesteel_launcher::attach::state::DriverState;
use firesteel_launcher::cause::Kind;
use firesteel_tests::connect::outcome::rows;
use firesteel_tests::drivers::attacher::Attacher;
use firesteel_tests::drivers::{Machine, START, ended, eventually, pids, processes, session};
use rustix::process::Signal;

/// After a keeper's or a driver's death.
const AFTER_DRIVER: Duration = Duration::from_secs(10);

/// After a kernel's death: the grace of these tests, and what ending a driver may take.
const AFTER_KERNEL: Duration = Duration::from_secs(1 + 20);

const PROFILES: &str = "profiles: {local: {compiler: quick, grace: 1s}}";

/// A statement that takes long, and does nothing for that time.
const LONG: &str = "SELECT count(*) FROM range(100000000000) WHERE sqrt(id) * sqrt(id + 1) < 0";

fn attacher(machine: &Machine, sql: &str) -> Attacher {
    Attacher::start(env!("CARGO_BIN_EXE_attacher"), machine.root(), sql)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_kernel_takes_its_work_and_at_last_its_driver_along() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let mut doomed = attacher(&machine, LONG);
    doomed.says("running", START).await;
    let (witness, _) = machine.attach_ready("witness").await;
    let launcher = machine.launcher();
    eventually(START, async || {
        match launcher.list().await.unwrap()[0].operations {
            0 => Err("nothing runs".to_owned()),
            _ => Ok(()),
        }
    })
    .await;

    processes::signal(doomed.pid(), Signal::KILL);
    eventually(AFTER_DRIVER, async || {
        let driver = launcher.list().await.unwrap().remove(0);
        match (driver.attachments, driver.operations, driver.cells) {
            (1, 0, 0) => Ok(()),
            other => Err(format!("(kernels, operations, cells) are {other:?}")),
        }
    })
    .await;
    // The one processor that worked for it is free for the other.
    assert_eq!(rows(&session(&witness), "SELECT 1").await.num_rows(), 1);

    drop(witness);
    machine.wait_until_gone(AFTER_KERNEL).await;
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_killed_while_its_driver_starts_leaves_nothing() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let mut doomed = attacher(&machine, "");
    doomed.says("starting", START).await;
    machine.keeper_and_driver().await;
    processes::signal(doomed.pid(), Signal::KILL);
    machine.wait_until_gone(AFTER_KERNEL).await;
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_is_frozen_for_longer_than_its_lease_has_left() {
    let Some(machine) =
        Machine::with_spark("profiles: {local: {compiler: quick, grace: 1s, away: 3s}}").await
    else {
        return;
    };
    let mut frozen = attacher(&machine, LONG);
    frozen.says("running", START).await;
    processes::signal(frozen.pid(), Signal::STOP);
    eventually(Duration::from_secs(3) + AFTER_KERNEL, async || {
        let left: Vec<_> = machine
            .processes()
            .into_iter()
            .filter(|process| process.pid != frozen.pid())
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_keeper_takes_its_driver_along_and_its_kernel_or_the_next_one_sweeps() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let (kernel, facts) = machine.attach_ready("k").await;
    rows(&session(&kernel), "CREATE TABLE t AS SELECT 1 AS n").await;
    processes::signal(pids(&facts).0, Signal::KILL);
    machine.wait_until_gone(AFTER_DRIVER).await;
    let cause = ended(&kernel, AFTER_DRIVER).await;
    assert_eq!(cause.kind, Kind::KeeperLost);
    assert!(cause.tail.is_some(), "{cause:?}");

    eventually(AFTER_DRIVER, async || match machine.left_behind() {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .await;

    // Of kernel and keeper that die together the next who looks sweeps.
    drop(kernel);
    let mut doomed = attacher(&machine, "SELECT 1");
    doomed.says("event", START).await;
    let (keeper, _) = machine.keeper_and_driver().await;
    for pid in [doomed.pid(), keeper] {
        processes::signal(pid, Signal::KILL);
    }
    machine.wait_until_gone(AFTER_DRIVER).await;
    assert!(
        !machine.left_behind().is_empty(),
        "there is something to sweep"
    );
    assert_eq!(machine.launcher().list().await.unwrap(), []);
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
    let (kernel, next) = machine.attach_ready("k").await;
    assert_ne!(next.incarnation, facts.incarnation);
    rows(&session(&kernel), "CREATE TABLE t AS SELECT 1 AS n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_killed_while_its_driver_starts_takes_it_along() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let kernel = machine.attach("k").await.unwrap();
    let (keeper, _) = machine.keeper_and_driver().await;
    assert!(matches!(
        *kernel.state().borrow(),
        DriverState::Starting { .. }
    ));
    processes::signal(keeper, Signal::KILL);
    machine.wait_until_gone(AFTER_DRIVER).await;
    assert_eq!(ended(&kernel, AFTER_DRIVER).await.kind, Kind::KeeperLost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_driver_is_explained_to_its_kernels_in_any_state() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let kernel = machine.attach("k").await.unwrap();
    let (_, driver) = machine.keeper_and_driver().await;
    assert!(matches!(
        *kernel.state().borrow(),
        DriverState::Starting { .. }
    ));
    processes::signal(driver, Signal::KILL);
    let cause = ended(&kernel, AFTER_DRIVER).await;
    assert_eq!(cause.kind, Kind::Killed);
    assert!(cause.sentence.contains("signal 9"), "{cause}");
    machine.wait_until_gone(AFTER_DRIVER).await;

    let (kernel, facts) = machine.attach_ready("k").await;
    processes::signal(pids(&facts).1, Signal::KILL);
    let cause = ended(&kernel, AFTER_DRIVER).await;
    assert_eq!(cause.kind, Kind::Killed);
    assert!(cause.tail.is_some(), "{cause:?}");
    machine.wait_until_gone(AFTER_DRIVER).await;
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_told_to_end_ends_its_driver() {
    let Some(machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    let (kernel, facts) = machine.attach_ready("k").await;
    processes::signal(pids(&facts).0, Signal::TERM);
    assert_eq!(ended(&kernel, AFTER_DRIVER).await.kind, Kind::Stopped);
    machine.wait_until_gone(AFTER_KERNEL).await;
    assert_eq!(machine.left_behind(), Vec::<std::path::PathBuf>::new());
}
