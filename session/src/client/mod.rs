//! The calls of the service, one method each: typed, with a deadline, retried as told.

mod calls;
mod channel;

use std::sync::Arc;
use std::time::Duration;

use prost::bytes::Bytes;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::Channel;

use crate::address::{Address, Invalid};
use crate::call::{Call, Deadlines};
use crate::proto::spark_connect_service_client::SparkConnectServiceClient;
use crate::retry::Retry;

pub use channel::KeepAlive;

/// Header of calls that the kernel makes for itself. A keeper does not count them as activity.
pub const BACKGROUND_HEADER: &str = "x-firesteel-background";

/// Header that names the server process a call is meant for; see [`Address::incarnation`].
pub const INCARNATION_HEADER: &str = "x-firesteel-incarnation";

/// Largest message we take. Spark cuts results to 128 MiB at most, by default; the rest is room
/// for what is around them.
const LARGEST_MESSAGE: usize = 256 << 20;

/// How a client behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How long each call may take.
    pub deadlines: Deadlines,
    /// How failed calls are made again.
    pub retry: Retry,
    /// How long connecting may take.
    pub connect: Duration,
    /// How a dead connection is noticed.
    pub keep_alive: KeepAlive,
    /// What the server is told it is talking to.
    pub client_type: String,
}

impl Options {
    /// For a server on this machine: what is not there within three seconds is not there.
    pub fn local() -> Self {
        Self {
            retry: Retry::PROMPT,
            keep_alive: KeepAlive::LOCAL,
            ..Self::remote()
        }
    }

    /// For a server across a network, retried as Spark's own clients do.
    pub fn remote() -> Self {
        Self {
            deadlines: Deadlines::default(),
            retry: Retry::OFFICIAL,
            connect: Duration::from_secs(10),
            keep_alive: KeepAlive::REMOTE,
            client_type: concat!("firesteel/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A client of one server. Clones share its connection.
///
/// It connects with its first call and connects again when the connection is lost.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    background: bool,
}

struct Shared {
    stub: SparkConnectServiceClient<Channel>,
    metadata: MetadataMap,
    address: Address,
    options: Options,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.shared.address)
            .field("background", &self.background)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is sent yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Says which part of the address cannot be used.
    pub fn new(address: Address, options: Options) -> Result<Self, Invalid> {
        let channel = channel::open(&address.transport, &options)?;
        let stub = SparkConnectServiceClient::new(channel)
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(usize::MAX);
        let metadata = metadata(&address)?;
        let shared = Arc::new(Shared {
            stub,
            metadata,
            address,
            options,
        });
        Ok(Self {
            shared,
            background: false,
        })
    }

    /// The same client for calls that nobody asked for: keep-alive, refreshing a catalog. They are
    /// marked, so that they do not count as activity.
    #[must_use]
    pub fn background(&self) -> Self {
        Self {
            background: true,
            ..self.clone()
        }
    }

    /// Where the server is and who we are to it.
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// How the client behaves.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    fn request<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = self.shared.metadata.clone();
        if self.background {
            request
                .metadata_mut()
                .insert(BACKGROUND_HEADER, AsciiMetadataValue::from_static("1"));
        }
        request
    }

    fn deadline(&self, call: Call) -> Duration {
        self.shared.options.deadlines.of(call)
    }
}

/// The metadata of every call.
fn metadata(address: &Address) -> Result<MetadataMap, Invalid> {
    let mut metadata = MetadataMap::new();
    let mut insert = |name: &str, value: String, secret: bool| {
        let unsendable = || Invalid::Header(name.to_owned());
        let key = AsciiMetadataKey::from_bytes(name.as_bytes()).ok();
        let value = AsciiMetadataValue::try_from(Bytes::from(value)).ok();
        let mut value = value.ok_or_else(unsendable)?;
        value.set_sensitive(secret);
        metadata.insert(key.ok_or_else(unsendable)?, value);
        Ok(())
    };
    for (name, value) in &address.headers {
        insert(name, value.clone(), false)?;
    }
    if let Some(token) = &address.token {
        insert("authorization", format!("Bearer {}", token.reveal()), true)?;
    }
    if let Some(incarnation) = &address.incarnation {
        insert(INCARNATION_HEADER, incarnation.clone(), false)?;
    }
    Ok(metadata)
}
