//! What a cluster's server refuses, in words.

use std::fmt::Display;

use kube::Error;
use kube::runtime::watcher;

use super::access::Access;
use crate::cause::Cause;
use crate::cluster::causes::{Asked, Part, Refused, Why, read};
use crate::cluster::trouble::long_line;

/// Why something could not be done, from what the server answered. `what` is said as in "The driver
/// cannot be … : {what}", such as "make the driver's Job".
pub(super) fn refused(error: &Error, what: &str, access: &Access) -> Cause {
    answered(error, what, &access.server, &access.namespace)
}

/// The server did not answer at all.
pub(super) fn silent(what: &str, access: &Access) -> Cause {
    unanswered(what, &access.server)
}

fn unanswered(what: &str, server: &str) -> Cause {
    Why::Silent.cause(&[("server", server), ("what", what)])
}

/// What stands under a driver's name is none.
pub(super) fn taken(job: &str, namespace: &str) -> Cause {
    Why::NameTaken.cause(&[("job", job), ("namespace", namespace)])
}

/// What opens a running driver is not there.
pub(super) fn locked(secret: &str) -> Cause {
    Why::SecretGone.cause(&[("secret", secret)])
}

/// What a server says that does not let something be watched; nothing where that may pass.
pub(super) fn refusal(error: &watcher::Error) -> Option<&Error> {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return None;
    };
    // Forgotten and too many: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
    let lasts = |code| (400..500).contains(&code) && code != 410 && code != 429;
    matches!(error, Error::Api(status) if lasts(status.code)).then_some(error)
}

fn answered(error: &Error, what: &str, server: &str, namespace: &str) -> Cause {
    let Error::Api(status) = error else {
        return unreachable(&innermost(error), what, server);
    };
    let said = long_line(&status.message);
    let code = status.code.to_string();
    let namespace_missing = status.code == 404
        && status
            .details
            .as_ref()
            .is_some_and(|details| details.kind == "namespaces");
    let asked = Asked {
        thing: what.strip_prefix("make ").unwrap_or("it"),
        namespace,
        part: Part::Driver,
    };
    let fields = [
        ("server", server),
        ("what", what),
        ("namespace", namespace),
        ("said", &said),
        ("code", &code),
    ];
    match (status.code, read(&said)) {
        (401, _) => Why::NotKnown.cause(&fields),
        _ if namespace_missing => Why::NamespaceMissing.cause(&fields),
        (403, Some(Refused::Right { rule, said })) => Why::RightMissing.cause(&[
            ("what", what),
            ("namespace", namespace),
            ("said", &said),
            ("rule", &rule),
        ]),
        (_, Some(refused)) => refused.cause(&asked),
        (403, None) => Why::Forbidden.cause(&fields),
        (422 | 400, None) => Why::NotTaken.cause(&fields),
        _ => Why::ServerFailed.cause(&fields),
    }
}

/// No answer came. The words are those of rustls, where it does not trust the server.
fn unreachable(said: &str, what: &str, server: &str) -> Cause {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let why = if says(&["not valid yet", "NotValidYet"]) {
        Why::ClockBehind
    } else if says(&["certificate expired", "certificate: Expired"]) {
        Why::CertificateExpired
    } else if says(&["invalid peer certificate"]) {
        Why::CertificateUnknown
    } else {
        Why::Unreachable
    };
    why.cause(&[("server", server), ("what", what), ("said", said)])
}

/// There is no way to know which cluster is meant.
pub(super) fn no_configuration(why: impl Display) -> Cause {
    Why::NoConfiguration.cause(&[("said", &why.to_string())])
}

/// The configuration names a server that no client can be made for.
pub(super) fn unusable_client(server: &str, error: &Error) -> Cause {
    Why::Unusable.cause(&[("server", server), ("said", &innermost(error))])
}

