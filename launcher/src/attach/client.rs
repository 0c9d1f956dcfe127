//! A kernel's side of the attach service.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use firesteel_session::address::{Address, Token};
use firesteel_session::dial::Dialer;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use tower::service_fn;

use super::line::{Board, Line, LineEnd, Words, away};
use super::proto::keeper_client::KeeperClient;
use super::proto::{self, FromKernel, Hello, from_keeper, from_kernel};
use super::state::{DriverState, PodName};
use crate::backend::{Attachee, Attachment};
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::driver::tail_of;
use crate::place::{Place, sweep_dying, unusable};

/// How long connecting to a socket on this machine may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long connecting to a keeper in a cluster may take.
const CONNECT_FAR: Duration = Duration::from_secs(15);

/// Time between pings by which a connection across a network is known to live.
const PING: Duration = Duration::from_secs(20);

/// How long a keeper may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How many lines of the log tell why a keeper is gone.
const LAST_LINES: usize = 20;

/// A keeper that answered the door.
pub(crate) struct Keeper {
    client: KeeperClient<Channel>,
    token: Token,
    authorization: AsciiMetadataValue,
    /// The pod it is in; none on this machine.
    pod: Option<PodName>,
}

/// Why there is no attachment.
pub(crate) enum NotAttached {
    /// The keeper is ending; another can be started when it has.
    Ending,
    /// It refused.
    Refused(Cause),
    /// It cannot be reached, for that reason.
    Unreachable(String),
}

