//! The keeper's port in a cluster.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::super::serve::{PAUSE, Server};
use crate::cause::{Cause, Kind};
use crate::cluster::names::KEEPER_PORT;

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
                tracing::info!(%address, %error, "no port can be forwarded to this address");
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
    let stranger = server.strangers.arrive();
    let shaken = async {
        stream.set_nodelay(true)?;
        acceptor.accept(stream).await
    };
    let shaken: io::Result<_> = tokio::select! {
        () = server.closing.cancelled() => return,
        () = stranger.has_to_go() => return,
        shaken = shaken => shaken,
    };
    match shaken {
        Ok(stream) => server.serve(stream, Some(stranger)).await,
        Err(error) => tracing::debug!(%error, "a caller did not speak TLS with us"),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Empty};
    use hyper::Request;
    use hyper::body::Bytes;
    use hyper::client::conn::http2;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinSet;

    use super::*;
    use crate::cluster::tls::{Identity, pinned, server, server_name};
    use crate::keeper::office::tests::Bench;
    use crate::keeper::service::Distance;
    use crate::keeper::strangers::PATIENCE;

    /// A keeper's port on the loopback, as long as the tasks live.
    async fn open(bench: &Bench, identity: &Identity) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            bench.server.clone(),
            vec![listener],
            server(identity).unwrap(),
        ));
        (address, tasks)
    }

    /// The answer to one request: whether it is a refusal for want of a token, and its text.
    async fn ask(address: SocketAddr, identity: &Identity, path: &str) -> (bool, Bytes) {
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = pinned(&identity.certificate_pem).unwrap();
        let stream = connector.connect(server_name(), stream).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let request = Request::post(format!("http://keeper{path}"))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let unauthenticated = response.headers().get("grpc-status");
        let refused = unauthenticated.is_some_and(|status| status == "16");
        (refused, response.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn without_a_token_one_hears_that_the_keeper_lives_and_no_more() {
        let (bench, identity) = (Bench::new(Distance::Network), Identity::new().unwrap());
        let (address, _tasks) = open(&bench, &identity).await;
        assert_eq!(
            ask(address, &identity, "/healthz").await,
            (false, "ok".into())
        );
        for path in [
            "/",
            "/healthz/",
            "/metrics",
            "/firesteel.keeper.v1.Keeper/Describe",
            "/spark.connect.SparkConnectService/ExecutePlan",
        ] {
            let (refused, said) = ask(address, &identity, path).await;
            assert!(refused && said.is_empty(), "{path}: {said:?}");
        }
    }

    #[tokio::test]
    async fn who_does_not_speak_tls_is_not_heard() {
        let (bench, identity) = (Bench::new(Distance::Network), Identity::new().unwrap());
        let (address, _tasks) = open(&bench, &identity).await;
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        let mut said = Vec::new();
        // An alert of TLS, which is no frame of HTTP/2.
        let _reset = plain.read_to_end(&mut said).await;
        assert!(said.len() < 20, "{said:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let (bench, identity) = (Bench::new(Distance::Network), Identity::new().unwrap());
        let (address, _tasks) = open(&bench, &identity).await;
        let began = tokio::time::Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut said = Vec::new();
        let ended = tokio::time::timeout(2 * PATIENCE, silent.read_to_end(&mut said)).await;
        assert_eq!(ended.unwrap().unwrap(), 0);
        assert!(began.elapsed() >= PATIENCE);
    }
}
