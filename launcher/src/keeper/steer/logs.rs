//! What executors said.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use tonic::Status;

use super::again::request;

/// The most of a log that is read, in bytes.
const MOST: i64 = 4 << 20;

/// Reads executors' logs.
pub(in crate::keeper) struct Logs {
    pods: Api<Pod>,
}

impl Logs {
    pub(super) fn new(pods: Api<Pod>) -> Self {
        Self { pods }
    }

    /// The end of a pod's log.
    pub(in crate::keeper) async fn tail(&self, pod: &str, lines: u32) -> Result<String, Status> {
        let how = LogParams {
            container: None,
            tail_lines: Some(lines.into()),
            limit_bytes: Some(MOST),
            ..LogParams::default()
        };
        match request(self.pods.logs(pod, &how)).await {
            Ok(text) => Ok(text),
            Err(failure) if failure.code() == Some(404) => Err(Status::not_found(
                "the executor is gone, and its log with it",
            )),
            Err(failure) => Err(Status::unavailable(format!(
                "the cluster did not give the executor's log: {failure}"
            ))),
        }
    }
}
