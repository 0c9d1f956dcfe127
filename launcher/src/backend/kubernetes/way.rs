//! The way to a keeper in a cluster: to its pod's address from inside, through the cluster's server
//! from outside. TLS all the way, to this driver's own certificate.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use firesteel_session::dial::{Dial, Stream};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::access::Access;
use crate::cluster::names::KEEPER_PORT;
use crate::cluster::tls;

/// How long connecting to a pod's address may take before the server is asked to forward.
const DIRECT: Duration = Duration::from_secs(3);

/// How long forwarding and the handshake may take.
const FORWARD: Duration = Duration::from_secs(10);

/// A driver's pod that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// Its name.
    pub(super) pod: String,
    /// Its address.
    pub(super) address: IpAddr,
}

/// Connects to the keeper of a driver, wherever its pod is now.
pub(super) struct Way {
    access: Access,
    connector: TlsConnector,
    spot: watch::Receiver<Option<Spot>>,
}

impl Way {
    pub(super) fn new(
        access: Access,
        connector: TlsConnector,
        spot: watch::Receiver<Option<Spot>>,
    ) -> Self {
        Self {
            access,
            connector,
            spot,
        }
    }

    async fn direct(&self, spot: &Spot) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((spot.address, KEEPER_PORT)).await?;
        stream.set_nodelay(true)?;
        let stream = tls::connect(&self.connector, stream).await?;
        Ok(Box::new(stream))
    }

    async fn forwarded(&self, spot: &Spot) -> io::Result<Box<dyn Stream>> {
        let pods: Api<Pod> = Api::namespaced(self.access.client.clone(), &self.access.namespace);
        let mut forwarder = pods
            .portforward(&spot.pod, &[KEEPER_PORT])
            .await
            .map_err(io::Error::other)?;
        let stream = forwarder
            .take_stream(KEEPER_PORT)
            .ok_or_else(|| io::Error::other("the port was not forwarded"))?;
        let stream = tls::connect(&self.connector, stream).await?;
        Ok(Box::new(stream))
    }
}

#[async_trait]
impl Dial for Way {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let spot = self.spot.borrow().clone();
        let spot = spot.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotConnected, "the driver's pod does not run")
        })?;
        if self.access.inside {
            match timeout(DIRECT, self.direct(&spot)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => tracing::debug!(%error, "the pod's address cannot be used"),
                Err(_) => tracing::debug!("the pod's address does not answer"),
            }
        }
        timeout(FORWARD, self.forwarded(&spot))
            .await
            .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))?
    }

    fn place(&self) -> String {
        match &*self.spot.borrow() {
            Some(spot) => format!("pod {}/{}", self.access.namespace, spot.pod),
            None => format!("a pod of {}", self.access.namespace),
        }
    }
}
