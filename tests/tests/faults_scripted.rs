//! A recorded result comes whole, or a stop of it is heard, after any schedule of faults.
//!
//! `FIRESTEEL_FAULTS=all` tries a thousand schedules.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::time::Duration;

use firesteel_session::client::{Client, Options};
use firesteel_session::engine::Engine as _;
use firesteel_session::retry::Retry;
use firesteel_session::session::Session;
use firesteel_tests::connect::outcome::{End, Outcome, collect, run};
use firesteel_tests::connect::script::Script;
use firesteel_tests::connect::scripted::{Play, Seen, Segment, Server, Then};
use firesteel_tests::drivers::eventually;
use firesteel_tests::faults::seed::Seed;
use firesteel_tests::faults::{all, tell};
use futures::stream::{StreamExt as _, iter};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// No statement hangs for longer.
const NO_HANG: Duration = Duration::from_secs(30);

/// How many schedules are tried at once.
const AT_ONCE: usize = 16;

/// More than a schedule needs, however busy the machine is.
const RETRY: Retry = Retry {
    tries: 20,
    longest: Duration::from_millis(100),
    total: NO_HANG,
    ..Retry::PROMPT
};

/// What the consumer of a result does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consumer {
    /// Reads to the end.
    Reads,
    /// Stops after so many events, and reads to the end.
    Stops(usize),
    /// Goes away after so many events.
    Leaves(usize),
}

/// What happens to one statement.
#[derive(Debug, Clone)]
struct Schedule {
    /// The number of its script.
    script: usize,
    segments: Vec<Segment>,
    lost: usize,
    deaf: bool,
    consumer: Consumer,
}

impl Schedule {
    /// One that chance makes.
    fn new(mut seed: Seed, scripts: &[Script]) -> Self {
        let script = seed.within(0..scripts.len());
        let responses = scripts[script].responses().len();
        let ends = [
            Then::End,
            Then::Cut,
            Then::Fail(Status::unavailable("told so")),
            Then::Fail(Status::deadline_exceeded("told so")),
            Then::Fail(Status::internal("[INVALID_CURSOR.DISCONNECTED] told so")),
        ];
        let several = seed.within(0..4);
        let segments = (0..several).map(|_| Segment {
            repeats: *seed.one_of(&[false, true]),
            ..Segment::of(seed.within(0..responses + 1), seed.one_of(&ends).clone())
        });
        Self {
            script,
            segments: segments.collect(),
            lost: seed.within(0..2),
            deaf: *seed.one_of(&[false, true]),
            consumer: match seed.within(0..4) {
                0 => Consumer::Stops(seed.within(0..4)),
                1 => Consumer::Leaves(seed.within(1..4)),
                _ => Consumer::Reads,
            },
        }
    }

    async fn check(&self, scripts: &[Script], expected: &[Outcome]) {
        let (script, expected) = (&scripts[self.script], &expected[self.script]);
        let server = Server::start(Play {
            lost: self.lost,
            deaf: self.deaf,
            ..Play::of(script).with(self.segments.clone())
        });
        let address = server.address().with_incarnation("the-one");
        let options = Options {
            retry: RETRY,
            ..Options::local()
        };
        let session = Session::new(Client::new(address, options).unwrap());
        let stop = CancellationToken::new();
        let mut events = session.run(script.statement(), stop.clone());
        let begun = Instant::now();
        let few = match self.consumer {
            Consumer::Reads => None,
            Consumer::Stops(few) | Consumer::Leaves(few) => Some(few),
        };
        let mut before = Vec::new();
        while before.len() < few.unwrap_or(0)
            && let Some(event) = events.next().await
        {
            let last = event.is_err();
            before.push(event);
            if last {
                break;
            }
        }
        match self.consumer {
            Consumer::Leaves(_) => drop(events),
            Consumer::Stops(_) | Consumer::Reads => {
                if few.is_some() {
                    stop.cancel();
                }
                let all = Box::pin(iter(before).chain(events));
                let (outcome, _) = collect(all).await;
                let stopped = few.is_some()
                    && matches!(&outcome.end, End::Failed(why) if why.starts_with("Cancelled"));
                assert!(stopped || outcome == *expected, "{self:?}: {outcome:?}");
            }
        }
        // Nothing is sent where it was stopped before its beginning.
        let begins = self.consumer != Consumer::Stops(0);
        self.is_over(&server, begins).await;
        assert!(begun.elapsed() < NO_HANG, "{self:?}: {:?}", begun.elapsed());
    }

    /// Waits until the server was told that all is over, and checks that it was told what it had
    /// to be told once.
    async fn is_over(&self, server: &Server, begins: bool) {
        let released = usize::from(begins);
        eventually(NO_HANG, async || match server.count(&Seen::ReleaseAll) {
            count if count >= released => Ok(()),
            count => Err(format!("{self:?}: {count} releases")),
        })
        .await;
        let sent = server.count(&Seen::Execute);
        assert!(sent <= 1 + self.lost, "{self:?}: {:?}", server.seen());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_result_is_whole_after_any_schedule_of_faults() {
    let seed = Seed::new("schedules on scripts");
    let scripts = Script::all();
    let mut expected = Vec::new();
    for script in &scripts {
        let server = Server::start(Play::of(script));
        expected.push(run(&server.session(), script.statement()).await);
    }
    let count = if all() { 1000 } else { 150 };
    let (scripts, expected) = (&scripts, &expected);
    let checks = (0..count).map(|number| {
        let schedule = Schedule::new(seed.case(number), scripts);
        async move { schedule.check(scripts, expected).await }
    });
    let count = iter(checks).buffer_unordered(AT_ONCE).count().await;
    tell(format_args!(
        "{count} schedules of up to four streams, a lost plan and a consumer that leaves"
    ));
}
