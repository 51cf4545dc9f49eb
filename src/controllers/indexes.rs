//! What of each watched kind goes into the snapshot, and whom a change of it concerns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;

use crate::api::names::GROUP;
use crate::api::pki_policy::CaIssuer;
use crate::api::{Pki, PkiPolicy};
use crate::policy::Snapshot;
use crate::policy::mounts::secrets_of;
use crate::policy::pki::{PkiRules, Signer};
use crate::policy::snapshot::{Key, KnownPki, KnownPod, KnownPolicy, KnownSecret};

use super::cache::{Concerned, Gone};
use super::watches::Indexed;

/// The labels of namespaces, by which policies select them.
pub(super) struct Namespaces;

impl Indexed for Namespaces {
    type Object = Namespace;
    const KIND: usize = 0;

    fn apply(snapshot: &mut Snapshot, object: &Namespace) -> Concerned {
        let (name, labels) = (object.name_any(), object.labels().clone());
        let before = snapshot.namespaces.insert(name.clone(), labels.clone());
        if before == Some(labels) {
            return Concerned::default();
        }
        Concerned { pkis: pkis_of(snapshot, &name), ..Concerned::default() }
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
        };
        let of_namespace = snapshot.pkis.entry(key.namespace.clone()).or_default();
        let before = of_namespace.insert(key.name.clone(), known.clone());
        if before.as_ref() == Some(&known) {
            return Concerned::default();
        }
        // Itself among them: its own reconciliation may have come before this.
        let mut pkis = claimants(snapshot, &key.namespace, &known.secret_name);
        let mut gone = Vec::new();
        if let Some(before) = before {
            pkis.extend(claimants(snapshot, &key.namespace, &before.secret_name));
            gone.extend(untold(snapshot, &key, &before, before.uid != known.uid));
        }
        Concerned { pkis, gone, ..Concerned::default() }
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
            pkis: claimants(snapshot, &key.namespace, &known.secret_name),
            gone: untold(snapshot, key, &known, true),
            ..Concerned::default()
        }
    }

    fn keys(snapshot: &Snapshot) -> Vec<Key> {
        all_pkis(snapshot)
    }
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
        if before == Some(known) {
            return Concerned::default();
        }
        of_secret(snapshot, &key)
    }

    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned {
        if let Some(of_namespace) = snapshot.secrets.get_mut(&key.namespace) {
            of_namespace.remove(&key.name);
            if of_namespace.is_empty() {
                snapshot.secrets.remove(&key.namespace);
            }
        }
        of_secret(snapshot, key)
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
    Concerned { pkis, policies, gone: Vec::new() }
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
                secrets_of(spec).into_iter().map(str::to_owned).collect()
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
