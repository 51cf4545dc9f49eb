//! The recorder against an API server in memory, in tokio's paused time.

mod counts;
mod fake;
mod limits;
mod quiet;
mod races;
mod restart;
mod telling;
mod trouble;

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use self::fake::FakeServer;
use super::{Clock, EventType, Note, Options, Recorder, recorder};

const RENEW: Duration = Duration::from_secs(20 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// A scope.
const PKI: &str = "app1-pki";

/// One replica, running.
struct Replica {
    recorder: Recorder,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Replica {
    fn start(server: &FakeServer) -> Self {
        Self::start_with(server, |_| {})
    }

    fn start_with(server: &FakeServer, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new("controlplane", "replica-1");
        let started = Instant::now();
        let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        options.clock = Clock::from_fn(move || noon + started.elapsed());
        options.pending = 64;
        change(&mut options);
        let (recorder, delivery) = recorder(server.client(), options);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(delivery.run(shutdown.clone()));
        Self { recorder, shutdown, running }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }

    /// Ends it with no time for anything.
    async fn kill(self) {
        self.running.abort();
        assert!(self.running.await.unwrap_err().is_cancelled());
    }

    /// Waits until nothing is left to be written.
    async fn settle(&self) {
        sleep(Duration::from_millis(10)).await;
        while self.recorder.stats().pending() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn pod(name: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        namespace: Some("shop".into()),
        name: Some(name.into()),
        uid: Some(format!("uid-of-{name}")),
        ..ObjectReference::default()
    }
}

fn fault(message: &str) -> Note {
    Note {
        event_type: EventType::Warning,
        reason: "PkiServiceNameError".into(),
        action: "IssueCertificate".into(),
        message: message.into(),
        key: None,
        count: None,
        renew: true,
    }
}

fn fixed() -> Option<Note> {
    Some(Note {
        event_type: EventType::Normal,
        reason: "PkiIssued".into(),
        message: "fixed".into(),
        ..fault("")
    })
}
