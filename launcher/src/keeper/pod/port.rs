//! The keeper's port in a cluster.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::super::serve::{PAUSE, Server};
use crate::cause::{Cause, Kind};
use crate::cluster::names::KEEPER_PORT;

/// How long a caller may take until its connection is a secret one.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Listens on the pod's address, and on the loopback, where forwarded ports come in.
pub(super) async fn bind(pod: IpAddr) -> Result<Vec<TcpListener>, Cause> {
    let mut listeners = vec![TcpListener::bind((pod, KEEPER_PORT)).await.map_err(|error| {
        Cause::new(
            Kind::Port,
            format!("The keeper cannot listen on {}: {error}", SocketAddr::new(pod, KEEPER_PORT)),
            "See whether something else in the driver's pod uses that port, and run the cell again.",
        )
    })?];
    let loopback: BTreeSet<IpAddr> =
        [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into();
    for address in loopback.into_iter().filter(|&address| address != pod) {
        match TcpListener::bind((address, KEEPER_PORT)).await {
            Ok(listener) => listeners.push(listener),
            // A pod has one of them at least, and who needs the other one is told that by its own end.
            Err(error) => {
                tracing::info!(%address, %error, "no port can be forwarded to this address")
            }
        }
    }
    Ok(listeners)
}

/// Takes connections on all listeners until the server is closing.
pub(super) async fn accept(server: Server, listeners: Vec<TcpListener>, tls: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(tls);
    let each = listeners
        .into_iter()
        .map(|listener| accept_on(server.clone(), listener, acceptor.clone()));
    futures::future::join_all(each).await;
}

async fn accept_on(server: Server, listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        let accepted = tokio::select! {
            () = server.closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let tasks = server.tasks.clone();
                tasks.spawn(greet(server.clone(), stream, acceptor.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Makes a connection a secret one and serves its caller.
async fn greet(server: Server, stream: TcpStream, acceptor: TlsAcceptor) {
    let shaken = async {
        stream.set_nodelay(true)?;
        tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await?
    };
    let shaken: io::Result<_> = tokio::select! {
        () = server.closing.cancelled() => return,
        shaken = shaken => shaken,
    };
    match shaken {
        Ok(stream) => server.serve(stream).await,
        Err(error) => tracing::debug!(%error, "a caller did not speak TLS with us"),
    }
}
