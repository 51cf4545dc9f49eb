//! The world that manifests are judged in: what is among them is there already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::names::NAMESPACE_NAME_LABEL;
use crate::cel::{Json, seen_namespace};
use crate::policy::Snapshot;
use crate::policy::pki::structure;
use crate::policy::snapshot::{KnownNamespace, KnownPki};

use super::manifests::{Manifest, Role};
use super::node::Node;

/// Takes a Namespace in, with the label that the API server gives it.
pub(super) fn add_namespace(manifest: &Manifest, snapshot: &mut Snapshot) {
    let name = manifest.name();
    let mut object = manifest.node.value();
    if name.is_empty() {
        return;
    }
    if !object["metadata"]["labels"].is_object() {
        object["metadata"]["labels"] = json!({});
    }
    object["metadata"]["labels"][NAMESPACE_NAME_LABEL] = json!(name);
    let known = namespace(&object);
    snapshot.namespaces.insert(name, known);
}

/// Takes in those of the namespaces of which nothing is known, as having no label but their name,
/// and gives them back.
pub(super) fn add_unknown_namespaces(
    namespaces: impl IntoIterator<Item = String>,
    snapshot: &mut Snapshot,
) -> Vec<String> {
    let mut unknown: Vec<String> = namespaces.into_iter().collect();
    unknown.retain(|name| !snapshot.namespaces.contains_key(name));
    for name in &unknown {
        let labels = json!({NAMESPACE_NAME_LABEL: name});
        let object = json!({"metadata": {"name": name, "labels": labels}});
        snapshot.namespaces.insert(name.clone(), namespace(&object));
    }
    unknown
}

fn namespace(object: &Value) -> KnownNamespace {
    let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
    let labels: BTreeMap<String, String> =
        labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    KnownNamespace { labels, object: seen_namespace(&Json::from(object)).into_owned() }
}

/// Takes in the Pkis, as if they had been applied now, in their order: of two that claim one
/// Secret, the first has it. One that the cluster has already stays what it is, but for what it
/// asks for.
pub(super) fn add_pkis(
    manifests: &[Manifest],
    default_namespace: &str,
    now: Timestamp,
    snapshot: &mut Snapshot,
) {
    let pkis = manifests.iter().filter(|manifest| manifest.role == Role::Pki);
    for (number, manifest) in pkis.enumerate() {
        let namespace = manifest.namespace().unwrap_or(default_namespace);
        let name = manifest.name();
        let asked = manifest.node.get("spec").map(Node::value);
        let spec = structure::read(&name, asked.as_ref()).spec;
        let stored = snapshot.pki(namespace, &name).cloned();
        let order = i64::try_from(number).unwrap_or_default();
        let known = KnownPki {
            uid: stored
                .as_ref()
                .map_or_else(|| format!("manifest-{number}"), |pki| pki.uid.clone()),
            created: match &stored {
                Some(pki) => pki.created,
                None => Timestamp::from_second(now.as_second().saturating_add(order)).ok(),
            },
            secret_name: spec.secret_name.clone().unwrap_or_else(|| name.clone()),
            issued: stored.as_ref().is_some_and(|pki| pki.issued),
            trouble: stored.filter(|pki| *pki.spec == spec).and_then(|pki| pki.trouble),
            spec: Arc::new(spec),
        };
        snapshot.pkis.entry(namespace.to_owned()).or_default().insert(name, known);
    }
}

/// What a namespace's labels would have to be known for: who selects by which.
pub(super) fn labels_asked_for(snapshot: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let mut asked = BTreeMap::<String, BTreeSet<String>>::new();
    for rules in snapshot.pod_policies.values().filter_map(|known| known.rules.as_ref()) {
        let labels = rules.namespace_labels().map(str::to_owned).collect();
        asked.insert(format!("PodPolicy {}", rules.name), labels);
    }
    for rules in snapshot.rules() {
        let labels = rules.namespace_labels().map(str::to_owned).collect();
        asked.insert(format!("PkiPolicy {}", rules.name), labels);
    }
    for labels in asked.values_mut() {
        labels.remove(NAMESPACE_NAME_LABEL);
    }
    asked.retain(|_, labels| !labels.is_empty());
    asked
}
