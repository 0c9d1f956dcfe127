//! Points 7 and 18 to 25 of what kernels get wrong: sockets, signatures, and what is not offered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, where they are"
)]

use std::collections::BTreeSet;
use std::fs;

use bytes::Bytes;
use chrono::DateTime;
use firesteel_tests::house::top;
use firesteel_tests::jupyter::client::{execution, kinds};
use firesteel_tests::jupyter::kernel::{files_in, free_ports};
use firesteel_tests::jupyter::subscriber::{greeting, ready};
use firesteel_tests::jupyter::{Channel, Client, Kernel, Message, Options, Subscriber, within};
use jupyter_protocol::{ExecuteRequest, JupyterMessage, JupyterMessageContent};
use jupyter_zmq_client as library;
use serde_json::json;

async fn started() -> (Kernel, Client) {
    let kernel = Kernel::start();
    let client = Client::connect(&kernel.info).await;
    (kernel, client)
}

#[test]
fn every_point_has_a_test() {
    let mut points = BTreeSet::new();
    for file in fs::read_dir(top().join("tests/tests")).unwrap() {
        let path = file.unwrap().path();
        if !path.is_file() {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let name = line.trim_start().strip_prefix("async fn b2_");
            if let Some(number) = name.and_then(|name| name.get(..2)) {
                points.insert(number.parse::<u32>().unwrap());
            }
        }
    }
    assert_eq!(points, (1..=25).collect());
}

#[tokio::test]
async fn b2_07_each_subscriber_is_welcomed_and_the_welcome_belongs_to_no_request() {
    let kernel = Kernel::start();
    for _ in 0..3 {
        let mut client = Client::connect_at_once(&kernel.info).await;
        let welcome = client.published(|m| m.kind() == "iopub_welcome").await;
        assert_eq!(welcome.content, json!({ "subscription": "" }));
        assert_eq!(welcome.parent, json!({}));
        assert_eq!(welcome.route, [Bytes::new()]);
        assert_eq!(client.execute("print a").await.printed(), "a\n");
    }
}

#[tokio::test]
async fn b2_07_the_first_thing_said_is_that_the_kernel_starts() {
    let (_kernel, mut client) = started().await;
    let starting = client
        .published(|message| message.is_status("starting"))
        .await;
    assert_eq!(starting.parent, json!({}));
}

#[tokio::test]
async fn b2_18_subshells_are_neither_advertised_nor_answered() {
    let (_kernel, mut client) = started().await;
    for message_type in ["create_subshell_request", "list_subshell_request"] {
        let id = client.send(Channel::Control, message_type, json!({})).await;
        assert_eq!(kinds(&client.until_idle(&id).await), ["busy", "idle"]);
    }
    let info = client
        .ask(Channel::Shell, "kernel_info_request", json!({}))
        .await;
    assert!(!features(&info.reply).contains(&"kernel subshells".to_owned()));
    assert!(client.unclaimed(Channel::Control).is_empty());
    // A header that names one is served by the only shell there is.
    let mut header = client.session.header("execute_request");
    header["subshell_id"] = json!("none such");
    let content = execution("print a");
    let id = client
        .send_with(Channel::Shell, &header, &json!({}), content)
        .await;
    assert_eq!(client.done(Channel::Shell, &id).await.printed(), "a\n");
}

fn features(info: &Message) -> Vec<String> {
    serde_json::from_value(info.content["supported_features"].clone()).unwrap()
}

#[tokio::test]
async fn b2_19_a_debugger_is_neither_advertised_nor_answered() {
    let (_kernel, mut client) = started().await;
    let content = json!({ "type": "request", "seq": 1, "command": "debugInfo" });
    let id = client
        .send(Channel::Control, "debug_request", content)
        .await;
    assert_eq!(kinds(&client.until_idle(&id).await), ["busy", "idle"]);
    let info = client
        .ask(Channel::Control, "kernel_info_request", json!({}))
        .await;
    assert_eq!(info.reply.content["debugger"], false);
    assert!(!features(&info.reply).contains(&"debugger".to_owned()));
    assert!(client.unclaimed(Channel::Control).is_empty());
}

#[tokio::test]
async fn b2_20_the_classic_connection_file_works_and_its_ports_are_taken_exactly() {
    let info = free_ports();
    // What front ends add to the file does not matter.
    let mut file = serde_json::to_value(&info).unwrap();
    file["jupyter_session"] = json!("/some/where.ipynb");
    file["kernel_name"] = json!("firesteel");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernel-1.json");
    fs::write(&path, file.to_string()).unwrap();
    firesteel_kernel::wire::connection::Connection::read(&path).unwrap();

    let _kernel = Kernel::with(Options {
        info: info.clone(),
        ..Options::default()
    });
    let mut client = Client::connect(&info).await;
    assert_eq!(client.execute("print a").await.printed(), "a\n");

    // A port that is taken is an error that names it, and no other port is tried instead.
    let taken = Kernel::with(Options {
        info: info.clone(),
        ..Options::default()
    })
    .ended()
    .await
    .unwrap_err();
    assert!(taken.contains("tcp://127.0.0.1:"), "{taken}");
    assert!(taken.contains("another process has taken it"), "{taken}");
}

