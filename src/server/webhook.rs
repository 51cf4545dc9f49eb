//! The two routes that the API server calls.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt;
use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use super::metrics::{Outcome, Review};
use super::refusal::{json, text};
use super::{Limits, Metrics, Peer, Refusal, Undecided};
use crate::admission::review::{self, Answer};

/// How much of a body that is refused is still read and thrown away, in bodies of full length.
/// A client that is writing hears the answer only if it is not cut off.
const DISCARDED_BODIES: usize = 4;

/// Which of the two webhooks is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/mutate`: the object may be changed.
    Mutate,
    /// `/validate`: the object is final.
    Validate,
}

impl Endpoint {
    /// The path that it is called by.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Mutate => "/mutate",
            Self::Validate => "/validate",
        }
    }

    /// Its name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The webhook's routes: `POST /mutate` and `POST /validate`, decided by `decide`.
///
/// `decide` runs on the thread that serves, so it must not wait for anything. A panic in it is
/// logged and answered with 500.
pub fn webhook<F>(decide: F, limits: &Limits, metrics: Metrics) -> Router
where
    F: Fn(Endpoint, &review::Request<'_>) -> Result<Answer, Undecided> + Send + Sync + 'static,
{
    let webhook = Arc::new(Webhook {
        decide,
        limits: *limits,
        metrics,
        in_flight: Semaphore::new(limits.in_flight),
        bodies: Semaphore::new(limits.bodies),
    });
    [Endpoint::Mutate, Endpoint::Validate]
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            let webhook = webhook.clone();
            let handler = move |request| async move { webhook.handle(endpoint, request).await };
            router.route(endpoint.path(), post(handler))
        })
        .fallback(no_such_path)
        .method_not_allowed_fallback(not_by_this_method)
}

async fn no_such_path(uri: Uri) -> Response {
    let sentence = format!("there is no {:?} here: /mutate and /validate are", uri.path());
    text(StatusCode::NOT_FOUND, &sentence)
}

async fn not_by_this_method(method: Method, uri: Uri) -> Response {
    let sentence = format!("{} takes no {method}: POST is expected", uri.path());
    text(StatusCode::METHOD_NOT_ALLOWED, &sentence)
}

struct Webhook<F> {
    decide: F,
    limits: Limits,
    metrics: Metrics,
    in_flight: Semaphore,
    bodies: Semaphore,
}

impl<F> Webhook<F>
where
    F: Fn(Endpoint, &review::Request<'_>) -> Result<Answer, Undecided> + Send + Sync + 'static,
{
    async fn handle(&self, endpoint: Endpoint, request: axum::extract::Request) -> Response {
        let started = Instant::now();
        let _in_flight = self.metrics.in_flight();
        let peer = request.extensions().get().map(|Peer(peer)| tracing::field::display(*peer));
        let mut review = Review::unread(endpoint);

        let result = self.answer(&mut review, started, request).await;
        let outcome = match &result {
            Ok((_, true)) => Outcome::Allowed,
            Ok((_, false)) => Outcome::Denied,
            Err(refusal) if refusal.is_shed() => Outcome::Shed,
            Err(_) => Outcome::Error,
        };
        self.metrics.reviewed(review, outcome, started.elapsed());
        match result {
            Ok((answer, _)) => json(answer),
            Err(refusal) => {
                let code = refusal.status().as_u16();
                let uid = refusal.uid();
                warn!(peer, %endpoint, uid, code, reason = %refusal, "refused");
                refusal.into_response()
            }
        }
    }

    async fn answer(
        &self,
        review: &mut Review,
        started: Instant,
        request: axum::extract::Request,
    ) -> Result<(Vec<u8>, bool), Refusal> {
        let _permit =
            self.in_flight.try_acquire().map_err(|_| Refusal::Busy(self.limits.in_flight))?;
        let (head, body) = request.into_parts();
        expect_json(&head.headers)?;
        let limit = time_limit(&head.uri, self.limits.request);
        let mut room = self.bodies.try_acquire_many(0).map_err(|_| self.bodies_full())?;
        let read = async {
            let mut whole = Vec::new();
            let declared = body.size_hint().lower();
            let mut chunks = body.into_data_stream();
            if declared > self.limits.body as u64 {
                return Err(self.too_large(chunks).await);
            }
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(Refusal::BodyLost)?;
                if whole.len() + chunk.len() > self.limits.body {
                    return Err(self.too_large(chunks).await);
                }
                let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
                room.merge(self.bodies.try_acquire_many(more).map_err(|_| self.bodies_full())?);
                whole.extend_from_slice(&chunk);
            }
            Ok(whole)
        };
        let body =
            tokio::time::timeout(limit, read).await.unwrap_or(Err(Refusal::BodyTooSlow(limit)))?;
        self.decide(review, started, &body)
    }

    fn bodies_full(&self) -> Refusal {
        Refusal::BodiesFull(self.limits.bodies)
    }

    async fn too_large(&self, chunks: axum::body::BodyDataStream) -> Refusal {
        let most = self.limits.body.saturating_mul(DISCARDED_BODIES);
        discard(chunks, most).await;
        Refusal::BodyTooLarge(self.limits.body)
    }

    fn decide(
        &self,
        review: &mut Review,
        started: Instant,
        body: &[u8],
    ) -> Result<(Vec<u8>, bool), Refusal> {
        let endpoint = review.endpoint;
        let request = review::parse(body)?;
        review.of(&request);
        // The decision keeps nothing between two calls that a panic could leave half done.
        let decided = catch_unwind(AssertUnwindSafe(|| (self.decide)(endpoint, &request)));
        let answer = match decided {
            Ok(Ok(answer)) => answer,
            Ok(Err(undecided)) => return Err(undecided.into()),
            Err(panic) => {
                let (uid, cause) = (&*request.uid, panic_message(&*panic));
                error!(%endpoint, uid, kind = %request.kind, cause, "the decision panicked");
                return Err(Refusal::Panicked(endpoint));
            }
        };
        info!(
            %endpoint,
            uid = &*request.uid,
            kind = %request.kind,
            namespace = request.namespace.as_deref(),
            name = request.name.as_deref(),
            operation = request.operation.as_str(),
            allowed = answer.allowed,
            dry_run = request.dry_run,
            code = answer.status.as_ref().map_or(200, |status| status.code),
            duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "decided"
        );
        Ok((answer.to_json(&request.uid), answer.allowed))
    }
}

async fn discard(mut chunks: axum::body::BodyDataStream, most: usize) {
    let mut discarded = 0;
    while discarded < most
        && let Some(Ok(chunk)) = chunks.next().await
    {
        discarded += chunk.len();
    }
}

/// The media type, whatever its parameters, has to be `application/json` (RFC 9110, 8.3.1).
fn expect_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let found = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let media_type = found.and_then(|found| found.split(';').next()).unwrap_or_default();
    if media_type.trim().eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::ContentType(found.unwrap_or_default().chars().take(64).collect()))
    }
}

/// The API server says on the path how long it waits, in whole seconds: `?timeout=10s`.
fn time_limit(uri: &Uri, most: Duration) -> Duration {
    uri.query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.strip_prefix("timeout=")?.strip_suffix('s')?.parse().ok())
        .map(|seconds: u16| Duration::from_secs(seconds.into()) * 9 / 10)
        .fold(most, Duration::min)
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
