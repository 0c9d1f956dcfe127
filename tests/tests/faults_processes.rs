//! Kernel, keeper and driver are killed, frozen and thawed at every moment of their lives: a cell
//! gives its rows or one error in words, the next one works, and nothing is left behind.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::time::Duration;

use firesteel_launcher::launcher::Listed;
use firesteel_tests::connect::outcome::rows;
use firesteel_tests::drivers::{Machine, eventually, processes, session};
use firesteel_tests::faults::stage::{
    AWAY, LONG, MOMENTS, Moment, NO_HANG, Stage, answers, runs, shows, told,
};
use firesteel_tests::faults::tell;
use firesteel_tests::jupyter::Process;
use rustix::process::Signal;

/// A statement of three seconds and one row.
const BRIEF: &str = "SELECT 40 + 2 AS answer, reflect('java.lang.Thread', 'sleep', 3000L) AS slept \
                     FROM range(0, 1, 1, 1)";

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Kernel,
    Keeper,
    Driver,
}

/// Kills keeper or driver at each moment of one kernel's life.
async fn kill_at_each_moment(victim: Victim) {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    for (number, moment) in (1..).zip(MOMENTS) {
        let point = (victim, "killed", moment);
        let reached = stage.reach(moment).await;
        let pid = match victim {
            Victim::Kernel => stage.kernel.pid(),
            Victim::Keeper => reached.keeper,
            Victim::Driver => reached.driver,
        };
        processes::signal(pid, Signal::KILL);
        // Whether nothing has told the kernel yet.
        let mut unheard = moment == Moment::Idle;
        if let Some(cell) = reached.cell {
            let done = stage.end_of(&cell).await;
            unheard = done.reply.content["ename"] == "KeyboardInterrupt";
            // What was asked to end has ended, however it did.
            if moment == Moment::Ending && done.reply.content["status"] == "ok" {
                assert!(shows(&done, "given back"), "{point:?}: {done:?}");
            } else {
                told(&done, moment.errors(), &point);
                let lines = done.reply.content["traceback"].to_string();
                let doubt = lines.contains("had an effect is not known");
                assert_eq!(doubt, moment == Moment::Writing, "{point:?}: {lines}");
            }
        }
        let mut next = stage.run().await;
        // It may have begun before the kernel heard of the end.
        if unheard && next.reply.content["status"] == "error" {
            told(&next, &["DriverLost"], &point);
            next = stage.run().await;
        }
        answers(&next);
        let expected = !matches!(moment, Moment::Starting | Moment::Ending);
        let said = next.printed().contains("A new session was opened");
        assert_eq!(said, expected, "{point:?}: {next:?}");
        listed(&stage.machine, |driver| driver.operations == 0).await;
        assert!(
            !stage.wrote(),
            "{point:?}: it was written by another driver"
        );
        tell(format_args!("{number} of {}: {point:?}", MOMENTS.len()));
    }
    stage.shut_down().await;
    stage.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_keeper_is_told_and_replaced_at_every_moment() {
    kill_at_each_moment(Victim::Keeper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_driver_is_told_and_replaced_at_every_moment() {
    kill_at_each_moment(Victim::Driver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_kernel_leaves_nothing_at_any_moment() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.reach(Moment::Starting).await;
    stage.kernel.signal(Signal::KILL);
    stage.nothing_is_left().await;
    let points = MOMENTS.len();
    tell(format_args!(
        "1 of {points}: {:?}",
        (Victim::Kernel, "killed", MOMENTS[0])
    ));

    // Another kernel's driver goes on.
    let (witness, _) = stage.machine.attach_ready("witness").await;
    for (number, moment) in (1..).zip(MOMENTS).skip(1) {
        let point = (Victim::Kernel, "killed", moment);
        stage.kernel = Process::start(&stage.machine).await;
        let driver = if moment == Moment::Ending {
            let driver = stage.reach(Moment::Idle).await.driver;
            processes::signal(driver, Signal::STOP);
            stage.shut_down().await;
            driver
        } else {
            stage.reach(moment).await.driver
        };
        stage.kernel.signal(Signal::KILL);
        processes::signal(driver, Signal::CONT);
        stage.kernel.ended().await;
        listed(&stage.machine, |driver| {
            (driver.attachments, driver.operations, driver.cells) == (1, 0, 0)
        })
        .await;
        // The processors that worked for it are free for the other.
        let next = rows(&session(&witness), "SELECT sum(id) FROM range(1000)").await;
        assert_eq!(next.num_rows(), 1, "{point:?}");
        assert!(!stage.wrote(), "{point:?}: it was written to the end");
        tell(format_args!("{number} of {points}: {point:?}"));
    }
    drop(witness);
    stage.nothing_is_left().await;
}

/// Who sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleeper {
    /// The whole machine.
    All,
    /// A kernel whose driver nobody else uses.
    Kernel,
    /// A kernel that shares its driver with another.
    OneOfTwo,
}

/// Who sleeps for how long: shorter than a lease, and longer.
const SLEEPS: [(Sleeper, Duration); 6] = [
    (Sleeper::All, SHORT),
    (Sleeper::All, LONGER),
    (Sleeper::Kernel, SHORT),
    (Sleeper::Kernel, LONGER),
    (Sleeper::OneOfTwo, SHORT),
    (Sleeper::OneOfTwo, LONGER),
];
const SHORT: Duration = Duration::from_millis(1500);
const LONGER: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_sleeps_loses_nothing_and_a_kernel_hears_what_it_lost() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    for (number, (sleeper, sleep)) in (1..).zip(SLEEPS) {
        let point = (sleeper, "stopped and continued", sleep);
        let reached = stage.reach(Moment::Idle).await;
        let witness = match sleeper {
            Sleeper::OneOfTwo => Some(stage.machine.attach_ready("witness").await.0),
            Sleeper::All | Sleeper::Kernel => None,
        };
        let lost = sleeper != Sleeper::All && sleep > AWAY;
        let code = if lost { LONG } else { BRIEF };
        let cell = stage.under_way(code, runs).await;
        let mut pids = vec![stage.kernel.pid()];
        if sleeper == Sleeper::All {
            pids.extend([reached.keeper, reached.driver]);
        }
        for &pid in &pids {
            processes::signal(pid, Signal::STOP);
        }
        if lost {
            attached(&stage.machine, usize::from(witness.is_some())).await;
        } else {
            tokio::time::sleep(sleep).await;
        }
        // The last to wake up is the one whose silence counts.
        for &pid in pids.iter().rev() {
            processes::signal(pid, Signal::CONT);
        }
        let done = stage.end_of(&cell).await;
        if lost {
            told(&done, &["DriverLost"], &point);
            let said = done.reply.content["evalue"].as_str().unwrap();
            assert!(
                said.contains("silent for more than 6s"),
                "{point:?}: {said}"
            );
            let next = stage.works().await.printed();
            assert!(
                next.contains("A new session was opened"),
                "{point:?}: {next}"
            );
        } else {
            answers(&done);
        }
        if let Some(witness) = witness {
            assert_eq!(rows(&session(&witness), "SELECT 1").await.num_rows(), 1);
        }
        tell(format_args!("{number} of {}: {point:?}", SLEEPS.len()));
    }
    stage.shut_down().await;
    stage.nothing_is_left().await;
}

/// Waits until the only driver is as it should be.
async fn listed(machine: &Machine, holds: impl Fn(&Listed) -> bool) {
    let launcher = machine.launcher();
    eventually(NO_HANG, async || {
        let drivers = launcher.list().await.unwrap();
        match drivers.as_slice() {
            [driver] if holds(driver) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Waits until so many are attached to the driver, which may be gone where nobody is.
async fn attached(machine: &Machine, count: usize) {
    let launcher = machine.launcher();
    eventually(AWAY + NO_HANG, async || {
        let drivers = launcher.list().await.unwrap();
        let attached: usize = drivers.iter().map(|driver| driver.attachments).sum();
        let as_many = attached == count;
        as_many
            .then_some(())
            .ok_or(format!("{attached} kernels are attached"))
    })
    .await;
}
