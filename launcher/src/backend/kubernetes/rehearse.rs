//! Asks a cluster what it would do, without making anything in it. Every answer that cannot be had
//! is one too.

use futures::stream::{self, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authorization::v1::{
    LocalSubjectAccessReview, ResourceAttributes, SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMap, Node, PersistentVolumeClaim, Pod, ResourceQuota, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{ListParams, PostParams};
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Kubernetes;
use super::access::Access;
use super::refused::{innermost, is_missing};
use crate::cause::Cause;
use crate::claim::Claim;
use crate::cluster::preview;
use crate::cluster::rehearsal::facts::{Answer, Facts, Outcome, Seen, Thing, Tried, What};
use crate::cluster::rehearsal::{
    Kind, Named, Right, findings, known_anyway, named, needed, unasked,
};
use crate::cluster::trouble::long_line;
use crate::profile::{self, Profile};
use crate::rehearsal::{Finding, Rehearsal};

/// What the questions about rights are for.
const WHO_MAY: &str = "say who may do what";

/// How many questions are asked at a time.
const AT_ONCE: usize = 8;

impl Kubernetes {
    /// What would be made for a driver of `claim`, and what the cluster says to it. Makes nothing.
    pub(crate) async fn rehearse(
        &self,
        claim: &Claim,
        profile: &Profile,
        spec: &profile::Kubernetes,
    ) -> Rehearsal {
        let mut rehearsal = unasked(claim, profile, spec);
        let asked = async {
            let access = Access::open(spec, &self.environment).await?;
            rehearsal.place = format!("{} at {}", rehearsal.place, access.server);
            access.facts(claim, profile, spec).await
        };
        let found = match asked.await {
            Ok(facts) => findings(claim, profile, spec, &facts),
            Err(cause) => {
                let cluster = Finding::bad("cluster", cause.sentence, cause.remedy);
                [vec![cluster], known_anyway(spec)].concat()
            }
        };
        rehearsal.found(found)
    }
}

impl Access {
    /// Asks all there is to ask.
    ///
    /// # Errors
    /// When the cluster does not answer, or does not know who asks: then nothing else would tell.
    async fn facts(
        &self,
        claim: &Claim,
        profile: &Profile,
        spec: &profile::Kubernetes,
    ) -> Result<Facts, Cause> {
        let rights = needed(spec, self.inside);
        if let Some(first) = rights.first() {
            let review = self.own_review(first);
            let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
            self.done(
                "say what you may do",
                reviews.create(&PostParams::default(), &review),
            )
            .await?;
        }
        let made = preview(claim, profile);
        let all = named(spec);
        let (rights, tries, named, quotas, nodes) = tokio::join!(
            in_turn(rights, |right| self.answered(right, spec)),
            in_turn(tries(made), |(what, object)| self.tried(what, object)),
            in_turn(all, |named| self.looked_up(named)),
            self.listed::<ResourceQuota>("list quotas", self.api()),
            self.listed::<Node>("list nodes", Api::all(self.client.clone())),
        );
        Ok(Facts {
            rights,
            tries,
            quotas,
            nodes,
            named,
        })
    }

    /// Whether somebody has a right.
    async fn answered(&self, right: Right, spec: &profile::Kubernetes) -> (Right, Answer) {
        let how = PostParams::default();
        let asked = match right.who.account(spec) {
            None => {
                let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
                let review = self.own_review(&right);
                let answer = self.answer(WHO_MAY, reviews.create(&how, &review)).await;
                answer.map(|answer| answer.map(|review| review.status))
            }
            Some(account) => {
                let reviews: Api<LocalSubjectAccessReview> = self.api();
                let review = self.review_of(account, &right);
                let answer = self.answer(WHO_MAY, reviews.create(&how, &review)).await;
                answer.map(|answer| answer.map(|review| review.status))
            }
        };
        (right, answer_of(asked))
    }

    fn own_review(&self, right: &Right) -> SelfSubjectAccessReview {
        SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(self.attributes(right)),
                non_resource_attributes: None,
            },
            ..SelfSubjectAccessReview::default()
        }
    }

    /// One within the namespace: a Role can give the right to ask it.
    fn review_of(&self, account: &str, right: &Right) -> LocalSubjectAccessReview {
        let namespace = &self.namespace;
        let mut review = LocalSubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{namespace}:{account}")),
                groups: Some(vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                    "system:authenticated".to_owned(),
                ]),
                resource_attributes: Some(self.attributes(right)),
                ..SubjectAccessReviewSpec::default()
            },
            ..LocalSubjectAccessReview::default()
        };
        review.metadata.namespace = Some(namespace.clone());
        review
    }

    fn attributes(&self, right: &Right) -> ResourceAttributes {
        let (resource, subresource) = match right.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (right.resource, None),
        };
        ResourceAttributes {
            namespace: Some(self.namespace.clone()),
            verb: Some(right.verb.to_owned()),
            group: Some(right.group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource,
            ..ResourceAttributes::default()
        }
    }

    /// What the server says to the creation of an object, on a dry run.
    async fn tried(&self, what: What, object: Value) -> Tried {
        let outcome = match what {
            What::Job => self.dry::<Job>(object).await,
            What::DriverPod | What::ExecutorPod => self.dry::<Pod>(object).await,
            What::Secret => self.dry::<Secret>(object).await,
            What::ConfigMap => self.dry::<ConfigMap>(object).await,
            What::Service => self.dry::<Service>(object).await,
        };
        Tried { what, outcome }
    }

    async fn dry<K>(&self, object: Value) -> Outcome
    where
        K: Resource<Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
        K::DynamicType: Default,
    {
        let object: K = match serde_json::from_value(object) {
            Ok(object) => object,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let how = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match self
            .answer(
                "try what would be made",
                self.api::<K>().create(&how, &object),
            )
            .await
        {
            Ok(Ok(_not_made)) => Outcome::Taken,
            Ok(Err(kube::Error::Api(status))) => Outcome::refused(&status),
            Ok(Err(error)) => Outcome::Failed(innermost(&error)),
            Err(cause) => Outcome::Failed(cause.sentence),
        }
    }

    /// Whether something that the profile names is there. Of Secrets only the keys are kept.
    async fn looked_up(&self, named: Named) -> (Named, Seen<Thing>) {
        let name = &named.name;
        let client = || self.client.clone();
        let seen = match named.kind {
            Kind::Account => {
                self.got(name, self.api(), |_: &ServiceAccount| Thing::default())
                    .await
            }
            Kind::PullSecret | Kind::Secret => {
                self.got(name, self.api(), |secret: &Secret| Thing {
                    keys: secret
                        .data
                        .iter()
                        .flat_map(|data| data.keys().cloned())
                        .collect(),
                    state: secret.type_.clone().unwrap_or_default(),
                })
                .await
            }
            Kind::ConfigMap => {
                self.got(name, self.api(), |map: &ConfigMap| Thing {
                    keys: map
                        .data
                        .iter()
                        .flat_map(|data| data.keys().cloned())
                        .collect(),
                    state: String::new(),
                })
                .await
            }
            Kind::Claim => {
                self.got(name, self.api(), |claim: &PersistentVolumeClaim| Thing {
                    state: claim
                        .status
                        .as_ref()
                        .and_then(|status| status.phase.clone())
                        .unwrap_or_default(),
                    ..Thing::default()
                })
                .await
            }
            Kind::PriorityClass => {
                self.got(name, Api::all(client()), |_: &PriorityClass| {
                    Thing::default()
                })
                .await
            }
            Kind::StorageClass => {
                self.got(name, Api::all(client()), |_: &StorageClass| {
                    Thing::default()
                })
                .await
            }
        };
        (named, seen)
    }

    async fn got<K>(&self, name: &str, api: Api<K>, of: impl Fn(&K) -> Thing) -> Seen<Thing>
    where
        K: Clone + DeserializeOwned + std::fmt::Debug,
    {
        let answer = self
            .answer("look for what the profile names", api.get(name))
            .await;
        seen(answer.map(|answer| answer.map(|thing| of(&thing))))
    }

    async fn listed<K>(&self, what: &str, api: Api<K>) -> Seen<Vec<K>>
    where
        K: Clone + DeserializeOwned + std::fmt::Debug,
    {
        let how = ListParams::default();
        let answer = self.answer(what, api.list(&how)).await;
        seen(answer.map(|answer| answer.map(|list| list.items)))
    }
}

