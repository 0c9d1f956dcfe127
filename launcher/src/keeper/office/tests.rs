use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Streaming};
use tower::service_fn;

use super::super::desk::Event;
use super::super::standing::Fact;
use super::*;
use crate::attach::proto::keeper_client::KeeperClient;
use crate::attach::proto::{
    self, DescribeRequest, FromKeeper, FromKernel, Hello, Running, from_keeper, from_kernel,
};
use crate::attach::state::Executors;
use crate::cluster::executors::{self, Executor};
use crate::driver::{Home, Parts};
use crate::profile::{Memory, Profile};
use crate::secret::Secret;

/// How long a test waits for what is to happen.
const SOON: Duration = Duration::from_secs(10);

/// A keeper whose driver starts for ever.
pub(in crate::keeper) struct Bench {
    pub(in crate::keeper) server: Server,
    pub(in crate::keeper) token: String,
    reception: Reception,
    tasks: TaskTracker,
    desk: JoinSet<Cause>,
}

impl Bench {
    pub(in crate::keeper) fn new(distance: Distance) -> Self {
        let (mut bench, mut desk) = Self::with_desk(distance);
        bench.desk.spawn(async move { desk.until_end().await });
        bench
    }

    /// A keeper nobody sits in yet.
    fn with_desk(distance: Distance) -> (Self, Desk) {
        let plan = Plan {
            profile: "test".to_owned(),
            user: "ada".to_owned(),
            archive: None,
            home: Home::Machine,
            parts: Parts {
                spark_home: PathBuf::from("/nowhere"),
                java: PathBuf::from("/nowhere"),
                java_major: 17,
                python: PathBuf::from("/nowhere"),
            },
            heap: Memory::mebibytes(1024),
            cores: NonZeroU16::MIN,
            conf: BTreeMap::new(),
            java: Vec::new(),
            environment: BTreeMap::new(),
            packages: false,
            scratch: PathBuf::from("/nowhere"),
            log: PathBuf::from("/nowhere"),
            start_deadline: Duration::from_secs(60),
        };
        let claim = Claim {
            user: "ada".to_owned(),
            profile: "test".to_owned(),
            kernel: None,
        };
        let profile = Profile::built_in("test");
        let token = Secret::random().unwrap();
        let office = Office::new(Terms {
            incarnation: "1".to_owned(),
            claim: &claim,
            profile: &profile,
            plan: &plan,
            distance,
            lockwork: Lockwork::new(&token).unwrap(),
        });
        let Office {
            desk,
            reception,
            server,
            tasks,
            ..
        } = office;
        let bench = Self {
            server,
            token: token.reveal().to_owned(),
            reception,
            tasks,
            desk: JoinSet::new(),
        };
        (bench, desk)
    }

    /// Waits until nothing goes on but the desk.
    async fn quiet(&self) {
        let quiet = async {
            while !self.tasks.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, quiet).await.unwrap();
    }

    /// Has the desk take in what it was told so far.
    async fn settled(&self, desk: &mut Desk) -> Option<Cause> {
        let (answer, present) = tokio::sync::oneshot::channel();
        self.reception.tell(Event::Describe(answer));
        tokio::select! {
            biased;
            _ = present => None,
            cause = desk.until_end() => Some(cause),
        }
    }

    /// A connection of its own.
    async fn connect(&self) -> KeeperClient<Channel> {
        let (near, far) = tokio::io::duplex(64 << 10);
        self.tasks.spawn(self.server.clone().serve(far, None));
        let mut near = Some(near);
        let connector = service_fn(move |_| {
            let near: Option<DuplexStream> = near.take();
            async move {
                near.map(TokioIo::new)
                    .ok_or_else(|| std::io::Error::other("once"))
            }
        });
        let endpoint = Endpoint::from_static("http://keeper");
        KeeperClient::new(endpoint.connect_with_connector(connector).await.unwrap())
    }

    fn authorized<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// Attaches a kernel by a connection of its own.
    async fn attach(&self, kernel: &str, session: &str) -> Visitor {
        let mut client = self.connect().await;
        let (out, outgoing) = mpsc::channel(16);
        let hello = from_kernel::Message::Hello(Hello {
            protocol: proto::PROTOCOL,
            profile_hash: String::new(),
            kernel_id: kernel.to_owned(),
            session_id: session.to_owned(),
            user: "ada".to_owned(),
        });
        out.try_send(message(hello)).unwrap();
        let request = self.authorized(ReceiverStream::new(outgoing));
        let mut keeper = client.attach(request).await.unwrap().into_inner();
        let first = keeper.message().await.unwrap().unwrap().message.unwrap();
        assert!(
            matches!(first, from_keeper::Message::Welcome(_)),
            "{first:?}"
        );
        Visitor {
            keeper,
            out,
            _client: client,
        }
    }

    /// Who is there: kernels and how many cells they run.
    async fn present(&self) -> Vec<(String, u32)> {
        let mut client = self.connect().await;
        let request = self.authorized(DescribeRequest {});
        let description = client.describe(request).await.unwrap().into_inner();
        let attachments = description.attachments.into_iter();
        attachments
            .map(|attached| (attached.kernel_id, attached.cells))
            .collect()
    }

    /// Waits until these are there.
    async fn expect(&self, expected: &[(&str, u32)]) {
        let expected: Vec<(String, u32)> = expected
            .iter()
            .map(|&(kernel, cells)| (kernel.to_owned(), cells))
            .collect();
        let there = async { while self.present().await != expected {} };
        tokio::time::timeout(SOON, there).await.unwrap();
    }
}

/// A kernel that came.
struct Visitor {
    keeper: Streaming<FromKeeper>,
    out: mpsc::Sender<FromKernel>,
    _client: KeeperClient<Channel>,
}

