//! A result of a real Spark comes whole, or its loss is told, wherever the way to it breaks.
//!
//! `FIRESTEEL_FAULTS=all` breaks it behind each of its responses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use std::fmt;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use firesteel_session::address::Address;
use firesteel_session::client::{Client, KeepAlive, Options};
use firesteel_session::failure::Kind;
use firesteel_session::proto::{ReattachExecuteRequest, UserContext};
use firesteel_session::retry::Retry;
use firesteel_session::session::Session;
use firesteel_tests::connect::outcome::{End, Outcome, rows, run, statement};
use firesteel_tests::connect::real::{Spark, shared_with};
use firesteel_tests::drivers::eventually;
use firesteel_tests::faults::relay::{Fault, Relay, Side};
use firesteel_tests::faults::seed::Seed;
use firesteel_tests::faults::{all, tell};
use futures::stream::{StreamExt as _, iter};
use tokio::time::Instant;
use uuid::Uuid;

/// Results in many responses, and in streams that the server ends after a few of them.
const CONF: [(&str, &str); 3] = [
    ("spark.sql.execution.arrow.maxRecordsPerBatch", "10"),
    (
        "spark.connect.execute.reattachable.senderMaxStreamSize",
        "24k",
    ),
    ("spark.connect.progress.reportInterval", "-1"),
];

/// Rows of the result, in lots of ten.
const ROWS: i64 = 2500;

/// How long the loss of a connection may go unnoticed.
const KEEP_ALIVE: KeepAlive = KeepAlive {
    every: Duration::from_millis(200),
    patience: Duration::from_secs(1),
};

/// More than a case needs, however busy the machine is.
const RETRY: Retry = Retry {
    tries: 20,
    longest: Duration::from_millis(500),
    total: NO_HANG,
    ..Retry::PROMPT
};

/// No statement hangs for longer, whatever happens to its connection.
const NO_HANG: Duration = Duration::from_secs(30);

/// How many statements are on their way at once.
const AT_ONCE: usize = 6;

/// The four ways in which a connection is cut.
const CUTS: [Fault; 4] = [
    Fault::Reset(Side::Client),
    Fault::Reset(Side::Server),
    Fault::Silent(Side::Client),
    Fault::Silent(Side::Server),
];

/// What does not break it: waits shorter and longer than patience, and a request that comes twice.
const BOTHERS: [Fault; 3] = [
    Fault::Delay(Duration::from_millis(100)),
    Fault::Delay(Duration::from_secs(2)),
    Fault::Reattach,
];

/// One statement and what happens on its way.
#[derive(Clone)]
struct Case {
    faults: Vec<(usize, Fault)>,
    /// Whether the server is known to be one and the same, so that a plan may be sent again.
    incarnation: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let incarnation = if self.incarnation { "known" } else { "unknown" };
        write!(f, "{:?}, incarnation {incarnation}", self.faults)
    }
}

impl Case {
    fn one(index: usize, fault: Fault) -> Self {
        Self {
            faults: vec![(index, fault)],
            incarnation: true,
        }
    }

    /// Whether the plan does not arrive, and may not be sent again.
    fn loses_the_plan(&self) -> bool {
        let lost = |fault| matches!(fault, Fault::Reset(_) | Fault::Silent(Side::Server));
        !self.incarnation
            && self
                .faults
                .iter()
                .any(|&(at, fault)| at == 0 && lost(fault))
    }

