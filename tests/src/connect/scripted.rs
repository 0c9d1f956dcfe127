//! A Spark Connect server that plays a script, and misbehaves as told.

mod relay;
mod service;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firesteel_session::address::Address;
use firesteel_session::client::{Client, Options};
use firesteel_session::proto::ExecutePlanResponse;
use firesteel_session::proto::spark_connect_service_server::SparkConnectServiceServer;
use firesteel_session::session::Session;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::Status;

use super::script::{Failure, Script};
use relay::Relay;
use service::Service;

/// How long a test waits for a call that it expects.
const SOON: Duration = Duration::from_secs(10);

/// What the server is to do.
#[derive(Debug, Clone, Default)]
pub struct Play {
    /// The responses to any plan.
    pub responses: Vec<ExecutePlanResponse>,
    /// The failure behind them.
    pub failure: Option<Failure>,
    /// What the first streams do; those after them play to the end.
    pub segments: VecDeque<Segment>,
    /// So many of the first plans get lost: the server refuses them and knows nothing of them.
    pub lost: usize,
    /// After so many streams it forgets the operation.
    pub forget_after: Option<usize>,
    /// After so many streams it forgets the session as well.
    pub forget_session_after: Option<usize>,
    /// It does not react to interrupts.
    pub deaf: bool,
}

impl Play {
    /// Plays a script.
    pub fn of(script: &Script) -> Self {
        Self {
            responses: script.responses(),
            failure: script.failure(),
            ..Self::default()
        }
    }

    /// The same play, whose first streams do this.
    #[must_use]
    pub fn with(mut self, segments: impl IntoIterator<Item = Segment>) -> Self {
        self.segments.extend(segments);
        self
    }
}

/// What one stream does.
#[derive(Debug, Clone)]
pub struct Segment {
    /// How many responses it sends at most.
    pub responses: usize,
    /// Whether it begins with the response that the client says it has.
    pub repeats: bool,
    /// The server-side session id in its responses, if it is not the usual one.
    pub server_session: Option<String>,
    /// What it does then.
    pub then: Then,
}

impl Segment {
    /// A stream of so many responses.
    pub fn of(responses: usize, then: Then) -> Self {
        Self {
            responses,
            repeats: false,
            server_session: None,
            then,
        }
    }
}

/// How a stream ends.
#[derive(Debug, Clone)]
pub enum Then {
    /// Cleanly, as after two minutes.
    End,
    /// With this status.
    Fail(Status),
    /// With the connection.
    Cut,
    /// Not before it is interrupted.
    Hang,
    /// With the script.
    Rest,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// ExecutePlan.
    Execute,
    /// ReattachExecute, after this response.
    Reattach(Option<String>),
    /// ReleaseExecute, up to this response.
    ReleaseUntil(String),
    /// ReleaseExecute of everything.
    ReleaseAll,
    /// Interrupt of an operation.
    Interrupt,
    /// FetchErrorDetails.
    FetchErrorDetails,
    /// ReleaseSession.
    ReleaseSession,
    /// Config, and whether it was marked as background.
    Config {
        /// Whether the header says that nobody asked for it.
        background: bool,
    },
}

/// What calls share.
struct Stage {
    play: Mutex<Play>,
    streams: Mutex<usize>,
    seen: watch::Sender<Vec<Seen>>,
    interrupted: watch::Sender<bool>,
    relay: Relay,
}

/// A running server. Dropping it cuts all connections.
pub struct Server {
    stage: Arc<Stage>,
    seen: watch::Receiver<Vec<Seen>>,
    dir: TempDir,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts a server with this play.
    pub fn start(play: Play) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        let mut tasks = JoinSet::new();
        let listener = UnixListener::bind(&inner).unwrap();
        let relay = Relay::start(&dir.path().join("door"), &inner, &mut tasks);
        let (sender, seen) = watch::channel(Vec::new());
        let stage = Arc::new(Stage {
            play: Mutex::new(play),
            streams: Mutex::new(0),
            seen: sender,
            interrupted: watch::Sender::new(false),
            relay,
        });
        let service = SparkConnectServiceServer::new(Service(stage.clone()));
        let incoming = UnixListenerStream::new(listener);
        tasks.spawn(async move {
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        Self {
            stage,
            seen,
            dir,
            _tasks: tasks,
        }
    }

    /// How to reach it.
    pub fn address(&self) -> Address {
        Address::unix(self.dir.path().join("door"), "tester")
    }

    /// A new session on it.
    pub fn session(&self) -> Session {
        self.session_with(Options::local())
    }

    /// A new session on it that behaves as told.
    pub fn session_with(&self, options: Options) -> Session {
        Session::new(Client::new(self.address(), options).unwrap())
    }

    /// The calls so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// How often a call came.
    pub fn count(&self, call: &Seen) -> usize {
        self.seen
            .borrow()
            .iter()
            .filter(|seen| *seen == call)
            .count()
    }

    /// Waits until a call has come.
    pub async fn expect(&self, call: &Seen) {
        let mut seen = self.seen.clone();
        let came = seen.wait_for(|seen| seen.contains(call));
        let came = tokio::time::timeout(SOON, came)
            .await
            .map(|came| came.is_ok());
        assert_eq!(came, Ok(true), "{call:?} did not come: {:?}", self.seen());
    }

    /// Cuts all connections, and refuses further ones.
    pub fn vanish(&self) {
        self.stage.relay.vanish();
    }
}
