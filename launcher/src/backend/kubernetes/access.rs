//! The way into a cluster: whose configuration, which server, inside or outside.

use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::config::{KubeConfigOptions, KubeconfigError};
use kube::{Api, Client, Config, Resource};
use tokio::time::timeout;

use super::refused::{no_configuration, unusable_client};
use crate::cause::Cause;
use crate::environment::Environment;
use crate::profile;

/// How long reading a configuration may take; it may run a login program.
const CONFIGURE: Duration = Duration::from_secs(30);

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
