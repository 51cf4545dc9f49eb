//! Tells by Events: the owner of a Pki, and of every Pod that reads its Secret, and nobody else.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Resource, ResourceExt};

use crate::api::finding::Outcome;
use crate::api::{Finding, Pki};
use crate::events::{EventType, Note};
use crate::policy::pki::ownership::{CLAIMED, FOREIGN};

use super::Context;
use super::status::Issued;

/// What Portreeve was about, as Events have it.
const ACTION: &str = "IssueCertificate";

/// The reason of the Event that ends the faults.
const READY: &str = "PkiReady";

/// The reason of the Event that counts the faults that have no Event of their own.
const MORE: &str = "PkiMoreFaults";

/// How many faults of one Pki have an Event of their own on each object.
const MAX_TOLD: usize = 8;

/// Tells what keeps a Pki from its certificate.
pub(super) fn tell_faults(pki: &Pki, findings: &[Finding], context: &Context) {
    if !is_as_known(pki, context) {
        return;
    }
    let scope = pki.name_any();
    context.recorder.stand(&pki.object_ref(&()), &scope, notes(pki, findings.iter()), None);
    // A Secret that somebody else holds is not this Pki's: its Pods have what they mount.
    let is_of_pods = |finding: &&Finding| ![CLAIMED, FOREIGN].contains(&finding.reason.as_str());
    let of_pods = notes(pki, findings.iter().filter(is_of_pods));
    for pod in pods(pki, context) {
        context.recorder.stand(&pod, &scope, of_pods.clone(), None);
    }
}

/// Whether this is still the Pki that the snapshot has. One that has gone meanwhile, or claims
/// another Secret now, has nothing to say; where the snapshot lags, its own change brings it back.
fn is_as_known(pki: &Pki, context: &Context) -> bool {
    let snapshot = context.cache.read();
    let known = snapshot.pki(&pki.namespace().unwrap_or_default(), &pki.name_any());
    known.is_some_and(|known| {
        Some(&known.uid) == pki.metadata.uid.as_ref() && known.secret_name == pki.secret_name()
    })
}

/// A note for each finding, and one that counts those that are too many.
fn notes<'a>(pki: &Pki, mut findings: impl Iterator<Item = &'a Finding>) -> Vec<Note> {
    let mut notes: Vec<Note> = findings.by_ref().take(MAX_TOLD).map(fault).collect();
    let more = findings.count();
    if more > 0 {
        let (name, namespace) = (pki.name_any(), pki.namespace().unwrap_or_default());
        notes.push(Note {
            event_type: EventType::Warning,
            reason: MORE.to_owned(),
            action: ACTION.to_owned(),
            message: format!(
                "{more} more things are wrong with Pki {name}: kubectl describe pki {name} -n \
                 {namespace} has them all."
            ),
            key: None,
            count: None,
            renew: true,
        });
    }
    notes
}

/// Ends what was told, if anything was.
pub(super) fn tell_ready(pki: &Pki, issued: &Issued, context: &Context) {
    if !is_as_known(pki, context) {
        return;
    }
    let resolved = Note {
        event_type: EventType::Normal,
        reason: READY.to_owned(),
        action: ACTION.to_owned(),
        message: format!("Pki {} is in order: {}", pki.name_any(), issued.sentence(pki)),
        key: Some(issued.facts.serial.clone()),
        count: None,
        renew: true,
    };
    let scope = pki.name_any();
    context.recorder.stand(&pki.object_ref(&()), &scope, Vec::new(), Some(resolved.clone()));
    for pod in pods(pki, context) {
        context.recorder.stand(&pod, &scope, Vec::new(), Some(resolved.clone()));
    }
}

fn fault(finding: &Finding) -> Note {
    Note {
        event_type: EventType::Warning,
        reason: finding.reason.clone(),
        action: ACTION.to_owned(),
        message: finding.text(Outcome::Stored),
        // What becomes of the object changes with its policy; the fault is the same one.
        key: Some(identity(finding)),
        count: None,
        renew: true,
    }
}

/// What makes two findings one fault: its kind, its field and the value there. What is allowed, or
/// what the API server said, may change while it stands.
fn identity(finding: &Finding) -> String {
    let Finding { reason, field, value, .. } = finding;
    format!("{reason} {field} {}", value.as_deref().unwrap_or_default())
}

/// The Pods that read the Secret.
fn pods(pki: &Pki, context: &Context) -> Vec<ObjectReference> {
    let (namespace, secret) = (pki.namespace().unwrap_or_default(), pki.secret_name());
    let snapshot = context.cache.read();
    let readers = snapshot.readers(&namespace, &secret);
    readers
        .map(|(name, pod)| ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            namespace: Some(namespace.clone()),
            name: Some(name.to_owned()),
            uid: Some(pod.uid.clone()),
            ..ObjectReference::default()
        })
        .collect()
}
