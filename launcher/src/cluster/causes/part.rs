//! What a pod is to its users, and which keys of a profile it is made by.

/// What a pod is to its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The driver.
    Driver,
    /// An executor.
    Executor,
}

impl Part {
    /// It, where a sentence is about it.
    pub(crate) fn subject(self) -> &'static str {
        match self {
            Self::Driver => "The Spark driver's pod",
            Self::Executor => "An executor",
        }
    }

    /// The profile's key of what this is about: `kubernetes.driver.memory`.
    pub(crate) fn key(self, of: &str) -> String {
        match self {
            Self::Driver => format!("`kubernetes.driver.{of}`"),
            Self::Executor => format!("`kubernetes.executor.{of}`"),
        }
    }

    /// The profile's key of the nodes it may be on.
    pub(crate) fn nodes(self, of: &str) -> String {
        match self {
            Self::Driver => format!("`kubernetes.placement.driver.{of}`"),
            Self::Executor => format!("`kubernetes.placement.executors.{of}`"),
        }
    }

    /// The profile's keys by which it asks for a resource, as quotas and limit ranges call it:
    /// `requests.cpu`, `limits.memory`, `memory`.
    pub(crate) fn keys_of(self, resource: &str) -> String {
        let bare = resource.strip_prefix("requests.");
        let bare = bare.or_else(|| resource.strip_prefix("limits."));
        match bare.unwrap_or(resource) {
            "memory" => format!("{} and {}", self.key("memory"), self.key("overhead")),
            "cpu" => self.key("millicores"),
            "storage" | "ephemeral-storage" | "persistentvolumeclaims" => {
                "`kubernetes.localDisk`".to_owned()
            }
            device if device.contains('/') && !device.starts_with("count/") => {
                "`kubernetes.gpu.amount`".to_owned()
            }
            _ => "`kubernetes.executors.max`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_quota_counts_is_asked_for_by_a_key_of_the_profile() {
        for (resource, keys) in [
            (
                "requests.memory",
                "`kubernetes.driver.memory` and `kubernetes.driver.overhead`",
            ),
            ("limits.cpu", "`kubernetes.driver.millicores`"),
            ("cpu", "`kubernetes.driver.millicores`"),
            ("requests.ephemeral-storage", "`kubernetes.localDisk`"),
            ("requests.nvidia.com/gpu", "`kubernetes.gpu.amount`"),
            ("count/widgets.example.com/v1", "`kubernetes.executors.max`"),
            ("pods", "`kubernetes.executors.max`"),
        ] {
            assert_eq!(Part::Driver.keys_of(resource), keys, "{resource}");
        }
    }
}
