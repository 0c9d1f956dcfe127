//! What a keeper in a pod is told: files that are mounted, variables that the kubelet sets.

use std::fmt::Display;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use crate::cause::{Cause, Kind};
use crate::cluster::assignment::Assignment;
use crate::cluster::mounts::Mounts;
use crate::cluster::names::{mount, variable};
use crate::cluster::tls::Identity;
use crate::driver::{Image, Pod, host, no_random};
use crate::environment::Environment;
use crate::keeper::mistaken;
use crate::profile::{Kubernetes, Runs};
use crate::secret::{Lockwork, Secret};

/// Everything a keeper in a pod begins with.
pub(super) struct Brief {
    pub(super) assignment: Assignment,
    /// What the assignment's profile runs.
    pub(super) runs: Kubernetes,
    pub(super) pod: Pod,
    pub(super) identity: Identity,
    pub(super) lockwork: Lockwork,
}

impl Brief {
    /// Reads everything, and looks at the image.
    pub(super) fn read(mounts: Mounts, environment: &Environment) -> Result<Self, Cause> {
        let path = mounts.assignment();
        let assignment: Assignment = serde_json::from_str(&text(&path)?)
            .map_err(|error| unreadable(&path.display(), &error))?;
        let token = Secret::given(text(&mounts.secret(mount::TOKEN))?.trim())
            .ok_or_else(|| unreadable("token", &"it is no token of ours"))?;
        let identity = Identity {
            certificate_pem: text(&mounts.secret(mount::CERTIFICATE))?,
            key_pem: text(&mounts.secret(mount::KEY))?,
        };
        let runs = match &assignment.profile.runs {
            Runs::Kubernetes(runs) => Kubernetes::clone(runs),
            Runs::Local(_) | Runs::Remote(_) => return Err(mistaken()),
        };
        let image = Image::look(&runs.image, &runs.spark_version, environment.lookup())?;
        let address = set(environment, variable::POD_IP)?;
        let address: IpAddr = address
            .parse()
            .map_err(|error| unreadable(variable::POD_IP, &error))?;
        let pod = Pod {
            name: set(environment, variable::POD_NAME)?.to_owned(),
            address,
            api: api(environment),
            image,
            environment: environment.only(|_| true),
            mounts,
        };
        Ok(Self {
            assignment,
            runs,
            pod,
            identity,
            lockwork: Lockwork::new(&token).map_err(|_unspecified| no_random())?,
        })
    }
}

/// Where the cluster's API is: as the kubelet tells every container, which needs no name server.
fn api(environment: &Environment) -> String {
    let name = environment.get("KUBERNETES_SERVICE_HOST");
    let name = name.map_or_else(
        || "kubernetes.default.svc".to_owned(),
        |name| name.parse().map_or_else(|_name| name.to_owned(), host),
    );
    let port = environment.get("KUBERNETES_SERVICE_PORT").unwrap_or("443");
    format!("https://{name}:{port}")
}

fn set<'e>(environment: &'e Environment, name: &str) -> Result<&'e str, Cause> {
    environment
        .get(name)
        .ok_or_else(|| unreadable(name, &"it is not set"))
}

fn text(path: &Path) -> Result<String, Cause> {
    fs::read_to_string(path).map_err(|error| unreadable(&path.display(), &error))
}

/// What a keeper says that was not given what it needs.
pub(super) fn unreadable(what: &(impl Display + ?Sized), why: &dyn Display) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The keeper of the Spark driver cannot read what it is told ({what}): {why}"),
        "See whether `keeperImage` in the profile is of the same version as Firesteel here, and run \
         the cell again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_where_the_kubelet_says() {
        for (host, port, api_is) in [
            (Some("10.96.0.1"), Some("443"), "https://10.96.0.1:443"),
            (Some("fd00::1"), Some("6443"), "https://[fd00::1]:6443"),
            (Some("api.example"), None, "https://api.example:443"),
            (None, None, "https://kubernetes.default.svc:443"),
        ] {
            let variables = [
                ("KUBERNETES_SERVICE_HOST", host),
                ("KUBERNETES_SERVICE_PORT", port),
            ];
            let environment: Environment = variables
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
            assert_eq!(api(&environment), api_is);
        }
    }

    #[test]
    fn what_is_not_mounted_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mounts = Mounts::below(dir.path());
        let cause = Brief::read(mounts, &Environment::default()).err().unwrap();
        assert_eq!(cause.kind, Kind::Keeper);
        assert!(cause.sentence.contains("assignment.json"), "{cause}");
    }
}
