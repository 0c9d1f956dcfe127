//! A first query before the first query.

use std::time::Duration;

use firesteel_session::client::Client;
use firesteel_session::engine::{Engine as _, Statement};
use firesteel_session::session::Session;
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long it may take altogether.
const LONGEST: Duration = Duration::from_secs(60);

/// Statements that have Spark load what it takes to read, plan, compile and answer a query, and that
/// start no job: where executors come with the first job, none must come for these.
const STATEMENTS: [&str; 2] = [
    "SELECT * FROM VALUES (1, 'a') AS t(n, s)",
    "EXPLAIN CODEGEN SELECT s, count(*), sum(n) FROM VALUES (1, 'a'), (2, 'b') AS t(n, s) GROUP BY s",
];

/// Has a driver that just became ready do once what it is slow at the first time. It takes place
/// behind the door and in a session of its own, so it is nobody's activity.
pub(crate) async fn warm(client: Client) {
    let session = Session::new(client);
    let statements = async {
        for sql in STATEMENTS {
            let statement = Statement {
                sql: sql.to_owned(),
                rows: None,
                pure: true,
            };
            let mut events = session.run(statement, CancellationToken::new());
            while let Some(event) = events.next().await {
                if let Err(error) = event {
                    tracing::debug!(%error, "the driver was not warmed up");
                    return;
                }
            }
        }
    };
    if timeout(LONGEST, statements).await.is_err() {
        tracing::debug!("warming the driver up takes too long");
    }
    if let Err(error) = session.close().await {
        tracing::debug!(%error, "the session that warmed the driver up stays");
    }
}
