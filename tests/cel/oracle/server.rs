//! Asking the API server.
//!
//! Each question becomes a policy of its own, so that none spends another's budget, and is bound so
//! that its failures are audited and refuse nothing: then one dry-run request about a Pod answers
//! any number of questions (see [`log`](super::log)).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kube::Client;
use kube::api::{GetParams, PostParams};
use kube::core::Request;
use serde_json::{Value, json};

use super::harness::Cluster;
use super::log::{Failures, Log};
use super::objects::{self, Action};
use super::reviews::{self, Review, Seen};
use super::{Answer, Case, Outcome, Policy};

/// All controllers but the one that checks policies against the schemas of what they match, and
/// tells in their status: it would take longer than all the rest, and each change of a status has
/// the API server compile the policy anew.
const CONTROLLERS: &str = "--controllers=*,-validatingadmissionpolicy-status-controller";

/// How many questions are asked at once. The server gives a request 34 s, and a policy that is
/// compiled takes about 1 MB of it.
const BATCH: usize = 500;

/// How long the server may take until it enforces a batch.
const LIMIT: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(50);

/// A policy, and the reviews that it is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// The policy.
    pub policy: Policy,
    /// The names of the reviews.
    pub reviews: Vec<String>,
}

impl From<&Case> for Question {
    fn from(case: &Case) -> Self {
        Self { policy: case.policy.clone(), reviews: vec![case.pod.clone()] }
    }
}

/// What came of questions that were asked together.
#[derive(Debug)]
pub struct Asked {
    /// For each question the answers, in the order of its reviews.
    pub answers: Vec<Vec<Answer>>,
    /// What the validations saw, by the name of the review. The server makes some of it up anew in
    /// each request (`metadata.uid`), so it goes with these answers only.
    pub seen: BTreeMap<String, Seen>,
}

/// A running API server, with the namespaces and Pods of the reviews.
pub struct Server {
    /// The cluster that it belongs to.
    pub cluster: Cluster,
    /// What it can be asked about.
    pub reviews: BTreeMap<String, Review>,
    pub(super) client: Client,
    /// Who asks, as the server sees it.
    pub(super) user: Value,
    log: Log,
}

/// By review, what failed and what was seen.
type Heard = (BTreeMap<String, Failures>, BTreeMap<String, Seen>);

impl Server {
    /// Starts a control plane of its own.
    ///
    /// # Errors
    /// Where that can't be, or where it does not take the namespaces and Pods.
    pub async fn start() -> Result<Self> {
        let cluster = Cluster::start_with(&[CONTROLLERS])
            .context("the log of a cluster that is somebody's own can't be read")?;
        let mut config = cluster.config().await;
        // A request that was too much once is so again.
        config.default_retry = false;
        let client = Client::try_from(config)?;
        let log = Log::from_now(&cluster.directory().join("cluster/kube-apiserver.log"))?;
        let reviews = super::all_reviews()?;
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let own = client.request::<Value>(create(path, &review)?).await?;
        let user = own.pointer("/status/userInfo").context("a review without a user")?.clone();
        let server = Self { cluster, reviews, client, user, log };
        server.prepare().await?;
        Ok(server)
    }

    async fn prepare(&self) -> Result<()> {
        for (_, namespace) in reviews::read_objects(&super::directory().join("namespaces"))? {
            self.client.request::<Value>(create("/api/v1/namespaces", &namespace)?).await?;
        }
        for review in self.reviews.values() {
            let namespace = format!("/api/v1/namespaces/{}", review.namespace());
            let accounts = Request::new(format!("{namespace}/serviceaccounts"));
            self.wait("the service account is there", async || {
                let account = accounts.get("default", &GetParams::default())?;
                Ok(self.client.request::<Value>(account).await.is_ok())
            })
            .await?;
            if let Some(old) = &review.old {
                let made = create(&format!("{namespace}/pods"), old)?;
                self.client.request::<Value>(made).await.context(review.name.clone())?;
            }
        }
        Ok(())
    }

