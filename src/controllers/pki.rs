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

use crate::api::pki::RotationPolicy;
use crate::api::{Enforcement, Finding, Pki};
use crate::backoff::Waits;
use crate::pki::{Authority, Leaf, PrivateKey, renewal_time};
use crate::policy::pki::certificate::{self, CertificateRequest};
use crate::policy::pki::{PkiRules, Subject, Verdict, issuance, judge, ownership};

use super::secret::{Holding, Wanted};
use super::status::{self, Issued};
use super::{Context, Error, reporter, secret};

/// How many Pkis are reconciled at a time: making RSA keys takes the better part of a second.
const CONCURRENCY: u16 = 4;

/// Changes that come together are taken together: a Deployment makes its Pods in a burst.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// How often everything is looked at though nothing has changed.
const RESYNC: Duration = Duration::from_secs(10 * 60);

/// How soon what keeps a certificate from being issued is looked at again, beside every change.
const RETRY_BLOCKED: Duration = Duration::from_secs(60);

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
enum Decision {
    /// Nothing can be issued, and this is why.
    Blocked(Vec<Finding>),
    /// The Secret belongs to a Pki that is gone, and goes soon.
    AwaitCollection,
    /// The Secret is to hold this certificate.
    Hold(Box<Plan>),
}

/// How the Secret comes to hold what it should.
struct Plan {
    rules: Arc<PkiRules>,
    authority: Arc<Authority>,
    request: CertificateRequest,
    holding: Option<Holding>,
    /// Why a new certificate is needed; none where the one that is there will do.
    reissue: Option<String>,
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
    let outcome = act(&pki, decision, &context, now).await?;
    let action = match &outcome {
        Outcome::Blocked(findings) => {
            status::write_blocked(&pki, findings, &context.client, now).await?;
            reporter::tell_faults(&pki, findings, &context);
            context.metrics.reconciled("blocked");
            Action::requeue(RETRY_BLOCKED)
        }
        Outcome::Waiting => Action::requeue(RETRY_COLLECTED),
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

/// What has come of it.
enum Outcome {
    Blocked(Vec<Finding>),
    Waiting,
    Issued(Box<Issued>),
}

async fn decide(
    pki: &Pki,
    verdict: &Verdict,
    context: &Context,
    now: Timestamp,
) -> Result<Decision, Error> {
    let subject = Subject::stored(pki);
    let Some(rules) = verdict.policy.clone().filter(|_| verdict.allows()) else {
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
    let authority = match context.authorities.get(&rules.ca, &context.cache, now).await {
        Ok(authority) => authority,
        Err(error) if error.is_passing() => return Err(Error::Authority(error)),
        Err(error) => {
            let finding = issuance::issuer_not_ready(&subject, &rules.name, &error.to_string());
            return Ok(Decision::Blocked(vec![finding]));
        }
    };
    let request = certificate::request(&subject, &rules);
    let holding = found.as_ref().map(Holding::of);
    let reissue = match &holding {
        None => Some("there is no Secret".to_owned()),
        Some(holding) => {
            let seed = subject.uid.unwrap_or_default();
            holding.outdated(&request, &authority, seed, now)
        }
    };
    Ok(Decision::Hold(Box::new(Plan { rules, authority, request, holding, reissue })))
}

async fn act(
    pki: &Pki,
    decision: Decision,
    context: &Context,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let plan = match decision {
        Decision::Blocked(findings) => return Ok(Outcome::Blocked(findings)),
        Decision::AwaitCollection => return Ok(Outcome::Waiting),
        Decision::Hold(plan) => plan,
    };
    let Plan { rules, authority, request, holding, reissue } = *plan;
    let (wanted, clamped) = match (&reissue, holding.as_ref().and_then(Holding::pair)) {
        (None, Some((certificate, key))) => {
            let wanted = match Wanted::keeping(certificate, key, &authority) {
                Ok(wanted) => wanted,
                Err(error) => return Ok(not_issued(pki, &rules, &error)),
            };
            let wished = wanted.facts.validity.not_before + request.leaf.duration;
            let clamped = wanted.facts.validity.not_after < wished;
            (wanted, clamped)
        }
        (_, pair) => {
            let kept = pair.filter(|_| request.rotation == RotationPolicy::Never);
            let kept = kept.and_then(|(_, key)| PrivateKey::from_pem(key).ok());
            let made = issue(&authority, &request, kept, now).await?;
            match made
                .and_then(|(leaf, key)| Ok((Wanted::new(&leaf, &key, &authority)?, leaf.clamped)))
            {
                Ok(made) => made,
                Err(error) => return Ok(not_issued(pki, &rules, &error)),
            }
        }
    };
    let is_current = holding.as_ref().is_some_and(|holding| {
        reissue.is_none() && holding.is_dressed(pki, &wanted) && status::was_ready(pki)
    });
    if !is_current {
        let written = secret::write(pki, &wanted, holding.as_ref(), &context.client).await;
        match written {
            Ok(()) => {}
            Err(kube::Error::Api(refusal)) if matches!(refusal.code, 403 | 422) => {
                let subject = Subject::stored(pki);
                let finding = issuance::secret_not_written(
                    &subject,
                    &rules.name,
                    refusal.code,
                    &refusal.message,
                );
                return Ok(Outcome::Blocked(vec![finding]));
            }
            Err(source) => return Err(Error::api("can't write the Secret")(source)),
        }
    }
    if let Some(why) = &reissue {
        info!(
            namespace = pki.namespace(), name = pki.name_any(), policy = rules.name,
            serial = wanted.facts.serial, not_after = %wanted.facts.validity.not_after, why,
            "issued a certificate"
        );
        context.metrics.issued();
    }
    let validity = wanted.facts.validity;
    let seed = pki.uid().unwrap_or_default();
    Ok(Outcome::Issued(Box::new(Issued {
        renewal_time: renewal_time(
            validity.not_before,
            validity.not_after,
            request.renew_before,
            &seed,
        ),
        facts: wanted.facts,
        clamped,
        policy: rules.name.clone(),
        request,
    })))
}

/// Makes key and certificate, away from the threads that serve: an RSA key takes long.
async fn issue(
    authority: &Arc<Authority>,
    request: &CertificateRequest,
    kept: Option<PrivateKey>,
    now: Timestamp,
) -> Result<Result<(Leaf, PrivateKey), crate::pki::Error>, Error> {
    let (authority, request) = (authority.clone(), request.clone());
    let made = tokio::task::spawn_blocking(move || {
        let key = match kept.filter(|key| key.algorithm() == request.algorithm) {
            Some(key) => key,
            None => PrivateKey::generate(request.algorithm)?,
        };
        let leaf = authority.issue(&request.leaf, &key, now)?;
        Ok::<_, crate::pki::Error>((leaf, key))
    });
    made.await.map_err(|lost| Error::Lost(lost.to_string()))
}

/// Key or certificate can't be made as asked; more tries won't change that.
fn not_issued(pki: &Pki, rules: &PkiRules, error: &crate::pki::Error) -> Outcome {
    let finding = issuance::not_issued(&Subject::stored(pki), &rules.name, &error.to_string());
    Outcome::Blocked(vec![finding])
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
