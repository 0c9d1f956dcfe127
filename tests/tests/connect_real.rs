//! The session against a real Spark, whose streams end after a second or 256 KiB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use std::time::{Duration, Instant};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::sum;
use arrow::datatypes::{Int32Type, Int64Type};
use bytes::Bytes;
use firesteel_session::address::Token;
use firesteel_session::client::{Client, Options};
use firesteel_session::engine::{Engine, Event, Events, Statement};
use firesteel_session::error::{Error, Position, SparkError};
use firesteel_session::session::{Artifact, ExplainMode, OperationState, Session};
use firesteel_tests::connect::outcome::{End, error, query, rows, run, statement};
use firesteel_tests::connect::real::{Spark, shared};
use firesteel_tests::connect::script::Script;
use firesteel_tests::connect::scripted::{Play, Server};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// A statement that would take months, in one task.
const ENDLESS: &str = "SELECT sum(sin(id)) FROM range(0, 1000000000000000, 1, 1)";

/// A statement that takes about four seconds and gives the numbers from 0 to 3.
const SLOW: &str =
    "SELECT id, reflect('java.lang.Thread', 'sleep', 1000L) AS slept FROM range(0, 4, 1, 1)";

fn longs(rows: &RecordBatch, column: usize) -> Vec<i64> {
    rows.column(column)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

/// Reads events until the first that is not progress, and past it as long as `pass` says.
async fn until_it_runs(events: &mut Events) {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.next()).await;
        match event.expect("progress").expect("progress") {
            Ok(Event::Progress(progress)) if progress.running_tasks > 0 => return,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn spark_error(session: &Session, sql: &str) -> SparkError {
    match error(session, statement(sql)).await {
        Error::Spark(error) => *error,
        other => panic!("{sql}: {other:?}"),
    }
}

#[tokio::test]
async fn a_query_gives_its_row() {
    let Some(spark) = shared() else { return };
    let rows = rows(&spark.session(), "SELECT 1 AS one").await;
    assert_eq!(rows.column(0).as_primitive::<Int32Type>().values(), &[1]);
    assert_eq!(rows.schema().field(0).name(), "one");
}

#[tokio::test]
async fn three_hundred_thousand_rows_come_whole_over_many_streams() {
    let Some(spark) = shared() else { return };
    let rows = rows(&spark.session(), "SELECT id FROM range(0, 300000, 1, 7)").await;
    assert_eq!(rows.num_rows(), 300_000);
    let ids = rows.column(0).as_primitive::<Int64Type>();
    assert_eq!(sum(ids), Some(299_999 * 300_000 / 2));
}

#[tokio::test]
async fn a_statement_longer_than_its_streams_gives_all_its_rows() {
    let Some(spark) = shared() else { return };
    let begun = Instant::now();
    let rows = rows(&spark.session(), SLOW).await;
    assert!(
        begun.elapsed() > Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(longs(&rows, 0), [0, 1, 2, 3]);
}

#[tokio::test]
async fn what_comes_compressed_is_what_comes_plain() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    let sql = "SELECT id, if(id % 3 = 0, NULL, concat('name ', id % 7)) AS name, id / 7 AS part,
        array(id, NULL) AS list, CAST(id AS DECIMAL(20, 2)) AS amount FROM range(30000)";
    let (mut fetched, mut sent) = (Vec::new(), Vec::new());
    for codec in ["none", "zstd"] {
        let set = format!("SET spark.sql.execution.arrow.compression.codec={codec}");
        rows(&session, &set).await;
        let mut events = session.run(query(sql), CancellationToken::new());
        let mut bytes = 0;
        while let Some(event) = events.next().await {
            if let Event::Batch(batch) = event.unwrap() {
                bytes += batch.wire_bytes;
            }
        }
        fetched.push(rows(&session, sql).await);
        sent.push(bytes);
    }
    assert_eq!(fetched[0].num_rows(), 30_000);
    assert_eq!(fetched[0], fetched[1]);
    assert!(sent[1] < sent[0] / 2, "{sent:?}");
}

#[tokio::test]
async fn a_limit_is_kept() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    for sql in [
        "SELECT id FROM range(100)",
        "BEGIN SELECT id FROM range(100); END",
    ] {
        let limited = Statement {
            rows: Some(7),
            ..query(sql)
        };
        let outcome = run(&session, limited).await;
        assert_eq!(outcome.end, End::Done(7), "{sql}");
        assert_eq!(outcome.rows(), 7, "{sql}");
    }
}

/// Each kind of statement: itself, how many columns it gives, how many rows.
const STATEMENTS: [(&str, usize, usize); 24] = [
    (
        "CREATE TABLE kinds (id INT, name STRING) USING parquet",
        0,
        0,
    ),
    ("INSERT INTO kinds VALUES (1, 'a'), (2, 'b')", 0, 0),
    ("SELECT * FROM kinds", 2, 2),
    (
        "CREATE TABLE copied USING parquet AS SELECT * FROM kinds",
        0,
        0,
    ),
    ("SELECT * FROM copied", 2, 2),
    (
        "WITH more AS (SELECT 3, 'c') INSERT INTO copied SELECT * FROM more",
        0,
        0,
    ),
    (
        "FROM kinds INSERT INTO copied SELECT * INSERT INTO copied SELECT id + 10, name",
        0,
        0,
    ),
    ("SELECT * FROM copied", 2, 7),
    (
        "EXECUTE IMMEDIATE 'INSERT INTO copied VALUES (4, \"d\")'",
        0,
        0,
    ),
    ("SELECT * FROM copied", 2, 8),
    ("SET spark.sql.shuffle.partitions = 3", 2, 1),
    ("CREATE DATABASE kept", 0, 0),
    ("USE kept", 0, 0),
    ("SHOW TABLES", 3, 0),
    ("USE default", 0, 0),
    ("EXPLAIN SELECT 1", 1, 1),
    ("CACHE TABLE kinds", 0, 0),
    ("DESCRIBE kinds", 3, 2),
    ("CREATE TEMP VIEW seen AS SELECT 1", 0, 0),
    ("DECLARE VARIABLE number INT DEFAULT 5", 0, 0),
    ("SET VAR number = 6", 0, 0),
    ("SELECT * FROM kinds |> WHERE id > 1", 2, 1),
    (
        "-- a block\nBEGIN DECLARE i INT DEFAULT 0; WHILE i < 3 DO \
         INSERT INTO kinds VALUES (i, 'loop'); SET i = i + 1; END WHILE; \
         SELECT * FROM kinds; END",
        2,
        5,
    ),
    ("SELECT * FROM kinds", 2, 5),
];

#[tokio::test]
async fn every_kind_of_statement_runs_once_in_one_round_trip() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    for (sql, columns, count) in STATEMENTS {
        let limited = Statement {
            rows: Some(1000),
            ..statement(sql)
        };
        let outcome = run(&session, limited).await;
        assert_eq!(outcome.end, End::Done(count as u64), "{sql}");
        let schema = outcome.schema.expect("a schema");
        assert_eq!(schema.fields().len(), columns, "{sql}");
    }
}

