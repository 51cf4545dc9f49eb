//! The review of PodPolicies: one that can't be put into effect is refused.

use crate::api::PodPolicy;
use crate::policy::pod::PodRules;

use super::review::warnings::warning_headers;
use super::review::{Answer, Operation, Request};

/// Refuses a policy that does not compile, with all that is wrong with it, and warns of what may be
/// a slip. It is compiled here to be seen, and again where it is put into effect.
pub(super) fn validate(request: &Request<'_>) -> Answer {
    let object = match (request.operation, request.object) {
        (Operation::Create | Operation::Update, Some(object)) => object,
        _ => return Answer::allow(),
    };
    let policy: PodPolicy = match serde_json::from_str(object.get()) {
        Ok(policy) => policy,
        Err(error) => return Answer::deny(400, "BadRequest", format!("can't be read: {error}")),
    };
    if policy.metadata.deletion_timestamp.is_some() || is_unchanged(request, &policy) {
        return Answer::allow();
    }
    match PodRules::compile(&policy) {
        Ok(rules) => {
            let doubts = rules.injection.iter().flat_map(|injection| injection.doubts());
            let lines = doubts.map(|doubt| format!("{doubt}: it was let through"));
            Answer::allow().with_warnings(warning_headers(lines, "portreeve check --policy FILE"))
        }
        Err(faults) => {
            let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let message = match texts.as_slice() {
                [text] => text.clone(),
                texts => format!(
                    "{} things are wrong with this PodPolicy:\n- {}",
                    texts.len(),
                    texts.join("\n- ")
                ),
            };
            Answer::deny(422, "Invalid", message)
        }
    }
}

/// Whether nothing but metadata is changed: a policy that was stored while the webhook was away can
/// still be labelled, and let go.
fn is_unchanged(request: &Request<'_>, policy: &PodPolicy) -> bool {
    let Some(old) = request.old_object else { return false };
    serde_json::from_str::<PodPolicy>(old.get()).is_ok_and(|old| old.spec == policy.spec)
}
