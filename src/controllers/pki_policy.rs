//! The reconciler of PkiPolicies: whether each can be put into effect, and who is told if not.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::api::condition::Ready;
use crate::api::pki_policy::IssuerRef;
use crate::api::{PkiPolicy, PkiPolicyStatus};
use crate::backoff::Waits;
use crate::events::{EventType, Note};
use crate::policy::pki::{PkiRules, Signer};

use super::signing::issuer::{self, State};
use super::{Context, Error, status};

/// What Portreeve was about, as Events have it.
const ACTION: &str = "ApplyPolicy";

/// The reason of a policy whose values can't be read.
const INVALID: &str = "PkiPolicyInvalid";

/// The reason of a policy whose authority can't sign.
const CA_NOT_READY: &str = "PkiPolicyCANotReady";

/// The reason of a policy whose issuer of cert-manager can't sign.
const ISSUER_NOT_READY: &str = "PkiPolicyIssuerNotReady";

/// The reason of a policy that is in effect.
const READY: &str = "PkiPolicyReady";

/// The scope of what is told of a policy: there is one.
const SCOPE: &str = "policy";

/// How often an authority is looked at though nothing has changed: it may have expired.
const RESYNC: Duration = Duration::from_secs(10 * 60);

/// How soon a fault is looked at again, beside every change.
const RETRY: Duration = Duration::from_secs(60);

/// Reconciles all PkiPolicies until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken) {
    let changes = context.cache.policies.stream();
    let changes = changes.map(|name| ObjectRef::<PkiPolicy>::new(&name));
    let policies = Api::<PkiPolicy>::all(context.client.clone());
    Controller::new(policies, watcher::Config::default().timeout(60))
        .trigger_backoff(Waits::new())
        .reconcile_on(changes)
        .graceful_shutdown_on(shutdown.cancelled_owned())
        .run(reconcile, retry, context.clone())
        .for_each(|_| std::future::ready(()))
        .await;
}

fn retry(policy: Arc<PkiPolicy>, error: &Error, context: Arc<Context>) -> Action {
    let wait = context.failures.next_wait(&policy.uid().unwrap_or_default());
    warn!(policy = policy.name_any(), %error, retry_in = ?wait, "a PkiPolicy could not be reconciled");
    Action::requeue(wait)
}

/// Looks at one policy, and brings its status and its Events to where they should be.
///
/// # Errors
/// When the API server is away; it is tried again.
pub async fn reconcile(policy: Arc<PkiPolicy>, context: Arc<Context>) -> Result<Action, Error> {
    if policy.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let now = Timestamp::now();
    let found = examine(&policy, &context, now).await?;
    write(&policy, &found, &context, now).await?;
    tell(&policy, &found, &context);
    context.failures.forget(&policy.uid().unwrap_or_default());
    Ok(Action::requeue(if found.is_ready { RESYNC } else { RETRY }))
}

/// How a policy was found.
struct Found {
    is_ready: bool,
    reason: &'static str,
    message: String,
    ca_not_after: Option<Timestamp>,
}

async fn examine(policy: &PkiPolicy, context: &Context, now: Timestamp) -> Result<Found, Error> {
    let fault = |reason, message| Found { is_ready: false, reason, message, ca_not_after: None };
    let name = policy.name_any();
    let rules = match PkiRules::compile(policy) {
        Ok(rules) => rules,
        Err(error) => {
            let message = format!("{error}. The policy is not in effect until that is mended.");
            return Ok(fault(INVALID, message));
        }
    };
    let ca = match &rules.signer {
        Signer::Ca(ca) => ca,
        Signer::CertManager(issuer) => return examine_issuer(&name, issuer, context).await,
    };
    let authority = match context.authorities.get(ca, &context.cache, now).await {
        Ok(authority) => authority,
        Err(error) if error.is_passing() => return Err(Error::Authority(error)),
        Err(error) => {
            let message = format!(
                "{error}. {}: until then no certificate is issued under PkiPolicy {name}, and none \
                 is renewed.",
                error.hint()
            );
            return Ok(fault(CA_NOT_READY, message));
        }
    };
    let not_after = authority.validity().not_after;
    Ok(Found {
        is_ready: true,
        reason: READY,
        message: format!("CA {:?} signs until {not_after}.", authority.subject()),
        ca_not_after: Some(not_after),
    })
}

/// Whether an issuer of cert-manager can sign, as far as that is known of it. What an `Issuer` can
/// is known in each namespace, and of another group's kinds only once they are asked.
async fn examine_issuer(
    policy: &str,
    issuer: &IssuerRef,
    context: &Context,
) -> Result<Found, Error> {
    let found = |is_ready, reason, message| Found { is_ready, reason, message, ca_not_after: None };
    let state = issuer::look(issuer, None, &context.client).await?;
    let fix = match &state {
        State::Ready => return Ok(found(true, READY, format!("{issuer} signs."))),
        State::Unknown => {
            let message = format!("{issuer} signs; it is asked in the namespace of each Pki.");
            return Ok(found(true, READY, message));
        }
        State::Unreadable(_) => "Give Portreeve the right to read it".to_owned(),
        State::NotInstalled => "Install cert-manager, or name a CA in spec.issuer.ca".to_owned(),
        State::Missing(_) => {
            "Make it, or name another in spec.issuer.certManager.issuerRef".to_owned()
        }
        State::NotReady(_) => format!("Mend it (kubectl describe clusterissuer {})", issuer.name),
    };
    let problem = match &state {
        State::Unreadable(said) => format!("can't be read: {said}"),
        state => state.problem().unwrap_or_default(),
    };
    let message = format!(
        "{issuer} {problem}. {fix}: until then no certificate is issued under PkiPolicy {policy}, \
         and none is renewed."
    );
    Ok(found(false, ISSUER_NOT_READY, message))
}

async fn write(
    policy: &PkiPolicy,
    found: &Found,
    context: &Context,
    now: Timestamp,
) -> Result<(), Error> {
    let before = policy.status.clone().unwrap_or_default();
    let ready = Ready {
        ready: found.is_ready,
        reason: found.reason.to_owned(),
        message: found.message.clone(),
        observed_generation: policy.metadata.generation,
    };
    let status = PkiPolicyStatus {
        conditions: vec![ready.following(&before.conditions, now)],
        observed_generation: policy.metadata.generation,
        ca_not_after: found.ca_not_after.map(Time),
    };
    if policy.status.as_ref() == Some(&status) {
        return Ok(());
    }
    status::apply(&Api::all(context.client.clone()), policy, &status).await
}

fn tell(policy: &PkiPolicy, found: &Found, context: &Context) {
    let note = Note {
        event_type: if found.is_ready { EventType::Normal } else { EventType::Warning },
        reason: found.reason.to_owned(),
        action: ACTION.to_owned(),
        message: found.message.clone(),
        key: None,
        count: None,
        renew: true,
    };
    let (faults, resolved) =
        if found.is_ready { (Vec::new(), Some(note)) } else { (vec![note], None) };
    context.recorder.stand(&policy.object_ref(&()), SCOPE, faults, resolved);
}