#[tokio::test]
async fn a_stop_ends_a_statement_within_a_second_and_keeps_views() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    rows(&session, "CREATE TEMP VIEW seven AS SELECT 7L AS seven").await;
    let stop = CancellationToken::new();
    let mut events = session.run(query(ENDLESS), stop.clone());
    until_it_runs(&mut events).await;
    let asked = Instant::now();
    stop.cancel();
    let error = loop {
        match events.next().await.expect("an end") {
            Ok(event) => assert!(!matches!(event, Event::Done(_))),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
    assert!(
        asked.elapsed() < Duration::from_millis(1100),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(longs(&rows(&session, "SELECT * FROM seven").await, 0), [7]);
}

/// Waits until nothing of the session runs, and gives the states of what ran.
async fn settled(session: &Session) -> Vec<OperationState> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let states: Vec<OperationState> = session
            .status(&[])
            .await
            .unwrap()
            .into_iter()
            .map(|operation| operation.state)
            .collect();
        let runs = |state: &OperationState| {
            matches!(state, OperationState::Running | OperationState::Terminating)
        };
        if !states.iter().any(runs) {
            return states;
        }
        assert!(Instant::now() < deadline, "{states:?}");
    }
}

#[tokio::test]
async fn dropped_events_end_the_statement_on_the_server() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    let mut events = session.run(query(ENDLESS), CancellationToken::new());
    until_it_runs(&mut events).await;
    drop(events);
    assert_eq!(settled(&session).await, [OperationState::Cancelled]);
}

