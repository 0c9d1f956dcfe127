//! Why some things are done here that `jupyter-protocol` and `zeromq` seem to offer. A test that
//! fails after an update says that a workaround may go.

use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{
    ExecuteResult, ExecutionCount, IsCompleteReply, JupyterMessage, JupyterMessageContent,
    KernelInfoReply, LanguageInfo, Media, ReplyStatus, Status,
};
use serde_json::{Value, json};
use zeromq::{DealerSocket, RouterSocket, Socket as _, SocketRecv as _, SocketSend as _};

use super::connection::Address;
use super::sockets::Sockets;

const DEADLINE: Duration = Duration::from_secs(10);

/// `serve::requests` reads requests into types of its own.
#[test]
fn the_library_refuses_requests_that_leave_out_what_may_be_left_out() {
    let parse = |message_type, content: Value| {
        JupyterMessageContent::from_type_and_content(message_type, content)
    };
    assert!(parse("execute_request", json!({ "code": "SELECT 1" })).is_err());
    let tail = json!({ "hist_access_type": "tail", "n": 1 });
    assert!(parse("history_request", tail).is_err());
    assert!(parse("shutdown_request", json!({})).is_err());
    assert!(parse("inspect_request", json!({ "code": "a" })).is_err());
}

/// `Output::result`, `kernel_info` and `is_complete` write their content themselves.
#[test]
fn the_library_writes_contents_that_the_protocol_does_not_have() {
    let result = ExecuteResult::new(ExecutionCount::new(1), Media::default());
    assert_eq!(
        serde_json::to_value(result).unwrap()["transient"],
        Value::Null
    );
    let complete = serde_json::to_value(IsCompleteReply::complete()).unwrap();
    assert_eq!(complete["indent"], "");
    let about = KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: "5.5".to_owned(),
        implementation: String::new(),
        implementation_version: String::new(),
        language_info: LanguageInfo {
            name: "sql".to_owned(),
            version: String::new(),
            mimetype: None,
            file_extension: None,
            pygments_lexer: None,
            codemirror_mode: None,
            nbconvert_exporter: None,
        },
        banner: String::new(),
        help_links: Vec::new(),
        debugger: false,
        error: None,
    };
    let about = serde_json::to_value(about).unwrap();
    assert_eq!(about.get("supported_features"), None);
}

/// `frames::Writer` makes headers, and `iopub` topics.
#[test]
fn the_library_answers_with_an_older_version_and_the_requests_route_as_topic() {
    let mut request = JupyterMessage::new(Status::busy(), None);
    request.zmq_identities = vec![Bytes::from_static(b"peer")];
    let answer = Status::idle().as_child_of(&request);
    assert_eq!(answer.header.version, "5.3");
    assert_eq!(answer.zmq_identities, request.zmq_identities);
}

/// `iopub` publishes by itself.
#[tokio::test]
async fn the_librarys_publisher_waits_forever_for_one_subscriber_that_does_not_read() {
    let mut publisher = zeromq::XPubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:0").await.unwrap();
    let address = endpoint.to_string().replace("tcp://", "");
    let mut frozen = TcpStream::connect(address).unwrap();
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    let ready = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB";
    let subscribe = b"\x00\x01\x01";
    for part in [&greeting[..], ready, subscribe] {
        std::io::Write::write_all(&mut frozen, part).unwrap();
    }
    tokio::time::timeout(DEADLINE, publisher.recv())
        .await
        .unwrap()
        .unwrap();
    let message = Bytes::from(vec![0; 1 << 20]);
    let mut stuck = false;
    for _ in 0..1000 {
        let sending = publisher.send(message.clone().into());
        stuck = tokio::time::timeout(Duration::from_millis(500), sending)
            .await
            .is_err();
        if stuck {
            break;
        }
    }
    assert!(stuck);
}

/// Larger than what the system takes at once from a socket nobody reads.
const LARGE: usize = 64 << 20;

async fn asked(socket: &mut RouterSocket, address: &str) -> (DealerSocket, Bytes) {
    let mut dealer = DealerSocket::new();
    dealer.connect(address).await.unwrap();
    dealer.send("ask".into()).await.unwrap();
    let asked = socket.recv().await.unwrap();
    (dealer, asked.get(0).unwrap().clone())
}

async fn answer(socket: &mut RouterSocket, to: Bytes) {
    let frames = vec![to, Bytes::from(vec![0; LARGE])];
    let answer = zeromq::ZmqMessage::try_from(frames).unwrap();
    socket.send(answer).await.unwrap();
}

/// `Sockets::linger` waits for what the library does not wait for.
#[tokio::test]
async fn the_librarys_sockets_do_not_linger_and_ours_do() {
    for lingers in [false, true] {
        let sockets = Sockets::start().unwrap();
        let bound = Address::Tcp("127.0.0.1".to_owned(), 0).bind().unwrap();
        let address = match &bound {
            super::connection::Bound::Tcp(listener) => listener.local_addr().unwrap(),
            super::connection::Bound::Ipc(_) => unreachable!(),
        };
        let mut socket = sockets.router(bound).await.unwrap();
        let (mut dealer, peer) = asked(&mut socket, &format!("tcp://{address}")).await;
        answer(&mut socket, peer).await;
        drop(socket);
        let within = if lingers {
            DEADLINE
        } else {
            Duration::from_secs(1)
        };
        let reading = tokio::spawn(async move {
            let answer = tokio::time::timeout(within, dealer.recv())
                .await
                .ok()?
                .ok()?;
            Some(answer.get(0)?.len())
        });
        if lingers {
            sockets.linger(DEADLINE).await;
        } else {
            drop(sockets);
        }
        assert_eq!(reading.await.unwrap(), lingers.then_some(LARGE));
    }
}
