//! The keeper's door by itself. `door behind PORT` opens one before a Connect server on this machine, prints its own port and stays.
//! `door instant CALLS` asks a server that answers at once, in turn by itself and through a door, and prints a line of JSON: the
//! 99th percentiles of both, in milliseconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench fails loudly, where it is"
)]

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use firesteel_launcher::door::{Call, Door, Link, Seen, Target, Upstream};
use firesteel_session::address::Token;
use firesteel_session::proto::spark_connect_service_client::SparkConnectServiceClient;
use firesteel_session::proto::{ConfigRequest, ConfigResponse, UserContext};
use futures::stream;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;

/// Who comes through the door.
const USER: &str = "bench";

/// Calls that are made of one kind before the other has its turn.
const TURN: usize = 100;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["behind", port] => {
            let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().unwrap()));
            println!("{}", door(server).await.port());
            std::future::pending::<()>().await;
        }
        ["instant", calls] => instant(calls.parse().unwrap()).await,
        _ => panic!("door behind PORT | door instant CALLS"),
    }
}

/// A server that is always there.
struct Known(SocketAddr);

#[async_trait::async_trait]
impl Upstream for Known {
    async fn upstream(&self, _call: &Call) -> Result<Target, Status> {
        Ok(Target {
            address: self.0,
            token: Token::new("inner"),
        })
    }

    fn seen(&self, _call: &Call, _event: Seen) {}
}

/// Opens a door before a server.
async fn door(server: SocketAddr) -> SocketAddr {
    let door = Arc::new(Door::new(Arc::new(Known(server)), USER));
    serve(move || {
        let (door, link) = (Arc::clone(&door), Arc::new(Link::new(TaskTracker::new())));
        move |request| {
            let (door, link) = (Arc::clone(&door), Arc::clone(&link));
            async move { door.pass(request, &link).await }
        }
    })
    .await
}

/// Serves each connection by what `caller` makes for it.
async fn serve<C, S, A>(caller: C) -> SocketAddr
where
    C: Fn() -> S + Send + 'static,
    S: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let answer = caller();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let mut builder = http2::Builder::new(TokioExecutor::new());
            // As the keeper's.
            builder
                .initial_stream_window_size(2 << 20)
                .initial_connection_window_size(64 << 20);
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Answers any call by an empty configuration.
async fn answered(request: Request<Incoming>) -> Response<Body> {
    request.into_body().collect().await.unwrap();
    let message = ConfigResponse::default().encode_to_vec();
    let length = u32::try_from(message.len()).unwrap();
    let framed = [&[0], &length.to_be_bytes()[..], &message].concat();
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), 0.into())]);
    let frames = [Frame::data(Bytes::from(framed)), Frame::trailers(trailers)];
    let frames = stream::iter(frames.map(Ok::<_, Status>));
    Response::builder()
        .header("content-type", "application/grpc")
        .body(Body::new(StreamBody::new(frames)))
        .unwrap()
}

async fn instant(calls: usize) {
    let server = serve(|| answered).await;
    let mut direct = client(server).await;
    let mut through = client(door(server).await).await;
    // Connections and caches are warm when it counts.
    for client in [&mut direct, &mut through] {
        asked(client, TURN).await;
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    while with.len() < calls {
        without.extend(asked(&mut direct, TURN).await);
        with.extend(asked(&mut through, TURN).await);
    }
    let told = serde_json::json!({
        "direct_ms": percentile_99(without),
        "door_ms": percentile_99(with),
    });
    println!("{told}");
}

type Client = SparkConnectServiceClient<Channel>;

async fn client(address: SocketAddr) -> Client {
    Client::connect(format!("http://{address}")).await.unwrap()
}

/// Milliseconds of each call.
async fn asked(client: &mut Client, calls: usize) -> Vec<f64> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let request = ConfigRequest {
            session_id: "s".to_owned(),
            user_context: Some(UserContext {
                user_id: USER.to_owned(),
                ..UserContext::default()
            }),
            ..ConfigRequest::default()
        };
        let begun = Instant::now();
        client.config(request).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times
}

fn percentile_99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}