impl Keeper {
    /// Connects to the keeper of a place; `None` where none listens.
    pub(crate) async fn connect(place: &Place) -> Result<Option<Self>, Cause> {
        let token = match fs::read_to_string(place.token()) {
            Ok(token) => token,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&place.token(), &error)),
        };
        let Ok(mut authorization) = MetadataValue::try_from(format!("Bearer {token}")) else {
            return Ok(None);
        };
        authorization.set_sensitive(true);
        let endpoint = Endpoint::try_from(format!("unix://{}", place.socket().display()))
            .map_err(|error| unusable(&place.socket(), &io::Error::other(error)))?
            .connect_timeout(CONNECT);
        Ok(match timeout(CONNECT, endpoint.connect()).await {
            Ok(Ok(channel)) => Some(Self {
                client: KeeperClient::new(channel),
                token: Token::new(token),
                authorization,
                pod: None,
            }),
            Ok(Err(_)) | Err(_) => None,
        })
    }

    /// The keeper in `pod`, that `dialer` connects to.
    pub(crate) async fn dialed(
        dialer: Dialer,
        token: Token,
        pod: PodName,
    ) -> Result<Self, NotAttached> {
        let mut authorization = MetadataValue::try_from(format!("Bearer {}", token.reveal()))
            .map_err(|_invalid| NotAttached::Ending)?;
        authorization.set_sensitive(true);
        let endpoint = Endpoint::from_static("http://keeper")
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(ANSWER)
            .keep_alive_while_idle(true);
        let connect = endpoint.connect_with_connector(service_fn(move |_: Uri| {
            let dialer = dialer.clone();
            async move { dialer.dial().await.map(TokioIo::new) }
        }));
        match timeout(CONNECT_FAR, connect).await {
            Ok(Ok(channel)) => Ok(Self {
                client: KeeperClient::new(channel),
                token,
                authorization,
                pod: Some(pod),
            }),
            Ok(Err(error)) => Err(NotAttached::Unreachable(innermost(&error))),
            Err(_) => Err(NotAttached::Unreachable(
                "connecting took too long".to_owned(),
            )),
        }
    }

    /// Introduces the kernel. What comes back is the open line, after the keeper's welcome.
    pub(crate) async fn hello(
        &mut self,
        claim: &Claim,
        profile_hash: String,
        who: &Attachee,
    ) -> Result<Line, NotAttached> {
        let (out, outgoing) = mpsc::channel(16);
        let hello = Hello {
            protocol: proto::PROTOCOL,
            profile_hash,
            kernel_id: who.kernel.clone(),
            session_id: who.session_id.to_string(),
            user: claim.user.clone(),
        };
        // There is room for the first.
        let _sent = out.try_send(FromKernel {
            message: Some(from_kernel::Message::Hello(hello)),
        });
        let request = self.authorized(ReceiverStream::new(outgoing));
        let answer = async {
            let mut keeper = self.client.attach(request).await?.into_inner();
            let first = keeper.message().await?;
            Ok::<_, Status>((keeper, first))
        };
        let (keeper, first) = match timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(status)) => {
                tracing::debug!(%status, "the keeper did not take us");
                return Err(NotAttached::Ending);
            }
            Err(_) => return Err(NotAttached::Refused(silent())),
        };
        let welcome = match first.and_then(|first| first.message) {
            Some(from_keeper::Message::Welcome(welcome)) => welcome,
            Some(from_keeper::Message::Refused(cause)) => {
                return Err(NotAttached::Refused(cause.into()));
            }
            Some(_) | None => return Err(NotAttached::Ending),
        };
        if welcome.protocol == 0 || welcome.protocol > proto::PROTOCOL {
            return Err(NotAttached::Refused(foreign(welcome.protocol)));
        }
        Ok(Line {
            keeper,
            out,
            welcome,
            pod: self.pod.clone(),
        })
    }

    /// Attaches to a keeper on this machine, and follows the driver from then on.
    pub(crate) async fn attach(
        mut self,
        place: &Place,
        claim: &Claim,
        profile_hash: String,
        who: &Attachee,
    ) -> Result<Attachment, NotAttached> {
        let mut line = self.hello(claim, profile_hash, who).await?;
        let mut address = Address::unix(place.socket(), claim.user.clone())
            .with_token(self.token.clone())
            .with_incarnation(line.welcome.incarnation.clone());
        address.session_id = Some(who.session_id);
        let state = line.welcome.state.take().unwrap_or_default();
        let state = DriverState::read(state, &line.welcome, line.pod.as_ref(), Instant::now());
        let (board, news) = Board::new(state);
        for warning in std::mem::take(&mut line.welcome.warnings) {
            board.notice(warning);
        }
        let (words, spoken) = mpsc::unbounded_channel();
        let log = PathBuf::from(&line.welcome.log);
        let place = place.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut words = Words::new(spoken);
            match line.hold(&mut words, &board).await {
                LineEnd::Over => {}
                LineEnd::Dropped(lease) => board.show(DriverState::Ended(away(lease))),
                LineEnd::Broken => {
                    board.show(DriverState::Ended(lost(&log)));
                    sweep_dying(place).await;
                }
            }
        });
        Ok(Attachment::new(address, news, Some(words), tasks))
    }

    /// What the driver is and who uses it.
    pub(crate) async fn describe(&mut self) -> Result<proto::Description, Cause> {
        let request = self.authorized(proto::DescribeRequest {});
        Self::answer(self.client.describe(request)).await
    }

    /// Ends the driver. Answers before it is gone.
    pub(crate) async fn stop(&mut self, why: &str) -> Result<(), Cause> {
        let why = why.to_owned();
        let request = self.authorized(proto::StopRequest { why });
        Self::answer(self.client.stop(request)).await.map(|_| ())
    }

    /// The end of the driver's log, or of one of its executors'.
    pub(crate) async fn logs(
        &mut self,
        lines: usize,
        executor: Option<&str>,
    ) -> Result<String, Cause> {
        let request = self.authorized(proto::LogsRequest {
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            executor: executor.map(str::to_owned),
        });
        let answered = Self::answer(self.client.logs(request)).await?;
        Ok(answered.text)
    }

    async fn answer<T>(
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, Cause> {
        match timeout(ANSWER, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(Cause::new(
                Kind::KeeperLost,
                format!(
                    "The keeper of the Spark driver did not answer: {}",
                    status.message()
                ),
                "See `firesteel drivers list` whether it is there still.",
            )),
            Err(_) => Err(silent()),
        }
    }

    fn authorized<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        request
    }
}

/// What is at the bottom of an error.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn lost(log: &Path) -> Cause {
    Cause::new(
        Kind::KeeperLost,
        "The keeper of the Spark driver died, and the driver with it",
        "The next cell starts a new driver.",
    )
    .with_tail(tail_of(log, LAST_LINES).unwrap_or_default())
}

fn silent() -> Cause {
    Cause::new(
        Kind::KeeperLost,
        format!(
            "The keeper of the Spark driver did not answer within {} s",
            ANSWER.as_secs()
        ),
        "See whether the machine is busy; `firesteel drivers list` shows the drivers.",
    )
}

fn foreign(protocol: u32) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!(
            "The running Spark driver was started by another version of Firesteel (protocol {protocol})"
        ),
        "Stop it by `firesteel drivers stop`, and run the cell again.",
    )
}
