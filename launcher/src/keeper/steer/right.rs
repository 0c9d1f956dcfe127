//! The keeper's own right to the cluster: not that of the JVM, which users' code can read.

use std::path::Path;
use std::time::Duration;

use kube::{Client, Config};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::cause::{Cause, Kind};
use crate::cluster::mounts::Mounts;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A client with the right that is mounted. It reads the token again as it changes, and the
/// certificate too.
pub(super) fn client(mounts: &Mounts, api: &str, namespace: &str) -> Result<Client, Cause> {
    let (token, authority) = (mounts.keeper_right("token"), mounts.keeper_right("ca.crt"));
    let url = api.parse().map_err(|error| missing(api, &error))?;
    let certificates = certificates(&authority)
        .map_err(|error| missing(&authority.to_string_lossy(), error.as_ref()))?;
    let mut config = Config::new(url);
    namespace.clone_into(&mut config.default_namespace);
    config.auth_info.token_file = Some(token.to_string_lossy().into_owned());
    config.root_cert = Some(certificates);
    config.root_cert_file = Some(authority);
    config.connect_timeout = Some(CONNECT);
    // Who asks knows what to do meanwhile.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| missing(&token.to_string_lossy(), &error))
}

fn certificates(file: &Path) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let all = CertificateDer::pem_file_iter(file)?;
    let all: Result<Vec<_>, _> = all.map(|one| one.map(|der| der.to_vec())).collect();
    match all? {
        all if all.is_empty() => Err("it has no certificate".into()),
        all => Ok(all),
    }
}

fn missing(what: &str, why: &dyn std::error::Error) -> Cause {
    Cause::new(
        Kind::Access,
        format!("The keeper of the Spark driver has no right to its cluster ({what}): {why}"),
        "Have `deploy/rbac` applied to the namespace, with the keeper's Secret, and run the cell again.",
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_right_that_is_not_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mounts = Mounts::below(root.path());
        let cause = |mounts| {
            client(mounts, "https://10.0.0.1:443", "spark")
                .err()
                .unwrap()
        };
        assert!(
            cause(&mounts).sentence.contains("ca.crt"),
            "{}",
            cause(&mounts)
        );
        let folder = root.path().join("firesteel/kube");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ca.crt"), "").unwrap();
        assert!(cause(&mounts).sentence.contains("no certificate"));
    }
}
