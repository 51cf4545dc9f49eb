//! The review of Pods, and of the workloads that make them.

use crate::api::names::{ADMITTED_BY_ANNOTATION, FINDINGS_ANNOTATION};
use crate::api::{Enforcement, Finding};
use crate::cel::Json;
use crate::policy::Snapshot;
use crate::policy::pod::findings::PODS_REFUSED;
use crate::policy::pod::inject::Injection;
use crate::policy::pod::{Judgement, Stage, Subject, Workload, certificates, judge};

use super::review::{Answer, Operation, Request};
use super::telling::{excuse, in_namespace, refused, warned};
use super::{Admitter, annotate, request};

/// The group that nodes are in: what they do is never held up.
const NODES: &str = "system:nodes";

/// Adds what policies add, and writes what was found onto the object. It refuses nothing: what is
/// wrong now may be mended by the webhooks that come after.
pub(super) fn mutate(
    request: &Request<'_>,
    workload: Workload,
    snapshot: &Snapshot,
    admitter: &Admitter,
) -> Answer {
    let review = match Review::of(request, workload, snapshot) {
        Ok(Some(review)) if request.sub_resource.is_none() => review,
        Ok(_) => return Answer::allow(),
        Err(unreadable) => return Answer::deny(400, "BadRequest", unreadable),
    };
    let stage = match (workload, request.operation) {
        (Workload::Pod, Operation::Create) => Stage::Made,
        (Workload::Pod, _) => Stage::Final,
        _ => Stage::Template,
    };
    let Review { namespace, metadata, admitted_by, pod, old, request: seen } = review;
    let certificate = certificates::injection(&pod, namespace, snapshot);
    let subject = Subject {
        namespace,
        workload,
        pod,
        certificate: certificate.as_ref(),
        old: &old,
        request: &seen,
        stage,
        carried: None,
    };
    let Judgement { pod, mut patch, found, .. } = judge(subject, snapshot);
    let mut findings: Vec<Finding> = found.into_iter().map(|found| found.finding).collect();
    let metadata = if workload == Workload::Pod { pod.get("metadata") } else { Some(&metadata) };
    if request.operation == Operation::Update {
        keep_how_they_were_found(&mut findings, metadata);
    }
    patch.extend(annotate::patch(metadata, &findings, admitter, admitted_by.as_deref()));
    Answer::allow().with_patch(patch)
}

/// Refuses what must not be stored, and warns of what is let through.
pub(super) fn validate(request: &Request<'_>, workload: Workload, snapshot: &Snapshot) -> Answer {
    let review = match Review::of(request, workload, snapshot) {
        Ok(Some(review)) => review,
        Ok(None) => return Answer::allow(),
        Err(unreadable) => return Answer::deny(400, "BadRequest", unreadable),
    };
    let stage = if workload == Workload::Pod { Stage::Final } else { Stage::Template };
    let Review { namespace, pod, old, request: seen, .. } = review;
    let certificate = certificates::injection(&pod, namespace, snapshot);
    let judged = |pod: Json<'_>, certificate: Option<&Injection>| {
        let subject = Subject {
            namespace,
            workload,
            pod,
            certificate,
            old: &old,
            request: &seen,
            stage,
            carried: None,
        };
        judge(subject, snapshot).found
    };
    let mut found = judged(pod, certificate.as_ref());
    let is_denied = found.iter().any(|found| found.finding.enforcement == Enforcement::Deny);
    if is_denied && old != Json::Null {
        let known = judged(old.clone(), None).into_iter().map(|found| found.finding).collect();
        let would_deny: Vec<bool> =
            found.iter().map(|found| found.finding.enforcement == Enforcement::Deny).collect();
        excuse(found.iter_mut().map(|found| &mut found.finding), known);
        for (found, would_deny) in found.iter_mut().zip(would_deny) {
            let finding = &mut found.finding;
            let is_excused = would_deny && finding.enforcement == Enforcement::Warn;
            if workload != Workload::Pod && is_excused && finding.consequence.is_empty() {
                finding.consequence = PODS_REFUSED.to_owned();
            }
        }
        found.sort_by_key(|found| found.finding.enforcement);
    }
    let first = found.first().filter(|first| first.finding.enforcement == Enforcement::Deny);
    let refusal = first.map(|first| first.refusal.code());
    let findings: Vec<Finding> = found.into_iter().map(|found| found.finding).collect();
    let kind = workload.kind();
    match refusal {
        Some(code) => refused(kind, &findings, code),
        None => {
            let namespace = in_namespace(request);
            let more = match request.name.as_deref() {
                Some(name) => {
                    format!("kubectl describe {} {name}{namespace}", kind.to_lowercase())
                }
                // It has none before it is made.
                None => format!("kubectl get events{namespace}"),
            };
            warned(&findings, &more)
        }
    }
}

