//! What a cluster's server refuses, in words.

use std::fmt::Display;

use kube::Error;
use kube::runtime::{wait, watcher};

use super::access::Access;
use crate::cause::{Cause, Kind};

/// Why something could not be done, from what the server answered. `what` is said as in "The driver
/// cannot be … : {what}", such as "make the driver's Job".
pub(super) fn refused(error: &Error, what: &str, access: &Access) -> Cause {
    answered(error, what, &access.server, &access.namespace)
}

/// The server did not answer at all.
pub(super) fn silent(what: &str, access: &Access) -> Cause {
    Cause::new(
        Kind::Cluster,
        format!(
            "The cluster at {} did not answer in time to {what}",
            access.server
        ),
        "See whether the network and the cluster are up; `kubectl get pods` tells as well.",
    )
}

/// A watch failed for good.
pub(super) fn unwatched(access: &Access, error: wait::Error, what: &str) -> Cause {
    match error {
        wait::Error::ProbeFailed(
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error),
        ) => refused(&error, what, access),
        error => Cause::new(
            Kind::Cluster,
            format!("The cluster at {} failed to {what}: {error}", access.server),
            "Run the cell again in a moment.",
        ),
    }
}

fn answered(error: &Error, what: &str, server: &str, namespace: &str) -> Cause {
    let Error::Api(status) = error else {
        return Cause::new(
            Kind::Cluster,
            format!(
                "The cluster at {server} cannot be reached to {what}: {}",
                innermost(error)
            ),
            "See whether the network and the cluster are up; `kubectl get pods` tells as well.",
        );
    };
    let said = one_line(&status.message);
    let namespace_missing = status.code == 404
        && status
            .details
            .as_ref()
            .is_some_and(|details| details.kind == "namespaces");
    match status.code {
        401 => Cause::new(
            Kind::Access,
            format!("The cluster at {server} does not know you"),
            "Log in to the cluster again, as for `kubectl`, and run the cell again.",
        ),
        _ if namespace_missing => Cause::new(
            Kind::Cluster,
            format!("There is no namespace `{namespace}` in the cluster at {server}"),
            "Correct `kubernetes.namespace` in the profile, or have the namespace made.",
        ),
        403 if said.contains("exceeded quota") => Cause::new(
            Kind::Cluster,
            format!("The quota of namespace `{namespace}` does not allow to {what}: {said}"),
            "Stop drivers that nobody uses by `firesteel drivers stop`, or ask for more quota.",
        ),
        403 => Cause::new(
            Kind::Access,
            format!("You may not {what} in namespace `{namespace}`: {said}"),
            "Ask whoever runs the cluster for the Role `firesteel-user` of `deploy/rbac`.",
        ),
        422 | 400 => Cause::new(
            Kind::Profile,
            format!("The cluster does not take what the profile asks for: {said}"),
            "Correct the profile; `firesteel profiles show` tells what it says.",
        ),
        code => Cause::new(
            Kind::Cluster,
            format!("The cluster at {server} failed to {what} ({code}): {said}"),
            "Run the cell again in a moment.",
        ),
    }
}

/// There is no way to know which cluster is meant.
pub(super) fn no_configuration(why: impl Display) -> Cause {
    Cause::new(
        Kind::Cluster,
        format!("No cluster is known here: {why}"),
        "Set KUBECONFIG, or `kubernetes.context` in the profile; `kubectl config get-contexts` lists them.",
    )
}

/// The configuration names a server that no client can be made for.
pub(super) fn unusable_client(server: &str, error: &Error) -> Cause {
    Cause::new(
        Kind::Cluster,
        format!(
            "The cluster at {server} cannot be used: {}",
            innermost(error)
        ),
        "Correct the kubeconfig; `kubectl get pods` must work.",
    )
}

/// What is at the bottom of an error: "connection refused" says more than what it was wrapped in.
fn innermost(error: &Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    one_line(&error.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the server says that a thing is not there.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}

/// Whether the server says that a thing is there already, or is not the one that was meant.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use kube::core::response::StatusDetails;

    use super::*;

    fn cause(code: u16, message: &str, kind: &str) -> Cause {
        let status = Status {
            code,
            message: message.to_owned(),
            details: Some(StatusDetails {
                name: String::new(),
                group: String::new(),
                kind: kind.to_owned(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds: 0,
            }),
            ..Status::default()
        };
        let error = Error::Api(status.boxed());
        answered(
            &error,
            "make the driver's Job",
            "https://10.0.0.1",
            "sparks",
        )
    }

    #[test]
    fn each_answer_says_what_to_do_about_it() {
        for (code, message, kind, expected, words) in [
            (401, "Unauthorized", "", Kind::Access, "does not know you"),
            (
                403,
                "jobs.batch is forbidden: User \"ada\" cannot create resource",
                "jobs",
                Kind::Access,
                "may not make the driver's Job in namespace `sparks`",
            ),
            (
                403,
                "jobs is forbidden: exceeded quota: small, requested: count/jobs=1",
                "jobs",
                Kind::Cluster,
                "quota",
            ),
            (
                404,
                "namespaces \"sparks\" not found",
                "namespaces",
                Kind::Cluster,
                "no namespace `sparks`",
            ),
            (
                422,
                "Job is invalid:\n spec.template: bad",
                "Job",
                Kind::Profile,
                "Job is invalid: spec.template: bad",
            ),
            (
                503,
                "etcd is slow",
                "",
                Kind::Cluster,
                "(503): etcd is slow",
            ),
        ] {
            let cause = cause(code, message, kind);
            assert_eq!(cause.kind, expected, "{cause}");
            assert!(cause.sentence.contains(words), "{cause}");
            assert!(!cause.remedy.is_empty());
        }
    }
}