#[tokio::test]
async fn b2_21_ipc_works_also_after_a_kernel_that_was_killed_and_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let info = files_in(folder.path());
    // What a killed kernel leaves: files nobody listens on.
    for number in 1..=5 {
        let path = format!("{}-{number}", info.ip);
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    }
    let mut kernel = Kernel::with(Options {
        info: info.clone(),
        ..Options::default()
    });
    let mut client = Client::connect(&info).await;
    assert_eq!(client.execute("print a").await.printed(), "a\n");
    assert_eq!(client.heartbeat(b"over ipc").await, b"over ipc");
    client
        .ask(Channel::Control, "shutdown_request", json!({}))
        .await;
    kernel.ended().await.unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn b2_22_the_heartbeat_echoes_to_the_byte_also_while_a_cell_blocks_its_thread() {
    let (kernel, mut client) = started().await;
    for payload in [&b""[..], b"ping", &[0, 255, 128], &[7; 10_000]] {
        assert_eq!(client.heartbeat(payload).await, payload);
    }
    let cell = client.start("block", "blocking").await;
    assert_eq!(client.heartbeat(b"blocked?").await, b"blocked?");
    kernel.remote.unblock();
    client.done(Channel::Shell, &cell).await;
}

/// A whole message of the client's, which a test then breaks.
fn frames(client: &Client, message_type: &str) -> Vec<Bytes> {
    let header = client.session.header(message_type);
    client.session.frames(&header, &json!({}), &json!({}))
}

#[tokio::test]
async fn b2_23_what_is_not_signed_or_not_a_message_is_dropped_and_the_kernel_lives() {
    let (_kernel, mut client) = started().await;
    let good = frames(&client, "shutdown_request");
    let changed = |at: usize, with: &'static [u8]| {
        let mut frames = good.clone();
        frames[at] = Bytes::from_static(with);
        frames
    };
    let broken_header = client
        .session
        .signed(&["[]", "{}", "{}", "{}"].map(Bytes::from));
    let no_json = client
        .session
        .signed(&["{", "{", "{", "{"].map(Bytes::from));
    let not_text = client
        .session
        .signed(&[b"\xff\xfe"; 4].map(|part| Bytes::from_static(part)));
    for (what, bad) in [
        ("no delimiter", changed(0, b"<IDS|MSH>")),
        ("no signature", changed(1, b"")),
        ("not hexadecimal", changed(1, b"zz")),
        ("another's signature", changed(1, b"00ff")),
        (
            "a changed header",
            changed(2, b"{\"msg_id\":\"1\",\"msg_type\":\"shutdown_request\"}"),
        ),
        ("a changed content", changed(5, b"{\"restart\":true}")),
        ("too few frames", good[..4].to_vec()),
        ("a delimiter alone", good[..1].to_vec()),
        ("one empty frame", vec![Bytes::new()]),
        ("a header that is none", broken_header),
        ("no JSON", no_json),
        ("no text", not_text),
    ] {
        for channel in [Channel::Shell, Channel::Control, Channel::Stdin] {
            client.send_frames(channel, bad.clone()).await;
        }
        for channel in [Channel::Control, Channel::Shell] {
            let done = client.ask(channel, "kernel_info_request", json!({})).await;
            assert_eq!(done.reply.content["status"], "ok", "after {what}");
        }
    }
    assert!(
        client.unclaimed(Channel::Control).is_empty(),
        "nothing bad was answered"
    );
}

#[tokio::test]
async fn b2_23_a_message_sent_twice_is_served_once() {
    let (_kernel, mut client) = started().await;
    let header = client.session.header("execute_request");
    let content = execution("print once");
    let frames = client.session.frames(&header, &json!({}), &content);
    client.send_frames(Channel::Shell, frames.clone()).await;
    client.send_frames(Channel::Shell, frames).await;
    let id = header["msg_id"].as_str().unwrap().to_owned();
    assert_eq!(client.done(Channel::Shell, &id).await.printed(), "once\n");
    let next = client.execute("print next").await;
    assert_eq!(next.reply.content["execution_count"], 2);
}

