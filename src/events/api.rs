//! Requests to the API server's Events. Raw ones, because `kube::Api` keeps to itself the headers
//! of an answer, and `Retry-After` is one.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Event, apimachinery::pkg::apis::meta::v1::ListMeta};
use kube::{
    Client, Resource as _,
    api::{GetParams, ListParams, Patch, PatchParams, PostParams},
    client::Body,
    core::{Request, Status, request::Error as BuildError},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;

use super::{failure::Failure, name::EventKey, stats::Cause};

#[derive(Clone)]
pub(super) struct EventsApi {
    client: Client,
    timeout: Duration,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub metadata: ListMeta,
    pub items: Vec<Event>,
}

/// Where the Event stands, as a request on it found.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Done(T),
    /// 404 of the object.
    NotFound,
    /// 409: there already, or at another resourceVersion.
    Conflict,
}

type Built = Result<hyper::Request<Vec<u8>>, BuildError>;

impl EventsApi {
    pub fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout }
    }

    pub async fn create(&self, event: &Event) -> Result<Answer<Event>, Failure> {
        let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
        let body = serde_json::to_vec(event).map_err(|e| Failure::Unbuildable(e.to_string()))?;
        let request = path(Some(namespace)).create(&PostParams::default(), body);
        answer(self.send(request, true).await)
    }

    pub async fn patch(&self, key: &EventKey, patch: &Value) -> Result<Answer<Event>, Failure> {
        let params = PatchParams::default();
        let request = path(Some(&key.namespace)).patch(&key.name, &params, &Patch::Merge(patch));
        answer(self.send(request, false).await)
    }

    pub async fn get(&self, key: &EventKey) -> Result<Answer<Event>, Failure> {
        let request = path(Some(&key.namespace)).get(&key.name, &GetParams::default());
        answer(self.send(request, false).await)
    }

    pub async fn list(&self, params: &ListParams) -> Result<Page, Failure> {
        self.send(path(None).list(params), false).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: Built,
        creating: bool,
    ) -> Result<T, Failure> {
        let request = request.map_err(|error| Failure::Unbuildable(error.to_string()))?;
        let exchange = async {
            let response = self.client.send(request.map(Body::from)).await?;
            let (head, body) = response.into_parts();
            Ok((head, body.collect_bytes().await?))
        };
        let (head, body) = timeout(self.timeout, exchange)
            .await
            .map_err(|_| Failure::TimedOut(self.timeout))?
            .map_err(Failure::Unreachable)?;
        if head.status.is_success() {
            return serde_json::from_slice(&body).map_err(Failure::Unreadable);
        }
        // Not every answer is a Status: priority and fairness sends plain text, a proxy a page.
        let status = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Status::failure(&String::from_utf8_lossy(&body), ""));
        let wait = head
            .headers
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        Err(Failure::refused(head.status.as_u16(), &status, wait, creating))
    }
}

/// Sets apart the refusals that say where the Event stands.
fn answer<T>(result: Result<T, Failure>) -> Result<Answer<T>, Failure> {
    match result {
        Ok(event) => Ok(Answer::Done(event)),
        Err(Failure::Refused { cause: Cause::Conflict, .. }) => Ok(Answer::Conflict),
        Err(Failure::Refused { cause: Cause::Rejected, code: 404, .. }) => Ok(Answer::NotFound),
        Err(failure) => Err(failure),
    }
}

fn path(namespace: Option<&str>) -> Request {
    Request::new(Event::url_path(&(), namespace))
}
