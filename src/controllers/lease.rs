//! Leader election by a Lease: of several replicas one reconciles.
//!
//! The rules are those of client-go: a holder that has not renewed for the Lease's duration, *as
//! seen by our own clock*, has lost it, so that clocks need not agree; a leader that can't renew
//! stops its work before anyone else may begin. Every write is bound to the resourceVersion, and
//! no request is waited for without a limit: an API server that hangs keeps nobody leading, and
//! nobody from stopping.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use thiserror::Error;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// The name of the Lease in Portreeve's own namespace.
pub const LEASE_NAME: &str = "portreeve";

/// How this replica takes part in the election.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Who holds it: unique among the replicas.
    pub identity: String,
    /// How long a Lease that is not renewed still stands.
    pub duration: Duration,
}

impl Candidate {
    /// How long a leader goes on without having renewed. What is left of the duration is for its
    /// work to stop.
    fn deadline(&self) -> Duration {
        self.duration * 2 / 3
    }

    /// How long each of the two steps may take in which the work stops, so that both are done before
    /// the Lease of a leader that could not renew it runs out.
    pub fn stop_within(&self) -> Duration {
        self.duration / 7
    }

    fn period(&self) -> Duration {
        self.duration / 7
    }

    /// How long one request may take: after one that hangs there is time for another.
    fn patience(&self) -> Duration {
        self.deadline() / 2
    }
}