#[tokio::test]
async fn b2_23_an_empty_key_signs_nothing_and_checks_nothing() {
    let mut info = free_ports();
    info.key = String::new();
    info.signature_scheme = String::new();
    let kernel = Kernel::with(Options {
        info,
        ..Options::default()
    });
    let mut client = Client::connect(&kernel.info).await;
    let mut unsigned = frames(&client, "kernel_info_request");
    unsigned[1] = Bytes::from_static(b"whatever stands here");
    client.send_frames(Channel::Shell, unsigned).await;
    client
        .received(Channel::Shell, "a reply", |m| {
            m.kind() == "kernel_info_reply"
        })
        .await;
    assert_eq!(client.execute("print a").await.printed(), "a\n");
}

#[tokio::test]
async fn b2_23_messages_with_buffers_are_messages() {
    let (_kernel, mut client) = started().await;
    let mut frames = frames(&client, "kernel_info_request");
    // Buffers are not signed.
    frames.push(Bytes::from(vec![0; 100_000]));
    client.send_frames(Channel::Shell, frames).await;
    client
        .received(Channel::Shell, "a reply", |m| {
            m.kind() == "kernel_info_reply"
        })
        .await;
}

#[tokio::test]
async fn b2_25_every_header_is_whole_and_its_date_has_a_zone() {
    let (_kernel, mut client) = started().await;
    let done = client.execute("print a\nshow b").await;
    let mut ids = BTreeSet::new();
    let mut sessions = BTreeSet::new();
    for message in done.published.iter().chain([&done.reply]) {
        let header = &message.header;
        let date = header["date"].as_str().unwrap();
        let parsed = DateTime::parse_from_rfc3339(date).unwrap();
        let age = chrono::Utc::now().signed_duration_since(parsed);
        assert!(age.num_seconds().abs() < 60, "{date}");
        // jupyter_client reads no more than six digits of a second.
        let fraction = date.split_once('.').unwrap().1;
        assert!(fraction.trim_end_matches('Z').len() <= 6, "{date}");
        assert_eq!(header["version"], "5.5");
        assert!(header["username"].is_string());
        assert_eq!(message.metadata, json!({}));
        ids.insert(header["msg_id"].as_str().unwrap().to_owned());
        sessions.insert(header["session"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), done.published.len() + 1, "ids are unique");
    assert_eq!(sessions.len(), 1);
    assert!(
        !sessions.contains(&client.session.id),
        "the kernel has a session of its own"
    );
}

/// The library's client parses each of our messages into its types.
#[tokio::test]
async fn a_front_end_of_somebody_elses_making_understands_every_message() {
    let kernel = Kernel::start();
    let session = "somebody else";
    let identity = library::peer_identity_for_session(session).unwrap();
    let mut iopub = library::create_client_iopub_connection(&kernel.info, "", session)
        .await
        .unwrap();
    let mut shell =
        library::create_client_shell_connection_with_identity(&kernel.info, session, identity)
            .await
            .unwrap();
    let request = ExecuteRequest::new("print a\nshow b\nresult c\nclear\nfail E".to_owned());
    let request: JupyterMessage = request.into();
    let id = request.header.msg_id.clone();
    shell.send(request).await.unwrap();
    let reply = within("a reply", shell.read()).await.unwrap();
    assert!(matches!(
        reply.content,
        JupyterMessageContent::ExecuteReply(_)
    ));
    let mut came = Vec::new();
    while !came.ends_with(&["idle".to_owned()]) {
        let message = within("a message", iopub.read()).await.unwrap();
        if message
            .parent_header
            .as_ref()
            .is_none_or(|parent| parent.msg_id != id)
        {
            continue;
        }
        came.push(match &message.content {
            JupyterMessageContent::Status(status) => status.execution_state.as_str().to_owned(),
            JupyterMessageContent::UnknownMessage(_) => panic!("{message:?}"),
            _ => message.message_type().to_owned(),
        });
    }
    let expected = [
        "busy",
        "execute_input",
        "stream",
        "display_data",
        "execute_result",
        "clear_output",
        "error",
        "idle",
    ];
    assert_eq!(came, expected);
}

#[tokio::test]
async fn b2_23_a_header_that_claims_more_than_there_is_memory_harms_nobody() {
    let kernel = Kernel::start();
    let mut client = Client::connect(&kernel.info).await;
    let info = &kernel.info;
    for port in [
        info.shell_port,
        info.control_port,
        info.stdin_port,
        info.hb_port,
    ] {
        // An exabyte: the library would set it aside at once, and abort the process.
        let claims = [&[2_u8][..], &(1_u64 << 60).to_be_bytes(), b"x"].concat();
        let mut aimed = info.clone();
        aimed.iopub_port = port;
        let mut hostile = Subscriber::connect(&aimed).await;
        hostile
            .say(&[&greeting()[..], &ready("DEALER"), &claims].concat())
            .await;
        hostile.hung_up().await;
        assert_eq!(client.execute("print a").await.printed(), "a\n");
    }
}
