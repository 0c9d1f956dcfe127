//! A kernel and its keeper that work for long hold no more memory, threads and descriptors than they
//! did at first.
//!
//! For five seconds, or for as many as `FIRESTEEL_SOAK` says.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::time::Duration;

use firesteel_tests::connect::outcome::rows;
use firesteel_tests::drivers::processes::{Held, held};
use firesteel_tests::drivers::session;
use firesteel_tests::faults::seed::Seed;
use firesteel_tests::faults::stage::{LONG, Moment, Stage, runs};
use firesteel_tests::faults::tell;
use firesteel_tests::jupyter::Channel;
use serde_json::json;
use tokio::time::Instant;

/// What a user does again and again.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Runs a cell to this end.
    Cell(&'static str, &'static str),
    /// Interrupts a statement that would take long.
    Interrupt,
    /// Opens another notebook on the same driver, and closes it.
    Neighbour,
}

const DEEDS: [Deed; 8] = [
    Deed::Cell("SELECT 40 + 2 AS answer", "ok"),
    Deed::Cell(
        "%%sql -o kept -n 5000\nSELECT id, uuid() AS text FROM range(5000)",
        "ok",
    ),
    Deed::Cell("%describe kept", "ok"),
    Deed::Cell("SELECT nope FROM range(3)", "error"),
    Deed::Cell("CREATE OR REPLACE TEMP VIEW seen AS SELECT 1 AS one", "ok"),
    Deed::Cell("SELECT * FROM seen WHERE one = :no_such_name", "error"),
    Deed::Interrupt,
    Deed::Neighbour,
];

/// Rounds after which everything has been done, loaded and cached.
const WARM: usize = 3;

/// How often it is looked at what is held; the least of it counts.
const LOOKS: usize = 3;

/// What may be held more at the end than at first: memory in kilobytes and as a part of the first,
/// threads, descriptors.
const MORE: (u64, u64, u64, u64) = (12 << 10, 10, 4, 4);

async fn does(stage: &mut Stage, deed: Deed) {
    match deed {
        Deed::Cell(code, end) => {
            let done = stage.kernel.execute(code).await;
            let status = &done.reply.content["status"];
            assert_eq!(status, end, "{deed:?}: {done:?}");
        }
        Deed::Interrupt => {
            let cell = stage.under_way(LONG, runs).await;
            let asked = "interrupt_request";
            stage.kernel.ask(Channel::Control, asked, json!({})).await;
            let done = stage.end_of(&cell).await;
            assert_eq!(done.reply.content["ename"], "KeyboardInterrupt", "{done:?}");
        }
        Deed::Neighbour => {
            let (neighbour, _) = stage.machine.attach_ready("neighbour").await;
            let one = rows(&session(&neighbour), "SELECT 1").await;
            assert_eq!(one.num_rows(), 1);
            neighbour.goodbye().await;
        }
    }
}

/// Does everything once, in an order of chance.
async fn round(stage: &mut Stage, seed: &mut Seed) {
    let mut deeds = DEEDS.to_vec();
    while !deeds.is_empty() {
        let next = seed.within(0..deeds.len());
        does(stage, deeds.swap_remove(next)).await;
    }
    stage.kernel.unheard();
}

/// The least that a process held over some rounds.
async fn least(stage: &mut Stage, seed: &mut Seed, pids: [u32; 2]) -> [Held; 2] {
    let mut least = pids.map(held);
    for _ in 0..LOOKS {
        round(stage, seed).await;
        for (least, now) in least.iter_mut().zip(pids.map(held)) {
            *least = Held {
                memory: least.memory.min(now.memory),
                threads: least.threads.min(now.threads),
                descriptors: least.descriptors.min(now.descriptors),
            };
        }
    }
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_for_long_holds_no_more_than_at_first() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let mut seed = Seed::new("an order of cells");
    let time = std::env::var("FIRESTEEL_SOAK").map_or(5, |asked| asked.parse().unwrap());
    let reached = stage.reach(Moment::Idle).await;
    let pids = [stage.kernel.pid(), reached.keeper];
    // Once in the order in which what is described was kept before.
    for deed in DEEDS {
        does(&mut stage, deed).await;
    }
    for _ in 0..WARM {
        round(&mut stage, &mut seed).await;
    }
    let first = least(&mut stage, &mut seed, pids).await;
    let begun = Instant::now();
    let mut rounds = 0;
    while begun.elapsed() < Duration::from_secs(time) {
        round(&mut stage, &mut seed).await;
        rounds += 1;
    }
    let last = least(&mut stage, &mut seed, pids).await;
    for (who, (first, last)) in ["kernel", "keeper"].iter().zip(first.iter().zip(&last)) {
        tell(format_args!(
            "{who}: {first:?}, after {rounds} rounds {last:?}"
        ));
        let (memory, part, threads, descriptors) = MORE;
        assert!(
            last.memory <= first.memory + first.memory / part + memory
                && last.threads <= first.threads + threads
                && last.descriptors <= first.descriptors + descriptors,
            "{who}: {first:?}, after {rounds} rounds {last:?}"
        );
    }
    stage.shut_down().await;
    stage.nothing_is_left().await;
}
