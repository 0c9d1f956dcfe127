//! Recording scripts from a real server.

use firesteel_session::engine::Statement;
use firesteel_session::proto::execute_plan_request::RequestOption;
use firesteel_session::proto::execute_plan_request::request_option::RequestOption as Choice;
use firesteel_session::proto::spark_connect_service_client::SparkConnectServiceClient;
use firesteel_session::proto::{self, ExecutePlanResponse};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use super::real::Spark;
use super::script::{Failure, Script};

/// What is recorded: name, statements before it, the statement, rows asked for.
const STATEMENTS: [(&str, &[&str], &str, Option<u64>); 12] = [
    ("one", &[], "SELECT 1 AS one", Some(10)),
    (
        "batches",
        &[],
        "SELECT id, id * id AS square FROM range(0, 2500, 1, 3)",
        None,
    ),
    (
        "limited",
        &[],
        "SELECT id FROM range(0, 100, 1, 1)",
        Some(7),
    ),
    (
        "empty",
        &[],
        "SELECT id, 'x' AS x FROM range(5) WHERE id > 9",
        Some(10),
    ),
    (
        "types",
        &[],
        "SELECT * FROM VALUES \
         (1, 2.50BD, DATE'2026-01-02', TIMESTAMP'2026-01-02 03:04:05', array(1, null), map('k', 1.5D), \
          named_struct('a', true), X'00ff', 'ä'), \
         (null, null, null, null, null, null, null, null, null) \
         AS t(i, d, day, moment, list, map, struct, bytes, text)",
        Some(10),
    ),
    (
        "view",
        &[],
        "CREATE OR REPLACE TEMP VIEW recorded AS SELECT 7 AS seven",
        Some(10),
    ),
    ("set", &[], "SET spark.sql.shuffle.partitions = 3", Some(10)),
    (
        "compound",
        &[],
        "BEGIN DECLARE x INT DEFAULT 1; WHILE x < 5 DO SET x = x * 2; END WHILE; SELECT x AS x; END",
        Some(10),
    ),
    ("syntax", &[], "SELEC 1", Some(10)),
    (
        "column",
        &[],
        "SELECT '\u{1f600}', nope FROM range(3)",
        Some(10),
    ),
    (
        "missing",
        &[],
        "SELECT * FROM parquet.`/nowhere/at/all`",
        Some(10),
    ),
    (
        "midway",
        &["SET spark.sql.execution.arrow.maxRecordsPerBatch = 100"],
        "SELECT 1 / (id - 1500) AS q FROM range(0, 2000, 1, 2)",
        None,
    ),
];

/// Records all scripts from a server.
pub async fn record(spark: &Spark) {
    let endpoint = Endpoint::from_shared(format!("http://localhost:{}", spark.port())).unwrap();
    let stub = SparkConnectServiceClient::new(endpoint.connect().await.unwrap());
    for (name, before, sql, rows) in STATEMENTS {
        let mut recorder = Recorder {
            stub: stub.clone(),
            bearer: format!("Bearer {}", spark.token()).parse().unwrap(),
            session_id: Uuid::new_v4().to_string(),
        };
        for sql in before {
            recorder.execute(&statement(sql, None)).await;
        }
        let statement = statement(sql, rows);
        let (responses, failure) = recorder.execute(&statement).await;
        Script::new(name, before, statement, &responses, failure.as_ref()).save();
    }
}

fn statement(sql: &str, rows: Option<u64>) -> Statement {
    Statement {
        sql: sql.to_owned(),
        rows,
        ..Statement::default()
    }
}

struct Recorder {
    stub: SparkConnectServiceClient<Channel>,
    bearer: AsciiMetadataValue,
    session_id: String,
}

impl Recorder {
    /// Runs a statement. Only a stream that can be reattached ends with `ResultComplete`.
    async fn execute(
        &mut self,
        statement: &Statement,
    ) -> (Vec<ExecutePlanResponse>, Option<Failure>) {
        let request = proto::ExecutePlanRequest {
            session_id: self.session_id.clone(),
            user_context: Some(user()),
            operation_id: Some(Uuid::new_v4().to_string()),
            plan: Some(firesteel_session::session::plan_of(statement)),
            request_options: vec![RequestOption {
                request_option: Some(Choice::ReattachOptions(proto::ReattachOptions {
                    reattachable: true,
                })),
            }],
            ..proto::ExecutePlanRequest::default()
        };
        let mut responses = Vec::new();
        let status = match self.stub.execute_plan(self.request(request)).await {
            Err(status) => status,
            Ok(stream) => {
                let mut stream = stream.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(response)) => responses.push(response),
                        Ok(None) => return (responses, None),
                        Err(status) => break status,
                    }
                }
            }
        };
        let error_id = firesteel_session::failure::Failure::from(status.clone())
            .info
            .and_then(|info| info.error_id().map(str::to_owned));
        let request = proto::FetchErrorDetailsRequest {
            session_id: self.session_id.clone(),
            user_context: Some(user()),
            error_id: error_id.unwrap(),
            ..proto::FetchErrorDetailsRequest::default()
        };
        let request = self.request(request);
        let explained = self.stub.fetch_error_details(request).await.unwrap();
        let failure = Failure {
            status,
            explained: explained.into_inner(),
        };
        (responses, Some(failure))
    }

    fn request<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.bearer.clone());
        request
    }
}

fn user() -> proto::UserContext {
    proto::UserContext {
        user_id: "recorder".to_owned(),
        ..proto::UserContext::default()
    }
}
