//! The way into a cluster: whose configuration, which server, inside or outside.

use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::config::{KubeConfigOptions, KubeconfigError};
use kube::{Api, Client, Config, Resource};
use tokio::time::{sleep, timeout};

use super::refused::{no_configuration, refused, silent, unusable_client};
use crate::cause::Cause;
use crate::environment::Environment;
use crate::profile;

/// How long reading a configuration may take; it may run a login program.
const CONFIGURE: Duration = Duration::from_secs(30);

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(20);

/// The pauses before a request is made again that failed for what may pass. They fit into [`REQUEST`].
const AGAIN: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Access to one namespace of one cluster.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) client: Client,
    /// Where everything is made.
    pub(super) namespace: String,
    /// The server, as shown to people.
    pub(super) server: String,
    /// Whether we are a pod of that cluster, and reach other pods by their addresses.
    pub(super) inside: bool,
}

impl Access {
    /// Reads the configuration and makes a client. Nothing is sent yet.
    ///
    /// A kubeconfig counts where there is one or the profile names a context; else a pod's own
    /// account.
    ///
    /// # Errors
    /// When there is no configuration, or it is wrong.
    pub(super) async fn open(
        spec: &profile::Kubernetes,
        environment: &Environment,
    ) -> Result<Self, Cause> {
        let (config, inside) = match timeout(CONFIGURE, configuration(spec, environment)).await {
            Ok(configured) => configured?,
            Err(_) => return Err(no_configuration("it was not read in time")),
        };
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| unusable_client(&server, &error))?;
        Ok(Self {
            client,
            namespace: spec.namespace.clone(),
            server,
            inside,
        })
    }

    /// The things of one kind in the namespace.
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// What a request gives, within its deadline. `what` it is for tells who is refused.
    ///
    /// # Errors
    /// When the server refuses it, or does not answer.
    pub(super) async fn done<T>(
        &self,
        what: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Cause> {
        let done = self.answer(what, request).await?;
        done.map_err(|error| refused(&error, what, self))
    }

    /// As [`Access::done`]; `None` where the server refuses it for what `expected` tells.
    ///
    /// # Errors
    /// When the server refuses it for another reason, or does not answer.
    pub(super) async fn done_unless<T>(
        &self,
        expected: fn(&kube::Error) -> bool,
        what: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<Option<T>, Cause> {
        match self.answer(what, request).await? {
            Err(error) if expected(&error) => Ok(None),
            done => done.map(Some).map_err(|error| refused(&error, what, self)),
        }
    }

    /// What a request gives, or is refused with, within its deadline.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(super) async fn answer<T>(
        &self,
        what: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<kube::Result<T>, Cause> {
        timeout(REQUEST, request)
            .await
            .map_err(|_elapsed| silent(what, self))
    }
}

/// Makes a request, and again where its connection broke or the server was not well. It may be one that
/// is taken twice.
///
/// # Errors
/// What it failed for at last.
pub(super) async fn again<T, F>(request: impl Fn() -> F) -> kube::Result<T>
where
    F: Future<Output = kube::Result<T>>,
{
    for (tried, pause) in AGAIN.into_iter().enumerate() {
        match request().await {
            Err(error) if tried < worth(&error) => {
                tracing::debug!(%error, "a request is made again");
                sleep(pause).await;
            }
            done => return done,
        }
    }
    request().await
}

/// How many of [`AGAIN`] a failure is worth: a server that is not well has said that it is there, and
/// who is not there at all is to be told soon.
fn worth(error: &kube::Error) -> usize {
    match error {
        kube::Error::Api(status) if status.code == 429 || status.code >= 500 => AGAIN.len(),
        kube::Error::Service(_) | kube::Error::HyperError(_) => 2,
        _ => 0,
    }
}

async fn configuration(
    spec: &profile::Kubernetes,
    environment: &Environment,
) -> Result<(Config, bool), Cause> {
    let options = KubeConfigOptions {
        context: spec.context.clone(),
        ..KubeConfigOptions::default()
    };
    let of_person = match Config::from_kubeconfig(&options).await {
        Ok(config) => return Ok((config, false)),
        Err(error) => error,
    };
    let named = spec.context.is_some() || environment.get("KUBECONFIG").is_some();
    let missing = matches!(
        of_person,
        KubeconfigError::ReadConfig(..) | KubeconfigError::FindPath
    );
    if named || !missing {
        return Err(no_configuration(&of_person));
    }
    match Config::incluster() {
        Ok(config) => Ok((config, true)),
        Err(_no_pod) => Err(no_configuration(&of_person)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use kube::Error;
    use kube::core::Status;

    use super::*;

    fn says(code: u16) -> Error {
        let mut status = Status::failure("", "");
        status.code = code;
        Error::Api(Box::new(status))
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_five_times_and_the_rest_once() {
        for (code, tries) in [(500, 5), (503, 5), (429, 5), (403, 1), (404, 1), (409, 1)] {
            let tried = Cell::new(0);
            let answer = again(async || {
                tried.set(tried.get() + 1);
                Err::<(), _>(says(code))
            });
            assert!(answer.await.is_err());
            assert_eq!(tried.get(), tries, "{code}");
        }
        let tried = Cell::new(0);
        let answer = again(async || {
            tried.set(tried.get() + 1);
            if tried.get() < 3 {
                Err(says(500))
            } else {
                Ok(tried.get())
            }
        });
        assert_eq!(answer.await.unwrap(), 3);
    }
}
