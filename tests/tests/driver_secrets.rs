//! Nobody but its user comes to a driver, and its token is where it has to be and nowhere else.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use firesteel_session::address::{Address, Token};
use firesteel_session::client::{Client, Options};
use firesteel_session::proto;
use firesteel_session::proto::execute_plan_response::ResponseType;
use firesteel_session::retry::Retry;
use firesteel_tests::connect::outcome::rows;
use firesteel_tests::drivers::{Machine, USER, eventually, pids, processes, session, udf};
use tonic::Code;

/// The variable by which Spark is told its token.
const VARIABLE: &str = "SPARK_CONNECT_AUTHENTICATE_TOKEN";

fn context(user: &str) -> Option<proto::UserContext> {
    Some(proto::UserContext {
        user_id: user.to_owned(),
        ..proto::UserContext::default()
    })
}

/// A call that needs nothing, of this user, and how it is answered.
async fn ask(address: Address, user: &str) -> Result<(), Code> {
    let options = Options {
        retry: Retry::NONE,
        ..Options::local()
    };
    let client = Client::new(address, options).unwrap();
    let request = proto::ConfigRequest {
        session_id: uuid::Uuid::new_v4().to_string(),
        user_context: context(user),
        operation: Some(proto::config_request::Operation {
            op_type: Some(proto::config_request::operation::OpType::GetAll(
                proto::config_request::GetAll {
                    prefix: Some("spark.sql.session".to_owned()),
                },
            )),
        }),
        ..proto::ConfigRequest::default()
    };
    client
        .config(request)
        .await
        .map(|_| ())
        .map_err(|failure| failure.code)
}

/// Every file below `folder`, with its text.
fn texts(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(texts(&path));
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drivers_token_is_known_to_keeper_and_java_alone() {
    let Some(machine) =
        Machine::with_spark("profiles: {local: {compiler: quick, grace: 1s}}").await
    else {
        return;
    };
    let (kernel, facts) = machine.attach_ready("k").await;
    let address = kernel.address().clone();

    // A Python function that stays until it is let go, and tells what its worker sees.
    let (here, go) = (machine.root().join("here"), machine.root().join("go"));
    let body = format!(
        "def f(n):\n    import os, time\n    open({here:?}, 'w').write(str(os.getpid()))\n    \
         end = time.monotonic() + 60\n    while not os.path.exists({go:?}) and time.monotonic() < end:\n        \
         time.sleep(0.02)\n    return str({VARIABLE:?} in os.environ) + ' ' + os.environ.get('HOME', '')\n"
    );
    let client = Client::new(address.clone(), Options::local()).unwrap();
    let request = proto::ExecutePlanRequest {
        session_id: address.session_id.unwrap().to_string(),
        user_context: context(USER),
        plan: Some(udf::plan(&body)),
        ..proto::ExecutePlanRequest::default()
    };
    let call = tokio::spawn(async move {
        let mut stream = client.execute_plan(request).await.unwrap();
        let mut rows = 0;
        while let Some(response) = stream.message().await.unwrap() {
            if let Some(ResponseType::ArrowBatch(batch)) = response.response_type {
                rows += batch.row_count;
                if batch.row_count > 0 {
                    assert!(
                        String::from_utf8_lossy(&batch.data).contains("False"),
                        "the worker sees the token"
                    );
                }
            }
        }
        rows
    });
    let worker: u32 = eventually(Duration::from_secs(60), async || {
        let text = fs::read_to_string(&here).map_err(|error| error.to_string())?;
        text.parse().map_err(|_not_yet| format!("{text:?}"))
    })
    .await;

    let tokens = processes::environment(pids(&facts).1);
    let tokens = tokens
        .iter()
        .filter_map(|word| word.strip_prefix(VARIABLE)?.strip_prefix('='));
    let token = tokens.collect::<String>();
    assert_eq!(token.len(), 64, "the driver has its token");
    assert!(
        !processes::environment(worker).is_empty(),
        "the worker can be read"
    );
    for pid in processes::pids() {
        let arguments = processes::arguments(pid).join(" ");
        assert!(!arguments.contains(&token), "{pid} {arguments}");
        let knows = processes::environment(pid).join(" ").contains(&token);
        assert!(!knows || pid == pids(&facts).1, "{pid} {arguments}");
    }
    // No crash leaves a picture of what they know.
    for pid in [pids(&facts).0, pids(&facts).1, worker] {
        assert_eq!(processes::largest_core(pid), "0", "{pid}");
    }
    let door_token = address.token.as_ref().unwrap().reveal();
    assert_ne!(door_token, token);
    for (path, text) in texts(machine.root()) {
        assert!(!text.contains(&token), "{}", path.display());
        if text.contains(door_token) {
            assert_eq!(path.file_name().unwrap(), "token");
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
    // Even SQL sees it only as what Spark itself lets through: not as a setting.
    let settings = rows(&session(&kernel), "SET").await;
    assert!(!format!("{settings:?}").contains(&token));

    fs::write(go, "").unwrap();
    assert_eq!(call.await.unwrap(), 1);

    // What outlives the driver, its log above all, has none of them.
    drop(kernel);
    machine.wait_until_gone(Duration::from_secs(30)).await;
    let left = texts(machine.root());
    assert!(
        left.iter()
            .any(|(_, text)| text.contains("SparkConnectServer"))
    );
    for (path, text) in left {
        let secret = [token.as_str(), door_token]
            .into_iter()
            .find(|secret| text.contains(secret));
        assert_eq!(secret, None, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_is_reached_by_its_door_alone() {
    let Some(machine) =
        Machine::with_spark("profiles: {local: {compiler: quick, grace: 1s}}").await
    else {
        return;
    };
    let (kernel, facts) = machine.attach_ready("k").await;
    let address = kernel.address().clone();
    assert_eq!(ask(address.clone(), USER).await, Ok(()));

    // Another user, however right the token is.
    assert_eq!(
        ask(address.clone(), "mallory").await,
        Err(Code::PermissionDenied)
    );
    assert_eq!(ask(address.clone(), "").await, Err(Code::PermissionDenied));
    // Another token, or none.
    let other = address.clone().with_token(Token::new("0".repeat(64)));
    assert_eq!(ask(other, USER).await, Err(Code::Unauthenticated));
    let mut none = address.clone();
    none.token = None;
    assert_eq!(ask(none, USER).await, Err(Code::Unauthenticated));

    // Java listens on the loopback, where it asks for a token that is not the door's.
    let listens = processes::listens(pids(&facts).1);
    assert!(!listens.is_empty());
    for (ip, port) in &listens {
        assert!(ip.is_loopback(), "it listens on {ip}:{port}");
    }
    assert_eq!(processes::listens(pids(&facts).0), []);
    for (_, port) in listens {
        let mut around = Address::tcp("127.0.0.1", port, USER);
        around.token.clone_from(&address.token);
        assert!(
            ask(around, USER).await.is_err(),
            "port {port} takes the door's token"
        );
    }
}
