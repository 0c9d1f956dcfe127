//! What a stranger, a colleague and a broken program do to a keeper's door: nothing is let in, the keeper
//! lives, and its user does not notice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use firesteel_session::address::{Address, Token, Transport};
use firesteel_session::client::{Client, Options};
use firesteel_session::proto;
use firesteel_session::proto::config_request::operation::OpType;
use firesteel_session::proto::config_request::{Get, GetAll, GetOption, Operation};
use firesteel_session::retry::Retry;
use firesteel_tests::drivers::{Machine, USER, eventually, pids, processes};
use futures::StreamExt as _;
use futures::stream;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tonic::Code;
use uuid::Uuid;

/// How many calls are made that are not let in; `FIRESTEEL_DOOR_CALLS` says another number.
const CALLS: usize = 50_000;

/// Connections they come by, and how many are on their way in each.
const CONNECTIONS: usize = 8;
const ABREAST: usize = 32;

/// How many come by one connection: whoever is refused more often is cut off by it.
const TURN: usize = 1_000;

/// How long a call of the driver's own user may take meanwhile.
const UNNOTICED: Duration = Duration::from_secs(5);

/// How much more memory the keeper may hold while it is pestered, in kilobytes.
const MEMORY: u64 = 96 << 10;

const METHODS: [&str; 16] = [
    "spark.connect.SparkConnectService/ExecutePlan",
    "spark.connect.SparkConnectService/ReattachExecute",
    "spark.connect.SparkConnectService/ReleaseExecute",
    "spark.connect.SparkConnectService/AnalyzePlan",
    "spark.connect.SparkConnectService/Config",
    "spark.connect.SparkConnectService/AddArtifacts",
    "spark.connect.SparkConnectService/ArtifactStatus",
    "spark.connect.SparkConnectService/Interrupt",
    "spark.connect.SparkConnectService/GetStatus",
    "spark.connect.SparkConnectService/ReleaseSession",
    "spark.connect.SparkConnectService/CloneSession",
    "spark.connect.SparkConnectService/FetchErrorDetails",
    "firesteel.keeper.v1.Keeper/Attach",
    "firesteel.keeper.v1.Keeper/Describe",
    "firesteel.keeper.v1.Keeper/Logs",
    "firesteel.keeper.v1.Keeper/Stop",
];

/// How many of them are Spark's.
const SPARKS: usize = 12;

fn config(operation: OpType) -> proto::ConfigRequest {
    proto::ConfigRequest {
        session_id: Uuid::new_v4().to_string(),
        user_context: context(USER),
        operation: Some(Operation {
            op_type: Some(operation),
        }),
        ..proto::ConfigRequest::default()
    }
}

fn context(user: &str) -> Option<proto::UserContext> {
    Some(proto::UserContext {
        user_id: user.to_owned(),
        ..proto::UserContext::default()
    })
}

/// Asks as the driver's own user does, and gives the settings.
async fn settings(address: &Address, operation: OpType) -> Result<BTreeMap<String, String>, Code> {
    let options = Options {
        retry: Retry::NONE,
        ..Options::local()
    };
    let client = Client::new(address.clone(), options).unwrap();
    let response = client.config(config(operation)).await;
    let pairs = response.map_err(|failure| failure.code)?.pairs.into_iter();
    Ok(pairs
        .map(|pair| (pair.key, pair.value.unwrap_or_default()))
        .collect())
}

/// Has the driver's user ask something, which takes no longer than it should.
async fn nobody_notices(address: &Address) {
    let keys = vec!["spark.sql.shuffle.partitions".to_owned()];
    let asked = settings(address, OpType::Get(Get { keys }));
    let asked = tokio::time::timeout(UNNOTICED, asked).await;
    assert!(!asked.unwrap().unwrap().is_empty());
}

/// A wrong call: its way, its headers, its message.
struct Wrong {
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    message: Bytes,
}

/// The tokens there are.
struct Tokens {
    right: String,
    /// Of the claim's driver before this one.
    earlier: String,
}

