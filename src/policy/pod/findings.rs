//! The findings of PodPolicies, in the words that the owner reads.

use std::sync::Arc;

use crate::api::finding::{clipped, shown};
use crate::api::pod_policy::RefusalReason;
use crate::api::{Enforcement, Finding};
use crate::cel::{Inputs, Json, Path, Step, Trace, TraceKind};

use super::inject::{Clash, Injected, Injection};
use super::{Found, PodRules, Workload};

/// The reason of a finding that the owner's value stands where a policy would put another.
pub const CLASH: &str = "PodPolicyInjectionClash";

/// The reason of a finding that a stored Pod lacks what a policy adds.
pub const NOT_INJECTED: &str = "PodPolicyNotInjected";

/// The reason of a finding that an expression could not be evaluated.
pub const ERROR: &str = "PodPolicyError";

/// What follows for a workload whose Pods a rule refuses.
pub const PODS_REFUSED: &str = "its new Pods are refused until then";

/// The rule that additions are made by.
const INJECT: &str = "inject";

/// What is done about a policy that can't be evaluated.
const TELL: &str = "Tell who runs the cluster, who can mend the policy";

/// What stands in the place of a policy's name where the owner asked for it herself.
pub(super) const BY_ANNOTATION: &str = "";

/// What is wrong where a validation does not hold: one finding for each element that fails.
pub(super) fn violations(
    rules: &PodRules,
    index: usize,
    message: &str,
    inputs: Inputs<'_>,
    workload: Workload,
) -> Vec<Found> {
    let Some(rule) = rules.validations.get(index) else { return Vec::new() };
    let traces = rules.cel.trace(index, inputs);
    let elements: Vec<&Trace> =
        traces.iter().filter(|trace| trace.kind == TraceKind::Element).collect();
    let places: Vec<(String, Option<String>)> = match (elements.as_slice(), &rule.field_path) {
        ([], Some(path)) => vec![(path.clone(), value_at(path, inputs.object))],
        ([], None) => {
            let first = traces.first().map(|trace| &trace.path);
            vec![first.map_or_else(Default::default, |path| place(path, inputs.object))]
        }
        (elements, _) => elements.iter().map(|trace| place(&trace.path, inputs.object)).collect(),
    };
    let finding = |(path, value): (String, Option<String>)| {
        let field = if path.is_empty() { path } else { format!("{}{path}", workload.prefix()) };
        let message = message.trim().trim_end_matches('.');
        let mut fault = String::new();
        if !field.is_empty() {
            fault.push_str(&format!("{field}: "));
        }
        if let Some(value) = &value {
            fault.push_str(&format!("{}: ", shown(value)));
        }
        fault.push_str(&format!("{message} (PodPolicy {})", rules.name));
        Found {
            finding: Finding {
                reason: rule.event_reason.clone(),
                value: value.as_deref().map(clipped),
                rule: Some(rule.id.clone()),
                enforcement: rule.enforcement,
                ..blank(rules, field, fault)
            },
            refusal: rule.reason,
            events: rules.events,
        }
    };
    places.into_iter().map(finding).collect()
}

/// The value at a path of plain names, as JSON, where it is no list and no object.
fn value_at(path: &str, object: &Json<'_>) -> Option<String> {
    let value = path.split('.').try_fold(object, |value, key| value.get(key))?;
    scalar(value)
}

fn scalar(value: &Json<'_>) -> Option<String> {
    let is_scalar = !matches!(value, Json::Null | Json::List(_) | Json::Map(_));
    if is_scalar { serde_json::to_string(value).ok() } else { None }
}

/// A path as text, and the value there as JSON, where it is no list and no object.
fn place(path: &Path, object: &Json<'_>) -> (String, Option<String>) {
    let value = path.steps().iter().try_fold(object, |value, step| match (step, value) {
        (Step::Key(key), value) => value.get(key),
        (Step::Index(index), Json::List(elements)) => elements.get(*index),
        (Step::Index(_), _) => None,
    });
    (path.to_string(), value.and_then(scalar))
}