/// Why a request about the Lease has failed.
#[derive(Debug, Error)]
enum Failure {
    #[error("{}", super::said(.0))]
    Api(#[source] kube::Error),
    #[error("the API server does not answer within {0:?}")]
    Silence(Duration),
}

/// What the API server answers, if it does so within a limit.
async fn within<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Failure> {
    timeout(limit, request).await.map_err(|_| Failure::Silence(limit))?.map_err(Failure::Api)
}

/// The Lease as it was seen last, and when by our clock it changed.
struct Seen {
    version: Option<String>,
    since: Instant,
}

/// Takes part in the election until `shutdown`, and runs `work` whenever this replica leads. `work`
/// has to end soon after its token is cancelled; the Lease is given back after it.
pub async fn run<F, W>(client: Client, candidate: Candidate, shutdown: CancellationToken, work: W)
where
    F: Future<Output = ()>,
    W: Fn(CancellationToken) -> F,
{
    let api: Api<Lease> = Api::namespaced(client, &candidate.namespace);
    let mut seen = Seen { version: None, since: Instant::now() };
    let mut failing = false;
    while !shutdown.is_cancelled() {
        match within(candidate.patience(), acquire(&api, &candidate, &mut seen)).await {
            Ok(Some(lease)) => {
                failing = false;
                info!(identity = candidate.identity, "leading");
                lead(&api, &candidate, lease, &shutdown, &work).await;
                info!(identity = candidate.identity, "no longer leading");
                seen = Seen { version: None, since: Instant::now() };
            }
            Ok(None) => failing = false,
            Err(error) => {
                if !failing {
                    warn!(%error, namespace = candidate.namespace, lease = LEASE_NAME, "can't take part in the election of a leader");
                }
                failing = true;
            }
        }
        let _ = shutdown.run_until_cancelled(tokio::time::sleep(candidate.period())).await;
    }
}

/// Takes the Lease if nobody holds it.
async fn acquire(
    api: &Api<Lease>,
    candidate: &Candidate,
    seen: &mut Seen,
) -> Result<Option<Lease>, kube::Error> {
    let Some(mut lease) = api.get_opt(LEASE_NAME).await? else {
        let fresh = Lease {
            metadata: ObjectMeta { name: Some(LEASE_NAME.to_owned()), ..ObjectMeta::default() },
            spec: Some(held(candidate, None)),
        };
        return unless_outrun(api.create(&PostParams::default(), &fresh).await);
    };
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    if lease.metadata.resource_version != seen.version {
        *seen = Seen { version: lease.metadata.resource_version.clone(), since: Instant::now() };
    }
    let granted = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let stands = granted.map_or(candidate.duration, Duration::from_secs);
    if !holder.is_empty() && holder != candidate.identity && seen.since.elapsed() < stands {
        debug!(holder, "another replica leads");
        return Ok(None);
    }
    lease.spec = Some(held(candidate, Some(&spec)));
    unless_outrun(api.replace(LEASE_NAME, &PostParams::default(), &lease).await)
}

/// A write that another replica was faster with is no error.
fn unless_outrun(written: Result<Lease, kube::Error>) -> Result<Option<Lease>, kube::Error> {
    match written {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs the work and renews the Lease beside it, until one of them ends.
async fn lead<F, W>(
    api: &Api<Lease>,
    candidate: &Candidate,
    lease: Lease,
    shutdown: &CancellationToken,
    work: &W,
) where
    F: Future<Output = ()>,
    W: Fn(CancellationToken) -> F,
{
    let token = shutdown.child_token();
    let renewals = async {
        let last = keep(api, candidate, lease, &token).await;
        token.cancel();
        last
    };
    let ((), last) = tokio::join!(work(token.clone()), renewals);
    if let Some(lease) = last {
        give_back(api, candidate, lease).await;
    }
}

/// Renews until the token is cancelled or the deadline has passed. Returns the Lease as written
/// last, if it is still ours.
async fn keep(
    api: &Api<Lease>,
    candidate: &Candidate,
    mut lease: Lease,
    token: &CancellationToken,
) -> Option<Lease> {
    let mut renewed = Instant::now();
    loop {
        if token.run_until_cancelled(tokio::time::sleep(candidate.period())).await.is_none() {
            return Some(lease);
        }
        let asked = Instant::now();
        let limit =
            candidate.patience().min(candidate.deadline().saturating_sub(renewed.elapsed()));
        match within(limit, renew(api, candidate, &lease)).await {
            Ok(Some(written)) => {
                lease = written;
                renewed = asked;
                continue;
            }
            Ok(None) => match within(limit, api.get_opt(LEASE_NAME)).await {
                // Whether it is still ours, the Lease says.
                Ok(Some(other)) if holder(&other) == Some(&candidate.identity) => lease = other,
                Ok(_) => {
                    warn!("the Lease was taken by another");
                    return None;
                }
                Err(error) => warn!(%error, "can't read the Lease"),
            },
            Err(error) => warn!(%error, "can't renew the Lease"),
        }
        if renewed.elapsed() >= candidate.deadline() {
            warn!("the Lease could not be renewed in time: the work stops");
            return None;
        }
    }
}

/// Renews it; none if somebody else wrote or deleted it.
async fn renew(
    api: &Api<Lease>,
    candidate: &Candidate,
    lease: &Lease,
) -> Result<Option<Lease>, kube::Error> {
    let mut next = lease.clone();
    next.spec = Some(held(candidate, lease.spec.as_ref()));
    match api.replace(LEASE_NAME, &PostParams::default(), &next).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        written => unless_outrun(written),
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref()
}

/// Gives the Lease back, so that the next replica need not wait for it to run out.
async fn give_back(api: &Api<Lease>, candidate: &Candidate, mut lease: Lease) {
    if let Some(spec) = &mut lease.spec {
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
    }
    let parameters = PostParams::default();
    let written = within(candidate.patience(), api.replace(LEASE_NAME, &parameters, &lease)).await;
    if let Err(error) = written {
        debug!(%error, "the Lease was not given back; it runs out");
    }
}

/// The Lease as this candidate holds it from now on.
fn held(candidate: &Candidate, before: Option<&LeaseSpec>) -> LeaseSpec {
    let now = MicroTime(Timestamp::now());
    let ours = before
        .filter(|spec| spec.holder_identity.as_ref() == Some(&candidate.identity))
        .and_then(|spec| spec.acquire_time.clone());
    let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or_default();
    LeaseSpec {
        holder_identity: Some(candidate.identity.clone()),
        lease_duration_seconds: i32::try_from(candidate.duration.as_secs()).ok(),
        lease_transitions: Some(if ours.is_some() { transitions } else { transitions + 1 }),
        acquire_time: Some(ours.unwrap_or_else(|| now.clone())),
        renew_time: Some(now),
        ..LeaseSpec::default()
    }
}
