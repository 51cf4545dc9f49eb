//! The policies that manifests are judged by, of files.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use crate::api::names::{GROUP, VERSION};
use crate::api::{PkiPolicy, PodPolicy};
use crate::policy::Snapshot;
use crate::policy::pki::PkiRules;
use crate::policy::pod::PodRules;
use crate::policy::snapshot::{KnownPodPolicy, KnownPolicy};

use super::fault::{Fault, note};
use super::manifests::{Manifest, Manifests, Role, is_ours};
use super::schema::{self, Mistake};

/// Puts the policies of these files into effect, and says of what else is in them that it is not
/// used. Namespaces are left to be used.
pub(super) fn take_in(manifests: &Manifests, snapshot: &mut Snapshot, faults: &mut Vec<Fault>) {
    let mut known = BTreeMap::new();
    let mut ignored = BTreeMap::<&str, usize>::new();
    for manifest in &manifests.objects {
        match manifest.role {
            Role::PodPolicy | Role::PkiPolicy => {}
            Role::Namespace => continue,
            _ if is_ours(&manifest.api_version) && manifest.kind.ends_with("Policy") => {
                let (version, kind) = (&manifest.api_version, &manifest.kind);
                let message = format!(
                    "apiVersion: there is no {kind} of {version}; there are PodPolicy and \
                     PkiPolicy of {GROUP}/{VERSION}"
                );
                faults.push(fault(manifest, "apiVersion", &message));
                continue;
            }
            _ => {
                *ignored.entry(&manifest.kind).or_default() += 1;
                continue;
            }
        }
        let name = manifest.name();
        if name.is_empty() {
            let message = "metadata.name: is missing, or no text (quotes make it one)";
            faults.push(fault(manifest, "metadata.name", message));
            continue;
        }
        if let Some(first) = known.insert((&manifest.kind, name.clone()), manifest) {
            let (file, line) = (&first.file, first.place_of("").line);
            let message = format!("is in {file}:{line} already, under the same name");
            faults.push(fault(manifest, "metadata.name", &message));
        }
        let done = match manifest.role {
            Role::PodPolicy => pod_policy(manifest, name, snapshot),
            _ => pki_policy(manifest, name, snapshot),
        };
        if let Err(mut mistakes) = done {
            mistakes.sort_by_key(|mistake| manifest.place_of(&mistake.path));
            let told = |Mistake { path, message }| match path.as_str() {
                "" => fault(manifest, "", &format!("can't be read: {message}")),
                path => fault(manifest, path, &format!("{path}: {message}")),
            };
            faults.extend(mistakes.into_iter().map(told));
        }
    }
    if !ignored.is_empty() {
        let count: usize = ignored.values().sum();
        let kinds: Vec<&str> = ignored.into_keys().collect();
        let what = if count == 1 { "object" } else { "objects" };
        note(&format!(
            "among the policies, {count} {what} of other kinds ({}) had no use",
            kinds.join(", ")
        ));
    }
}

fn pod_policy(
    manifest: &Manifest,
    name: String,
    snapshot: &mut Snapshot,
) -> Result<(), Vec<Mistake>> {
    let policy: PodPolicy = typed(manifest.node.value(), &PodPolicy::crd())?;
    let rules = PodRules::compile(&policy).map_err(|faults| {
        let mistake = |fault: crate::policy::pod::PolicyFault| {
            let text = fault.to_string();
            let message =
                text.strip_prefix(&format!("{}: ", fault.path)).unwrap_or(&text).to_owned();
            Mistake { path: fault.path, message }
        };
        faults.into_iter().map(mistake).collect::<Vec<_>>()
    })?;
    for doubt in rules.injection.iter().flat_map(|injection| injection.doubts()) {
        note(&format!("PodPolicy {name}: {doubt}"));
    }
    let rules = Some(Arc::new(rules));
    let known = KnownPodPolicy { uid: String::new(), generation: None, is_refused: false, rules };
    snapshot.pod_policies.insert(name, known);
    Ok(())
}

fn pki_policy(
    manifest: &Manifest,
    name: String,
    snapshot: &mut Snapshot,
) -> Result<(), Vec<Mistake>> {
    let policy: PkiPolicy = typed(manifest.node.value(), &PkiPolicy::crd())?;
    let rules = PkiRules::compile(&policy).map_err(|error| {
        let text = error.to_string();
        let (path, message) = text.split_once(": ").unwrap_or(("spec", &text));
        vec![Mistake { path: path.to_owned(), message: message.to_owned() }]
    })?;
    let known = KnownPolicy { uid: String::new(), rules: Some(Arc::new(rules)) };
    snapshot.pki_policies.insert(name, known);
    Ok(())
}

/// Reads an object as one of its kind.
fn typed<K: serde::de::DeserializeOwned>(
    mut object: Value,
    definition: &CustomResourceDefinition,
) -> Result<K, Vec<Mistake>> {
    let mistakes = schema::mistakes(&object, definition);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    // What the API server keeps of its state has no use here, nor need it be in order.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    serde_json::from_value(object)
        .map_err(|error| vec![Mistake { path: String::new(), message: error.to_string() }])
}

fn fault(manifest: &Manifest, path: &str, message: &str) -> Fault {
    let message = format!("{} {}: {message}", manifest.kind, manifest.name());
    Fault::at(&manifest.file, manifest.place_of(path), message)
}