impl Tokens {
    /// The `n`th of all wrong calls.
    fn wrong(&self, n: usize) -> Wrong {
        let right = &self.right;
        let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
        let cut = n / 16 % right.len();
        let other_digit = if &right[cut..=cut] == "0" { "1" } else { "0" };
        let one_wrong = [&right[..cut], other_digit, &right[cut + 1..]].concat();
        let (mut user, mut sparks) = (USER, false);
        let headers = match n % 16 {
            0 => Vec::new(),
            1 => bearer(&self.earlier),
            2 => bearer(&self.earlier[..cut]),
            3 => bearer(&right[..cut]),
            4 => bearer(&one_wrong),
            5 => bearer(&right[cut + 1..]),
            6 => bearer(&Uuid::new_v4().simple().to_string().repeat(2)),
            7 => bearer(&format!("{right}{right}")),
            8 => bearer(&right.to_uppercase()),
            9 => vec![("authorization", right.clone())],
            10 => vec![("authorization", format!("Basic {right}"))],
            11 => vec![("authorization", format!("Bearer  {right}"))],
            12 => vec![("x-authorization", format!("Bearer {right}"))],
            13 => [bearer(&self.earlier), bearer(right)].concat(),
            other => {
                // The right token in the hand of another user, with a session that may be anybody's.
                (user, sparks) = (["mallory", ""][other - 14], true);
                bearer(right)
            }
        };
        let method = n / 16 % if sparks { SPARKS } else { METHODS.len() };
        let mut message = config(OpType::GetAll(GetAll::default()));
        message.user_context = context(user);
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        Wrong {
            path: METHODS[method],
            headers,
            message: [&[0], &length[..], &message].concat().into(),
        }
    }
}

async fn connect(socket: &Path) -> SendRequest<Full<Bytes>> {
    let stream = UnixStream::connect(socket).await.unwrap();
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Makes a wrong call, and gives the code that it is refused with, and whether it is told why.
async fn refusal(mut sender: SendRequest<Full<Bytes>>, wrong: Wrong) -> (Option<i32>, bool) {
    let mut request = Request::post(format!("http://keeper/{}", wrong.path))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in wrong.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(wrong.message)).unwrap();
    sender.ready().await.unwrap();
    let response = sender.send_request(request).await.unwrap();
    let header = |name| response.headers().get(name)?.to_str().ok();
    let code = header("grpc-status").and_then(|code| code.parse().ok());
    (
        code,
        header("grpc-message").is_some_and(|words| !words.is_empty()),
    )
}

/// Makes so many wrong calls, over several connections at a time.
async fn storm(socket: &Path, tokens: Arc<Tokens>, calls: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut storms = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (socket, tokens, next) = (socket.to_owned(), Arc::clone(&tokens), Arc::clone(&next));
        storms.spawn(async move {
            loop {
                let first = next.fetch_add(TURN, Ordering::Relaxed);
                if first >= calls {
                    return;
                }
                turn(&socket, &tokens, first..calls.min(first + TURN)).await;
            }
        });
    }
    while let Some(done) = storms.join_next().await {
        done.unwrap();
    }
}