/// What is at the bottom of an error: "connection refused" says more than what it was wrapped in.
pub(super) fn innermost(error: &Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    long_line(&error.to_string())
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
pub(super) mod tests {
    use kube::core::Status;
    use kube::core::response::StatusDetails;
    use serde_json::Value;

    use super::*;
    use crate::cause::Kind;

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

    /// Every cause that an API server's answer may be, and one that there is no answer.
    pub(in crate::backend) fn examples() -> Vec<(Why, Cause)> {
        let server = "https://10.0.0.1";
        let mut examples: Vec<(Why, Cause)> = [
            (Why::NotKnown, 401, "Unauthorized", ""),
            (
                Why::RightMissing,
                403,
                "jobs.batch is forbidden: User \"ada\" cannot create resource \"jobs\" in API group \"batch\" in the \
                 namespace \"sparks\"",
                "jobs",
            ),
            (Why::Forbidden, 403, "the gateway says no", ""),
            (
                Why::QuotaExceeded,
                403,
                "jobs.batch \"f\" is forbidden: exceeded quota: small, requested: count/jobs.batch=1, used: \
                 count/jobs.batch=4, limited: count/jobs.batch=4",
                "jobs",
            ),
            (
                Why::NamespaceMissing,
                404,
                "namespaces \"sparks\" not found",
                "namespaces",
            ),
            (
                Why::NamespaceEnding,
                403,
                "jobs.batch \"f\" is forbidden: unable to create new content in namespace sparks because it is being \
                 terminated",
                "jobs",
            ),
            (
                Why::Webhook,
                400,
                "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource Job/sparks/f was blocked \
                 due to the following policies require-team: the label team is required",
                "",
            ),
            (
                Why::Policy,
                422,
                "jobs.batch \"f\" is forbidden: ValidatingAdmissionPolicy 'images.example.com' with binding 'all' denied \
                 request: images come from registry.example",
                "jobs",
            ),
            (
                Why::WebhookFailed,
                500,
                "Internal error occurred: failed calling webhook \"mutate.istio.io\": failed to call webhook: Post \
                 \"https://istiod.istio-system.svc:443/inject\": dial tcp 10.96.3.4:443: connect: connection refused",
                "",
            ),
            (
                Why::NotTaken,
                422,
                "Job is invalid:\n spec.template: bad",
                "Job",
            ),
            (Why::ServerFailed, 503, "etcd is slow", ""),
        ]
        .into_iter()
        .map(|(why, code, said, kind)| (why, cause(code, said, kind)))
        .collect();
        for (why, said) in [
            (Why::Unreachable, "Connection refused (os error 111)"),
            (
                Why::CertificateUnknown,
                "invalid peer certificate: UnknownIssuer",
            ),
            (
                Why::CertificateUnknown,
                "invalid peer certificate: certificate not valid for name \"10.0.0.1\"; certificate is only valid for \
                 DnsName(\"kubernetes\")",
            ),
            (
                Why::CertificateExpired,
                "invalid peer certificate: certificate expired: verification time 1780000000 (UNIX), but certificate is \
                 not valid after 1770000000 (10000000 seconds ago)",
            ),
            (
                Why::ClockBehind,
                "invalid peer certificate: certificate not valid yet: verification time 100 (UNIX), but certificate is \
                 not valid before 1770000000 (1769999900 seconds in future)",
            ),
        ] {
            examples.push((why, unreachable(said, "make the driver's Job", server)));
        }
        let unusable = Error::LinesCodecMaxLineLengthExceeded;
        examples.extend([
            (Why::NoConfiguration, no_configuration("there is no file")),
            (Why::Unusable, unusable_client(server, &unusable)),
            (Why::Silent, unanswered("make the driver's Job", server)),
            (Why::NameTaken, taken("firesteel-1", "sparks")),
            (Why::SecretGone, locked("firesteel-1-x")),
        ]);
        examples
    }

    #[test]
    fn a_watch_ends_only_where_it_is_not_allowed() {
        let said = |code| {
            let status = Status {
                code,
                ..Status::default()
            };
            watcher::Error::WatchStartFailed(Error::Api(status.boxed()))
        };
        for (code, ends) in [
            (403, true),
            (404, true),
            (410, false),
            (429, false),
            (500, false),
        ] {
            assert_eq!(refusal(&said(code)).is_some(), ends, "{code}");
        }
        assert!(refusal(&watcher::Error::NoResourceVersion).is_none());
    }

    #[test]
    fn each_answer_says_what_to_do_about_it() {
        for (code, message, kind, expected, words) in [
            (401, "Unauthorized", "", Kind::Access, "does not know you"),
            (
                403,
                "jobs.batch is forbidden: User \"ada\" cannot create resource \"jobs\" in API group \"batch\" in the \
                 namespace \"sparks\"",
                "jobs",
                Kind::Access,
                "`{apiGroups: [batch], resources: [jobs], verbs: [create]}`",
            ),
            (
                403,
                "jobs.batch is forbidden: User \"ada\" cannot create",
                "jobs",
                Kind::Access,
                "may not make the driver's Job in namespace `sparks`",
            ),
            (
                403,
                "jobs is forbidden: exceeded quota: small, requested: count/jobs=1",
                "jobs",
                Kind::Cluster,
                "Quota `small` of namespace `sparks` has no room for the driver's Job: small, requested: count/jobs=1",
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
            assert!(cause.to_string().contains(words), "{cause}");
            assert!(!cause.remedy.is_empty());
        }
    }

    /// What a real API server answered, recorded by `tests/cluster/record_refusals.py`.
    #[test]
    fn what_a_real_server_answers_is_understood() {
        let recorded = include_str!("../../cluster/causes/recorded.json");
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        let answers = recorded["answers"].as_array().unwrap();
        let told: Vec<(&str, String)> = answers
            .iter()
            .map(|one| {
                let status: Status = serde_json::from_value(one["status"].clone()).unwrap();
                let error = Error::Api(status.boxed());
                let cause = answered(&error, "make the driver's Job", "s", "sparks");
                (one["case"].as_str().unwrap(), cause.sentence)
            })
            .collect();
        let expected = [
            (
                "RightMissing",
                "You may not make the driver's Job in namespace `sparks`: User \"ada\" cannot create resource \"jobs\" in \
                 API group \"batch\" in the namespace \"default\"",
            ),
            (
                "NamespaceMissing",
                "There is no namespace `sparks` in the cluster at s",
            ),
            (
                "NamespaceEnding",
                "Namespace `sparks` is being deleted and takes nothing new",
            ),
            (
                "QuotaTooSmall",
                "Quota `small` of namespace `sparks` is too small for the driver's Job: count/jobs.batch: 0 allowed, 0 \
                 used, 1 more asked for",
            ),
            (
                "NotTaken",
                "The cluster does not take what the profile asks for: Job.batch \"firesteel-recorded\" is invalid: \
                 spec.template.spec.containers[0].name: Invalid value: \"Not a name\": a lowercase RFC 1123 label must \
                 consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric \
                 character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            ),
        ];
        let told: Vec<(&str, &str)> = told
            .iter()
            .map(|(case, said)| (*case, said.as_str()))
            .collect();
        assert_eq!(told, expected);
    }
}