    /// Asks any number of questions, some hundred at once. What is too much for the server, by the
    /// time that it takes or because it panics, is parted until it is clear what it was.
    ///
    /// # Errors
    /// Where the server does something else than to answer, or a question is about no review.
    pub async fn ask(&mut self, questions: &[Question]) -> Result<Vec<Asked>> {
        let mut asked = Vec::new();
        let mut batches: Vec<_> = questions.chunks(BATCH).rev().collect();
        while let Some(batch) = batches.pop() {
            match (self.ask_at_once(batch).await?, batch) {
                (Ok(answered), _) => asked.push(answered),
                (Err(trouble), [question]) => asked.push(self.ask_apart(question, trouble).await?),
                (Err(_), _) => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.extend([second, first]);
                }
            }
        }
        Ok(asked)
    }

    /// Asks a question that got the server into trouble, about one review after the other.
    async fn ask_apart(&mut self, question: &Question, trouble: &str) -> Result<Asked> {
        let mut asked = Asked { answers: vec![Vec::new()], seen: BTreeMap::new() };
        for review in &question.reviews {
            let alone = Question { reviews: vec![review.clone()], ..question.clone() };
            let answered = match question.reviews.len() {
                1 => Err(trouble),
                _ => self.ask_at_once(&[alone]).await?,
            };
            let answers = match answered {
                Ok(one) => {
                    asked.seen.extend(one.seen);
                    one.answers.concat()
                }
                Err(trouble) => vec![Answer::of_trouble(Outcome::Error, trouble)],
            };
            asked.answers.iter_mut().for_each(|all| all.extend(answers.clone()));
        }
        Ok(asked)
    }

    /// Asks all of these questions together. The inner error says how that was too much.
    async fn ask_at_once(
        &mut self,
        questions: &[Question],
    ) -> Result<std::result::Result<Asked, &'static str>> {
        let names: BTreeSet<_> = questions.iter().flat_map(|question| &question.reviews).collect();
        let reviews = names.into_iter().map(|name| self.review(name).cloned());
        let reviews = reviews.collect::<Result<Vec<_>>>()?;
        let installed = self.install(questions, Action::Audit).await?;
        self.accompany(&installed, &reviews).await?;
        self.enforce(&installed).await?;
        let heard = self.hear(&reviews).await?;
        let answered = heard.map(|(failures, seen)| {
            let mut answers = Vec::new();
            for (question, name) in questions.iter().zip(&installed.names) {
                let answer = |review: &String| match (name, failures.get(review)) {
                    (Err(refusal), _) => Ok(refusal.clone()),
                    (Ok(name), Some(failures)) => answer_of(&question.policy, name, failures),
                    (Ok(_), None) => bail!("nothing was heard of {review}"),
                };
                answers.push(question.reviews.iter().map(answer).collect::<Result<_>>()?);
            }
            Ok(Asked { answers, seen })
        });
        self.remove(installed).await?;
        match answered {
            Ok(asked) => asked.map(Ok),
            Err(trouble) => Ok(Err(trouble)),
        }
    }

    /// Sends the reviews one after the other, and listens.
    async fn hear(
        &mut self,
        reviews: &[Review],
    ) -> Result<std::result::Result<Heard, &'static str>> {
        let mut heard = Heard::default();
        for review in reviews {
            self.log.skip()?;
            let seen = match self.send(review).await {
                Ok(seen) => seen,
                Err(error) => {
                    let trouble = trouble(&error);
                    return trouble.map(Err).ok_or_else(|| error.context(review.name.clone()));
                }
            };
            let failures = self.log.failures().context(review.name.clone())?;
            heard.0.insert(review.name.clone(), failures);
            heard.1.insert(review.name.clone(), seen);
        }
        Ok(Ok(heard))
    }

    pub(super) fn review(&self, name: &str) -> Result<&Review> {
        self.reviews.get(name).with_context(|| format!("there is no Pod {name}"))
    }

    pub(super) async fn wait(
        &self,
        wanted: &str,
        look: impl AsyncFn() -> Result<bool>,
    ) -> Result<()> {
        let begun = Instant::now();
        while !look().await? {
            ensure!(begun.elapsed() < LIMIT, "waited in vain until {wanted}");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// A request to create an object.
pub(super) fn create(path: &str, object: &Value) -> Result<http::Request<Vec<u8>>> {
    Ok(Request::new(path).create(&PostParams::default(), serde_json::to_vec(object)?)?)
}

/// What became of a policy in one request, by the failures of its two validations.
fn answer_of(asked: &Policy, name: &str, failures: &Failures) -> Result<Answer> {
    let message = |index| failures.get(&(name.to_owned(), index));
    let marker = message(objects::MARKER);
    let Some(message) = message(objects::ASKED) else {
        return match marker {
            Some(_) => Ok(Answer::silent(Outcome::Allow)),
            None if !asked.match_conditions.is_empty() => Ok(Answer::silent(Outcome::Unmatched)),
            None => bail!("{name} was not asked: {asked:?}"),
        };
    };
    // An error of a matchCondition or a spent budget fails the policy as a whole; the budget of the
    // messages fails even what holds.
    let of_policy = marker.is_none_or(|marker| marker != "marker");
    let of_expression = format!("expression '{}' resulted in error: ", asked.expression);
    let outcome = match of_policy || message.starts_with(&of_expression) {
        true => Outcome::Error,
        false => Outcome::Deny,
    };
    Ok(Answer { outcome, message: message.clone() })
}

/// What got the server into trouble, if an error says that: it broke off, as it does where it
/// panics, or it ran out of time.
pub(super) fn trouble(error: &anyhow::Error) -> Option<&'static str> {
    const PANIC: &str = "the API server panics";
    match error.downcast_ref::<kube::Error>()? {
        kube::Error::Api(status) if status.code == 504 => Some("the API server takes too long"),
        kube::Error::Api(status) if status.code == 500 && status.message.contains("panic") => {
            Some(PANIC)
        }
        kube::Error::Service(_) | kube::Error::HyperError(_) => Some(PANIC),
        _ => None,
    }
}
