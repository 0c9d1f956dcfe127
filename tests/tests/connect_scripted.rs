//! The session against a server that plays recorded scripts and misbehaves in every way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, where they are"
)]

use std::time::{Duration, Instant};

use firesteel_session::address::Address;
use firesteel_session::call::Deadlines;
use firesteel_session::client::{Client, Options};
use firesteel_session::engine::{Engine, Event};
use firesteel_session::error::Error;
use firesteel_session::proto::execute_plan_response::{ArrowBatch, ResponseType};
use firesteel_session::proto::{ExecutePlanResponse, FetchErrorDetailsResponse};
use firesteel_session::session::Session;
use firesteel_tests::connect::outcome::{End, Outcome, collect, error, query, run, statement};
use firesteel_tests::connect::script::Script;
use firesteel_tests::connect::scripted::{Play, Seen, Segment, Server, Then};
use futures::StreamExt;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// What a person takes for at once.
const SOON: Duration = Duration::from_millis(1500);

async fn played(script: &Script, play: Play) -> Outcome {
    let server = Server::start(play);
    run(&server.session(), script.statement()).await
}

#[tokio::test]
async fn every_script_plays_and_is_released() {
    for script in Script::all() {
        let server = Server::start(Play::of(&script));
        let outcome = run(&server.session(), script.statement()).await;
        let failed = matches!(outcome.end, End::Failed(_));
        assert_eq!(failed, script.failure().is_some(), "{}", script.name);
        server.expect(&Seen::ReleaseAll).await;
        assert_eq!(server.count(&Seen::Execute), 1, "{}", script.name);
        assert_eq!(server.count(&Seen::FetchErrorDetails), usize::from(failed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_whole_wherever_its_stream_breaks() {
    for script in Script::all() {
        let expected = played(&script, Play::of(&script)).await;
        let breaks = [
            (Then::End, false),
            (Then::End, true),
            (Then::Cut, false),
            (Then::Fail(Status::unavailable("told so")), true),
            (Then::Fail(Status::deadline_exceeded("told so")), false),
            (
                Then::Fail(Status::internal("[INVALID_CURSOR.DISCONNECTED] told so")),
                false,
            ),
        ];
        let runs = breaks.iter().flat_map(|(then, repeats)| {
            let script = &script;
            (0..script.responses().len()).map(move |index| async move {
                let next = Segment {
                    repeats: *repeats,
                    ..Segment::of(usize::MAX, Then::Rest)
                };
                let play = Play::of(script).with([Segment::of(index, then.clone()), next]);
                let told = format!("{} after {index}: {then:?} {repeats}", script.name);
                (told, played(script, play).await)
            })
        });
        for (told, outcome) in join_all(runs).await {
            assert_eq!(outcome, expected, "{told}");
        }
    }
}

#[tokio::test]
async fn a_result_in_streams_of_one_response_each_is_whole() {
    for script in Script::all() {
        let expected = played(&script, Play::of(&script)).await;
        let ones = script
            .responses()
            .into_iter()
            .map(|_| Segment::of(1, Then::End));
        let outcome = played(&script, Play::of(&script).with(ones)).await;
        assert_eq!(outcome, expected, "{}", script.name);
    }
}

/// The response, its rows cut into three chunks.
fn chunked(response: ExecutePlanResponse) -> Vec<ExecutePlanResponse> {
    let Some(ResponseType::ArrowBatch(batch)) = response.response_type.clone() else {
        return vec![response];
    };
    let size = batch.data.len().div_ceil(3);
    let chunk = |index: usize| {
        let (start, end) = (index * size, batch.data.len().min((index + 1) * size));
        let chunk = ArrowBatch {
            data: batch.data.slice(start..end),
            chunk_index: Some(index as i64),
            num_chunks_in_batch: Some(3),
            ..batch.clone()
        };
        ExecutePlanResponse {
            response_id: format!("{}-{index}", response.response_id),
            response_type: Some(ResponseType::ArrowBatch(chunk)),
            ..response.clone()
        }
    };
    (0..3).map(chunk).collect()
}

#[tokio::test]
async fn a_result_in_chunks_is_whole_even_when_its_stream_breaks_between_them() {
    for script in Script::all() {
        let expected = played(&script, Play::of(&script)).await;
        let whole = Play {
            responses: script.responses().into_iter().flat_map(chunked).collect(),
            ..Play::of(&script)
        };
        for index in 0..whole.responses.len() {
            let play = whole.clone().with([Segment::of(index, Then::End)]);
            let outcome = played(&script, play).await;
            assert_eq!(outcome, expected, "{} after {index}", script.name);
        }
    }
}

#[tokio::test]
async fn a_plan_that_got_lost_is_sent_again_only_where_it_cannot_run_twice() {
    let script = Script::load("one");
    let lost = || Play {
        lost: 1,
        ..Play::of(&script)
    };

    let server = Server::start(lost());
    let outcome = run(&server.session(), query("SELECT 1")).await;
    assert_eq!(outcome.end, End::Done(1), "a query is sent again");
    assert_eq!(server.count(&Seen::Execute), 2);

    let server = Server::start(lost());
    let error = error(&server.session(), statement("INSERT INTO t VALUES (1)")).await;
    assert!(
        matches!(error, Error::OperationNotFound { .. }),
        "{error:?}"
    );
    assert_eq!(server.count(&Seen::Execute), 1, "a write is not");

    let server = Server::start(lost());
    let address = server.address().with_incarnation("the-one");
    let session = Session::new(Client::new(address, Options::local()).unwrap());
    let outcome = run(&session, statement("INSERT INTO t VALUES (1)")).await;
    assert_eq!(
        outcome.end,
        End::Done(1),
        "to one and the same server it is"
    );
    assert_eq!(server.count(&Seen::Execute), 2);
}

#[tokio::test]
async fn what_the_server_forgot_after_a_response_is_not_sent_again() {
    let script = Script::load("batches");
    let cut = || Play::of(&script).with([Segment::of(3, Then::End)]);
    let forgets = [
        Play {
            forget_after: Some(1),
            ..cut()
        },
        Play {
            forget_session_after: Some(1),
            ..cut()
        },
    ];
    for (index, play) in forgets.into_iter().enumerate() {
        let server = Server::start(play);
        match error(&server.session(), query("SELECT 1")).await {
            Error::ResultLost { .. } => assert_eq!(index, 0),
            Error::SessionNotFound { .. } => assert_eq!(index, 1),
            other => panic!("{other:?}"),
        }
        assert_eq!(server.count(&Seen::Execute), 1);
    }
}

#[tokio::test]
async fn another_server_behind_the_same_address_is_noticed() {
    let script = Script::load("batches");
    let other = Segment {
        server_session: Some("another".to_owned()),
        ..Segment::of(usize::MAX, Then::Rest)
    };
    let server = Server::start(Play::of(&script).with([Segment::of(3, Then::End), other]));
    let error = error(&server.session(), query("SELECT 1")).await;
    assert!(matches!(error, Error::SessionChanged { .. }), "{error:?}");
    assert!(error.session_is_gone() && error.server_is_gone());
}

#[tokio::test]
async fn errors_of_the_handle_are_told_apart() {
    type Check = fn(&Error) -> bool;
    let cases: [(&str, Check); 6] = [
        ("INVALID_HANDLE.SESSION_CLOSED", |e| {
            matches!(e, Error::SessionClosed { .. })
        }),
        ("INVALID_HANDLE.SESSION_CHANGED", |e| {
            matches!(e, Error::SessionChanged { .. })
        }),
        ("INVALID_HANDLE.OPERATION_ABANDONED", |e| {
            matches!(e, Error::OperationAbandoned { .. })
        }),
        ("INVALID_HANDLE.OPERATION_ALREADY_EXISTS", |e| {
            matches!(e, Error::OperationDuplicate { .. })
        }),
        ("INVALID_CURSOR.POSITION_NOT_AVAILABLE", |e| {
            matches!(e, Error::Cursor { .. })
        }),
        ("OPERATION_CANCELED", |e| {
            matches!(e, Error::Cancelled { confirmed: true })
        }),
    ];
    for (class, is_right) in cases {
        let status = Status::internal(format!("[{class}] told so"));
        let play = Play::default().with([Segment::of(0, Then::Fail(status))]);
        let server = Server::start(play);
        let error = error(&server.session(), query("SELECT 1")).await;
        assert!(is_right(&error), "{class}: {error:?}");
    }
}

#[tokio::test]
async fn without_details_an_error_still_tells_its_class() {
    let script = Script::load("column");
    let mut play = Play::of(&script);
    if let Some(failure) = &mut play.failure {
        failure.explained = FetchErrorDetailsResponse::default();
    }
    let server = Server::start(play);
    let Error::Spark(error) = error(&server.session(), script.statement()).await else {
        panic!("no error of Spark's");
    };
    assert_eq!(
        error.class.as_deref(),
        Some("UNRESOLVED_COLUMN.WITH_SUGGESTION")
    );
    assert_eq!(error.sql_state.as_deref(), Some("42703"));
    assert_eq!(error.parameters["objectName"], "`nope`");
    assert!(error.contexts.is_empty());
}

fn hanging() -> Play {
    Play::of(&Script::load("batches")).with([Segment::of(2, Then::Hang)])
}

/// Runs a statement until it hangs, stops it, and tells how it ended and after what time.
async fn stopped(server: &Server) -> (Error, Duration) {
    let stop = CancellationToken::new();
    let mut events = server.session().run(query("SELECT 1"), stop.clone());
    assert!(events.next().await.is_some_and(|event| event.is_ok()));
    let asked = Instant::now();
    stop.cancel();
    let (_, error) = collect_rest(events).await;
    (error.expect("an error"), asked.elapsed())
}

/// Reads events to the end, from somewhere in the middle.
async fn collect_rest(mut events: firesteel_session::engine::Events) -> (usize, Option<Error>) {
    let mut count = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(_) => count += 1,
            Err(error) => return (count, Some(error)),
        }
    }
    (count, None)
}

#[tokio::test]
async fn a_stop_is_heard_and_confirmed() {
    let server = Server::start(hanging());
    let (error, took) = stopped(&server).await;
    assert!(
        matches!(error, Error::Cancelled { confirmed: true }),
        "{error:?}"
    );
    assert!(took < SOON, "{took:?}");
    server.expect(&Seen::ReleaseAll).await;
}

#[tokio::test]
async fn a_stop_that_the_server_does_not_hear_ends_all_the_same() {
    let server = Server::start(Play {
        deaf: true,
        ..hanging()
    });
    let (error, took) = stopped(&server).await;
    assert!(
        matches!(error, Error::Cancelled { confirmed: false }),
        "{error:?}"
    );
    assert!(took < SOON, "{took:?}");
    server.expect(&Seen::ReleaseAll).await;
}

#[tokio::test]
async fn a_stop_before_the_beginning_sends_nothing() {
    let server = Server::start(hanging());
    let stop = CancellationToken::new();
    stop.cancel();
    let (outcome, _) = collect(server.session().run(query("SELECT 1"), stop)).await;
    assert!(matches!(outcome.end, End::Failed(_)));
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn dropped_events_interrupt_and_release() {
    let server = Server::start(hanging());
    let session = server.session();
    let mut events = session.run(query("SELECT 1"), CancellationToken::new());
    assert!(matches!(events.next().await, Some(Ok(Event::Progress(_)))));
    drop(events);
    server.expect(&Seen::Interrupt).await;
    server.expect(&Seen::ReleaseAll).await;
}

#[tokio::test]
async fn events_that_are_never_read_send_nothing() {
    let server = Server::start(hanging());
    drop(
        server
            .session()
            .run(query("SELECT 1"), CancellationToken::new()),
    );
    server.session().keep_alive().await.unwrap();
    assert_eq!(server.seen(), [Seen::Config { background: true }]);
}

#[tokio::test]
async fn a_closed_session_stops_what_runs_and_is_released() {
    let server = Server::start(hanging());
    let session = server.session();
    let mut events = session.run(query("SELECT 1"), CancellationToken::new());
    assert!(events.next().await.is_some_and(|event| event.is_ok()));
    let (closed, (_, error)) = tokio::join!(session.close(), collect_rest(events));
    closed.unwrap();
    assert!(matches!(error, Some(Error::Cancelled { .. })), "{error:?}");
    let calls = server.seen();
    let of = |call| calls.iter().position(|seen| *seen == call);
    assert!(of(Seen::ReleaseAll) < of(Seen::ReleaseSession), "{calls:?}");
}

#[tokio::test]
async fn a_server_that_vanishes_is_told_within_seconds() {
    let server = Server::start(hanging());
    let mut events = server
        .session()
        .run(query("SELECT 1"), CancellationToken::new());
    assert!(events.next().await.is_some_and(|event| event.is_ok()));
    let vanished = Instant::now();
    server.vanish();
    let (_, error) = collect_rest(events).await;
    let error = error.expect("an error");
    assert!(error.server_is_gone(), "{error:?}");
    assert!(
        vanished.elapsed() < Duration::from_secs(6),
        "{:?}",
        vanished.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_was_never_there_is_told_within_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let address = Address::unix(dir.path().join("nobody"), "tester");
    let session = Session::new(Client::new(address, Options::local()).unwrap());
    let begun = Instant::now();
    let error = error(&session, statement("INSERT INTO t VALUES (1)")).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_stream_that_outlives_its_deadline_is_reattached() {
    let script = Script::load("batches");
    let expected = played(&script, Play::of(&script)).await;
    let server = Server::start(hanging());
    let options = Options {
        deadlines: Deadlines {
            stream: Duration::from_millis(300),
            ..Deadlines::default()
        },
        ..Options::local()
    };
    let outcome = run(&server.session_with(options), script.statement()).await;
    assert_eq!(outcome, expected);
    let last = script.responses()[1].response_id.clone();
    assert_eq!(server.count(&Seen::Reattach(Some(last))), 1);
}

#[tokio::test]
async fn calls_that_nobody_asked_for_are_marked() {
    let server = Server::start(Play::default());
    let session = server.session();
    session.get(&["spark.app.name"]).await.unwrap();
    session.keep_alive().await.unwrap();
    let marks = [false, true].map(|background| Seen::Config { background });
    assert_eq!(server.seen(), marks);
}

#[tokio::test]
async fn large_results_are_released_as_they_are_consumed() {
    let script = Script::load("batches");
    let one = script
        .responses()
        .into_iter()
        .find(|r| matches!(r.response_type, Some(ResponseType::ArrowBatch(_))))
        .expect("a batch");
    let end = script.responses().pop().expect("an end");
    let copies = 200;
    let mut start = 0;
    let mut responses: Vec<_> = (0..copies)
        .map(|index| {
            let mut copy = one.clone();
            copy.response_id = format!("copy {index}");
            if let Some(ResponseType::ArrowBatch(batch)) = &mut copy.response_type {
                batch.start_offset = Some(start);
                start += batch.row_count;
            }
            copy
        })
        .collect();
    responses.push(end);
    let server = Server::start(Play {
        responses,
        ..Play::default()
    });
    let outcome = run(&server.session(), query("SELECT 1")).await;
    assert_eq!(outcome.end, End::Done(start as u64));
    server.expect(&Seen::ReleaseAll).await;
    let untils = server.seen();
    let untils = untils
        .iter()
        .filter(|seen| matches!(seen, Seen::ReleaseUntil(_)));
    let untils = untils.count();
    assert!(
        (1..20).contains(&untils),
        "{untils} releases of {copies} responses"
    );
}
