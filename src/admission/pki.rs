//! The review of a Pki.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::names::ADMITTED_BY_ANNOTATION;
use crate::api::{Finding, PkiSpec};
use crate::cel::Json;
use crate::policy::Snapshot;
use crate::policy::pki::structure::{self, Reading};
use crate::policy::pki::{Subject, ownership};

use super::Admitter;
use super::annotate;
use super::review::warnings::warning_headers;
use super::review::{Answer, Operation, Request};
use super::telling::{denies, excuse, in_namespace, refused, warned};

/// The code and the reason of a refusal.
const FORBIDDEN: (u16, &str) = (403, "Forbidden");

/// How many Pods a warning names.
const NAMED_PODS: usize = 3;

/// Refuses with all faults at once, or writes what was found onto the Pki.
pub fn mutate(request: &Request<'_>, snapshot: &Snapshot, admitter: &Admitter) -> Answer {
    let (object, old) = match objects(request) {
        Ok(objects) => objects,
        Err(unreadable) => return Answer::deny(400, "BadRequest", unreadable),
    };
    let Some(object) = object else { return Answer::allow() };
    let findings = assess(request, &object, old.as_ref(), snapshot);
    if denies(&findings) {
        return refused("Pki", &findings, FORBIDDEN);
    }
    let admitted_by = old
        .as_ref()
        .filter(|old| old["spec"] == object["spec"])
        .and_then(|old| old["metadata"]["annotations"][ADMITTED_BY_ANNOTATION].as_str());
    Answer::allow().with_patch(annotate::patch(
        Some(&Json::from(&object["metadata"])),
        &findings,
        admitter,
        admitted_by,
    ))
}

/// Refuses what must not be stored, and warns of what is let through.
pub fn validate(request: &Request<'_>, snapshot: &Snapshot) -> Answer {
    let (object, old) = match objects(request) {
        Ok(objects) => objects,
        Err(unreadable) => return Answer::deny(400, "BadRequest", unreadable),
    };
    let Some(object) = object else {
        return match old {
            Some(old) => Answer::allow().with_warnings(of_deletion(request, &old, snapshot)),
            None => Answer::allow(),
        };
    };
    let findings = assess(request, &object, old.as_ref(), snapshot);
    if denies(&findings) {
        return refused("Pki", &findings, FORBIDDEN);
    }
    let name = name_of(request, &object);
    warned(&findings, &format!("kubectl describe pki {name}{}", in_namespace(request)))
}

/// The object, which only a creation or an update has, and the old object.
fn objects(request: &Request<'_>) -> Result<(Option<Value>, Option<Value>), String> {
    let read = |what: &str, raw: Option<&RawValue>| {
        let read = raw.map(|raw| serde_json::from_str(raw.get())).transpose();
        read.map_err(|error| {
            format!("request.{what} of the AdmissionReview can't be read: {error}")
        })
    };
    Ok((read("object", request.object)?, read("oldObject", request.old_object)?))
}

/// All findings of the object; of an update, those that the old object had already don't refuse.
fn assess(
    request: &Request<'_>,
    object: &Value,
    old: Option<&Value>,
    snapshot: &Snapshot,
) -> Vec<Finding> {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return Vec::new();
    }
    let name = name_of(request, object);
    let namespace = request.namespace.as_deref().unwrap_or_default();
    let now = Assessed::of(&name, namespace, object);
    let mut findings = now.findings(snapshot);
    if let Some(old) = old.filter(|_| request.operation == Operation::Update) {
        let before = Assessed::of(&name, namespace, old);
        excuse(findings.iter_mut(), before.findings(snapshot));
        findings.extend(ownership::change(&now.subject(), &before.subject()));
        findings.sort_by_key(|finding| finding.enforcement);
    }
    findings
}

/// A Pki as it came.
struct Assessed<'a> {
    name: &'a str,
    namespace: &'a str,
    object: &'a Value,
    reading: Reading,
}

impl<'a> Assessed<'a> {
    fn of(name: &'a str, namespace: &'a str, object: &'a Value) -> Self {
        let reading = structure::read(name, object.get("spec"));
        Self { name, namespace, object, reading }
    }

    fn subject(&self) -> Subject<'_> {
        let metadata = &self.object["metadata"];
        let spec: &PkiSpec = &self.reading.spec;
        Subject {
            namespace: self.namespace,
            name: self.name,
            uid: metadata["uid"].as_str(),
            created: metadata["creationTimestamp"].as_str().and_then(|text| text.parse().ok()),
            issued: self.object["status"]["revision"].is_i64(),
            spec,
        }
    }

    fn findings(&self, snapshot: &Snapshot) -> Vec<Finding> {
        self.reading.findings(&self.subject(), snapshot)
    }
}

/// The name, or as much of it as is known before the API server has made one.
fn name_of(request: &Request<'_>, object: &Value) -> String {
    let metadata = &object["metadata"];
    let generated = || metadata["generateName"].as_str().map(|prefix| format!("{prefix}…"));
    let given = metadata["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    given
        .or_else(|| request.name.as_deref().map(str::to_owned))
        .or_else(generated)
        .unwrap_or_default()
}

/// What the deletion of a Pki takes from Pods that run.
fn of_deletion(request: &Request<'_>, old: &Value, snapshot: &Snapshot) -> Vec<String> {
    let name = name_of(request, old);
    let namespace = request.namespace.as_deref().unwrap_or_default();
    let secret = old["spec"]["secretName"].as_str().unwrap_or(&name);
    let uid = old["metadata"]["uid"].as_str();
    let holds =
        snapshot.secret(namespace, secret).is_some_and(|known| known.pki_uid.as_deref() == uid);
    let pods: Vec<&str> = snapshot.readers(namespace, secret).map(|(pod, _)| pod).collect();
    if pods.is_empty() || !holds {
        return Vec::new();
    }
    let mut named = pods[..pods.len().min(NAMED_PODS)].join(", ");
    if pods.len() > NAMED_PODS {
        named.push_str(&format!(" and {} more", pods.len() - NAMED_PODS));
    }
    let line = format!(
        "Secret {secret} goes with Pki {name}, and {} {} it: {named}. No new Pod that mounts it can start",
        pods.len(),
        if pods.len() == 1 { "Pod mounts" } else { "Pods mount" },
    );
    warning_headers(std::iter::once(line), "kubectl get pods")
}

#[cfg(test)]
#[path = "pki_tests.rs"]
mod tests;
