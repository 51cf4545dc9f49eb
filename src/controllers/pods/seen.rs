//! What a stored object is, before it is judged.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::DynamicObject;
use serde_json::Value;

use crate::policy::pod::Workload;
use crate::policy::pod::judge::MIRROR_ANNOTATION;

/// An object's uid.
pub(super) type Uid = Arc<str>;

/// What an object is.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) uid: Uid,
    pub(super) workload: Workload,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Its version, by which an older look gives way to a newer one
    /// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>).
    pub(super) version: u64,
    pub(super) generation: Option<i64>,
    /// The workload that controls it.
    pub(super) owner: Option<Owner>,
    /// Whether it is judged by itself. What a workload made of its own template is not.
    pub(super) is_judged: bool,
    /// Whether it is not ready yet, or not wholly.
    pub(super) waits: bool,
    /// All of it that a judgement is made from, in short. Its status is not: that changes without an
    /// admission, and says nothing of what its owner wrote.
    pub(super) print: u64,
}

/// A workload that controls an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) workload: Workload,
    pub(super) uid: Uid,
}

impl Seen {
    /// What an object is; none of one that is nobody's concern: it is about to go, has ended, or is
    /// a node's own.
    pub(super) fn of(object: &DynamicObject, workload: Workload) -> Option<Self> {
        let DynamicObject { metadata, data, .. } = object;
        let annotations = metadata.annotations.as_ref();
        let is_mirror = annotations.is_some_and(|known| known.contains_key(MIRROR_ANNOTATION));
        if metadata.deletion_timestamp.is_some() || is_mirror || has_ended(data, workload) {
            return None;
        }
        let owner = controller(metadata);
        let version = metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        Some(Self {
            uid: metadata.uid.as_deref()?.into(),
            workload,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            version: version.unwrap_or_default(),
            generation: metadata.generation,
            is_judged: workload == Workload::Pod || owner.is_none(),
            owner,
            waits: waits(data, workload),
            print: print(metadata, data),
        })
    }
}

/// The workload that controls an object.
pub(super) fn controller(metadata: &ObjectMeta) -> Option<Owner> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let controls = |owner: &&OwnerReference| owner.controller == Some(true);
    owners.iter().filter(controls).find_map(|owner| {
        let workload = Workload::of_kind(&owner.api_version, &owner.kind)?;
        Some(Owner { workload, uid: owner.uid.as_str().into() })
    })
}

fn has_ended(data: &Value, workload: Workload) -> bool {
    let phase = data.pointer("/status/phase").and_then(Value::as_str);
    workload == Workload::Pod && matches!(phase, Some("Succeeded" | "Failed"))
}

fn waits(data: &Value, workload: Workload) -> bool {
    let number = |path| data.pointer(path).and_then(Value::as_i64);
    let ready = number("/status/readyReplicas").unwrap_or_default();
    match workload {
        Workload::Pod => {
            let conditions = data.pointer("/status/conditions").and_then(Value::as_array);
            let is_ready = |condition: &Value| {
                condition["type"].as_str() == Some("Ready")
                    && condition["status"].as_str() == Some("True")
            };
            !conditions.is_some_and(|conditions| conditions.iter().any(is_ready))
        }
        Workload::Deployment
        | Workload::StatefulSet
        | Workload::ReplicaSet
        | Workload::ReplicationController => number("/spec/replicas").unwrap_or(1) > ready,
        Workload::DaemonSet => {
            number("/status/desiredNumberScheduled") > number("/status/numberReady")
        }
        Workload::Job | Workload::CronJob => false,
    }
}

fn print(metadata: &ObjectMeta, data: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    let read = ObjectMeta { resource_version: None, managed_fields: None, ..metadata.clone() };
    serde_json::to_string(&read).unwrap_or_default().hash(&mut hasher);
    for (key, value) in data.as_object().into_iter().flatten().filter(|(key, _)| *key != "status") {
        (key, value).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn pod(status: Value) -> DynamicObject {
        object(json!({
            "metadata": {"name": "app1-0", "namespace": "shop", "uid": "u1", "resourceVersion": "7"},
            "spec": {"containers": [], "aFieldOfTomorrow": 1}, "status": status,
        }))
    }

    #[test]
    fn a_status_is_not_judged_and_every_other_field_is() {
        let print = |object: &DynamicObject| Seen::of(object, Workload::Pod).unwrap().print;
        let first = print(&pod(json!({"phase": "Pending"})));
        assert_eq!(first, print(&pod(json!({"phase": "Running"}))));
        let mut moved = pod(json!({}));
        moved.metadata.resource_version = Some("8".into());
        assert_eq!(first, print(&moved));
        moved.data["spec"]["aFieldOfTomorrow"] = json!(2);
        assert_ne!(first, print(&moved));
    }

    #[test]
    fn what_has_ended_or_goes_or_is_a_nodes_own_is_nobodys_concern() {
        for phase in ["Succeeded", "Failed"] {
            assert!(Seen::of(&pod(json!({"phase": phase})), Workload::Pod).is_none());
        }
        let mut going = pod(json!({}));
        going.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert!(Seen::of(&going, Workload::Pod).is_none());
        let mut mirror = pod(json!({}));
        mirror.metadata.annotations = Some([(MIRROR_ANNOTATION.into(), "x".into())].into());
        assert!(Seen::of(&mirror, Workload::Pod).is_none());
    }

    #[test]
    fn a_pod_waits_until_it_is_ready_and_a_workload_until_all_of_its_pods_are() {
        let ready = |status| json!({"conditions": [{"type": "Ready", "status": status}]});
        let waits = |object: DynamicObject, workload| Seen::of(&object, workload).unwrap().waits;
        assert!(waits(pod(json!({})), Workload::Pod));
        assert!(waits(pod(ready("False")), Workload::Pod));
        assert!(!waits(pod(ready("True")), Workload::Pod));
        let of = |spec, status| {
            object(json!({"metadata": {"uid": "u"}, "spec": spec, "status": status}))
        };
        assert!(waits(of(json!({}), json!({})), Workload::Deployment));
        assert!(!waits(
            of(json!({"replicas": 2}), json!({"readyReplicas": 2})),
            Workload::Deployment
        ));
        assert!(!waits(of(json!({"replicas": 0}), json!({})), Workload::StatefulSet));
        assert!(!waits(of(json!({}), json!({})), Workload::DaemonSet));
    }

    #[test]
    fn what_a_workload_made_is_not_judged_by_itself_but_a_pod_is() {
        let owned = |api_version: &str, kind: &str| {
            object(json!({"metadata": {"uid": "u", "ownerReferences": [
                {"apiVersion": "v1", "kind": "Pod", "name": "no", "uid": "no"},
                {"apiVersion": api_version, "kind": kind, "name": "x", "uid": "o", "controller": true},
            ]}}))
        };
        let made = Seen::of(&owned("apps/v1", "Deployment"), Workload::ReplicaSet).unwrap();
        assert!(!made.is_judged);
        assert_eq!(made.owner, Some(Owner { workload: Workload::Deployment, uid: "o".into() }));
        let others = Seen::of(&owned("argoproj.io/v1", "Rollout"), Workload::ReplicaSet).unwrap();
        assert!(others.is_judged && others.owner.is_none());
        assert!(Seen::of(&owned("apps/v1", "ReplicaSet"), Workload::Pod).unwrap().is_judged);
    }
}
