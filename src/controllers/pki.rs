//! The reconciler of Pkis: observe, decide, act, report.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::controller::{self, Action, Controller};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api::{Enforcement, Finding, Pki};
use crate::backoff::Waits;
use crate::policy::pki::{Subject, Verdict, certificate, issuance, judge, ownership};

use super::secret::Holding;
use super::signing::{self, Certificate, Obtained, Order, RETRY_BLOCKED};
use super::status::{self, Issued};
use super::{Context, Error, reporter, secret};

/// How many Pkis are reconciled at a time: making RSA keys takes the better part of a second.
const CONCURRENCY: u16 = 4;

/// Changes that come together are taken together: a Deployment makes its Pods in a burst.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// How often everything is looked at though nothing has changed.
const RESYNC: Duration = Duration::from_secs(10 * 60);

/// How soon the Secret of a Pki that is gone is looked at again.
const RETRY_COLLECTED: Duration = Duration::from_secs(1);

/// Reconciles all Pkis until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken) {
    let changes = context.cache.pkis.stream();
    let changes = changes.map(|key| ObjectRef::<Pki>::new(&key.name).within(&key.namespace));
    Controller::new(
        Api::<Pki>::all(context.client.clone()),
        watcher::Config::default().timeout(60),
    )
    .with_config(controller::Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE))
    .trigger_backoff(Waits::new())
    .reconcile_on(changes)
    .graceful_shutdown_on(shutdown.cancelled_owned())
    .run(reconcile, retry, context.clone())
    .for_each(|_| std::future::ready(()))
    .await;
}

/// Waits longer after each failure in a row, from a second to five minutes.
fn retry(pki: Arc<Pki>, error: &Error, context: Arc<Context>) -> Action {
    let wait = context.failures.next_wait(&pki.uid().unwrap_or_default());
    warn!(
        namespace = pki.namespace(), name = pki.name_any(), %error, retry_in = ?wait,
        "a Pki could not be reconciled"
    );
    context.metrics.reconciled("error");
    Action::requeue(wait)
}

/// What is to be done about a Pki.
enum Decision<'a> {
    /// Nothing can be issued, and this is why.
    Blocked(Vec<Finding>),
    /// The Secret belongs to a Pki that is gone, and goes soon.
    AwaitCollection,
    /// The Secret is to hold a certificate.
    Hold(Box<Order<'a>>),
}

/// What has come of it.
enum Outcome {
    /// Nothing, for these reasons; to be looked at again after a while.
    Blocked(Vec<Finding>, Duration),
    /// Nothing yet, and there is nothing to say of it.
    AwaitCollection,
    /// Nothing yet: the issuer is asked, as the text says.
    Issuing(String, Duration),
    Issued(Box<Issued>),
}

/// Looks at one Pki and brings its Secret, its status and its Events to where they should be.
///
/// # Errors
/// When the API server is away or somebody else was faster; nothing is lost, it is tried again.
pub async fn reconcile(pki: Arc<Pki>, context: Arc<Context>) -> Result<Action, Error> {
    if pki.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let now = Timestamp::now();
    let verdict = {
        let snapshot = context.cache.read();
        let subject = Subject::stored(&pki);
        if !snapshot.namespaces.contains_key(subject.namespace) {
            // The watch of namespaces lags behind; nobody is judged by labels that are not known.
            return Ok(Action::requeue(RETRY_COLLECTED));
        }
        judge(&subject, &snapshot)
    };
    let decision = decide(&pki, &verdict, &context, now).await?;
    let outcome = act(&pki, decision, &context).await?;
    let action = match &outcome {
        Outcome::Blocked(findings, look_again) => {
            status::write_blocked(&pki, findings, &context.client, now).await?;
            reporter::tell_faults(&pki, findings, &context);
            context.metrics.reconciled("blocked");
            Action::requeue(*look_again)
        }
        Outcome::AwaitCollection => Action::requeue(RETRY_COLLECTED),
        Outcome::Issuing(message, look_again) => {
            status::write_issuing(&pki, message, &context.client, now).await?;
            context.metrics.reconciled("issuing");
            Action::requeue(*look_again)
        }
        Outcome::Issued(issued) => {
            status::write_issued(&pki, issued, &context.client, now).await?;
            reporter::tell_ready(&pki, issued, &context);
            context.metrics.reconciled("ready");
            Action::requeue(next_look(issued.renewal_time, now))
        }
    };
    context.annotated.keep(&pki, &verdict.findings, &context.client).await?;
    context.failures.forget(&pki.uid().unwrap_or_default());
    Ok(action)
}