/// What is wrong where it can't be told whether a validation holds.
pub(super) fn unjudged(
    rules: &PodRules,
    index: usize,
    workload: Workload,
    cause: &str,
) -> Option<Found> {
    let rule = rules.validations.get(index)?;
    let (name, id, cause) = (&rules.name, &rule.id, plain(cause));
    let fault = format!("PodPolicy {name} can't judge this {}: {id}: {cause}", workload.kind());
    let finding = Finding {
        rule: Some(rule.id.clone()),
        fix: TELL.to_owned(),
        consequence: "that rule was not checked".to_owned(),
        ..failed(rules, fault)
    };
    Some(Found { finding, refusal: rule.reason, events: rules.events })
}

/// What is wrong where it can't be told whether a policy is about the Pod, or its budget is spent.
pub(super) fn undecided(rules: &PodRules, workload: Workload, cause: &str) -> Found {
    let (name, cause) = (&rules.name, plain(cause));
    let fault = format!("PodPolicy {name} can't judge this {}: {cause}", workload.kind());
    let finding = Finding {
        rule: Some("matchConditions".to_owned()),
        fix: TELL.to_owned(),
        consequence: "none of its rules was checked".to_owned(),
        ..failed(rules, fault)
    };
    Found { finding, refusal: RefusalReason::Forbidden, events: rules.events }
}

fn failed(rules: &PodRules, fault: String) -> Finding {
    Finding {
        reason: ERROR.to_owned(),
        enforcement: rules.enforcement_of_error(),
        ..blank(rules, String::new(), fault)
    }
}

/// The cause alone, without the expression that the API server would repeat before it.
fn plain(cause: &str) -> String {
    let cause = cause.split_once("' resulted in error: ").map_or(cause, |(_, cause)| cause);
    cause.replace('\n', " ")
}

/// What the owner's own values kept from being added.
pub(super) fn clashes<'a>(
    injected: &'a Injected,
    workload: Workload,
    rules: &'a [&Arc<PodRules>],
) -> impl Iterator<Item = Found> + 'a {
    let clashes = injected.clashes.iter().filter(|clash| !is_with_default(clash));
    clashes.map(move |clash| {
        let Clash { policy, path, key, found, wanted, because, left_out } = clash;
        let prefix = workload.prefix();
        let field = format!("{prefix}{path}");
        let what = key.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
        let (found, wanted) = (shown(found), shown(wanted));
        let by = author(policy);
        let fault = match because {
            None => format!("{field}{what} is {found}, where {by} would put {wanted}"),
            Some(because) => {
                let because = within(prefix, because);
                format!("{field}: {by} would put {wanted}{what} there, but {because}")
            }
        };
        let mut consequence =
            if because.is_none() { "what is there stays" } else { "nothing is put there" }
                .to_owned();
        if !left_out.is_empty() {
            let left_out: Vec<String> = left_out.iter().map(|path| within(prefix, path)).collect();
            consequence.push_str(&format!(", nor what would use it: {}", left_out.join(", ")));
        }
        let finding = Finding {
            reason: CLASH.to_owned(),
            value: Some(clipped(found.as_str())),
            allowed: vec![clipped(&wanted)],
            rule: Some(INJECT.to_owned()),
            fix: match because {
                None => format!("If that is yours, leave it out to have that of {by}"),
                Some(_) => format!("Change that to have what {by} adds"),
            },
            consequence,
            ..unnamed(policy, field, fault)
        };
        of_policy(finding, policy, rules)
    })
}

