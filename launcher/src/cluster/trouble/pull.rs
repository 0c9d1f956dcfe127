//! What registries and kubelets say of an image that cannot be had.

use super::reading::line;

/// Why an image is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// There is none of that name and tag.
    NotFound,
    /// The registry does not give it to us. Many say so too of what they do not have.
    Denied,
    /// The registry does not answer, or is not who it should be.
    Unreachable,
    /// The registry has given enough for now.
    TooMany,
    /// There is none for the node's kind of processor.
    OtherPlatform,
    /// The node has no space for it.
    NoSpace,
    /// The name is none.
    BadName,
    /// The node does not have it and may not fetch it.
    NeverPulled,
    /// Not known.
    Unknown,
}

/// What stands for what, in lower case; the first that is found holds. From containerd's resolver,
/// its snapshotters, and the kubelet's image manager.
const WORDS: [(&str, Refusal); 24] = [
    ("pull policy of never", Refusal::NeverPulled),
    ("invalid reference format", Refusal::BadName),
    ("couldn't parse image name", Refusal::BadName),
    ("failed to apply default image tag", Refusal::BadName),
    ("toomanyrequests", Refusal::TooMany),
    ("429 too many requests", Refusal::TooMany),
    ("no match for platform", Refusal::OtherPlatform),
    ("no space left on device", Refusal::NoSpace),
    ("pull access denied", Refusal::Denied),
    ("unauthorized", Refusal::Denied),
    ("status code 401", Refusal::Denied),
    ("403 forbidden", Refusal::Denied),
    ("authorization failed", Refusal::Denied),
    ("no basic auth credentials", Refusal::Denied),
    ("no such host", Refusal::Unreachable),
    ("i/o timeout", Refusal::Unreachable),
    ("deadline exceeded", Refusal::Unreachable),
    ("connection refused", Refusal::Unreachable),
    ("connection reset", Refusal::Unreachable),
    ("no route to host", Refusal::Unreachable),
    ("x509:", Refusal::Unreachable),
    (
        "server gave http response to https client",
        Refusal::Unreachable,
    ),
    ("manifest unknown", Refusal::NotFound),
    ("not found", Refusal::NotFound),
];

impl Refusal {
    /// Reads a container's waiting message.
    pub(super) fn read(said: &str) -> Self {
        let said = said.to_ascii_lowercase();
        let known = WORDS.iter().find(|(word, _)| said.contains(word));
        known.map_or(Self::Unknown, |(_, refusal)| *refusal)
    }
}

/// The end of the chain of causes, which is the registry's own word. Each link names the image
/// again and the one before tells nothing that it does not.
pub(super) fn shortened(said: &str) -> String {
    let mut rest = said;
    for link in [
        "desc = ",
        "failed to pull and unpack image ",
        "failed to resolve reference ",
        "failed to resolve image: ",
        "failed to do request: ",
        "failed to authorize: ",
        "failed to copy: ",
    ] {
        if let Some((_, after)) = rest.split_once(link) {
            rest = after;
        }
    }
    // What is left begins with the quoted name of the image, where a link ended in it.
    if let Some(after) = rest
        .strip_prefix('"')
        .and_then(|rest| rest.split_once("\": "))
    {
        rest = after.1;
    }
    line(rest)
}
