//! A kernel's side of the attach service.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_session::address::{Address, Token};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::proto::keeper_client::KeeperClient;
use super::proto::{
    self, Alive, FromKeeper, FromKernel, Goodbye, Hello, Holds, Keep, Running, Welcome,
    from_keeper, from_kernel,
};
use super::state::{DriverState, Executors, Outlook};
use crate::backend::{Attachee, Attachment, News, Notices, Word};
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::driver::tail_of;
use crate::place::{Place, unusable};

/// How long connecting to a socket on this machine may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a keeper may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How many lines of the log tell why a keeper is gone.
const LAST_LINES: usize = 20;

/// A keeper that answered the door.
pub(crate) struct Keeper {
    client: KeeperClient<Channel>,
    token: Token,
    authorization: AsciiMetadataValue,
}

/// Why there is no attachment.
pub(crate) enum NotAttached {
    /// The keeper is ending; another can be started when it has.
    Ending,
    /// It refused.
    Refused(Cause),
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
            }),
            Ok(Err(_)) | Err(_) => None,
        })
    }

    /// Attaches, and follows the driver from then on.
    pub(crate) async fn attach(
        mut self,
        place: &Place,
        claim: &Claim,
        profile_hash: String,
        who: &Attachee,
    ) -> Result<Attachment, NotAttached> {
        let (out, outgoing) = mpsc::channel(16);
        let hello = Hello {
            protocol: proto::PROTOCOL,
            profile_hash,
            kernel_id: who.kernel.clone(),
            session_id: who.session_id.to_string(),
            user: claim.user.clone(),
        };
        // There is room for the first.
        let _sent = out.try_send(message(from_kernel::Message::Hello(hello)));
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
        let mut welcome = match first.and_then(|first| first.message) {
            Some(from_keeper::Message::Welcome(welcome)) => welcome,
            Some(from_keeper::Message::Refused(cause)) => {
                return Err(NotAttached::Refused(cause.into()));
            }
            Some(_) | None => {
                return Err(NotAttached::Ending);
            }
        };
        if welcome.protocol == 0 || welcome.protocol > proto::PROTOCOL {
            return Err(NotAttached::Refused(foreign(welcome.protocol)));
        }

        let mut address = Address::unix(place.socket(), claim.user.clone())
            .with_token(self.token.clone())
            .with_incarnation(welcome.incarnation.clone());
        address.session_id = Some(who.session_id);
        let state = welcome.state.take().unwrap_or_default();
        let state = watch::Sender::new(DriverState::read(state, &welcome, Instant::now()));
        let follow = state.subscribe();
        let notices = Arc::new(Notices::default());
        for warning in std::mem::take(&mut welcome.warnings) {
            notices.add(warning);
        }
        let outlook = watch::Sender::new(Outlook::default());
        let news = News {
            state: follow,
            outlook: outlook.subscribe(),
            notices: Arc::clone(&notices),
        };
        let (words, spoken) = mpsc::unbounded_channel();
        let line = Line {
            keeper,
            out,
            words: spoken,
            state,
            outlook,
            notices,
            welcome,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(line.hold());
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

/// The stream between a kernel and its keeper.
struct Line {
    keeper: Streaming<FromKeeper>,
    out: mpsc::Sender<FromKernel>,
    words: mpsc::UnboundedReceiver<Word>,
    state: watch::Sender<DriverState>,
    outlook: watch::Sender<Outlook>,
    notices: Arc<Notices>,
    welcome: Welcome,
}

impl Line {
    /// Says what the kernel has to say, and that it lives; hears what the keeper says. Lasts until
    /// one of them ends it.
    async fn hold(mut self) {
        let lease = Duration::from_secs(self.welcome.lease_seconds);
        let mut alive =
            interval((lease / 4).clamp(Duration::from_millis(100), Duration::from_secs(30)));
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut leaves = false;
        loop {
            tokio::select! {
                heard = self.keeper.message() => match heard {
                    Ok(Some(FromKeeper { message: Some(message) })) => self.hear(message),
                    Ok(Some(FromKeeper { message: None })) => {}
                    Ok(None) | Err(_) => break,
                },
                word = self.words.recv(), if !leaves => {
                    leaves = matches!(word, None | Some(Word::Goodbye));
                    self.say(match word {
                        Some(Word::Running(cells)) => from_kernel::Message::Running(Running { cells }),
                        Some(Word::Keep(time)) => from_kernel::Message::Keep(Keep { seconds: time.as_secs() }),
                        Some(Word::Holds(what)) => from_kernel::Message::Holds(Holds { what }),
                        Some(Word::Goodbye) | None => from_kernel::Message::Goodbye(Goodbye {}),
                    }).await;
                }
                _ = alive.tick() => self.say(from_kernel::Message::Alive(Alive {})).await,
            }
        }
        let over = matches!(*self.state.borrow(), DriverState::Ended(_));
        if !over && !leaves {
            self.state
                .send_replace(DriverState::Ended(lost(Path::new(&self.welcome.log))));
        }
    }

    async fn say(&self, word: from_kernel::Message) {
        // A keeper that is gone is noticed by the end of its stream.
        let _gone = self.out.send(message(word)).await;
    }

    fn hear(&self, message: from_keeper::Message) {
        match message {
            from_keeper::Message::State(state) => {
                let state = DriverState::read(state, &self.welcome, Instant::now());
                self.state.send_replace(state);
            }
            from_keeper::Message::Executors(executors) => self.outlook.send_modify(|outlook| {
                outlook.executors = Some(Executors {
                    running: executors.running,
                    pending: executors.pending,
                });
            }),
            from_keeper::Message::GiveBack(planned) => self.outlook.send_modify(|outlook| {
                outlook.given_back_at = planned
                    .in_milliseconds
                    .and_then(|wait| Instant::now().checked_add(Duration::from_millis(wait)));
            }),
            from_keeper::Message::Notice(notice) => self.notices.add(notice.text),
            from_keeper::Message::Welcome(_) | from_keeper::Message::Refused(_) => {}
        }
    }
}

fn message(message: from_kernel::Message) -> FromKernel {
    FromKernel {
        message: Some(message),
    }
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
