//! What of each watched kind goes into the snapshot, and whom a change of it concerns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use serde_json::json;

use crate::api::condition::{READY, find};
use crate::api::names::GROUP;
use crate::api::pki_policy::CaIssuer;
use crate::api::pod_policy::REFUSED_BY_KUBERNETES;
use crate::api::{Pki, PkiPolicy, PodPolicy};
use crate::cel::{Json, seen_namespace};
use crate::policy::Snapshot;
use crate::policy::mounts::secrets_in;
use crate::policy::pki::{PkiRules, Signer};
use crate::policy::pod::PodRules;
use crate::policy::snapshot::{
    Key, KnownNamespace, KnownPki, KnownPod, KnownPodPolicy, KnownPolicy, KnownSecret, Trouble,
};

use super::cache::{Concerned, Gone, PodsConcerned};
use super::watches::Indexed;

/// The labels of namespaces, by which policies select them.
pub(super) struct Namespaces;

impl Indexed for Namespaces {
    type Object = Namespace;
    const KIND: usize = 0;

    fn apply(snapshot: &mut Snapshot, object: &Namespace) -> Concerned {
        let (name, labels) = (object.name_any(), object.labels().clone());
        let whole = serde_json::to_value(object).unwrap_or_default();
        let known =
            KnownNamespace { labels, object: seen_namespace(&Json::from(&whole)).into_owned() };
        let before = snapshot.namespaces.insert(name.clone(), known);
        if before.map(|before| before.labels).as_ref() == snapshot.labels(&name) {
            return Concerned::default();
        }
        Concerned {
            pkis: pkis_of(snapshot, &name),
            pods: vec![PodsConcerned::OfNamespace(name)],
            ..Concerned::default()
        }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        snapshot.namespaces.remove(&key.name);
        Concerned::default()
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        snapshot.namespaces.keys().map(|name| Key::new("", name)).collect()
    }
}

/// The policies. Of one that does not compile, the policy controller tells.
pub(super) struct PkiPolicies;

impl Indexed for PkiPolicies {
    type Object = PkiPolicy;
    const KIND: usize = 1;

    fn apply(snapshot: &mut Snapshot, object: &PkiPolicy) -> Concerned {
        let rules = PkiRules::compile(object).ok().map(Arc::new);
        let known = KnownPolicy { uid: object.uid().unwrap_or_default(), rules };
        let before = snapshot.pki_policies.insert(object.name_any(), known.clone());
        if before.as_ref() == Some(&known) {
            return Concerned::default();
        }
        let gone = before.filter(|before| before.uid != known.uid);
        let gone = gone.map(|before| Gone::Object(before.uid)).into_iter().collect();
        Concerned { pkis: all_pkis(snapshot), gone, ..Concerned::default() }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        let removed = snapshot.pki_policies.remove(&key.name);
        let gone = removed.map(|policy| Gone::Object(policy.uid)).into_iter().collect();
        Concerned { pkis: all_pkis(snapshot), gone, ..Concerned::default() }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        snapshot.pki_policies.keys().map(|name| Key::new("", name)).collect()
    }
}

/// Which Secret each Pki claims.
pub(super) struct Pkis;

impl Indexed for Pkis {
    type Object = Pki;
    const KIND: usize = 2;

    fn apply(snapshot: &mut Snapshot, object: &Pki) -> Concerned {
        let key = Key::new(object.namespace().unwrap_or_default(), object.name_any());
        let known = KnownPki {
            uid: object.uid().unwrap_or_default(),
            created: object.creation_timestamp().map(|time| time.0),
            secret_name: object.secret_name(),
            spec: Arc::new(object.spec.clone()),
            issued: object.is_issued(),
            trouble: trouble(object),
        };
        let of_namespace = snapshot.pkis.entry(key.namespace.clone()).or_default();
        let before = of_namespace.insert(key.name.clone(), known.clone());
        if before.as_ref() == Some(&known) {
            return Concerned::default();
        }
        let mut pods = of_pki(&key, &known);
        // What it asks for, and how it fares, is its own reconciler's to see.
        let claim = |pki: &KnownPki| (pki.uid.clone(), pki.created, pki.secret_name.clone());
        if before.as_ref().map(claim) == Some(claim(&known)) {
            return Concerned { pods, ..Concerned::default() };
        }
        // Itself among them: its own reconciliation may have come before this.
        let mut pkis = claimants(snapshot, &key.namespace, &known.secret_name);
        let mut gone = Vec::new();
        if let Some(before) = before {
            pkis.extend(claimants(snapshot, &key.namespace, &before.secret_name));
            gone.extend(untold(snapshot, &key, &before, before.uid != known.uid));
            pods.extend(of_pki(&key, &before));
        }
        Concerned { pods, pkis, gone, ..Concerned::default() }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        let Some(of_namespace) = snapshot.pkis.get_mut(&key.namespace) else {
            return Concerned::default();
        };
        let Some(known) = of_namespace.remove(&key.name) else { return Concerned::default() };
        if of_namespace.is_empty() {
            snapshot.pkis.remove(&key.namespace);
        }
        Concerned {
            pods: of_pki(key, &known),
            pkis: claimants(snapshot, &key.namespace, &known.secret_name),
            gone: untold(snapshot, key, &known, true),
            ..Concerned::default()
        }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        all_pkis(snapshot)
    }
}

