//! Policies, put in force and taken out of it.

use anyhow::{Result, anyhow};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::Request;
use serde_json::{Value, json};

use super::harness::unique;
use super::objects::{self, Action};
use super::reviews::Review;
use super::server::{create, trouble};
use super::{Answer, Outcome, Policy, Question, Server, refusals};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// How many requests are under way at once, while policies are made.
const AT_ONCE: usize = 8;

/// How often a policy is made anew when the connection closes: it may be another's panic that
/// closed it.
const ATTEMPTS: usize = 3;

/// Policies that have been made and bound.
pub struct Installed {
    /// The word that the names begin with, and the label's value.
    batch: String,
    /// For each question the name of its policy and binding, or the refusal.
    pub names: Vec<std::result::Result<String, Answer>>,
}

impl Server {
    /// Makes the questions' policies, and binds those that the server accepts.
    ///
    /// # Errors
    /// Where it finds fault with something else than a policy.
    pub async fn install(&self, questions: &[Question], action: Action) -> Result<Installed> {
        let batch = unique();
        let names = stream::iter(questions.iter().enumerate())
            .map(|(index, question)| self.accept(&batch, format!("{batch}-{index}"), question))
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        self.witness(&batch, "policies").await?;
        stream::iter(names.iter().flatten())
            .map(|name| self.bind(&batch, name, action))
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(Installed { batch, names })
    }

    /// Binds two validations more that fail for these reviews, without which the log would not tell
    /// of a single one.
    ///
    /// # Errors
    /// Where the server does not accept them.
    pub async fn accompany(&self, installed: &Installed, reviews: &[Review]) -> Result<()> {
        let batch = &installed.batch;
        let question = Question {
            policy: Policy { expression: "false".to_owned(), ..Policy::default() },
            reviews: reviews.iter().map(|review| review.name.clone()).collect(),
        };
        let accepted = self.accept(batch, format!("{batch}-companion"), &question).await?;
        let name = accepted.map_err(|refusal| anyhow!("the companion is refused: {refusal:?}"))?;
        self.bind(batch, &name, Action::Audit).await
    }

    /// Waits until the policies are in force.
    ///
    /// The server takes policies and bindings from two caches, about once a second, in any order. A
    /// witness that was made after all policies, and was seen before any binding was made, shows
    /// that they are in the one; a witness bound after all bindings, that these are in the other.
    ///
    /// # Errors
    /// Where the server does not get to it.
    pub async fn enforce(&self, installed: &Installed) -> Result<()> {
        self.witness(&installed.batch, "bindings").await
    }

    /// Takes policies out of force: the server notices before it enforces any that are made later.
    ///
    /// # Errors
    /// Where they can't be removed.
    pub async fn remove(&self, installed: Installed) -> Result<()> {
        let label = format!("{}={}", objects::BATCH, installed.batch);
        let (delete, list) = (DeleteParams::default(), ListParams::default().labels(&label));
        for path in [BINDINGS, POLICIES] {
            let request = Request::new(path).delete_collection(&delete, &list)?;
            self.client.request::<Value>(request).await?;
        }
        Ok(())
    }

    async fn accept(
        &self,
        batch: &str,
        name: String,
        question: &Question,
    ) -> Result<std::result::Result<String, Answer>> {
        let reviews = question.reviews.iter().map(|review| self.review(review));
        let reviews = reviews.collect::<Result<Vec<_>>>()?;
        let policy = objects::policy(batch, &name, &question.policy, &reviews);
        let mut last = "";
        for _ in 0..ATTEMPTS {
            let error = match self.client.request::<Value>(create(POLICIES, &policy)?).await {
                Ok(_) => return Ok(Ok(name)),
                Err(kube::Error::Api(status)) if status.code == 422 => {
                    return Ok(Err(refusals::answer(&status)?));
                }
                Err(error) => anyhow::Error::from(error),
            };
            last = trouble(&error).ok_or_else(|| error.context(format!("{question:?}")))?;
        }
        Ok(Err(Answer::of_trouble(Outcome::Refused, last)))
    }

    async fn bind(&self, batch: &str, name: &str, action: Action) -> Result<()> {
        let binding = objects::binding(batch, name, action);
        self.client.request::<Value>(create(BINDINGS, &binding)?).await?;
        Ok(())
    }

    /// Makes a policy of which one can see whether it is in force, and waits until it is.
    async fn witness(&self, batch: &str, of: &str) -> Result<()> {
        let name = format!("{batch}-{of}");
        let witness = objects::witness(batch, &name);
        self.client.request::<Value>(create(POLICIES, &witness)?).await?;
        self.bind(batch, &name, Action::Deny).await?;
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let maps = Request::new("/api/v1/namespaces/default/configmaps");
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        self.wait("the witness is in force", async || {
            let request = maps.create(&dry_run, serde_json::to_vec(&map)?)?;
            match self.client.request::<Value>(request).await {
                Ok(_) => Ok(false),
                Err(kube::Error::Api(status)) if status.message.contains(objects::WITNESS) => {
                    Ok(true)
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}
