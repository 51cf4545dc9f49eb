//! The controllers: what happens after admission.
//!
//! Every replica keeps the [`Cache`] that admission decides from ([`watches`]). One of them, chosen
//! by a Lease ([`lease`]), reconciles: Pkis get their certificates ([`pki`]), policies their status
//! ([`pki_policy`], [`pod_policy`]), Pods and workloads are judged again (`pods`), and everybody whom
//! a fault concerns is told by Events (`reporter`, `pods`). All of it is level-triggered: what is done follows from what is there, not from what changed, so that a
//! new leader continues where another stopped. This room knows policy, pki and events.

pub mod authorities;
pub mod cache;
pub mod lease;
pub mod pki;
pub mod pki_policy;
pub mod pod_policy;
pub mod survey;
pub mod watches;

mod annotation;
mod error;
mod failures;
mod indexes;
mod metrics;
mod pods;
mod reporter;
mod secret;
mod signing;
mod status;

pub use cache::Cache;
pub use error::Error;
pub use metrics::Metrics;

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use kube::Client;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::api::names::EVENT_COMPONENT;
use crate::events::{self, Recorder};

use authorities::Authorities;
use cache::Gone;

/// What every reconciler needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// Tells owners.
    pub recorder: Recorder,
    /// Who signs.
    pub authorities: Authorities,
    /// What is counted.
    pub metrics: Metrics,
    cert_manager: signing::cert_manager::Requests,
    failures: failures::Failures,
    annotated: annotation::Annotated,
    pods: pods::Pods,
    asked: pod_policy::Asked,
}

/// How the leader works.
#[derive(Clone)]
pub struct Options {
    /// Portreeve's own namespace.
    pub namespace: String,
    /// This replica, as Events name it.
    pub instance: String,
    /// How often the Event of a fault that stands is renewed.
    pub event_renewal: Duration,
    /// How long running reconciliations may take to end, and then what they said to be delivered.
    pub stop_within: Duration,
}

/// Reconciles until `shutdown`, as the leader. `recording` is a client without retries of its own,
/// for the recorder.
pub async fn reconcile(
    client: Client,
    recording: Client,
    cache: Arc<Cache>,
    options: Options,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let mut recording_options = events::Options::new(EVENT_COMPONENT, &options.instance);
    recording_options.renew_every = options.event_renewal;
    recording_options.grace = options.stop_within;
    let (recorder, delivery) = events::recorder(recording, recording_options);
    metrics.set_recorder(Some(recorder.clone()));
    cache.note_changes(true);
    let context = Arc::new(Context {
        authorities: Authorities::new(client.clone(), &options.namespace),
        client,
        cache: cache.clone(),
        recorder,
        metrics: metrics.clone(),
        cert_manager: signing::cert_manager::Requests::default(),
        failures: failures::Failures::default(),
        annotated: annotation::Annotated::default(),
        pods: pods::Pods::new(metrics.clone()),
        asked: pod_policy::Asked::default(),
    });
    // The recorder goes on for a moment when the reconcilers have stopped, to deliver what they said.
    let said_all = CancellationToken::new();
    let reconcilers = async {
        // Boxed: side by side in one future they are more than a stack can take.
        tokio::join!(
            pki::run(context.clone(), shutdown.clone()).boxed(),
            pki_policy::run(context.clone(), shutdown.clone()).boxed(),
            pod_policy::run(context.clone(), shutdown.clone()).boxed(),
            pods::run(context.clone(), shutdown.clone()).boxed(),
            shutdown.run_until_cancelled(forget(&context)),
        );
    };
    let stopped = async {
        tokio::select! {
            () = reconcilers => {}
            () = overdue(&shutdown, options.stop_within) => warn!("the reconcilers did not stop in time and were ended"),
        }
        said_all.cancel();
    };
    tokio::join!(stopped, delivery.run(said_all.clone()));
    cache.note_changes(false);
    metrics.set_recorder(None);
}

/// What the API server said, without the whole status that kube's error repeats it in.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        error => error.to_string(),
    }
}

/// Comes to its end when reconcilers that were told to stop should have. An API server that hangs
/// must not keep a leader at work whose Lease another may take.
async fn overdue(shutdown: &CancellationToken, limit: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(limit).await;
}

/// Stops telling of what is gone.
async fn forget(context: &Context) {
    let mut gone = std::pin::pin!(context.cache.gone.stream());
    while let Some(gone) = gone.next().await {
        match gone {
            Gone::Object(uid) => {
                context.recorder.forget(&uid);
                context.cert_manager.forget(&uid);
                context.failures.forget(&uid);
                context.annotated.forget(&uid);
                context.asked.forget(&uid);
            }
            Gone::Scope(uid, pki) => context.recorder.forget_scope(&uid, &pki),
        }
    }
}
