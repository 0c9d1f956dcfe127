//! gRPC's error details: the few messages of `google.rpc` that Spark Connect sends.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use prost::Message;
use tonic::Status;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`, on the wire.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WireErrorInfo {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
    #[prost(string, tag = "2")]
    pub(super) domain: String,
    #[prost(map = "string, string", tag = "3")]
    pub(super) metadata: HashMap<String, String>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<prost_types::Duration>,
}

/// `google.rpc.ErrorInfo`: what a server attaches to tell an error by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorInfo {
    /// For Spark the Java class of the exception.
    pub reason: String,
    /// Who raised it; for Spark `org.apache.spark`.
    pub domain: String,
    /// Further facts by name.
    pub metadata: BTreeMap<String, String>,
}

impl ErrorInfo {
    /// Spark's error class with its subclass.
    pub fn class(&self) -> Option<&str> {
        self.get("errorClass")
    }

    /// The key under which the server keeps the whole error for a while.
    pub fn error_id(&self) -> Option<&str> {
        self.get("errorId")
    }

    /// One of the facts, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// The details of a status that matter to us.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) info: Option<ErrorInfo>,
    pub(super) retry_after: Option<Duration>,
}

impl Details {
    /// Reads `grpc-status-details-bin`. What cannot be read is as if it were not there: the code
    /// and the message still stand.
    pub(super) fn of(status: &Status) -> Self {
        let mut found = Self::default();
        let Ok(rich) = RpcStatus::decode(status.details()) else {
            return found;
        };
        for detail in rich.details {
            match detail.type_url.rsplit('/').next() {
                Some("google.rpc.ErrorInfo") => {
                    let info = WireErrorInfo::decode(detail.value.as_slice()).ok();
                    found.info = info.map(|info| ErrorInfo {
                        reason: info.reason,
                        domain: info.domain,
                        metadata: info.metadata.into_iter().collect(),
                    });
                }
                Some("google.rpc.RetryInfo") => {
                    let info = RetryInfo::decode(detail.value.as_slice()).ok();
                    found.retry_after = info
                        .and_then(|info| info.retry_delay)
                        .and_then(|delay| Duration::try_from(delay).ok());
                }
                _ => {}
            }
        }
        found
    }
}

/// Writes details as a server does.
#[cfg(test)]
pub(super) fn encode(
    code: tonic::Code,
    info: &ErrorInfo,
    retry_after: Option<Duration>,
) -> bytes::Bytes {
    let any = |name: &str, value: Vec<u8>| prost_types::Any {
        type_url: format!("type.googleapis.com/google.rpc.{name}"),
        value,
    };
    let metadata = info.metadata.clone().into_iter().collect();
    let wire = WireErrorInfo {
        reason: info.reason.clone(),
        domain: info.domain.clone(),
        metadata,
    };
    let mut details = vec![any("ErrorInfo", wire.encode_to_vec())];
    if let Some(delay) = retry_after {
        let retry_delay = prost_types::Duration::try_from(delay).ok();
        details.push(any("RetryInfo", RetryInfo { retry_delay }.encode_to_vec()));
    }
    let status = RpcStatus {
        code: code.into(),
        message: String::new(),
        details,
    };
    status.encode_to_vec().into()
}
