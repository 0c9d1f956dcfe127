//! What a real server once answered to a statement, kept in `tests/data/connect`.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use firesteel_session::engine::Statement;
use firesteel_session::proto::{ExecutePlanResponse, FetchErrorDetailsResponse};
use prost::Message;
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};

use crate::house::top;

/// A statement and all that a real server answered to it. Messages are kept as hex.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Script {
    /// Its name, and that of its file.
    pub name: String,
    /// Statements to be run before it, in the same session.
    pub before: Vec<String>,
    /// The statement.
    pub sql: String,
    /// How many rows are asked for.
    pub rows: Option<u64>,
    /// The responses, as `ExecutePlanResponse`.
    responses: Vec<String>,
    /// The failure behind them.
    failure: Option<Failed>,
}

/// A failure and what the server told of it when asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failed {
    code: i32,
    message: String,
    /// `grpc-status-details-bin`.
    details: String,
    /// `FetchErrorDetailsResponse`.
    explained: String,
}

/// A recorded failure, decoded.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What the stream ends with.
    pub status: Status,
    /// What the server tells of it when asked.
    pub explained: FetchErrorDetailsResponse,
}

impl Script {
    /// Puts a recording into a script.
    pub fn new(
        name: &str,
        before: &[&str],
        statement: Statement,
        responses: &[ExecutePlanResponse],
        failure: Option<&Failure>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            before: before.iter().map(|&sql| sql.to_owned()).collect(),
            sql: statement.sql,
            rows: statement.rows,
            responses: responses
                .iter()
                .map(|response| hex::encode(response.encode_to_vec()))
                .collect(),
            failure: failure.map(|failure| Failed {
                code: failure.status.code().into(),
                message: failure.status.message().to_owned(),
                details: hex::encode(failure.status.details()),
                explained: hex::encode(failure.explained.encode_to_vec()),
            }),
        }
    }

    /// The statement.
    pub fn statement(&self) -> Statement {
        Statement {
            sql: self.sql.clone(),
            rows: self.rows,
            ..Statement::default()
        }
    }

    /// The responses.
    pub fn responses(&self) -> Vec<ExecutePlanResponse> {
        let decode = |text: &String| ExecutePlanResponse::decode(bytes(text)).unwrap();
        self.responses.iter().map(decode).collect()
    }

    /// The failure behind the responses.
    pub fn failure(&self) -> Option<Failure> {
        self.failure.as_ref().map(|failed| Failure {
            status: Status::with_details(
                Code::from_i32(failed.code),
                failed.message.clone(),
                bytes(&failed.details),
            ),
            explained: FetchErrorDetailsResponse::decode(bytes(&failed.explained)).unwrap(),
        })
    }

    /// Reads a script.
    pub fn load(name: &str) -> Self {
        read(&folder().join(format!("{name}.json")))
    }

    /// Reads all scripts, in the order of their names.
    pub fn all() -> Vec<Self> {
        let entries = fs::read_dir(folder()).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }

    /// Writes the script into its file.
    pub fn save(&self) {
        fs::create_dir_all(folder()).unwrap();
        let mut text = serde_json::to_string_pretty(self).unwrap();
        text.push('\n');
        fs::write(folder().join(format!("{}.json", self.name)), text).unwrap();
    }
}

fn read(path: &Path) -> Script {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    top().join("tests/data/connect")
}

fn bytes(text: &str) -> Bytes {
    hex::decode(text).unwrap().into()
}
