//! A first query before the first query.

use std::time::Duration;

use firesteel_session::client::Client;
use firesteel_session::engine::{Engine as _, Statement};
use firesteel_session::error::Error;
use firesteel_session::session::{ExplainMode, Session};
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long it may take altogether.
const LONGEST: Duration = Duration::from_secs(60);

/// Answered by the driver alone: where executors come with the first job, none must come for this.
const ANSWERED: &str = "SELECT s, n + 1 FROM VALUES (1, 'a'), (2, 'b') AS t(n, s) WHERE n > 1";

/// Planned and compiled, and not run: it would be a job.
const COMPILED: &str =
    "SELECT s, count(*), sum(n) FROM VALUES (1, 'a'), (2, 'b') AS t(n, s) GROUP BY s ORDER BY s";

/// Has a driver do once what it is slow at the first time: read, plan, compile and answer a query.
/// It takes place behind the door and in a session of its own, so it is nobody's activity.
pub(crate) async fn warm(client: Client) {
    let session = Session::new(client);
    match timeout(LONGEST, ask(&session)).await {
        Ok(Ok(())) => tracing::info!("the driver is warm"),
        Ok(Err(error)) => tracing::debug!(%error, "the driver was not warmed up"),
        Err(_) => tracing::debug!("warming the driver up takes too long"),
    }
    if let Err(error) = session.close().await {
        tracing::debug!(%error, "the session that warmed the driver up stays");
    }
}

async fn ask(session: &Session) -> Result<(), Error> {
    let statement = Statement {
        sql: ANSWERED.to_owned(),
        pure: true,
        ..Statement::default()
    };
    let mut events = session.run(statement, CancellationToken::new());
    while let Some(event) = events.next().await {
        event?;
    }
    session
        .explain_sql(COMPILED, ExplainMode::Codegen)
        .await
        .map(|_text| ())
}
