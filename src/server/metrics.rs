//! What Prometheus is told about the server.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Endpoint;
use crate::admission::review::Request;

/// Seconds: a decision takes microseconds, a failing one up to the API server's time-out.
const BUCKETS: [f64; 17] = [
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
    1.0, 2.5, 5.0, 10.0,
];

/// The kinds that the webhooks are registered for. Any other is counted as `other`: who can
/// reach the port could name as many as there is memory for.
const KINDS: [&str; 11] = [
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pki",
    "PkiPolicy",
    "Pod",
    "PodPolicy",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

/// The label of a review that could not be read.
const UNKNOWN: &str = "unknown";

/// The server's metrics; a clone counts into the same. The default ones are registered nowhere.
#[derive(Clone, Debug)]
pub struct Metrics {
    reviews: Family<ReviewLabels, Counter>,
    duration: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    in_flight: Gauge<u64, AtomicU64>,
    connections: Gauge<u64, AtomicU64>,
    handshake_failures: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reviews: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            handshake_failures: Counter::default(),
        }
    }
}

impl Metrics {
    /// Metrics that the registry shows, under its prefix.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "admission_reviews",
            "Admission reviews by endpoint, kind, operation and outcome",
            metrics.reviews.clone(),
        );
        registry.register_with_unit(
            "admission_review_duration",
            "Time from the head of a review to its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "admission_reviews_in_flight",
            "Admission reviews that are not answered yet",
            metrics.in_flight.clone(),
        );
        registry.register(
            "connections_open",
            "Connections to the webhook port that are open",
            metrics.connections.clone(),
        );
        registry.register(
            "tls_handshake_failures",
            "TLS handshakes that failed or took too long",
            metrics.handshake_failures.clone(),
        );
        metrics
    }

    pub(super) fn reviewed(&self, review: Review, outcome: Outcome, took: Duration) {
        let Review { endpoint, kind, operation } = review;
        self.reviews.get_or_create(&ReviewLabels { endpoint, kind, operation, outcome }).inc();
        self.duration.get_or_create(&EndpointLabel { endpoint }).observe(took.as_secs_f64());
    }

    pub(super) fn in_flight(&self) -> Counted {
        Counted::new(&self.in_flight)
    }

    pub(super) fn connection(&self) -> Counted {
        Counted::new(&self.connections)
    }

    pub(super) fn handshake_failed(&self) {
        self.handshake_failures.inc();
    }
}

/// One more in a gauge for as long as it lives.
pub(super) struct Counted(Gauge<u64, AtomicU64>);

impl Counted {
    fn new(gauge: &Gauge<u64, AtomicU64>) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is known of a review when it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Review {
    pub(super) endpoint: Endpoint,
    kind: &'static str,
    operation: &'static str,
}

impl Review {
    pub(super) fn unread(endpoint: Endpoint) -> Self {
        Self { endpoint, kind: UNKNOWN, operation: UNKNOWN }
    }

    pub(super) fn of(&mut self, request: &Request<'_>) {
        let kind = KINDS.into_iter().find(|kind| *kind == request.kind.kind);
        self.kind = kind.unwrap_or("other");
        self.operation = request.operation.as_str();
    }
}

/// What became of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Allowed,
    Denied,
    Error,
    Shed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    endpoint: Endpoint,
    kind: &'static str,
    operation: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: Endpoint,
}

impl EncodeLabelValue for Endpoint {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Error => "error",
            Self::Shed => "shed",
        }
        .encode(encoder)
    }
}