/// What the API server fills in before a webhook sees the Pod, as JSON.
const FILLED_IN: [(&str, &str); 8] = [
    ("spec.dnsPolicy", r#""ClusterFirst""#),
    ("spec.enableServiceLinks", "true"),
    ("spec.preemptionPolicy", r#""PreemptLowerPriority""#),
    ("spec.restartPolicy", r#""Always""#),
    ("spec.schedulerName", r#""default-scheduler""#),
    ("spec.serviceAccount", r#""default""#),
    ("spec.serviceAccountName", r#""default""#),
    ("spec.terminationGracePeriodSeconds", "30"),
];

/// Whether a clash is with what the API server has filled in, of which the owner wrote nothing: of
/// that, whoever writes the policy is warned.
fn is_with_default(clash: &Clash) -> bool {
    let Clash { path, found, because, .. } = clash;
    FILLED_IN.contains(&(path.as_str(), found.as_str()))
        || path == "spec.priorityClassName" && because.as_deref() == Some("spec.priority is 0")
}

/// A text that begins with a path in the Pod, with that of the object.
fn within(prefix: &str, text: &str) -> String {
    let is_path = text.starts_with("spec.") || text.starts_with("metadata.");
    if is_path { format!("{prefix}{text}") } else { text.to_owned() }
}

/// What a stored Pod lacks that would be added to it today: one finding for each policy.
pub(super) fn not_injected(
    injected: &Injected,
    workload: Workload,
    rules: &[&Arc<PodRules>],
) -> Vec<Found> {
    let mut lacking: Vec<(&str, &str, usize)> = Vec::new();
    for added in &injected.added {
        let of_policy = rules.iter().find(|rules| rules.name == added.policy);
        let doubts = of_policy.and_then(|rules| rules.injection.as_ref()).map(Injection::doubts);
        // A field that the API server does not know is not there, whoever adds it.
        if doubts.unwrap_or_default().iter().any(|doubt| ends_alike(&doubt.path, &added.path)) {
            continue;
        }
        match lacking.iter_mut().find(|(policy, ..)| *policy == added.policy) {
            Some((_, _, more)) => *more += 1,
            None => lacking.push((&added.policy, &added.path, 0)),
        }
    }
    let finding = |(policy, path, more): (&str, &str, usize)| {
        let field = format!("{}{path}", workload.prefix());
        let more = match more {
            0 => String::new(),
            1 => " (and one thing more)".to_owned(),
            more => format!(" (and {more} things more)"),
        };
        let fault = format!("{field}{more} is not there, and {} adds it", author(policy));
        let finding = Finding {
            reason: NOT_INJECTED.to_owned(),
            rule: Some(INJECT.to_owned()),
            enforcement: Enforcement::Inform,
            fix: "Make the Pod anew to have it, as kubectl rollout restart does".to_owned(),
            consequence: match policy {
                BY_ANNOTATION => "a Pod gets it when it is made",
                _ => "it was made before that policy or while the webhook was away",
            }
            .to_owned(),
            ..unnamed(policy, field, fault)
        };
        of_policy(finding, policy, rules)
    };
    lacking.into_iter().map(finding).collect()
}

/// Whether two paths lead to fields of the same name.
fn ends_alike(one: &str, other: &str) -> bool {
    one.rsplit('.').next() == other.rsplit('.').next()
}

/// Who would add something.
fn author(policy: &str) -> String {
    match policy {
        BY_ANNOTATION => "annotation box.com/pki".to_owned(),
        policy => format!("PodPolicy {policy}"),
    }
}

fn of_policy(finding: Finding, policy: &str, rules: &[&Arc<PodRules>]) -> Found {
    let events = rules.iter().find(|rules| rules.name == policy).map(|rules| rules.events);
    Found { finding, refusal: RefusalReason::Forbidden, events: events.unwrap_or_default() }
}

fn blank(rules: &PodRules, field: String, fault: String) -> Finding {
    unnamed(&rules.name, field, fault)
}

fn unnamed(policy: &str, field: String, fault: String) -> Finding {
    Finding {
        reason: String::new(),
        field,
        value: None,
        allowed: Vec::new(),
        policy: Some(policy.to_owned()).filter(|policy| policy != BY_ANNOTATION),
        rule: None,
        enforcement: Enforcement::Warn,
        fault,
        nearest: None,
        fix: String::new(),
        consequence: String::new(),
        past_webhook: false,
    }
}
