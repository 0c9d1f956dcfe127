//! A door between a caller and a server that the tests play themselves, both in plain HTTP/2.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use firesteel_session::proto::{AddArtifactsRequest, ConfigRequest, UserContext};
use futures::stream::{self, StreamExt as _};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tonic::Code;
use tonic::body::Body;

use super::*;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

const EXECUTE: &str = "/spark.connect.SparkConnectService/ExecutePlan";
const CONFIG: &str = "/spark.connect.SparkConnectService/Config";
const ARTIFACTS: &str = "/spark.connect.SparkConnectService/AddArtifacts";

/// A server at an address, and what the door told of calls to it.
struct Fake {
    address: SocketAddr,
    told: mpsc::UnboundedSender<(Call, Seen)>,
}

#[async_trait]
impl Upstream for Fake {
    async fn upstream(&self, _call: &Call) -> Result<Target, Status> {
        Ok(Target {
            address: self.address,
            token: Token::new("inner"),
        })
    }

    fn seen(&self, call: &Call, event: Seen) {
        let _test_is_over = self.told.send((call.clone(), event));
    }
}

type Told = mpsc::UnboundedReceiver<(Call, Seen)>;

/// A caller at a door for `ada` before the server at `address`.
async fn caller(address: SocketAddr) -> (SendRequest<Body>, Told) {
    let (told, tell) = mpsc::unbounded_channel();
    let door = Arc::new(Door::new(Arc::new(Fake { address, told }), "ada"));
    let link = Arc::new(Link::new(TaskTracker::new()));
    let (near, far) = tokio::io::duplex(1 << 16);
    let service = service_fn(move |request| {
        let (door, link) = (Arc::clone(&door), Arc::clone(&link));
        async move { Ok::<_, Infallible>(door.pass(request, &link).await) }
    });
    let serve = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(far), service);
    tokio::spawn(serve);
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    (sender, tell)
}

/// A server that answers every request by `answer`.
async fn server<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], message].concat().into()
}

fn context(user: &str) -> Option<UserContext> {
    Some(UserContext {
        user_id: user.to_owned(),
        ..UserContext::default()
    })
}

fn config(user: &str) -> Bytes {
    let request = ConfigRequest {
        session_id: "s".to_owned(),
        user_context: context(user),
        ..ConfigRequest::default()
    };
    framed(&request.encode_to_vec())
}

fn artifacts(user: &str) -> Bytes {
    let request = AddArtifactsRequest {
        session_id: "s".to_owned(),
        user_context: context(user),
        ..AddArtifactsRequest::default()
    };
    framed(&request.encode_to_vec())
}

fn request(path: &str, messages: Vec<Bytes>) -> Request<Body> {
    let frames = messages
        .into_iter()
        .map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
    Request::post(format!("http://door{path}"))
        .header("authorization", "Bearer outer")
        .header("x-firesteel-incarnation", "i")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(StreamBody::new(stream::iter(frames))))
        .unwrap()
}

fn trailers(status: &str) -> Frame<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", status.parse().unwrap());
    Frame::trailers(headers)
}

/// The status that an answer ends with, in its head or its trailers.
async fn status(response: Response<Incoming>) -> Code {
    let head = response.headers().clone();
    let body = timeout(DEADLINE, response.into_body().collect())
        .await
        .unwrap();
    let collected = body.unwrap();
    let status = Status::from_header_map(collected.trailers().unwrap_or(&head));
    status.map_or(Code::Ok, |status| status.code())
}

async fn next(told: &mut Told) -> (Call, Seen) {
    timeout(DEADLINE, told.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_call_passes_with_the_servers_token_and_its_answer_as_it_is() {
    let got = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&got);
    let address = server(move |request| {
        let keep = Arc::clone(&keep);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            *keep.lock().unwrap() = Some((parts, body));
            let frames = [
                Frame::data(Bytes::from("ab")),
                Frame::data(Bytes::from("c")),
                trailers("0"),
            ];
            let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Status>)));
            Response::builder()
                .header("kept", "yes")
                .body(Body::new(body))
                .unwrap()
        }
    })
    .await;
    let (mut door, mut told) = caller(address).await;
    let mut asked = request(CONFIG, vec![config("ada")]);
    asked
        .headers_mut()
        .insert("x-firesteel-background", "1".parse().unwrap());
    let answer = door.send_request(asked).await.unwrap();
    assert_eq!(answer.headers()["kept"], "yes");
    let answer = answer.into_body().collect().await.unwrap();
    assert_eq!(answer.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(answer.to_bytes(), "abc");

    let (parts, body) = got.lock().unwrap().take().unwrap();
    assert_eq!(parts.uri.path(), CONFIG);
    assert_eq!(parts.headers["authorization"], "Bearer inner");
    assert_eq!(parts.headers["te"], "trailers");
    assert!(
        !parts
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("x-firesteel"))
    );
    assert_eq!(body, config("ada"));

    let (call, seen) = next(&mut told).await;
    assert_eq!((call.method, seen), (Method::Config, Seen::Sent));
    assert_eq!(
        (call.session_id.as_str(), call.user_id.as_str()),
        ("s", "ada")
    );
    assert!(call.background);
    assert_eq!(next(&mut told).await, (call, Seen::Ended));
}

