//! When a server stops, and how long it takes over it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How a server is stopped: by a token, in three steps.
///
/// 1. The token is cancelled: readiness fails at once, requests are served as before, and
///    HTTP/1.1 answers say `Connection: close`.
/// 2. After `drain_delay`: HTTP/2 connections get a GOAWAY, idle ones are closed. Who connects
///    all the same is served one request.
/// 3. When the last request is answered, or after `deadline`: everything is closed.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    shutdown: CancellationToken,
    /// What Service endpoints and the API server need to learn that this replica is leaving.
    /// 5 seconds.
    pub drain_delay: Duration,
    /// What requests in flight are given after the delay. 15 seconds: with the delay, within
    /// the 30 that the kubelet waits before it kills.
    pub deadline: Duration,
}

impl Lifecycle {
    /// A server that stops when the token is cancelled, with the default delay and deadline.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { shutdown, drain_delay: Duration::from_secs(5), deadline: Duration::from_secs(15) }
    }

    /// The same with another delay.
    #[must_use]
    pub fn with_drain_delay(mut self, delay: Duration) -> Self {
        self.drain_delay = delay;
        self
    }

    /// The same with another deadline.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether the server has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// Waits until the server is told to stop.
    pub async fn stopping(&self) {
        self.shutdown.cancelled().await;
    }
}