/// The Pods and workloads that a Pki concerns.
fn of_pki(key: &Key, known: &KnownPki) -> Vec<PodsConcerned> {
    let secret = Key::new(&key.namespace, &known.secret_name);
    vec![PodsConcerned::AskersFor(key.clone()), PodsConcerned::ReadersOf(secret)]
}

/// Why a Pki has no certificate for its present spec, if its controller has looked at that.
fn trouble(pki: &Pki) -> Option<Trouble> {
    let ready = find(&pki.status.as_ref()?.conditions, READY)?;
    let is_current = ready.observed_generation == pki.metadata.generation;
    (is_current && ready.status == "False")
        .then(|| Trouble { reason: ready.reason.clone(), message: ready.message.clone() })
}

/// What a Pki that is gone, or that has another Secret now, no longer has to say.
fn untold(snapshot: &Snapshot, key: &Key, before: &KnownPki, is_gone: bool) -> Vec<Gone> {
    let readers = snapshot.readers(&key.namespace, &before.secret_name);
    let scopes = readers.map(|(_, pod)| Gone::Scope(pod.uid.clone(), key.name.clone()));
    scopes.chain(is_gone.then(|| Gone::Object(before.uid.clone()))).collect()
}

/// Who owns each Secret; nothing of what is in it.
pub(super) struct Secrets;

impl Indexed for Secrets {
    type Object = PartialObjectMeta<Secret>;
    const KIND: usize = 3;

    fn apply(snapshot: &mut Snapshot, object: &Self::Object) -> Concerned {
        let key = Key::new(object.namespace().unwrap_or_default(), object.name_any());
        let known = KnownSecret {
            pki_uid: owning_pki(&object.metadata).map(str::to_owned),
            resource_version: object.resource_version().unwrap_or_default(),
        };
        let of_namespace = snapshot.secrets.entry(key.namespace.clone()).or_default();
        let before = of_namespace.insert(key.name.clone(), known.clone());
        if before.as_ref() == Some(&known) {
            return Concerned::default();
        }
        let owner = |secret: KnownSecret| secret.pki_uid;
        let pods = readers(snapshot, &key, before.map(owner), Some(known.pki_uid));
        Concerned { pods, ..of_secret(snapshot, &key) }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        let Some(of_namespace) = snapshot.secrets.get_mut(&key.namespace) else {
            return Concerned::default();
        };
        let removed = of_namespace.remove(&key.name);
        if of_namespace.is_empty() {
            snapshot.secrets.remove(&key.namespace);
        }
        let pods = readers(snapshot, key, removed.map(|secret| secret.pki_uid), None);
        Concerned { pods, ..of_secret(snapshot, key) }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        let of_namespace = |(namespace, names): (&String, _)| {
            let names: &HashMap<String, KnownSecret> = names;
            names.keys().map(|name| Key::new(namespace, name)).collect::<Vec<_>>()
        };
        snapshot.secrets.iter().flat_map(of_namespace).collect()
    }
}

/// The uid of the Pki that controls an object.
pub(super) fn owning_pki(metadata: &ObjectMeta) -> Option<&str> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let is_pki = |api_version: &str| api_version.split('/').next() == Some(GROUP);
    owners
        .iter()
        .find(|owner| {
            owner.controller == Some(true) && owner.kind == "Pki" && is_pki(&owner.api_version)
        })
        .map(|owner| owner.uid.as_str())
}

/// Those that read a Secret, where a Pki is or was concerned with it and its owner has changed.
fn readers(
    snapshot: &Snapshot,
    key: &Key,
    before: Option<Option<String>>,
    now: Option<Option<String>>,
) -> Vec<PodsConcerned> {
    let is_of_pki = [&before, &now].into_iter().any(|owner| matches!(owner, Some(Some(_))))
        || snapshot.claimants(&key.namespace, &key.name).next().is_some();
    if before == now || !is_of_pki {
        return Vec::new();
    }
    vec![PodsConcerned::ReadersOf(key.clone())]
}

/// A Secret concerns those that claim it. It may also be an authority, which concerns its policies
/// and whoever is issued by them.
fn of_secret(snapshot: &Snapshot, key: &Key) -> Concerned {
    let policies: Vec<String> = snapshot
        .rules()
        .filter(|rules| {
            let is_its = |ca: &CaIssuer| ca.secret_name == key.name;
            key.namespace == snapshot.own_namespace
                && matches!(&rules.signer, Signer::Ca(ca) if is_its(ca))
        })
        .map(|rules| rules.name.clone())
        .collect();
    let pkis = if policies.is_empty() {
        claimants(snapshot, &key.namespace, &key.name)
    } else {
        all_pkis(snapshot)
    };
    Concerned { pkis, policies, ..Concerned::default() }
}

