//! What can be said of images without asking their registry.

use crate::profile::Kubernetes;
use crate::rehearsal::Finding;

/// What these findings are about.
const NAME: &str = "images";

/// What is said of the images of a profile, which the operator allows: a profile with another is
/// none.
pub(super) fn findings(spec: &Kubernetes) -> Vec<Finding> {
    let images = [
        (&spec.image, "kubernetes.images"),
        (&spec.keeper_image, "kubernetes.keeperImage"),
    ];
    images
        .map(|(image, key)| finding(image, key, &spec.pull_policy))
        .into()
}

fn finding(image: &str, key: &str, policy: &str) -> Finding {
    let allowed = "the profile may use it; whether the registry has it is not asked";
    match Name::of(image) {
        Name::Digest => Finding::good(
            NAME,
            format!("Image {image} is named by its digest; {allowed}"),
        ),
        Name::Latest if policy != "Always" => Finding::poor(
            NAME,
            format!(
                "Image {image} names no version, and nodes that have one keep it ({policy}): they may \
                 differ"
            ),
            format!("Name a version or a digest in `{key}` in the profile."),
        ),
        Name::Latest | Name::Tag => Finding::good(
            NAME,
            format!("Image {image} is named by a tag, fetched as {policy}; {allowed}"),
        ),
    }
}

/// How an image is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Digest,
    Tag,
    /// By `latest`, which stands for any, or nothing, which stands for `latest`.
    Latest,
}

impl Name {
    fn of(image: &str) -> Self {
        if image.contains('@') {
            return Self::Digest;
        }
        // What is before the last slash may be a host with its port.
        let last = image.rsplit('/').next().unwrap_or(image);
        match last.split_once(':') {
            None | Some((_, "latest")) => Self::Latest,
            Some(_) => Self::Tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::Verdict;

    #[test]
    fn an_image_that_may_be_another_tomorrow_is_told() {
        let digest = format!("host:5000/spark@sha256:{}", "0".repeat(64));
        for (image, policy, verdict, words) in [
            (
                digest.as_str(),
                "IfNotPresent",
                Verdict::Good,
                "by its digest",
            ),
            (
                "host:5000/spark:4.3.0",
                "IfNotPresent",
                Verdict::Good,
                "by a tag",
            ),
            (
                "host:5000/spark",
                "IfNotPresent",
                Verdict::Poor,
                "no version",
            ),
            ("spark:latest", "Never", Verdict::Poor, "no version"),
            ("spark:latest", "Always", Verdict::Good, "by a tag"),
        ] {
            let found = finding(image, "kubernetes.images", policy);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.found.contains(words), "{found:?}");
        }
    }
}
