//! The keeper's callers: who comes shows the token, and goes through the door or to the attach
//! service.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service as _;

use super::desk::Reception;
use super::service::{Distance, Introduction, KeeperService};
use super::strangers::{Stranger, Strangers};
use super::upstream::DriverUpstream;
use crate::attach::proto::keeper_server::{KeeperServer, SERVICE_NAME};
use crate::door::{Door, Link, Tasks};
use crate::secret::Lockwork;

/// Where anybody is told that the keeper lives, and nothing else.
const HEALTH: &str = "/healthz";

/// Pause after a connection could not be taken, as when there are too many open files.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// How much of one request may be on its way, in bytes.
const STREAM_WINDOW: u32 = 2 << 20;

/// How much of all requests of a connection may be.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// How often a caller that is far away is asked whether it is there still, and how long it may take
/// to answer.
const ASK: Duration = Duration::from_secs(30);

/// Everything behind the keeper's socket or port.
#[derive(Clone)]
pub(super) struct Server {
    lockwork: Arc<Lockwork>,
    door: Arc<Door>,
    keeper: KeeperServer<KeeperService>,
    distance: Distance,
    pub(super) strangers: Strangers,
    pub(super) tasks: TaskTracker,
    pub(super) closing: CancellationToken,
}

impl Server {
    /// A server whose tasks belong to `tasks` and end soon after `closing`.
    pub(super) fn new(
        introduction: Introduction,
        reception: Reception,
        upstream: DriverUpstream,
        lockwork: Lockwork,
        tasks: TaskTracker,
        closing: CancellationToken,
    ) -> Self {
        let door = Door::new(Arc::new(upstream), &introduction.claim.user);
        let distance = introduction.distance;
        let service = KeeperService::new(introduction, reception, tasks.clone());
        Self {
            lockwork: Arc::new(lockwork),
            door: Arc::new(door),
            keeper: KeeperServer::new(service),
            distance,
            strangers: Strangers::default(),
            tasks,
            closing,
        }
    }

    /// Takes connections of this machine until it is closing.
    pub(super) async fn accept(self, listener: UnixListener) {
        loop {
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // The socket's folder is its user's alone: nobody comes who is a stranger.
                    self.tasks.spawn(self.clone().serve(stream, None));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Serves one caller until it leaves; when the keeper closes, until its streams have ended.
    /// One who came as a stranger leaves too if it does not show the token.
    pub(super) async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        stranger: Option<Stranger>,
    ) {
        let stranger = stranger.map(Arc::new);
        let newcomer = stranger.clone();
        let link = Arc::new(Link::new(self.tasks.clone()));
        let (closing, distance) = (self.closing.clone(), self.distance);
        let tasks = Tasks(self.tasks.clone());
        let service = service_fn(move |request| {
            let (server, link, newcomer) = (self.clone(), Arc::clone(&link), newcomer.clone());
            async move {
                let response = server.answer(request, &link, newcomer.as_deref()).await;
                Ok::<_, Infallible>(response)
            }
        });
        let mut builder = http2::Builder::new(tasks);
        builder
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        if distance == Distance::Network {
            // What was cut is not told to either end.
            builder
                .timer(TokioTimer::new())
                .keep_alive_interval(ASK)
                .keep_alive_timeout(ASK);
        }
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = has_to_go(stranger.as_deref()) => {
                tracing::debug!("a caller did not show the token");
                return;
            }
            () = closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a caller's connection broke");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        link: &Link,
        newcomer: Option<&Stranger>,
    ) -> Response<Body> {
        if request.uri().path() == HEALTH {
            return Response::new(Body::new(Full::from("ok").map_err(|never| match never {})));
        }
        let authorization = request.headers().get(AUTHORIZATION);
        if !self
            .lockwork
            .opens(authorization.map(http::HeaderValue::as_bytes))
        {
            return Status::unauthenticated("the token does not open this driver").into_http();
        }
        if let Some(newcomer) = newcomer {
            newcomer.is_known();
        }
        let path = request.uri().path();
        let for_keeper = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(SERVICE_NAME))
            .is_some_and(|rest| rest.starts_with('/'));
        if for_keeper {
            match self.keeper.clone().call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        } else {
            self.door.pass(request, link).await
        }
    }
}

/// Ends when a stranger has to go; never, for who is none.
async fn has_to_go(stranger: Option<&Stranger>) {
    match stranger {
        Some(stranger) => stranger.has_to_go().await,
        None => pending().await,
    }
}