async fn decide<'a>(
    pki: &'a Pki,
    verdict: &'a Verdict,
    context: &Context,
    now: Timestamp,
) -> Result<Decision<'a>, Error> {
    let subject = Subject::stored(pki);
    let Some(rules) = verdict.policy.as_deref().filter(|_| verdict.allows()) else {
        return Ok(Decision::Blocked(verdict.findings.clone()));
    };
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), subject.namespace);
    let found = secrets.get_opt(subject.secret_name()).await;
    let found = found.map_err(Error::api("can't read the Secret"))?;
    // The watch may lag; what is overwritten is decided by what is there.
    if let Some(secret) = &found {
        let owner = super::indexes::owning_pki(&secret.metadata);
        if owner != subject.uid {
            let taken = ownership::held(&subject, &context.cache.read(), owner);
            let enforcement = Enforcement::from(rules.on_violation);
            return Ok(match taken {
                Some(finding) => Decision::Blocked(vec![Finding { enforcement, ..finding }]),
                None => Decision::AwaitCollection,
            });
        }
    }
    let request = certificate::request(&subject, rules);
    let holding = found.as_ref().map(Holding::of);
    Ok(Decision::Hold(Box::new(Order { pki, rules, request, holding, now })))
}

async fn act(pki: &Pki, decision: Decision<'_>, context: &Context) -> Result<Outcome, Error> {
    let order = match decision {
        Decision::Blocked(findings) => return Ok(Outcome::Blocked(findings, RETRY_BLOCKED)),
        Decision::AwaitCollection => return Ok(Outcome::AwaitCollection),
        Decision::Hold(order) => *order,
    };
    let certificate = match signing::obtain(&order, context).await? {
        Obtained::Certificate(certificate) => *certificate,
        Obtained::Pending(message, look_again) => return Ok(Outcome::Issuing(message, look_again)),
        Obtained::Blocked(finding, look_again) => {
            return Ok(Outcome::Blocked(vec![*finding], look_again));
        }
    };
    let Order { rules, request, holding, .. } = order;
    let Certificate { wanted, why_new, shortened } = certificate;
    let is_current = holding.as_ref().is_some_and(|holding| {
        why_new.is_none() && holding.is_dressed(pki, &wanted) && status::was_ready(pki)
    });
    if !is_current {
        let written = secret::write(pki, &wanted, holding.as_ref(), &context.client).await;
        match written {
            Ok(()) => {}
            Err(kube::Error::Api(refusal)) if matches!(refusal.code, 403 | 422) => {
                let subject = Subject::stored(pki);
                let (code, message) = (refusal.code, &refusal.message);
                let finding = issuance::secret_not_written(&subject, &rules.name, code, message);
                return Ok(Outcome::Blocked(vec![finding], RETRY_BLOCKED));
            }
            Err(source) => return Err(Error::api("can't write the Secret")(source)),
        }
    }
    let seed = pki.uid().unwrap_or_default();
    context.cert_manager.forget(&seed);
    if let Some(why) = &why_new {
        info!(
            namespace = pki.namespace(), name = pki.name_any(), policy = rules.name,
            serial = wanted.facts.serial, not_after = %wanted.facts.validity.not_after, why,
            "issued a certificate"
        );
        context.metrics.issued();
    }
    Ok(Outcome::Issued(Box::new(Issued {
        renewal_time: request.renewal_time(wanted.facts.validity, &seed),
        facts: wanted.facts,
        shortened,
        policy: rules.name.clone(),
        request,
    })))
}

/// When to look again: at the renewal if it comes first. One that is past is that of a certificate
/// that ends with its CA, and nothing but another CA helps it.
fn next_look(renewal: Timestamp, now: Timestamp) -> Duration {
    match Duration::try_from(renewal.duration_since(now)) {
        Ok(left) if !left.is_zero() => left.min(RESYNC),
        _ => RESYNC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_renewal_that_is_past_is_not_looked_for_every_moment() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(next_look(now + SignedDuration::from_secs(5), now), Duration::from_secs(5));
        assert_eq!(next_look(now + SignedDuration::from_hours(5), now), RESYNC);
        assert_eq!(next_look(now - SignedDuration::from_hours(5), now), RESYNC);
    }
}