/// Makes these wrong calls over one connection, and sees that each is refused in words.
async fn turn(socket: &Path, tokens: &Tokens, calls: Range<usize>) {
    let sender = connect(socket).await;
    stream::iter(calls)
        .map(|n| {
            let (sender, wrong) = (sender.clone(), tokens.wrong(n));
            async move { (n, refusal(sender, wrong).await) }
        })
        .buffer_unordered(ABREAST)
        .for_each(async |(n, (code, told))| {
            let kind = n % 16;
            let wanted = match kind {
                0..14 => Code::Unauthenticated,
                _ => Code::PermissionDenied,
            };
            assert_eq!(
                (code, told),
                (Some(wanted as i32), true),
                "call {n} of kind {kind}"
            );
        })
        .await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What peers say that are broken, or want the keeper to be.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let preface = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frame(4, 0, 0, &[])[..],
    ]
    .concat();
    let after = |frames: Vec<u8>| [preface.clone(), frames].concat();
    // `:method POST`, `:scheme http`, `:path /`.
    let request = |stream: u32, flags: u8| frame(1, flags, stream, &[0x83, 0x86, 0x84]);
    let resets: Vec<u8> = (0..5_000)
        .flat_map(|n| [request(2 * n + 1, 4), frame(3, 0, 2 * n + 1, &[0, 0, 0, 8])].concat())
        .collect();
    // A literal header whose name and value are said to be 2^28 bytes long, and one of 64 KiB.
    let endless = [&[0x40, 0x7f, 0x80, 0x80, 0x80, 0x80, 0x01][..], b"x"].concat();
    let large = [
        &[0x40, 1, b'x', 0x7f, 0x81, 0xfe, 0x03][..],
        &vec![b'y'; 16_000],
    ]
    .concat();
    let opened = vec![
        ("nothing", Vec::new()),
        ("half a preface", b"PRI * HT".to_vec()),
        (
            "HTTP/1.1",
            b"GET / HTTP/1.1\r\nHost: keeper\r\n\r\n".to_vec(),
        ),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        (
            "noise",
            (0..=255)
                .cycle()
                .take(64 << 10)
                .map(|n: u8| n.wrapping_mul(197))
                .collect(),
        ),
        ("a preface and noise", after(vec![0xff; 64 << 10])),
        (
            "a frame that is too large",
            after(
                [
                    &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1][..],
                    &vec![7; 64 << 10],
                ]
                .concat(),
            ),
        ),
        ("headers of no stream", after(request(0, 4))),
        ("headers of a server's stream", after(request(2, 4))),
        ("data of an idle stream", after(frame(0, 0, 1, b"data"))),
        (
            "a window that overflows",
            after(frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]).repeat(2)),
        ),
        ("a window of nothing", after(frame(8, 0, 0, &[0; 4]))),
        (
            "settings of a wrong length",
            after(frame(4, 0, 0, &[1, 2, 3])),
        ),
        (
            "settings that cannot be",
            after(frame(4, 0, 0, &[0, 5, 0xff, 0xff, 0xff, 0xff])),
        ),
        ("continuations of nothing", after(frame(9, 4, 1, &[0x83]))),
        (
            "headers without an end",
            after([request(1, 0), frame(9, 0, 1, &[]).repeat(20_000)].concat()),
        ),
        (
            "headers that grow",
            after(
                [
                    request(1, 0),
                    frame(9, 0, 1, &large),
                    frame(9, 0, 1, &[b'y'; 16_000]).repeat(40),
                ]
                .concat(),
            ),
        ),
        ("a name of endless length", after(frame(1, 4, 1, &endless))),
        ("a wrong index", after(frame(1, 4, 1, &[0xff, 0xff, 0x7f]))),
        ("pings", after(frame(6, 0, 0, &[1; 8]).repeat(20_000))),
        (
            "settings again and again",
            after(frame(4, 0, 0, &[]).repeat(20_000)),
        ),
        ("calls that are taken back", after(resets)),
        (
            "calls without an end",
            after((0..1_000).flat_map(|n| request(2 * n + 1, 4)).collect()),
        ),
        (
            "a call that has half a prefix",
            after([request(1, 4), frame(0, 0, 1, &[0, 0])].concat()),
        ),
        (
            "priorities",
            after(frame(2, 0, 3, &[0, 0, 0, 3, 1]).repeat(20_000)),
        ),
        (
            "frames of no kind",
            after(frame(0xee, 0xff, 7, &[9; 100]).repeat(5_000)),
        ),
    ];
    opened
}

/// Says what each of the broken peers says, on many connections that stay, while the user works on.
async fn pester(socket: &Path, address: &Address, keeper: u32) {
    let before = processes::held(keeper);
    let mut open = Vec::new();
    let peers = malformed();
    let count = peers.len();
    for (what, said) in peers {
        for _ in 0..8 {
            let mut stream = UnixStream::connect(socket).await.unwrap();
            // It may be told to go before it has said all.
            let saying = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&said));
            let _said_or_not = saying.await;
            open.push(stream);
        }
        let began = Instant::now();
        nobody_notices(address).await;
        let now = processes::held(keeper);
        assert!(
            now.memory < before.memory + MEMORY,
            "{what}: the keeper held {before:?} and holds {now:?}"
        );
        assert!(began.elapsed() < UNNOTICED, "{what}");
    }
    println!("{count} kinds of broken peers, {} connections", open.len());
    // Headers that come byte by byte, on all that still listen.
    for stream in &mut open {
        let _gone_or_not =
            tokio::time::timeout(Duration::from_millis(10), stream.write_all(b"\0")).await;
    }
    nobody_notices(address).await;
    drop(open);
    eventually(Duration::from_secs(20), async || {
        let now = processes::held(keeper);
        if now.descriptors <= before.descriptors + 4 {
            Ok(())
        } else {
            Err(format!("the keeper held {before:?} and holds {now:?}"))
        }
    })
    .await;
}