/// Which Secrets each Pod reads.
pub(super) struct Pods;

impl Indexed for Pods {
    type Object = Pod;
    const KIND: usize = 4;

    fn apply(snapshot: &mut Snapshot, object: &Pod) -> Concerned {
        let key = Key::new(object.namespace().unwrap_or_default(), object.name_any());
        let phase = object.status.as_ref().and_then(|status| status.phase.as_deref());
        let secrets: Vec<String> = match &object.spec {
            // A Pod that has ended reads nothing any more.
            Some(spec) if !matches!(phase, Some("Succeeded" | "Failed")) => {
                let pod = Json::from(&json!({"spec": spec}));
                secrets_in(&pod).into_iter().map(|(name, _)| name.to_owned()).collect()
            }
            _ => Vec::new(),
        };
        if secrets.is_empty() {
            return Self::remove(snapshot, &key);
        }
        let known = KnownPod { uid: object.uid().unwrap_or_default(), secrets };
        let of_namespace = snapshot.pods.entry(key.namespace.clone()).or_default();
        let before = of_namespace.insert(key.name, known.clone());
        if before.as_ref() == Some(&known) {
            return Concerned::default();
        }
        let claim = |secret: &String| claimants(snapshot, &key.namespace, secret);
        let mut gone = Vec::new();
        if let Some(before) = before.filter(|before| before.uid != known.uid) {
            gone.push(Gone::Object(before.uid));
        }
        Concerned {
            pkis: known.secrets.iter().flat_map(claim).collect(),
            gone,
            ..Concerned::default()
        }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        let Some(of_namespace) = snapshot.pods.get_mut(&key.namespace) else {
            return Concerned::default();
        };
        let removed = of_namespace.remove(&key.name);
        if of_namespace.is_empty() {
            snapshot.pods.remove(&key.namespace);
        }
        let gone = removed.map(|pod| Gone::Object(pod.uid)).into_iter().collect();
        Concerned { gone, ..Concerned::default() }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        keys(&snapshot.pods)
    }
}

/// What is added to Pods and asked of them. Of a policy that is not in effect, the policy
/// controller tells.
pub(super) struct PodPolicies;

impl Indexed for PodPolicies {
    type Object = PodPolicy;
    const KIND: usize = 5;

    fn apply(snapshot: &mut Snapshot, object: &PodPolicy) -> Concerned {
        let uid = object.uid().unwrap_or_default();
        let refused = is_refused(object);
        let before = snapshot.pod_policies.get(&object.name_any());
        // Its status changes often, and is compiled by nobody.
        let is_same = |known: &KnownPodPolicy| {
            known.uid == uid
                && known.generation == object.metadata.generation
                && known.is_refused == refused
        };
        if before.is_some_and(is_same) {
            return Concerned::default();
        }
        let rules = if refused { None } else { PodRules::compile(object).ok().map(Arc::new) };
        let known = KnownPodPolicy {
            uid,
            generation: object.metadata.generation,
            is_refused: refused,
            rules,
        };
        let before = snapshot.pod_policies.insert(object.name_any(), known.clone());
        let gone = before.filter(|before| before.uid != known.uid);
        let gone = gone.map(|before| Gone::Object(before.uid)).into_iter().collect();
        Concerned { pods: vec![PodsConcerned::All], gone, ..Concerned::default() }
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        let removed = snapshot.pod_policies.remove(&key.name);
        let gone = removed.map(|policy| Gone::Object(policy.uid)).into_iter().collect();
        Concerned { pods: vec![PodsConcerned::All], gone, ..Concerned::default() }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        snapshot.pod_policies.keys().map(|name| Key::new("", name)).collect()
    }
}

/// Whether Kubernetes itself would not take the expressions as they stand: the policy controller has
/// asked it.
fn is_refused(policy: &PodPolicy) -> bool {
    let conditions = policy.status.as_ref().map(|status| status.conditions.as_slice());
    find(conditions.unwrap_or_default(), READY).is_some_and(|ready| {
        ready.reason == REFUSED_BY_KUBERNETES
            && ready.observed_generation == policy.metadata.generation
    })
}

fn keys<T>(by_namespace: &HashMap<String, BTreeMap<String, T>>) -> Vec<Key> {
    by_namespace
        .iter()
        .flat_map(|(namespace, names)| names.keys().map(move |name| Key::new(namespace, name)))
        .collect()
}

fn all_pkis(snapshot: &Snapshot) -> Vec<Key> {
    keys(&snapshot.pkis)
}

fn pkis_of(snapshot: &Snapshot, namespace: &str) -> Vec<Key> {
    let pkis = snapshot.pkis.get(namespace).into_iter().flatten();
    pkis.map(|(name, _)| Key::new(namespace, name)).collect()
}

fn claimants(snapshot: &Snapshot, namespace: &str, secret: &str) -> Vec<Key> {
    snapshot.claimants(namespace, secret).map(|(name, _)| Key::new(namespace, name)).collect()
}