/// What was found first on the stored object stays so in its texts. Nothing else of what the
/// annotation says is believed.
fn keep_how_they_were_found(findings: &mut [Finding], metadata: Option<&Json<'_>>) {
    let Some(text) = metadata.and_then(|metadata| annotation(metadata, FINDINGS_ANNOTATION)) else {
        return;
    };
    let carried: Vec<Finding> = serde_json::from_str(text).unwrap_or_default();
    for finding in findings {
        finding.past_webhook =
            carried.iter().any(|known| known.past_webhook && known.same_fault(finding));
    }
}

/// A request, read.
struct Review<'a> {
    namespace: &'a str,
    /// The metadata of a workload; of a Pod it is in the Pod.
    metadata: Json<'a>,
    /// Who admitted the object as it was.
    admitted_by: Option<String>,
    pod: Json<'a>,
    /// The Pod as it was; `null` when the object is made.
    old: Json<'a>,
    /// The request as expressions see it; `null` where none reads it.
    request: Json<'a>,
}

impl<'a> Review<'a> {
    /// Reads a request; none where there is nothing to judge.
    ///
    /// # Errors
    /// A sentence on what can't be read.
    fn of(
        request: &'a Request<'a>,
        workload: Workload,
        snapshot: &Snapshot,
    ) -> Result<Option<Self>, String> {
        let is_made_or_changed = matches!(request.operation, Operation::Create | Operation::Update);
        if !is_made_or_changed || request.user.groups.iter().any(|group| group == NODES) {
            return Ok(None);
        }
        let namespace = request.namespace.as_deref().unwrap_or_default();
        let mut object = request::object("object", request.object)?;
        let old = request::object("oldObject", request.old_object)?;
        // Of what is made, nobody but its maker says so.
        let is_going = text(old.get("metadata"), "deletionTimestamp").is_some();
        if is_going || workload != Workload::Pod && Workload::makes(&object) {
            return Ok(None);
        }
        let old_metadata = old.get("metadata");
        let admitted_by = old_metadata.and_then(|old| annotation(old, ADMITTED_BY_ANNOTATION));
        let admitted_by = admitted_by.map(str::to_owned);
        let mut metadata = Json::Null;
        if workload != Workload::Pod {
            metadata = object.get_mut("metadata").map(std::mem::take).unwrap_or_default();
        }
        let Some(pod) = workload.pod_of(object, namespace) else { return Ok(None) };
        let old = workload.pod_of(old, namespace).unwrap_or_default();
        let mut rules = snapshot.pod_rules_for(namespace);
        let is_read = rules.any(|rules| rules.cel.reads().request);
        let request = if is_read { request::seen(request)? } else { Json::Null };
        Ok(Some(Self { namespace, metadata, admitted_by, pod, old, request }))
    }
}

fn annotation<'m>(metadata: &'m Json<'_>, key: &str) -> Option<&'m str> {
    text(metadata.get("annotations"), key)
}

fn text<'m>(object: Option<&'m Json<'_>>, key: &str) -> Option<&'m str> {
    object?.get(key)?.as_str()
}

#[cfg(test)]
#[path = "pods_tests.rs"]
mod tests;