impl Visitor {
    fn runs(&self, cells: u32) {
        let running = from_kernel::Message::Running(Running { cells });
        self.out.try_send(message(running)).unwrap();
    }
}

fn message(message: from_kernel::Message) -> FromKernel {
    FromKernel {
        message: Some(message),
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_a_death_on_this_machine_and_nothing_from_afar() {
    for (distance, still_there) in [
        (Distance::Machine, &[][..]),
        (Distance::Network, &[("k", 2)]),
    ] {
        let bench = Bench::new(distance);
        let kernel = bench.attach("k", "s").await;
        kernel.runs(2);
        bench.expect(&[("k", 2)]).await;
        drop(kernel);
        bench.quiet().await;
        bench.expect(still_there).await;
    }
}

#[tokio::test]
async fn a_goodbye_is_an_end_from_everywhere() {
    let bench = Bench::new(Distance::Network);
    let kernel = bench.attach("k", "s").await;
    let goodbye = from_kernel::Message::Goodbye(proto::Goodbye {});
    kernel.out.try_send(message(goodbye)).unwrap();
    bench.expect(&[]).await;
}

#[tokio::test]
async fn a_kernel_that_comes_back_takes_over_what_it_had() {
    let bench = Bench::new(Distance::Network);
    let mut first = bench.attach("k", "s").await;
    first.runs(1);
    bench.expect(&[("k", 1)]).await;
    // While its old stream is not known to be broken yet.
    let second = bench.attach("k", "s").await;
    bench.expect(&[("k", 1)]).await;
    let ended = first.keeper.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Cancelled, "{ended}");
    // What the old stream says late is not heard.
    drop(first);
    second.runs(3);
    bench.expect(&[("k", 3)]).await;
    // And after it is known to be broken.
    drop(second);
    bench.quiet().await;
    let third = bench.attach("k", "s").await;
    bench.expect(&[("k", 3)]).await;
    drop(third);
}

#[tokio::test]
async fn another_kernel_or_another_session_takes_nothing_over() {
    let bench = Bench::new(Distance::Network);
    let one = bench.attach("k", "s").await;
    one.runs(1);
    bench.expect(&[("k", 1)]).await;
    let two = bench.attach("k", "other").await;
    let three = bench.attach("other", "s").await;
    bench.expect(&[("k", 1), ("k", 0), ("other", 0)]).await;
    drop((one, two, three));
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_end_waits_for_what_runs_and_not_for_ever() {
    let patience = Duration::from_secs(10);
    let began = Instant::now();
    let (bench, mut desk) = Bench::with_desk(Distance::Network);
    // Nobody runs anything.
    assert_eq!(desk.finish(patience).await, None);
    assert_eq!(began.elapsed(), Duration::ZERO);
    let tell = |fact| bench.reception.tell(Event::Fact(fact));
    tell(Fact::Attached {
        id: 1,
        session: "s".to_owned(),
    });
    tell(Fact::Running(1, 1));
    // The desk hears of it before it looks.
    assert_eq!(bench.settled(&mut desk).await, None);
    // It ends in time.
    let (ended, ()) = tokio::join!(desk.finish(patience), async {
        tokio::time::sleep(patience / 2).await;
        tell(Fact::Running(1, 0));
    });
    assert_eq!((ended, began.elapsed()), (None, patience / 2));
    // It does not.
    tell(Fact::Running(1, 1));
    assert_eq!(bench.settled(&mut desk).await, None);
    assert_eq!(desk.finish(patience).await, None);
    assert_eq!(began.elapsed(), patience / 2 + patience);
    // Somebody stops the driver meanwhile.
    bench.reception.tell(Event::Stop("enough".to_owned()));
    let cause = desk.finish(patience).await.unwrap();
    assert!(cause.sentence.contains("enough"), "{cause}");
}

#[tokio::test]
async fn kernels_hear_how_many_executors_there_are_and_what_befell_them() {
    let bench = Bench::new(Distance::Network);
    let mut early = bench.attach("early", "a").await;
    let executor = Executor {
        id: "7".to_owned(),
        pod: "x-exec-7".to_owned(),
        node: "node-1".to_owned(),
        standing: executors::Standing::Running,
        since: None,
    };
    let count = Executors {
        running: 1,
        pending: 2,
    };
    bench.reception.crew.show(vec![executor], count);
    let mut late = bench.attach("late", "b").await;
    let expected = proto::Executors {
        running: 1,
        pending: 2,
    };
    for kernel in [&mut early, &mut late] {
        let heard = kernel.keeper.message().await.unwrap().unwrap().message;
        assert_eq!(heard, Some(from_keeper::Message::Executors(expected)));
    }
    bench
        .reception
        .crew
        .tell("Executor 7 was evicted.".to_owned());
    for kernel in [&mut early, &mut late] {
        let heard = kernel.keeper.message().await.unwrap().unwrap().message;
        let notice = proto::Notice {
            text: "Executor 7 was evicted.".to_owned(),
        };
        assert_eq!(heard, Some(from_keeper::Message::Notice(notice)));
    }

    let mut client = bench.connect().await;
    let request = bench.authorized(DescribeRequest {});
    let described = client.describe(request).await.unwrap().into_inner();
    let [seen] = described.executors.as_slice() else {
        panic!("{described:?}")
    };
    assert_eq!((seen.id.as_str(), seen.state.as_str()), ("7", "running"));
    let logs = proto::LogsRequest {
        lines: 10,
        executor: Some("8".to_owned()),
    };
    let mut client = bench.connect().await;
    let refused = client.logs(bench.authorized(logs)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("executors 7"), "{refused}");
}