    /// Runs the statement once, and checks all that must hold.
    async fn check(&self, spark: &Spark) -> Relay {
        let client = Client::new(spark.address(), Options::local()).unwrap();
        let relay = Relay::start(client, spark.port(), self.faults.clone()).await;
        let id = Uuid::new_v4();
        known(spark, id).await;
        let address = self.address(&relay, id);
        let session = Session::new(Client::new(address, options()).unwrap());
        let begun = Instant::now();
        let mark = Uuid::new_v4().to_string();
        let outcome = run(&session, statement(&marking(&mark))).await;
        assert!(begun.elapsed() < NO_HANG, "{self}: {:?}", begun.elapsed());
        // Who is cut off before a word was said may know that nothing was sent, and send it again.
        let unsaid = self.faults.contains(&(0, Fault::Reset(Side::Client)));
        let again = unsaid && matches!(outcome.end, End::Done(_));
        let lost = self.loses_the_plan() && !again;
        if lost {
            let told =
                matches!(&outcome.end, End::Failed(why) if why.starts_with("OperationNotFound"));
            assert!(told, "{self}: {:?}", outcome.end);
        } else {
            self.is_whole(&outcome);
        }
        let runs = u64::from(!lost);
        assert_eq!(executions(spark, &mark).await, runs, "{self}");
        self.is_released(spark, &relay).await;

        session.close().await.unwrap();
        assert_eq!(relay.to_come(), 0, "{self}: it did not happen");
        drop(session);
        self.closes(&relay).await;
        relay
    }

    fn address(&self, relay: &Relay, session: Uuid) -> Address {
        let address = Address {
            session_id: Some(session),
            ..relay.address()
        };
        if self.incarnation {
            address.with_incarnation("the-one")
        } else {
            address
        }
    }

    fn is_whole(&self, outcome: &Outcome) {
        assert_eq!(outcome.end, End::Done(ROWS as u64), "{self}");
        let rows = outcome.rows.as_ref().unwrap();
        let column = |at| {
            rows.column(at)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        };
        assert_eq!(column(0), Vec::from_iter(0..ROWS), "{self}");
        let squares = (0..ROWS).map(|id| id * id);
        assert_eq!(column(1), Vec::from_iter(squares), "{self}");
    }

    /// Waits until the server has let go of all that was executed.
    async fn is_released(&self, spark: &Spark, relay: &Relay) {
        let direct = Client::new(spark.address(), Options::local()).unwrap();
        for (session_id, operation_id) in relay.operations() {
            let request = ReattachExecuteRequest {
                session_id,
                operation_id,
                user_context: Some(UserContext {
                    user_id: spark.address().user_id,
                    ..UserContext::default()
                }),
                ..ReattachExecuteRequest::default()
            };
            eventually(NO_HANG, async || {
                match direct.reattach_execute(request.clone()).await {
                    Err(failure)
                        if matches!(
                            failure.kind,
                            Kind::OperationNotFound | Kind::OperationAbandoned
                        ) =>
                    {
                        Ok(())
                    }
                    other => Err(format!("{self}: not released: {other:?}")),
                }
            })
            .await;
        }
    }

    /// Waits until the client holds no connection any more.
    async fn closes(&self, relay: &Relay) {
        eventually(NO_HANG, async || match relay.open() {
            0 => Ok(()),
            open => Err(format!("{self}: {open} connections are open")),
        })
        .await;
    }
}

/// Makes the session known to the server: that it is not would be told in place of what is lost.
async fn known(spark: &Spark, session: Uuid) {
    let address = Address {
        session_id: Some(session),
        ..spark.address()
    };
    let client = Client::new(address, Options::local()).unwrap();
    Session::new(client).spark_version().await.unwrap();
}

fn options() -> Options {
    Options {
        keep_alive: KEEP_ALIVE,
        retry: RETRY,
        ..Options::local()
    }
}

/// A statement that leaves one `x` behind `mark` in the server each time it is executed.
fn marking(mark: &str) -> String {
    let run = format!(
        "reflect('java.lang.System', 'setProperty', '{mark}', \
         concat(reflect('java.lang.System', 'getProperty', '{mark}'), 'x'))"
    );
    format!(
        "SELECT id, id * id AS square, CASE WHEN id = 0 THEN {run} END AS before \
         FROM range(0, {ROWS}, 1, 4)"
    )
}

