//! Things with the cluster's own time: a node's or a notebook's clock may be wrong, and a deadline by
//! it would end a driver that is well.

use http::Request;
use http::header::{DATE, HeaderMap, RETRY_AFTER};
use http_body_util::{BodyExt as _, Limited};
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::rfc2822::DateTimeParser;
use kube::client::Body;
use kube::core::Status;
use kube::core::response::StatusDetails;
use kube::{Api, Client, Error, Resource};
use serde::de::DeserializeOwned;

/// The most of an answer that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// A thing by its name, and what time it is in the cluster.
///
/// # Errors
/// When the server refuses it, or cannot be reached.
pub(crate) async fn dated<K: Resource + DeserializeOwned>(
    client: &Client,
    api: &Api<K>,
    name: &str,
) -> Result<(K, Timestamp), Error> {
    let url = format!("{}/{name}", api.resource_url());
    let ask = Request::get(url)
        .body(Body::empty())
        .map_err(Error::HttpError)?;
    let answer = client.send(ask).await?;
    let now = date(answer.headers()).unwrap_or_else(Timestamp::now);
    let code = answer.status();
    let again = retry_after(answer.headers());
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let body = body.map_err(Error::Service)?.to_bytes();
    if code.is_success() {
        let thing = serde_json::from_slice(&body).map_err(Error::SerdeError)?;
        return Ok((thing, now));
    }
    let mut status: Status = serde_json::from_slice(&body).unwrap_or_else(|_foreign| {
        // Who is asked too much answers in plain words.
        Status::failure(&String::from_utf8_lossy(&body), "")
    });
    status.code = code.as_u16();
    let details = status.details.get_or_insert_with(|| StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    });
    details.retry_after_seconds = details.retry_after_seconds.max(again);
    Err(Error::Api(Box::new(status)))
}

/// How long the server wants to be left alone, in seconds.
fn retry_after(headers: &HeaderMap) -> u32 {
    let again = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    again.and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_time_is_read_from_its_answers() {
        let mut headers = HeaderMap::new();
        assert_eq!(date(&headers), None);
        headers.insert(DATE, "Sat, 21 Nov 2026 06:00:00 GMT".parse().unwrap());
        assert_eq!(date(&headers), "2026-11-21T06:00:00Z".parse().ok());
        headers.insert(DATE, "yesterday".parse().unwrap());
        assert_eq!(date(&headers), None);
    }
}