/// What is tried of all that would be made, in its order.
fn tries(made: Vec<Value>) -> Vec<(What, Value)> {
    let mut pods = [What::DriverPod, What::ExecutorPod].into_iter();
    let tries = made.into_iter().filter_map(|object| {
        let what = match object["kind"].as_str()? {
            "Job" => What::Job,
            "Pod" => pods.next()?,
            "Secret" => What::Secret,
            "ConfigMap" => What::ConfigMap,
            "Service" => What::Service,
            _ => return None,
        };
        Some((what, object))
    });
    tries.collect()
}

/// Asks of each, some at a time, and answers in their order.
async fn in_turn<T, F: Future>(all: Vec<T>, ask: impl Fn(T) -> F) -> Vec<F::Output> {
    stream::iter(all.into_iter().map(ask))
        .buffered(AT_ONCE)
        .collect()
        .await
}

fn seen<T>(answer: Result<kube::Result<T>, Cause>) -> Seen<T> {
    match answer {
        Ok(Ok(thing)) => Seen::Found(thing),
        Ok(Err(error)) if is_missing(&error) => Seen::Missing,
        Ok(Err(error)) if is_forbidden(&error) => Seen::Forbidden,
        Ok(Err(error)) => Seen::Failed(words(&error)),
        Err(cause) => Seen::Failed(cause.sentence),
    }
}

fn answer_of(answer: Result<kube::Result<Option<SubjectAccessReviewStatus>>, Cause>) -> Answer {
    match answer {
        Ok(Ok(status)) if status.as_ref().is_some_and(|status| status.allowed) => Answer::Yes,
        Ok(Ok(status)) => {
            // An authorizer that failed has not said no.
            let failed = status.and_then(|status| status.evaluation_error);
            failed.map_or(Answer::No, Answer::Failed)
        }
        Ok(Err(error)) if is_forbidden(&error) => Answer::Forbidden,
        Ok(Err(error)) => Answer::Failed(words(&error)),
        Err(cause) => Answer::Failed(cause.sentence),
    }
}

/// How the server failed to answer.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({})", long_line(&status.message), status.code),
        error => innermost(error),
    }
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

#[cfg(test)]
mod tests;
