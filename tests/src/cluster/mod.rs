//! A real Kubernetes cluster.

pub mod rights;

use std::path::PathBuf;

use k8s_openapi::NamespaceResourceScope;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, Resource};

/// A cluster to test against, and a namespace in it that enforces Pod Security's `restricted`.
pub struct Cluster {
    /// Who may do everything: of `FIRESTEEL_TEST_ADMIN_KUBECONFIG`, else of `KUBECONFIG`.
    pub admin: Client,
    /// The namespace.
    pub namespace: String,
    /// An image of Spark that its nodes can get.
    pub image: String,
}

impl Cluster {
    /// The cluster of `KUBECONFIG` with the image `FIRESTEEL_TEST_IMAGE`, and Firesteel's rights
    /// applied in it; `None` where there is none, unless `FIRESTEEL_TEST_CLUSTER_REQUIRED` is set.
    ///
    /// # Panics
    /// When the cluster is there and does not answer, or is required and not there.
    pub async fn here() -> Option<Self> {
        let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(_), Some(image)) = (said("KUBECONFIG"), said("FIRESTEEL_TEST_IMAGE")) else {
            let missing = "there is no cluster to test against: KUBECONFIG and \
                           FIRESTEEL_TEST_IMAGE name one, `make cluster` makes one.";
            assert!(
                said("FIRESTEEL_TEST_CLUSTER_REQUIRED").is_none(),
                "{missing}"
            );
            eprintln!("SKIPPED, NOT TESTED: {missing}");
            return None;
        };
        let options = KubeConfigOptions::default();
        let config = match said("FIRESTEEL_TEST_ADMIN_KUBECONFIG") {
            Some(file) => {
                let read = Kubeconfig::read_from(file).unwrap();
                Config::from_custom_kubeconfig(read, &options).await
            }
            None => Config::from_kubeconfig(&options).await,
        };
        let config = config.unwrap();
        let namespace = said("FIRESTEEL_TEST_NAMESPACE");
        let cluster = Self {
            namespace: namespace.unwrap_or_else(|| config.default_namespace.clone()),
            admin: Client::try_from(config).unwrap(),
            image,
        };
        rights::apply(&cluster).await;
        Some(cluster)
    }

    /// The things of one kind in the namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.admin.clone(), &self.namespace)
    }
}

/// A folder of the checkout.
fn checkout(path: &str) -> PathBuf {
    crate::house::top().join(path)
}
