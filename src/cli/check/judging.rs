//! What is found of each object, in the words that its owner would read at `apply`.

use serde_json::Value;

use crate::api::finding::Outcome;
use crate::api::names::SYSTEM_NAMESPACES;
use crate::api::{Enforcement, Finding};
use crate::cel::{self, Json};
use crate::policy::Snapshot;
use crate::policy::pki::permission::UNSELECTED;
use crate::policy::pki::{self, structure};
use crate::policy::pod::{Judgement, Stage, Subject, Workload, certificates, judge};

use super::fault::printable;
use super::manifests::{Manifest, Role};
use super::node::Place;

/// A finding, and what it is of.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub file: String,
    pub place: Place,
    pub api_version: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub finding: Finding,
}

impl Told {
    /// The text, in one line. Nothing is stored yet: so it does not say what becomes of the object.
    pub fn text(&self) -> String {
        printable(&self.finding.text(Outcome::Refused).replace('\n', " "))
    }

    /// The object: `Deployment shop/web`.
    pub fn object(&self) -> String {
        printable(&format!("{} {}/{}", self.kind, self.namespace, self.name))
    }

    /// How bad it is, as compilers say it.
    pub fn level(&self) -> &'static str {
        match self.finding.enforcement {
            Enforcement::Deny => "error",
            Enforcement::Warn => "warning",
            Enforcement::Inform => "note",
        }
    }
}

/// What has come of an object.
#[derive(Debug)]
pub(super) enum Judged {
    /// It was judged, and this was found.
    Found(Vec<Told>),
    /// Policies are not about such as this: of the cluster's own namespaces, made by a workload that
    /// is judged itself, or on its way out.
    Exempt,
    /// It is of a kind that no policy is about.
    Other,
}

/// Judges an object.
pub(super) fn judged(manifest: &Manifest, default_namespace: &str, snapshot: &Snapshot) -> Judged {
    let namespace = manifest.namespace().unwrap_or(default_namespace);
    let is_judged = match manifest.role {
        Role::Workload(_) => true,
        Role::Pki => !snapshot.pki_policies.is_empty(),
        _ => false,
    };
    if !is_judged {
        return Judged::Other;
    }
    let object = complete(manifest.node.value(), namespace);
    let is_going = object["metadata"]["deletionTimestamp"].is_string();
    if is_going || SYSTEM_NAMESPACES.contains(&namespace) {
        return Judged::Exempt;
    }
    let findings = match manifest.role {
        Role::Workload(workload) => {
            let object = Json::from(&object);
            if workload != Workload::Pod && Workload::makes(&object) {
                return Judged::Exempt;
            }
            of_workload(manifest, object, workload, namespace, snapshot)
        }
        _ => of_pki(manifest, &object, namespace, snapshot),
    };
    let told = |(place, finding)| Told {
        file: manifest.file.clone(),
        place,
        api_version: manifest.api_version.clone(),
        kind: manifest.kind.clone(),
        namespace: namespace.to_owned(),
        name: manifest.name(),
        finding,
    };
    let mut told: Vec<Told> = findings.into_iter().map(told).collect();
    // Stable: of one place, the worst comes first, as it does of one object.
    told.sort_by_key(|told| told.place);
    Judged::Found(told)
}

/// The object as admission sees it, which has its namespace.
fn complete(mut object: Value, namespace: &str) -> Value {
    let metadata = &mut object["metadata"];
    if metadata.is_null() || metadata.is_object() {
        metadata["namespace"] = namespace.into();
    }
    object
}

fn of_workload(
    manifest: &Manifest,
    object: Json<'_>,
    workload: Workload,
    namespace: &str,
    snapshot: &Snapshot,
) -> Vec<(Place, Finding)> {
    let none = Json::Null;
    let whole = object.clone();
    let subject =
        cel::Subject { object: &whole, old_object: &none, request: &none, namespace_object: &none };
    let subject = subject.complete();
    let Some(pod) = workload.pod_of(object, namespace) else { return Vec::new() };
    let certificate = certificates::injection(&pod, namespace, snapshot);
    let subject = Subject {
        namespace,
        workload,
        pod,
        certificate: certificate.as_ref(),
        old: &none,
        request: subject.inputs().request,
        // What policies add to a Pod is added when it is made.
        stage: if workload == Workload::Pod { Stage::Made } else { Stage::Template },
        carried: None,
    };
    let Judgement { pod, found, .. } = judge(subject, snapshot);
    let findings = found.into_iter().map(|found| found.finding);
    // Where no policy of Pkis is given, nothing can be said of what it would allow.
    let is_known =
        |finding: &Finding| !snapshot.pki_policies.is_empty() || finding.reason != UNSELECTED;
    let placed = |finding: Finding| {
        let place = match finding.field.strip_prefix(workload.prefix()) {
            Some(path) => manifest.place_in_pod(workload, path, &pod),
            None => manifest.place_of(&finding.field),
        };
        (place, finding)
    };
    findings.filter(is_known).map(placed).collect()
}

fn of_pki(
    manifest: &Manifest,
    object: &Value,
    namespace: &str,
    snapshot: &Snapshot,
) -> Vec<(Place, Finding)> {
    let name = manifest.name();
    let reading = structure::read(&name, object.get("spec"));
    let known = snapshot.pki(namespace, &name);
    let subject = pki::Subject {
        namespace,
        name: &name,
        uid: known.map(|known| known.uid.as_str()),
        created: known.and_then(|known| known.created),
        issued: known.is_some_and(|known| known.issued),
        spec: &reading.spec,
    };
    let findings = reading.findings(&subject, snapshot).into_iter();
    findings.map(|finding| (manifest.place_of(&finding.field), finding)).collect()
}
