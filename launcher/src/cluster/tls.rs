//! The two ends of a keeper's port in a cluster: a certificate of this driver's own, and a client
//! that takes that certificate and no other.

use std::io;
use std::sync::Arc;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
};

use super::names::SERVER_NAME;

/// What HTTP/2 is called while a connection is made.
pub(crate) const HTTP_2: &[u8] = b"h2";

/// What is wrong with a certificate that is not the keeper's.
const OTHER: Error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

/// Key and certificate of one keeper, both PEM. The certificate is for [`SERVER_NAME`], signs
/// nothing else and is new with each driver.
#[derive(Clone)]
pub(crate) struct Identity {
    /// What clients are given to know the keeper by.
    pub(crate) certificate_pem: String,
    /// What the keeper alone has.
    pub(crate) key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// Key and certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// No key or certificate could be made.
    #[error("no key and certificate could be made")]
    Make(#[source] rcgen::Error),
    /// A text is not the PEM it should be.
    #[error("it is not PEM")]
    Pem(#[source] pem::Error),
    /// Key and certificate were read, and do not do.
    #[error("key and certificate cannot be used")]
    Use(#[source] tokio_rustls::rustls::Error),
}

impl Identity {
    /// A new key and its certificate.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(crate) fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::Make)?;
        let mut about =
            CertificateParams::new(vec![SERVER_NAME.to_owned()]).map_err(TlsError::Make)?;
        // As a leaf, WebPKI refuses what could sign others.
        about.is_ca = IsCa::ExplicitNoCa;
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = about.self_signed(&key).map_err(TlsError::Make)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// How a keeper with this identity takes connections: HTTP/2 over TLS 1.3.
///
/// # Errors
/// When key and certificate are none, or not of each other.
pub(crate) fn server(identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
    let certificate = certificate(&identity.certificate_pem)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).map_err(TlsError::Pem)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Use)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(TlsError::Use)?;
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(Arc::new(config))
}

/// Makes connections to the one keeper that has this certificate, by the name [`server_name`].
///
/// The certificate is compared byte by byte and the server proves that it has its key. Names, dates
/// and other certificates count for nothing: clocks of notebooks and clusters differ, and what a
/// cluster's or a company's authorities sign is no reason to hand out a token.
///
/// # Errors
/// When the text is no certificate.
pub(crate) fn pinned(certificate_pem: &str) -> Result<TlsConnector, TlsError> {
    let provider = provider();
    let pin = Pin {
        certificate: certificate(certificate_pem)?,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Use)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin))
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Makes a connection a secret one with the keeper that the connector is for.
///
/// # Errors
/// In words, where something else answers.
pub(crate) async fn connect<S>(connector: &TlsConnector, stream: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connected = connector.connect(server_name(), stream).await;
    connected.map_err(|error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        if inner == Some(&OTHER) {
            let words = "what answers there is not this Spark driver: it shows another certificate";
            return io::Error::new(io::ErrorKind::InvalidData, words);
        }
        error
    })
}

/// The name to connect by, whatever the keeper's address is.
pub(crate) fn server_name() -> ServerName<'static> {
    // A constant; that it is a name is tested.
    ServerName::try_from(SERVER_NAME)
        .unwrap_or(ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(TlsError::Pem)
}

/// Takes one certificate.
#[derive(Debug)]
struct Pin {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(OTHER)
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// What the client and the server of one handshake come to.
    async fn handshake(
        server: Arc<ServerConfig>,
        client: TlsConnector,
    ) -> (std::io::Result<()>, std::io::Result<()>) {
        let (near, far) = tokio::io::duplex(16 << 10);
        // Both ends stay until both are done: what one says last is no error of the other.
        let (client, server) = tokio::join!(
            connect(&client, near),
            TlsAcceptor::from(server).accept(far),
        );
        (client.map(|_| ()), server.map(|_| ()))
    }

    #[tokio::test]
    async fn a_keeper_is_known_by_its_own_certificate() {
        let identity = Identity::new().unwrap();
        let client = pinned(&identity.certificate_pem).unwrap();
        let (client, server) = handshake(server(&identity).unwrap(), client).await;
        client.unwrap();
        server.unwrap();
    }

    #[tokio::test]
    async fn another_certificate_for_the_same_name_is_refused() {
        let (ours, other) = (Identity::new().unwrap(), Identity::new().unwrap());
        let client = pinned(&ours.certificate_pem).unwrap();
        let (client, _) = handshake(server(&other).unwrap(), client).await;
        let error = client.unwrap_err().to_string();
        assert!(error.contains("it shows another certificate"), "{error}");
    }

    #[tokio::test]
    async fn who_shows_the_certificate_and_has_not_its_key_is_refused() {
        let (ours, other) = (Identity::new().unwrap(), Identity::new().unwrap());
        // A server that does not look whether its key and certificate belong together.
        let key = PrivateKeyDer::from_pem_slice(other.key_pem.as_bytes()).unwrap();
        let stolen = tokio_rustls::rustls::sign::CertifiedKey::new(
            vec![certificate(&ours.certificate_pem).unwrap()],
            ring::sign::any_supported_type(&key).unwrap(),
        );
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(
                tokio_rustls::rustls::sign::SingleCertAndKey::from(stolen),
            ));
        let client = pinned(&ours.certificate_pem).unwrap();
        let (client, _) = handshake(Arc::new(config), client).await;
        let error = client.unwrap_err().to_string();
        assert!(error.contains("BadSignature"), "{error}");
    }

    #[test]
    fn a_certificate_is_for_the_name_that_clients_use() {
        assert_eq!(server_name().to_str(), SERVER_NAME);
    }

    #[test]
    fn what_does_not_belong_together_or_is_no_pem_is_refused() {
        let (one, other) = (Identity::new().unwrap(), Identity::new().unwrap());
        let mixed = Identity {
            certificate_pem: one.certificate_pem.clone(),
            key_pem: other.key_pem,
        };
        assert!(matches!(server(&mixed), Err(TlsError::Use(_))));
        assert!(matches!(pinned("no certificate"), Err(TlsError::Pem(_))));
        // A key is no certificate.
        assert!(matches!(pinned(&one.key_pem), Err(TlsError::Pem(_))));
        assert_eq!(format!("{one:?}"), "Identity(…)");
    }
}
