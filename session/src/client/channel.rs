//! The connection itself.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Uri};
use tower::service_fn;

use super::Options;
use crate::address::{Invalid, Transport};

/// How a dead connection is noticed: by HTTP/2 pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Time between pings, also while nothing runs.
    pub every: Duration,
    /// How long an answer may take before the connection counts as dead.
    pub patience: Duration,
}

impl KeepAlive {
    /// As pyspark 4.3. A Spark 4.3 server takes pings every 10 s at most.
    pub const REMOTE: Self = Self {
        every: Duration::from_secs(60),
        patience: Duration::from_secs(20),
    };

    /// On one machine only a stopped process is silent.
    pub const LOCAL: Self = Self {
        every: Duration::from_secs(15),
        patience: Duration::from_secs(15),
    };
}

/// Prepares a connection that is made with the first call.
pub(super) fn open(transport: &Transport, options: &Options) -> Result<Channel, Invalid> {
    let endpoint = match transport {
        Transport::Tcp { tls, .. } => {
            let scheme = if *tls { "https" } else { "http" };
            endpoint(format!("{scheme}://{transport}"))?
        }
        Transport::Unix(path) => {
            let path = path.to_str().ok_or(Invalid::Socket)?;
            endpoint(format!("unix://{path}"))?
        }
        // The name is sent as `:authority` and means nothing on the way.
        Transport::Dialed(_) => endpoint("http://dialed".to_owned())?,
    };
    let endpoint = match transport {
        Transport::Tcp { tls: true, .. } => endpoint
            .tls_config(ClientTlsConfig::new().with_webpki_roots())
            .ok()
            .ok_or(Invalid::Tls)?,
        _ => endpoint,
    };
    let endpoint = endpoint
        .connect_timeout(options.connect)
        .http2_keep_alive_interval(options.keep_alive.every)
        .keep_alive_timeout(options.keep_alive.patience)
        .keep_alive_while_idle(true)
        // Results are large and come one after another: a window of 64 KiB would make each wait.
        .initial_stream_window_size(8 << 20)
        .initial_connection_window_size(16 << 20);
    Ok(match transport {
        Transport::Dialed(dialer) => {
            let dialer = dialer.clone();
            endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
                let dialer = dialer.clone();
                async move { dialer.dial().await.map(TokioIo::new) }
            }))
        }
        _ => endpoint.connect_lazy(),
    })
}

fn endpoint(uri: String) -> Result<Endpoint, Invalid> {
    Endpoint::from_shared(uri).ok().ok_or(Invalid::Host)
}
