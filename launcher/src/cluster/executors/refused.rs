//! Executors that the cluster does not let in: only Spark, which asks for them, hears why, and writes
//! it into its log.

use std::time::Duration;

use crate::cause::Cause;
use crate::cluster::causes::{Asked, Part, Refused, Why, read};

/// How long the same is not told again: Spark asks every second.
const QUIET: Duration = Duration::from_secs(300);

/// Why the cluster refuses Spark what it asks for, from a line of Spark's log. The words are those
/// of fabric8's client: `Failure executing: POST at: https://…/api/v1/namespaces/team/pods. Message:
/// … . Received status: …`.
pub(crate) fn refused(line: &str) -> Option<Cause> {
    let (_, rest) = line.split_once("Failure executing: ")?;
    let (request, rest) = rest.split_once(". Message: ")?;
    let said = rest.split(". Received status: ").next().unwrap_or(rest);
    let (_, namespace) = request.split_once("/namespaces/")?;
    let namespace = namespace.split('/').next().unwrap_or(namespace);
    let cause = match read(said)? {
        Refused::Right { rule, said } => Why::DriverRightMissing.cause(&[
            ("what", "make and watch executors"),
            ("said", &said),
            ("namespace", namespace),
            ("rule", &rule),
        ]),
        refused => {
            let cause = refused.cause(&Asked {
                thing: "an executor",
                namespace,
                part: Part::Executor,
            });
            Why::ExecutorsRefused.cause(&[("sentence", &cause.sentence), ("remedy", &cause.remedy)])
        }
    };
    Some(cause)
}

/// What the users were told of such refusals.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    /// The last one: its remedy, which has no figures that change, and when, by our own clock.
    told: Option<(String, Duration)>,
}

impl Complaints {
    /// What is to be said of this one now, if anything is.
    pub(crate) fn tell(&mut self, cause: &Cause, now: Duration) -> Option<String> {
        let again = self.told.as_ref().is_some_and(|(remedy, when)| {
            *remedy == cause.remedy && now.saturating_sub(*when) < QUIET
        });
        if again {
            return None;
        }
        self.told = Some((cause.remedy.clone(), now));
        Some(cause.to_string())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every cause that a line of Spark's log may be.
    pub(crate) fn examples() -> Vec<(Why, Cause)> {
        let told = [
            (
                Why::ExecutorsRefused,
                "exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4",
            ),
            (
                Why::DriverRightMissing,
                "User \"u\" cannot watch resource \"pods\" in API group \"\" in the namespace \"team\"",
            ),
        ];
        told.map(|(why, said)| (why, refused(&line(said)).unwrap()))
            .into()
    }

    /// A line of Spark's log where the API says this.
    fn line(said: &str) -> String {
        format!(
            "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: \
             https://kubernetes.default.svc:443/api/v1/namespaces/team/pods. Message: {said}. Received status: \
             Status(apiVersion=v1, code=403, details=StatusDetails(causes=[]), kind=Status)."
        )
    }

    #[test]
    fn what_the_cluster_says_to_spark_is_said_to_the_user() {
        for (said, sentence, remedy) in [
            (
                "Forbidden!Configured service account doesn't have access. Service account may have been revoked. pods \
                 \"firesteel-1-exec-3\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4",
                "Quota `small` of namespace `team` has no room for an executor: pods: 4 allowed, 4 used, 1 more asked \
                 for, so that Spark works with fewer executors or waits for the first",
                "more quota",
            ),
            (
                "pods \"x\" is forbidden: error looking up service account team/none: serviceaccount \"none\" not found",
                "There is no service account `none` in namespace `team` for an executor, so that",
                "`kubernetes.accounts`",
            ),
            (
                "pods is forbidden: User \"system:serviceaccount:team:firesteel-driver\" cannot create resource \"pods\" in \
                 API group \"\" in the namespace \"team\"",
                "Spark may not make and watch executors: User \"system:serviceaccount:team:firesteel-driver\" cannot create",
                "`{apiGroups: [\"\"], resources: [pods], verbs: [create]}`",
            ),
        ] {
            let cause = refused(&line(said)).unwrap_or_else(|| panic!("{said}"));
            assert!(cause.sentence.starts_with(sentence), "{cause}");
            assert!(cause.remedy.contains(remedy), "{cause}");
        }
        for line in ["INFO x", "Failure executing: GET", &line("Gone")] {
            assert_eq!(refused(line), None, "{line}");
        }
    }

    #[test]
    fn the_same_is_told_once_in_a_while_and_another_at_once() {
        let quota = |used: u32| {
            let said =
                format!("exceeded quota: q, requested: pods=1, used: pods={used}, limited: pods=4");
            refused(&line(&said)).unwrap()
        };
        let account = refused(&line(
            "error looking up service account team/none: not found",
        ))
        .unwrap();
        let mut complaints = Complaints::default();
        let at = Duration::from_secs;
        assert!(complaints.tell(&quota(4), at(0)).is_some());
        assert_eq!(complaints.tell(&quota(5), at(1)), None);
        assert!(complaints.tell(&account, at(2)).is_some());
        assert!(complaints.tell(&account, at(303)).is_some());
    }
}
