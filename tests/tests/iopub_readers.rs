//! iopub under subscribers that are slow, late, frozen, gone or hostile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, where they are"
)]

use std::time::{Duration, Instant};

use firesteel_kernel::wire::iopub::Limits;
use firesteel_tests::jupyter::client::execution;
use firesteel_tests::jupyter::message::Session;
use firesteel_tests::jupyter::subscriber::{frame, greeting, ready};
use firesteel_tests::jupyter::{Channel, Client, Kernel, Message, Options, Subscriber, within};
use serde_json::json;

/// A kernel that bears little, so that limits are reached soon.
fn small(hold: Duration) -> Options {
    Options {
        limits: Limits {
            queue_bytes: 256 << 10,
            under_way: 64 << 10,
            hold,
            ..Limits::default()
        },
        ..Options::default()
    }
}

/// The numbers that a flood's messages begin with.
fn numbers(messages: &[Message]) -> Vec<usize> {
    messages
        .iter()
        .filter(|message| message.kind() == "stream")
        .map(|message| message.text().split(' ').next().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_frozen_subscriber_is_dropped_and_a_healthy_one_gets_all_of_30000_messages_in_order() {
    let kernel = Kernel::with(small(Duration::from_millis(500)));
    let mut client = Client::connect(&kernel.info).await;
    let mut frozen = Subscriber::subscribed(&kernel.info).await;
    // Its welcome, so that it is subscribed when the flood begins.
    frozen.message().await.unwrap();
    let done = client.execute("flood 30000 100").await;
    assert_eq!(done.reply.content["status"], "ok");
    assert_eq!(numbers(&done.published), (0..30_000).collect::<Vec<_>>());
    frozen.hung_up().await;
}

#[tokio::test]
async fn a_frozen_subscriber_holds_up_neither_control_nor_an_interrupt() {
    // Longer than the test may take.
    let kernel = Kernel::with(small(Duration::from_secs(3600)));
    let mut client = Client::connect(&kernel.info).await;
    let mut frozen = Subscriber::subscribed(&kernel.info).await;
    frozen.message().await.unwrap();
    let cell = client
        .send(
            Channel::Shell,
            "execute_request",
            execution("flood 1000000 1000"),
        )
        .await;
    // What control publishes waits behind the flood, and its replies do not.
    kernel.remote.flood_is_held().await;
    let id = client
        .send(Channel::Control, "kernel_info_request", json!({}))
        .await;
    client.reply(Channel::Control, &id).await;
    let begun = Instant::now();
    let id = client
        .send(Channel::Control, "interrupt_request", json!({}))
        .await;
    client.reply(Channel::Control, &id).await;
    let reply = client.reply(Channel::Shell, &cell).await;
    assert_eq!(reply.content["ename"], "KeyboardInterrupt");
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(client.unclaimed(Channel::Shell).is_empty());
}

#[tokio::test]
async fn a_subscriber_that_reads_late_holds_the_producer_back_and_loses_nothing() {
    let kernel = Kernel::with(small(Duration::from_secs(3600)));
    let mut client = Client::connect(&kernel.info).await;
    let mut late = Subscriber::subscribed(&kernel.info).await;
    late.message().await.unwrap();
    let cell = client
        .send(
            Channel::Shell,
            "execute_request",
            execution("flood 20000 1000"),
        )
        .await;
    kernel.remote.flood_is_held().await;
    let session = Session::new(&kernel.info.key);
    let mut came = Vec::new();
    loop {
        let message = session.read(&late.message().await.unwrap());
        if message.parent_id() == cell && message.is_status("idle") {
            break;
        }
        came.push(message);
    }
    assert_eq!(numbers(&came), (0..20_000).collect::<Vec<_>>());
    let done = client.done(Channel::Shell, &cell).await;
    assert_eq!(done.reply.content["status"], "ok");
}

#[tokio::test]
async fn a_subscriber_that_vanishes_holds_nobody_up() {
    let kernel = Kernel::with(small(Duration::from_secs(3600)));
    let mut client = Client::connect(&kernel.info).await;
    let mut vanishing = Subscriber::subscribed(&kernel.info).await;
    vanishing.message().await.unwrap();
    let cell = client
        .send(
            Channel::Shell,
            "execute_request",
            execution("flood 20000 1000"),
        )
        .await;
    kernel.remote.flood_is_held().await;
    drop(vanishing);
    let done = client.done(Channel::Shell, &cell).await;
    assert_eq!(done.reply.content["status"], "ok");
    assert_eq!(numbers(&done.published), (0..20_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_kernel_ends_in_time_also_when_a_subscriber_is_frozen() {
    let mut kernel = Kernel::with(small(Duration::from_secs(3600)));
    let mut client = Client::connect(&kernel.info).await;
    let mut frozen = Subscriber::subscribed(&kernel.info).await;
    frozen.message().await.unwrap();
    let content = execution("flood 1000000 1000");
    client
        .send(Channel::Shell, "execute_request", content)
        .await;
    kernel.remote.flood_is_held().await;
    let begun = Instant::now();
    kernel.terminate();
    kernel.ended().await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(kernel.remote.ended(), Some(false));
}

#[tokio::test]
async fn a_front_end_that_knows_no_welcome_misses_nothing_of_a_new_kernel() {
    for round in 0..50 {
        let kernel = Kernel::start();
        let mut client = Client::connect_at_once(&kernel.info).await;
        let done = client.execute("print a").await;
        assert_eq!(
            done.kinds(),
            ["busy", "execute_input", "stream", "idle"],
            "round {round}"
        );
    }
}

#[tokio::test]
async fn front_ends_that_know_no_welcome_miss_nothing_of_a_kernel_that_others_use() {
    let kernel = Kernel::start();
    let _first = Client::connect(&kernel.info).await;
    for round in 0..100 {
        let mut client = Client::connect_at_once(&kernel.info).await;
        let done = client.execute("print a").await;
        assert_eq!(
            done.kinds(),
            ["busy", "execute_input", "stream", "idle"],
            "round {round}"
        );
    }
}

#[tokio::test]
async fn whoever_is_connected_gets_what_was_said_before_it_subscribed() {
    let kernel = Kernel::start();
    let mut client = Client::connect(&kernel.info).await;
    let mut slow = Subscriber::connect(&kernel.info).await;
    slow.shake_hands().await;
    client.execute("print a").await;
    slow.say(&frame(0, b"\x01")).await;
    let session = Session::new(&kernel.info.key);
    let mut came = Vec::new();
    while !came.ends_with(&["idle".to_owned()]) {
        let message = session.read(&slow.message().await.unwrap());
        came.push(message.name().to_owned());
    }
    let expected = ["iopub_welcome", "busy", "execute_input", "stream", "idle"];
    assert_eq!(came, expected);
}

#[tokio::test]
async fn a_topic_is_a_prefix_and_can_be_cancelled_in_both_dialects() {
    let kernel = Kernel::start();
    let mut client = Client::connect(&kernel.info).await;
    let session = Session::new(&kernel.info.key);
    for (subscribe, cancel) in [
        (frame(0, b"\x01str"), frame(0, b"\x00str")),
        (frame(4, b"\x09SUBSCRIBEstr"), frame(4, b"\x06CANCELstr")),
    ] {
        let mut subscriber = Subscriber::connect(&kernel.info).await;
        subscriber.shake_hands().await;
        subscriber.say(&subscribe).await;
        let welcome = session.read(&subscriber.message().await.unwrap());
        assert_eq!(welcome.content, json!({ "subscription": "str" }));
        assert_eq!(&welcome.route[0][..], b"str");
        client.execute("print a\nshow b").await;
        let stream = session.read(&subscriber.message().await.unwrap());
        assert_eq!((stream.kind(), stream.text()), ("stream", "a\n"));
        // The next subscription's welcome comes after whatever the cancelled one still brought.
        subscriber.say(&cancel).await;
        subscriber.say(&frame(0, b"\x01execute_result")).await;
        let welcome = session.read(&subscriber.message().await.unwrap());
        assert_eq!(welcome.kind(), "iopub_welcome");
        client.execute("print a\nresult b").await;
        let result = session.read(&subscriber.message().await.unwrap());
        assert_eq!(result.kind(), "execute_result");
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_context() {
    let kernel = Kernel::start();
    let mut subscriber = Subscriber::connect(&kernel.info).await;
    subscriber.shake_hands().await;
    subscriber.say(&frame(4, b"\x04PING\x00\x64who?")).await;
    let (flags, pong) = subscriber.frame().await.unwrap();
    assert_eq!((flags, &pong[..]), (4, &b"\x04PONGwho?"[..]));
}

#[tokio::test]
async fn hostile_peers_are_hung_up_on_and_others_notice_nothing() {
    let kernel = Kernel::with(Options {
        limits: Limits {
            handshake: Duration::from_millis(300),
            ..Limits::default()
        },
        ..Options::default()
    });
    let mut client = Client::connect(&kernel.info).await;
    let mut old = greeting();
    old[10] = 2;
    let mut curve = greeting();
    curve[12..17].copy_from_slice(b"CURVE");
    let shaken = |then: &[u8]| [&greeting()[..], &ready("SUB"), then].concat();
    let huge = [&[2_u8][..], &u64::MAX.to_be_bytes(), b"x"].concat();
    for (what, says) in [
        ("nothing", Vec::new()),
        ("half a greeting", greeting()[..30].to_vec()),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10)),
        ("an older ZMTP", old.to_vec()),
        ("another mechanism", curve.to_vec()),
        (
            "no READY",
            [&greeting()[..], &frame(4, b"\x05HELLO")].concat(),
        ),
        (
            "a socket that does not subscribe",
            [&greeting()[..], &ready("DEALER")].concat(),
        ),
        ("a READY larger than any", [&greeting()[..], &huge].concat()),
        ("a frame larger than any", shaken(&huge)),
        ("flags that do not exist", shaken(&frame(0x70, b""))),
    ] {
        let mut hostile = Subscriber::connect(&kernel.info).await;
        hostile.say(&says).await;
        hostile.hung_up().await;
        assert_eq!(
            client.execute("print a").await.printed(),
            "a\n",
            "after {what}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_subscribes_without_end_and_never_reads_is_dropped() {
    let kernel = Kernel::with(small(Duration::from_millis(300)));
    let mut client = Client::connect(&kernel.info).await;
    let mut hostile = Subscriber::subscribed(&kernel.info).await;
    let both = [frame(0, b"\x01x"), frame(0, b"\x00x")]
        .concat()
        .repeat(1000);
    let flooding = tokio::spawn(async move {
        loop {
            hostile.say(&both).await;
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..20 {
        let done = client.execute("flood 100 1000").await;
        assert_eq!(numbers(&done.published).len(), 100);
    }
    flooding.abort();
}

#[tokio::test]
async fn more_connections_than_allowed_are_refused_and_room_comes_back() {
    let kernel = Kernel::with(Options {
        limits: Limits {
            connections: 2,
            ..Limits::default()
        },
        ..Options::default()
    });
    let first = Subscriber::subscribed(&kernel.info).await;
    let _second = Subscriber::subscribed(&kernel.info).await;
    Subscriber::connect(&kernel.info).await.hung_up().await;
    drop(first);
    within("room for another", async {
        loop {
            let mut next = Subscriber::connect(&kernel.info).await;
            next.say(&greeting()).await;
            if next.frame().await.is_ok() {
                return;
            }
        }
    })
    .await;
}