#[tokio::test]
async fn what_may_not_pass_never_reaches_the_server() {
    let reached = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reached);
    let address = server(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Response::new(Body::empty()) }
    })
    .await;
    let (mut door, mut told) = caller(address).await;
    for (path, messages, code) in [
        (CONFIG, vec![config("bob")], Code::PermissionDenied),
        (CONFIG, vec![], Code::InvalidArgument),
        (
            CONFIG,
            vec![config("ada").slice(..4)],
            Code::InvalidArgument,
        ),
        (
            CONFIG,
            vec![Bytes::from_static(&[1, 0, 0, 0, 0])],
            Code::Unimplemented,
        ),
        (
            CONFIG,
            vec![Bytes::from_static(&[0, 0xff, 0, 0, 0])],
            Code::ResourceExhausted,
        ),
        (
            "/spark.connect.SparkConnectService/Shutdown",
            vec![config("ada")],
            Code::Unimplemented,
        ),
    ] {
        let answer = door.send_request(request(path, messages)).await.unwrap();
        assert_eq!(status(answer).await, code, "{path}");
    }
    assert_eq!(reached.load(Ordering::Relaxed), 0);
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn every_message_of_a_stream_is_checked_before_it_passes() {
    let got = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&got);
    let address = server(move |request| {
        let count = Arc::clone(&count);
        async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                count.fetch_add(frame.data_ref().map_or(0, Bytes::len), Ordering::Relaxed);
            }
            pending().await
        }
    })
    .await;
    let (mut door, mut told) = caller(address).await;
    let one = artifacts("ada");
    let asked = request(
        ARTIFACTS,
        vec![one.clone(), one.clone(), artifacts("bob"), one.clone()],
    );
    let answer = timeout(DEADLINE, door.send_request(asked))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status(answer).await, Code::PermissionDenied);
    assert!(got.load(Ordering::Relaxed) <= 2 * one.len());
    assert_eq!(next(&mut told).await.1, Seen::Sent);
    assert_eq!(next(&mut told).await.1, Seen::Ended);
}

#[tokio::test]
async fn a_server_that_dies_or_is_not_there_is_told_as_unavailable() {
    let address = server(|_| async {
        let broken = stream::iter([
            Ok(Frame::data(Bytes::from("ab"))),
            Err(Status::internal("gone")),
        ]);
        Response::new(Body::new(StreamBody::new(broken)))
    })
    .await;
    let (mut door, mut told) = caller(address).await;
    let answer = door
        .send_request(request(EXECUTE, vec![config("ada")]))
        .await
        .unwrap();
    assert_eq!(status(answer).await, Code::Unavailable);
    assert_eq!(next(&mut told).await.1, Seen::Sent);
    assert_eq!(next(&mut told).await.1, Seen::Ended);

    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (mut door, mut told) = caller(nobody).await;
    let answer = door
        .send_request(request(EXECUTE, vec![config("ada")]))
        .await
        .unwrap();
    assert_eq!(status(answer).await, Code::Unavailable);
    assert_eq!(next(&mut told).await.1, Seen::Sent);
    assert_eq!(next(&mut told).await.1, Seen::Ended);
}

#[tokio::test]
async fn a_caller_that_leaves_ends_its_call_at_the_server() {
    let (left, mut leaving) = mpsc::unbounded_channel();
    let address = server(move |_| {
        let end = Dropped(left.clone());
        async move {
            let first = stream::iter([Ok::<_, Status>(Frame::data(Bytes::from("x")))]);
            let silence = stream::pending().map(move |frame| {
                let _held = &end;
                frame
            });
            Response::new(Body::new(StreamBody::new(first.chain(silence))))
        }
    })
    .await;
    let (mut door, mut told) = caller(address).await;
    let mut answer = door
        .send_request(request(EXECUTE, vec![config("ada")]))
        .await
        .unwrap();
    assert!(answer.body_mut().frame().await.unwrap().is_ok());
    assert_eq!(next(&mut told).await.1, Seen::Sent);
    assert!(leaving.try_recv().is_err());
    drop(answer);
    assert_eq!(next(&mut told).await.1, Seen::Ended);
    timeout(DEADLINE, leaving.recv()).await.unwrap().unwrap();
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _test_is_over = self.0.send(());
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_holds_the_server_back() {
    const CHUNK: usize = 64 << 10;
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let (ask, mut asked) = mpsc::unbounded_channel();
    let address = server(move |_| {
        let (count, ask) = (Arc::clone(&count), ask.clone());
        async move {
            let endless = stream::repeat_with(move || {
                count.fetch_add(CHUNK, Ordering::Relaxed);
                let _test_is_over = ask.send(());
                Ok::<_, Status>(Frame::data(Bytes::from_static(&[0; CHUNK])))
            });
            Response::new(Body::new(StreamBody::new(endless)))
        }
    })
    .await;
    let (mut door, _told) = caller(address).await;
    let mut answer = door
        .send_request(request(EXECUTE, vec![config("ada")]))
        .await
        .unwrap();
    // The server is asked for no more once everything on the way is full.
    while timeout(Duration::from_millis(500), asked.recv())
        .await
        .is_ok()
    {
        assert!(
            made.load(Ordering::Relaxed) < 32 << 20,
            "nothing holds the server back"
        );
    }
    let full = made.load(Ordering::Relaxed);
    let mut read = 0;
    while read < full + CHUNK {
        let frame = timeout(DEADLINE, answer.body_mut().frame())
            .await
            .unwrap()
            .unwrap();
        read += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert!(made.load(Ordering::Relaxed) > full);
}
