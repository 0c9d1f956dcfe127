//! Where a keeper's folders are.

use std::path::{Path, PathBuf};

use super::names::mount;

/// The folders of [`mount`] below a root: `/` in a pod, another folder where a keeper is tried out
/// without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounts {
    root: PathBuf,
}

impl Mounts {
    /// Those below `root`.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The file of the [`Assignment`](super::assignment::Assignment).
    pub(crate) fn assignment(&self) -> PathBuf {
        self.at(mount::ORDER).join(mount::ASSIGNMENT)
    }

    /// The file of the executors' pod template.
    pub(crate) fn executor_template(&self) -> PathBuf {
        self.at(mount::ORDER).join(mount::EXECUTOR_TEMPLATE)
    }

    /// A file of the driver's Secret, by its key.
    pub(crate) fn secret(&self, key: &str) -> PathBuf {
        self.at(mount::SECRET).join(key)
    }

    /// The file with the secret between driver and executors.
    pub(crate) fn rpc_secret(&self) -> PathBuf {
        self.at(mount::RPC).join(mount::RPC_SECRET)
    }

    /// A file of the keeper's own right to the cluster: `token` or `ca.crt`.
    pub(crate) fn keeper_right(&self, file: &str) -> PathBuf {
        self.at(mount::KEEPER_RIGHT).join(file)
    }

    /// The folder that keeper and driver write to.
    pub(crate) fn run(&self) -> PathBuf {
        self.at(mount::RUN)
    }

    /// The file from which Kubernetes takes a container's last words.
    pub(crate) fn termination_log(&self) -> PathBuf {
        self.at("/dev/termination-log")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_pod_everything_is_where_its_name_says() {
        let pod = Mounts::below(Path::new("/"));
        assert_eq!(pod.run(), Path::new(mount::RUN));
        assert_eq!(pod.secret("token"), Path::new("/firesteel/secret/token"));
        assert_eq!(pod.rpc_secret(), Path::new("/firesteel/rpc/secret"));
        let elsewhere = Mounts::below(Path::new("/tmp/x"));
        assert_eq!(
            elsewhere.assignment(),
            Path::new("/tmp/x/firesteel/order/assignment.json")
        );
    }
}
