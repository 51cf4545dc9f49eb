//! The reconciler of PodPolicies: whether each can be put into effect, what it has found, and who is
//! told if it is not in effect.

mod asking;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::api::PodPolicy;
use crate::api::condition::Ready;
use crate::api::pod_policy::{PodPolicyStatus, REFUSED_BY_KUBERNETES};
use crate::backoff::Waits;
use crate::events::{EventType, Note};
use crate::policy::pod::{PodRules, PolicyFault};

pub(super) use asking::Asked;
use asking::{Answer, one_line};

use super::{Context, Error, status};

/// What Portreeve was about, as Events have it.
const ACTION: &str = "ApplyPolicy";

/// The reason of a policy that does not compile: it came while the webhook was away.
const INVALID: &str = "PodPolicyInvalid";

/// The reason of a policy that is in effect.
const READY: &str = "PodPolicyReady";

/// The scope of what is told of a policy: there is one.
const SCOPE: &str = "policy";

/// How often a policy is looked at though nothing has changed: Kubernetes may answer now.
const RESYNC: Duration = Duration::from_secs(10 * 60);

/// Reconciles all PodPolicies until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken) {
    let counted = context.pods.counted.stream();
    let counted = counted.map(|name| ObjectRef::<PodPolicy>::new(&name));
    let policies = Api::<PodPolicy>::all(context.client.clone());
    Controller::new(policies, watcher::Config::default().timeout(60))
        .trigger_backoff(Waits::new())
        .reconcile_on(counted)
        .graceful_shutdown_on(shutdown.cancelled_owned())
        .run(reconcile, retry, context.clone())
        .for_each(|_| std::future::ready(()))
        .await;
}

fn retry(policy: Arc<PodPolicy>, error: &Error, context: Arc<Context>) -> Action {
    let wait = context.failures.next_wait(&policy.uid().unwrap_or_default());
    warn!(policy = policy.name_any(), %error, retry_in = ?wait, "a PodPolicy could not be reconciled");
    Action::requeue(wait)
}

/// Looks at one policy, and brings its status and its Events to where they should be.
///
/// # Errors
/// When the API server is away; it is tried again.
pub async fn reconcile(policy: Arc<PodPolicy>, context: Arc<Context>) -> Result<Action, Error> {
    if policy.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let found = examine(&policy, &context).await?;
    write(&policy, &found, &context).await?;
    tell(&policy, &found, &context);
    context.failures.forget(&policy.uid().unwrap_or_default());
    Ok(Action::requeue(RESYNC))
}

/// How a policy was found.
struct Found {
    is_ready: bool,
    reason: &'static str,
    message: String,
}

async fn examine(policy: &PodPolicy, context: &Context) -> Result<Found, Error> {
    if let Err(faults) = PodRules::compile(policy) {
        return Ok(Found { is_ready: false, reason: INVALID, message: invalid(&faults) });
    }
    let (is_ready, reason, message) = match context.asked.ask(policy, &context.client).await? {
        Answer::Taken => (true, READY, "It is in effect.".to_owned()),
        Answer::Unknown(why) => {
            let message = format!(
                "It is in effect; whether Kubernetes itself would take its expressions is not \
                 known: {why}."
            );
            (true, READY, message)
        }
        Answer::Refused(why) => {
            let message = format!(
                "Kubernetes would not take it as a ValidatingAdmissionPolicy: {why}. The policy is \
                 not in effect until that is mended."
            );
            (false, REFUSED_BY_KUBERNETES, message)
        }
    };
    Ok(Found { is_ready, reason, message })
}

/// All that is wrong with a policy, in one line.
fn invalid(faults: &[PolicyFault]) -> String {
    let text = |PolicyFault { path, message, hint }: &PolicyFault| {
        let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let text = format!("{path}: {}{hint}", one_line(message));
        if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
    };
    let texts: Vec<String> = faults.iter().map(text).collect();
    format!("{} The policy is not in effect until that is mended.", texts.join(" "))
}

async fn write(policy: &PodPolicy, found: &Found, context: &Context) -> Result<(), Error> {
    let before = policy.status.clone().unwrap_or_default();
    let ready = Ready {
        ready: found.is_ready,
        reason: found.reason.to_owned(),
        message: found.message.clone(),
        observed_generation: policy.metadata.generation,
    };
    let mut status = PodPolicyStatus {
        conditions: vec![ready.following(&before.conditions, Timestamp::now())],
        observed_generation: policy.metadata.generation,
        ..before
    };
    // While not everything is counted, what was counted before stands.
    if let Some(count) = context.pods.count(&policy.name_any()) {
        status.matched = Some(count.matched);
        status.findings = Some(count.findings());
        status.findings_by_rule = count.by_rule();
    }
    if policy.status.as_ref() == Some(&status) {
        return Ok(());
    }
    status::apply(&Api::all(context.client.clone()), policy, &status).await
}

fn tell(policy: &PodPolicy, found: &Found, context: &Context) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_faults_of_a_policy_are_in_one_line() {
        let policy: PodPolicy = serde_json::from_value(json!({
            "apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": "a"},
            "spec": {"validations": [{"expression": "objects.spec"}, {"expression": "1 +"}]},
        }))
        .unwrap();
        let text = invalid(&PodRules::compile(&policy).unwrap_err());
        assert!(!text.contains('\n'), "{text}");
        assert!(text.contains("spec.validations[0].expression: "), "{text}");
        assert!(text.contains("spec.validations[1].expression: "), "{text}");
        assert!(text.contains("; did you mean object? spec.validations[1]"), "{text}");
        assert!(text.ends_with(". The policy is not in effect until that is mended."), "{text}");
    }
}
