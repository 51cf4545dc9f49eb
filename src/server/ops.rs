//! The second port: health, metrics, log level. Plain HTTP, and nothing secret in it.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tracing::{info, warn};

use super::refusal::text;
use super::{Health, LogLevel, LogLevelError, Peer};

/// What Prometheus asks for by its `Accept` header, and what `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// No list of directives that a person types is longer.
const DIRECTIVES_BYTES: usize = 4096;

/// The routes of the second port:
///
/// - `GET /livez`: 200 while the process serves at all;
/// - `GET /readyz`: 200, or 503 with a line for each thing that speaks against it;
/// - `GET /metrics`: OpenMetrics;
/// - `GET /log-level`, and `PUT /log-level` with directives for the log as its body. The latter
///   is for loopback alone, which is where `kubectl port-forward` comes from: the port has no
///   authentication, and a log can be silenced or made to fill a disk.
pub fn ops(health: Health, registry: Arc<Registry>, log_level: LogLevel) -> Router {
    let log_level = get(show_log_level).put(set_log_level).with_state(log_level);
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz).with_state(health))
        .route("/metrics", get(metrics).with_state(registry))
        .route("/log-level", log_level)
        .fallback(no_such_path)
        .method_not_allowed_fallback(not_by_this_method)
        .layer(DefaultBodyLimit::max(DIRECTIVES_BYTES))
}

async fn no_such_path(uri: Uri) -> Response {
    let paths = "/livez, /readyz, /metrics and /log-level are";
    text(StatusCode::NOT_FOUND, &format!("there is no {:?} here: {paths}", uri.path()))
}

async fn not_by_this_method(method: Method, uri: Uri) -> Response {
    let expected = if uri.path() == "/log-level" { "GET or PUT" } else { "GET" };
    let sentence = format!("{} takes no {method}: {expected} is expected", uri.path());
    text(StatusCode::METHOD_NOT_ALLOWED, &sentence)
}

async fn readyz(State(health): State<Health>) -> Response {
    let faults = health.faults();
    if faults.is_empty() {
        text(StatusCode::OK, "ok")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, &faults.join("\n"))
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut body = String::new();
    match encode(&mut body, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], body).into_response(),
        Err(error) => {
            let sentence = format!("the metrics can't be written: {error}");
            text(StatusCode::INTERNAL_SERVER_ERROR, &sentence)
        }
    }
}

async fn show_log_level(State(log_level): State<LogLevel>) -> Response {
    match log_level.get() {
        Ok(directives) => text(StatusCode::OK, &directives),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn set_log_level(
    State(log_level): State<LogLevel>,
    Extension(Peer(peer)): Extension<Peer>,
    directives: String,
) -> Response {
    if !peer.ip().to_canonical().is_loopback() {
        warn!(%peer, "refused to change the log level: the peer is not on loopback");
        let sentence = "the log level is changed from loopback alone: use kubectl port-forward";
        return text(StatusCode::FORBIDDEN, sentence);
    }
    match log_level.set(&directives) {
        Ok(()) => {
            info!(%peer, directives, "log level changed");
            show_log_level(State(log_level)).await
        }
        Err(error @ LogLevelError::Unreachable(_)) => {
            text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

#[cfg(test)]
#[path = "ops_tests.rs"]
mod tests;