#[tokio::test]
async fn events_dropped_at_once_leave_nothing_running() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    rows(&session, "SELECT 1").await;
    for _ in 0..5 {
        let mut events = session.run(query(ENDLESS), CancellationToken::new());
        assert!(futures::poll!(events.next()).is_pending());
        drop(events);
    }
    session.close().await.unwrap();
    // Whatever was left would keep every core busy, and the next statement waiting.
    let other = spark.session();
    let next = run(&other, query("SELECT sum(id) FROM range(1000)"));
    let next = tokio::time::timeout(Duration::from_secs(30), next).await;
    assert!(next.is_ok_and(|next| next.end == End::Done(1)));
}

#[tokio::test]
async fn an_error_tells_class_state_place_and_what_was_written_there() {
    let Some(spark) = shared() else { return };
    let session = spark.session();

    let parse = spark_error(&session, "SELECT 1\nFORM t").await;
    assert_eq!(parse.class.as_deref(), Some("PARSE_SYNTAX_ERROR"));
    assert_eq!(parse.sql_state.as_deref(), Some("42601"));
    assert_eq!(parse.position, Some(Position { line: 2, column: 5 }));
    assert!(!parse.message.contains("SQLSTATE"), "{}", parse.message);

    let sql = "SELECT '\u{1f600}', nope FROM range(3)";
    let column = spark_error(&session, sql).await;
    assert_eq!(
        column.class.as_deref(),
        Some("UNRESOLVED_COLUMN.WITH_SUGGESTION")
    );
    assert_eq!(column.parameters["objectName"], "`nope`");
    let context = &column.contexts[0];
    let (start, stop) = (
        context.start.expect("a start"),
        context.stop.expect("an end"),
    );
    let written: String = sql.chars().skip(start).take(stop + 1 - start).collect();
    assert_eq!(written, "nope");

    let zero = spark_error(&session, "SELECT 1 / (id - 2) FROM range(3)").await;
    assert_eq!(zero.class.as_deref(), Some("DIVIDE_BY_ZERO"));
    assert_eq!(zero.sql_state.as_deref(), Some("22012"));
    assert_eq!(zero.contexts[0].fragment, "1 / (id - 2)");
    assert!(!zero.stack_trace.is_empty());
    assert!(
        !zero.full_message.contains("\tat "),
        "{}",
        zero.full_message
    );

    let path = spark_error(&session, "SELECT * FROM parquet.`/nowhere`").await;
    assert_eq!(path.class.as_deref(), Some("PATH_NOT_FOUND"));
}

#[tokio::test]
async fn a_wrong_token_is_refused_at_once() {
    let Some(spark) = shared() else { return };
    let begun = Instant::now();
    let address = spark.address().with_token(Token::new("wrong"));
    let session = Session::new(Client::new(address, Options::remote()).unwrap());
    let refused = error(&session, query("SELECT 1")).await;
    assert!(
        matches!(refused, Error::Unauthenticated { .. }),
        "{refused:?}"
    );
    let refused = session.spark_version().await;
    assert!(
        matches!(refused, Err(Error::Unauthenticated { .. })),
        "{refused:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_released_session_is_closed_for_good() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    rows(&session, "SELECT 1").await;
    let address = spark.address();
    let twin = firesteel_session::address::Address {
        session_id: Some(session.identity().session_id()),
        ..address
    };
    let twin = Session::new(Client::new(twin, Options::local()).unwrap());
    session.close().await.unwrap();
    let closed = error(&twin, query("SELECT 1")).await;
    assert!(matches!(closed, Error::SessionClosed { .. }), "{closed:?}");
    assert!(closed.session_is_gone());
    twin.close().await.unwrap();
}

#[tokio::test]
async fn settings_are_set_told_and_unset() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    let name = "spark.sql.shuffle.partitions";
    let default = session.get(&[name]).await.unwrap()[name].clone();
    session.set(&[(name, "17")]).await.unwrap();
    assert_eq!(
        session.get(&[name]).await.unwrap()[name].as_deref(),
        Some("17")
    );
    let all = session.get_all("spark.sql.shuffle.").await.unwrap();
    assert_eq!(all["partitions"].as_deref(), Some("17"));
    session.unset(&[name]).await.unwrap();
    assert_eq!(session.get(&[name]).await.unwrap()[name], default);
    session.keep_alive().await.unwrap();
    let fixed = session.set(&[("spark.sql.warehouse.dir", "x")]).await;
    assert!(matches!(fixed, Err(Error::Spark(_))), "{fixed:?}");
}