/// How often the statement with this mark was executed.
async fn executions(spark: &Spark, mark: &str) -> u64 {
    let session = spark.session();
    // What was never set is `null`, as text.
    let asked = format!(
        "SELECT CAST(length(replace(reflect('java.lang.System', 'getProperty', '{mark}'), 'null')) AS BIGINT)"
    );
    let answer = rows(&session, &asked).await;
    session.close().await.unwrap();
    answer.column(0).as_primitive::<Int64Type>().value(0) as u64
}

/// How many responses the result comes in, where nothing happens to it.
async fn responses(spark: &Spark) -> usize {
    let plain = Case {
        faults: Vec::new(),
        incarnation: false,
    };
    let relay = plain.check(spark).await;
    assert!(relay.passed() >= 200, "{} responses", relay.passed());
    assert!(relay.streams() >= 8, "in {} streams", relay.streams());
    relay.passed()
}

/// The indexes at which something happens: before all, behind all, and `count` in between or each.
fn indexes(seed: &mut Seed, responses: usize, count: usize) -> Vec<usize> {
    let count = if all() { responses } else { count };
    let mut indexes = seed.some_of(1..responses, count);
    indexes.insert(0, 0);
    indexes.push(responses);
    indexes
}

/// Gives how often each case's request came twice and was taken.
async fn check_all(spark: &Spark, cases: impl IntoIterator<Item = Case>) -> Vec<usize> {
    let checks = iter(cases).map(|case| async move { case.check(spark).await.repeated() });
    checks.buffer_unordered(AT_ONCE).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_whole_wherever_its_connection_is_cut() {
    let Some(spark) = shared_with(&CONF) else {
        return;
    };
    let mut seed = Seed::new("cuts");
    let responses = responses(spark).await;
    let indexes = indexes(&mut seed, responses, 20);
    for cut in CUTS {
        let cases = indexes.iter().map(|&index| Case::one(index, cut));
        let count = check_all(spark, cases).await.len();
        tell(format_args!(
            "{count} of {} indexes: {cut:?}",
            responses + 1
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_does_not_arrive_is_not_executed_and_that_is_told() {
    let Some(spark) = shared_with(&CONF) else {
        return;
    };
    let cases = CUTS.map(|cut| Case {
        incarnation: false,
        ..Case::one(0, cut)
    });
    assert_eq!(cases.iter().filter(|case| case.loses_the_plan()).count(), 3);
    let count = check_all(spark, cases).await.len();
    tell(format_args!(
        "{count} cuts of a connection to a server that may be another"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn delays_and_requests_that_come_twice_change_nothing() {
    let Some(spark) = shared_with(&CONF) else {
        return;
    };
    let mut seed = Seed::new("delays and second requests");
    let responses = responses(spark).await;
    let indexes = indexes(&mut seed, responses, 6);
    for bother in BOTHERS {
        let cases = indexes.iter().map(|&index| Case::one(index, bother));
        let taken = check_all(spark, cases).await;
        let count = taken.len();
        tell(format_args!(
            "{count} of {} indexes: {bother:?}",
            responses + 1
        ));
        let again: usize = taken.iter().sum();
        assert_eq!(again > 0, bother == Fault::Reattach, "{bother:?}: {again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_whole_after_any_schedule_of_faults() {
    let Some(spark) = shared_with(&CONF) else {
        return;
    };
    let seed = Seed::new("schedules of faults");
    let responses = responses(spark).await;
    let kinds = [CUTS.as_slice(), &BOTHERS].concat();
    let count = if all() { 100 } else { 12 };
    let cases = (0..count).map(|number| {
        let mut seed = seed.case(number);
        let several = seed.within(2..6);
        let at = seed.some_of(0..responses, several);
        Case {
            faults: at
                .into_iter()
                .map(|at| (at, *seed.one_of(&kinds)))
                .collect(),
            incarnation: true,
        }
    });
    let count = check_all(spark, cases).await.len();
    tell(format_args!("{count} schedules of up to five faults"));
}