fn socket(address: &Address) -> PathBuf {
    match &address.transport {
        Transport::Unix(path) => path.clone(),
        other => panic!("{other:?}"),
    }
}

fn token(address: &Address) -> String {
    address.token.as_ref().unwrap().reveal().to_owned()
}

/// The token of a driver that is gone again.
async fn token_of_one_that_ended(machine: &Machine) -> String {
    let (kernel, _) = machine.attach_ready("k").await;
    let token = token(kernel.address());
    drop(kernel);
    machine.wait_until_gone(Duration::from_secs(60)).await;
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_let_in_and_nobody_notices() {
    let profiles = "profiles: {local: {grace: 0s}}";
    let Some(machine) = Machine::with_spark(profiles).await else {
        return;
    };
    let earlier = token_of_one_that_ended(&machine).await;
    let (kernel, facts) = machine.attach_ready("k").await;
    let address = kernel.address().clone();
    let (keeper, _) = pids(&facts);
    let tokens = Arc::new(Tokens {
        right: token(&address),
        earlier,
    });
    nobody_notices(&address).await;

    let calls = std::env::var("FIRESTEEL_DOOR_CALLS").map_or(CALLS, |text| text.parse().unwrap());
    let (before, began) = (processes::held(keeper), Instant::now());
    let way = socket(&address);
    let storm = storm(&way, Arc::clone(&tokens), calls);
    tokio::pin!(storm);
    loop {
        tokio::select! {
            () = &mut storm => break,
            () = nobody_notices(&address) => {}
        }
    }
    let after = processes::held(keeper);
    println!(
        "{calls} calls at the door in {:?}, 0 let through; the keeper held {before:?} and holds {after:?}",
        began.elapsed()
    );
    assert!(
        after.memory < before.memory + MEMORY,
        "{before:?} {after:?}"
    );

    pester(&way, &address, keeper).await;
    nothing_to_find(&address, &tokens).await;
    assert!(processes::lives(keeper));
}

/// Settings of Spark that hold secrets where somebody set them.
const SECRETS: [&str; 12] = [
    "spark.authenticate.secret",
    "spark.authenticate.secret.file",
    "spark.connect.authenticate.token",
    "spark.ssl.keyPassword",
    "spark.ssl.keyStorePassword",
    "spark.ssl.trustStorePassword",
    "spark.ssl.rpc.keyPassword",
    "spark.kubernetes.authenticate.driver.oauthToken",
    "spark.executorEnv.SPARK_CONNECT_AUTHENTICATE_TOKEN",
    "spark.appMasterEnv.SPARK_CONNECT_AUTHENTICATE_TOKEN",
    "spark.hadoop.fs.s3a.secret.key",
    "SPARK_CONNECT_AUTHENTICATE_TOKEN",
];

/// Asks for every setting there is, and for those that would hold secrets.
async fn nothing_to_find(address: &Address, tokens: &Tokens) {
    let all = settings(address, OpType::GetAll(GetAll::default()))
        .await
        .unwrap();
    assert!(all.len() > 20, "{all:?}");
    let keys = SECRETS.map(str::to_owned).to_vec();
    let option = settings(address, OpType::GetOption(GetOption { keys }))
        .await
        .unwrap();
    let mut found: Vec<(String, String)> = all.into_iter().chain(option).collect();
    for key in SECRETS {
        let keys = vec![key.to_owned()];
        let one = settings(address, OpType::Get(Get { keys })).await;
        found.extend(one.into_iter().flatten());
    }
    for (key, value) in found {
        assert!(
            !SECRETS.contains(&&*key) || value.is_empty(),
            "{key} is {value}"
        );
        assert!(!value.contains(&tokens.right), "{key}");
        let random = value.len() >= 32 && value.chars().all(|c| c.is_ascii_hexdigit());
        assert!(!random, "{key} looks like a token: {value}");
    }
    // It would be found: the right one opens, another does not.
    let other = address.clone().with_token(Token::new("0".repeat(64)));
    let refused = settings(&other, OpType::GetAll(GetAll::default())).await;
    assert_eq!(refused, Err(Code::Unauthenticated));
}
