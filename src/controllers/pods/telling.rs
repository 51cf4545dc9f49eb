//! What is told of a Pod, and of the workload at the top of its owners.

use k8s_openapi::api::core::v1::ObjectReference;

use crate::api::finding::Outcome;
use crate::api::pod_policy::EventsMode;
use crate::api::{Enforcement, Finding};
use crate::events::{EventType, Note};
use crate::policy::pod::certificates::{MOUNT_ERROR, NOT_FOUND};
use crate::policy::pod::findings::NOT_INJECTED;
use crate::policy::pod::findings::PODS_REFUSED;

use super::judged::api_version;
use super::tally::{Entry, Fault, Place, Union};

/// What Portreeve was about, as Events have it.
const ACTION: &str = "ApplyPodPolicies";

/// The reason of the Event that ends the faults.
const RESOLVED: &str = "PodPolicyResolved";

/// The reason of the Event that counts the faults that have no Event of their own.
const MORE: &str = "PodPolicyMoreFindings";

/// How many faults have an Event of their own on each object.
const MAX_TOLD: usize = 8;

/// What the rules of findings begin with that come from a Pki.
const OF_PKI: &str = "pki ";

/// What is to be told of an object: all that stands, and what ends it.
#[derive(Debug, PartialEq)]
pub(super) struct Telling {
    pub(super) regarding: ObjectReference,
    pub(super) faults: Vec<Note>,
    pub(super) resolved: Option<Note>,
}

/// What is told of a Pod. Its Event is renewed while it waits: one that runs is not nagged.
pub(super) fn of_pod(uid: &str, entry: &Entry) -> Telling {
    let told = entry.findings.iter().filter(|standing| !is_told_by_pki(&standing.finding));
    let notes = told.filter_map(|standing| {
        let Finding { reason, field, value, policy, rule, .. } = &standing.finding;
        let parts = [value, policy, rule].map(|part| part.as_deref().unwrap_or_default());
        Some(Note {
            event_type: event_type(standing.events)?,
            reason: reason.clone(),
            action: ACTION.to_owned(),
            message: standing.finding.text(Outcome::Stored),
            key: Some(format!("{reason} {field} {}", parts.join(" "))),
            count: None,
            renew: entry.waits,
        })
    });
    let describe = format!("Pod {}", entry.name);
    let in_order = format!("{describe} is in order");
    // What stands without a word of it must not be said to be in order.
    let is_clean = entry.findings.iter().all(|standing| is_told_by_pki(&standing.finding));
    telling(uid, entry, notes.collect(), &describe, is_clean.then_some(in_order))
}

/// What is told of a workload: each fault of its template and of its Pods once, with how many Pods
/// have it.
pub(super) fn of_owner(uid: &str, entry: &Entry, union: &Union<'_>) -> Telling {
    let mut faults: Vec<(&Fault<'_>, &Place<'_>)> = union.faults.iter().collect();
    // Stable: within one enforcement they keep the order of policies and rules.
    faults.sort_by_key(|(_, place)| place.standing.finding.enforcement);
    let note = |(fault, place): (&Fault<'_>, &Place<'_>)| {
        let Fault { policy, rule, reason, path, value } = fault;
        Some(Note {
            event_type: event_type(place.standing.events)?,
            reason: (*reason).to_owned(),
            action: ACTION.to_owned(),
            message: as_of_owner(place, entry).text(Outcome::Stored),
            key: Some(format!("{reason} {path} {value} {policy} {rule}")),
            count: Some(i32::try_from(place.pods).unwrap_or(i32::MAX).max(1)),
            renew: union.waits,
        })
    };
    let notes = faults.into_iter().filter_map(note).collect();
    let described = format!("{} {}", entry.workload.kind(), entry.name);
    let in_order = format!("{described} is in order, and so are its Pods");
    let is_clean = union.faults.is_empty();
    telling(uid, entry, notes, &format!("{described} or its Pods"), is_clean.then_some(in_order))
}

/// The finding with the path of the workload's own template.
fn as_of_owner(place: &Place<'_>, entry: &Entry) -> Finding {
    let mut finding = place.standing.finding.clone();
    if place.is_own {
        if finding.enforcement == Enforcement::Deny && finding.consequence.is_empty() {
            finding.consequence = PODS_REFUSED.to_owned();
        }
        return finding;
    }
    // What a policy adds is missing in the Pods alone: templates never have it.
    if finding.reason != NOT_INJECTED && !finding.field.is_empty() {
        let prefix = entry.workload.prefix();
        if finding.fault.starts_with(&finding.field) {
            finding.fault.insert_str(0, prefix);
        }
        finding.field.insert_str(0, prefix);
    }
    finding
}

/// Whether the reporter of Pkis tells of it, in the scope of the Pki.
fn is_told_by_pki(finding: &Finding) -> bool {
    let of_pki = finding.rule.as_deref().is_some_and(|rule| rule.starts_with(OF_PKI));
    // Of a Pki that is not there nobody else tells, nor of how its Secret was asked for.
    of_pki && ![NOT_FOUND, MOUNT_ERROR].contains(&finding.reason.as_str())
}

fn event_type(events: EventsMode) -> Option<EventType> {
    match events {
        EventsMode::None => None,
        EventsMode::Normal => Some(EventType::Normal),
        EventsMode::Warning => Some(EventType::Warning),
    }
}

/// The notes, of which one counts those that are too many.
fn telling(
    uid: &str,
    entry: &Entry,
    mut faults: Vec<Note>,
    what: &str,
    in_order: Option<String>,
) -> Telling {
    let rest = faults.split_off(faults.len().min(MAX_TOLD));
    if let Some(first) = rest.first() {
        let worst = rest.iter().map(|note| note.event_type).max();
        faults.push(Note {
            event_type: worst.unwrap_or(first.event_type),
            reason: MORE.to_owned(),
            action: ACTION.to_owned(),
            message: format!(
                "{} more things are wrong with {what}: annotation box.com/findings, which kubectl get \
                 -o yaml shows, has more of them.",
                rest.len()
            ),
            key: Some(MORE.to_owned()),
            count: None,
            renew: first.renew,
        });
    }
    let resolved = in_order.map(|in_order| Note {
        event_type: EventType::Normal,
        reason: RESOLVED.to_owned(),
        action: ACTION.to_owned(),
        message: format!(
            "{in_order}: what was wrong is mended, or no PodPolicy asks for it any more."
        ),
        key: None,
        count: None,
        renew: false,
    });
    Telling { regarding: reference(uid, entry), faults, resolved }
}

fn reference(uid: &str, entry: &Entry) -> ObjectReference {
    ObjectReference {
        api_version: Some(api_version(entry.workload)),
        kind: Some(entry.workload.kind().to_owned()),
        namespace: Some(entry.namespace.to_string()),
        name: Some(entry.name.to_string()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}