#[tokio::test]
async fn a_plan_is_explained_without_being_run() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    assert!(session.spark_version().await.unwrap().starts_with("4."));
    let plan = session
        .explain_sql("SELECT 1 + 1", ExplainMode::Extended)
        .await;
    assert!(plan.unwrap().contains("== Parsed Logical Plan =="));
    let schema = session.schema("SELECT 1 AS one").await.unwrap();
    assert!(format!("{schema:?}").contains("one"));
    assert!(settled(&session).await.is_empty());
}

#[tokio::test]
async fn a_copied_session_has_the_views_of_the_first() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    rows(&session, "CREATE TEMP VIEW mine AS SELECT 5L AS five").await;
    let copy = session.clone_session(None).await.unwrap();
    assert_ne!(
        copy.identity().session_id(),
        session.identity().session_id()
    );
    assert_eq!(longs(&rows(&copy, "SELECT * FROM mine").await, 0), [5]);
}

#[tokio::test]
async fn files_arrive_whole() {
    let Some(spark) = shared() else { return };
    let session = spark.session();
    let data: Bytes = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let (there, missing) = ("cache/".to_owned() + &"a".repeat(64), "cache/nothing");
    let artifact = Artifact {
        name: there.clone(),
        data,
    };
    session.add_artifacts(vec![artifact]).await.unwrap();
    let status = session.artifact_status(&[&there, missing]).await.unwrap();
    assert!(status[&there] && !status[missing], "{status:?}");
}

#[tokio::test]
async fn all_of_a_tag_is_interrupted_together() {
    let Some(spark) = shared() else { return };
    let client = Client::new(spark.address(), Options::local()).unwrap();
    let session = Session::tagged(client, vec!["mine".to_owned()]);
    let mut events = session.run(query(ENDLESS), CancellationToken::new());
    until_it_runs(&mut events).await;
    assert!(session.interrupt_tag("other").await.unwrap().is_empty());
    assert_eq!(session.interrupt_tag("mine").await.unwrap().len(), 1);
    let error = loop {
        if let Err(error) = events.next().await.expect("an end") {
            break error;
        }
    };
    assert!(
        matches!(error, Error::Cancelled { confirmed: true }),
        "{error:?}"
    );
    assert!(session.interrupt_all().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_scripted_server_and_the_real_one_come_to_the_same() {
    let Some(spark) = shared() else { return };
    for script in Script::all() {
        let server = Server::start(Play::of(&script));
        let played = run(&server.session(), script.statement()).await;
        let session = spark.session();
        for before in &script.before {
            rows(&session, before).await;
        }
        let real = run(&session, script.statement()).await;
        if script.failure().is_some() {
            // How many rows come before a failure is chance.
            assert_eq!(played.end, real.end, "{}", script.name);
        } else {
            assert_eq!(played, real, "{}", script.name);
        }
    }
}

#[tokio::test]
async fn a_driver_killed_in_the_middle_is_told_within_seconds() {
    let started = tokio::task::spawn_blocking(|| Spark::start(&[]))
        .await
        .unwrap();
    let Some(spark) = started else { return };
    let session = spark.session();
    let mut events = session.run(query(ENDLESS), CancellationToken::new());
    until_it_runs(&mut events).await;
    let killed = Instant::now();
    spark.stop();
    let error = loop {
        if let Err(error) = events.next().await.expect("an end") {
            break error;
        }
    };
    assert!(error.server_is_gone(), "{error:?}");
    assert!(
        killed.elapsed() < Duration::from_secs(6),
        "{:?}",
        killed.elapsed()
    );
}
