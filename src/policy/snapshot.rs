//! What is known of the cluster, in memory: all that a decision is made from.
//!
//! The controllers' watches keep it; admission reads it. It holds only what decisions need, so
//! that a large cluster costs little: of a Pod the names of the Secrets that it reads, of a Secret
//! who owns it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::PkiSpec;
use crate::api::names::SYSTEM_NAMESPACES;
use crate::cel::Json;

use super::pki::PkiRules;
use super::pod::PodRules;

/// A namespaced object's place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of a namespace and a name.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What is known of a namespace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownNamespace {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The namespace as expressions see it.
    pub object: Json<'static>,
}

/// What is known of a Pki.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPki {
    /// Its uid.
    pub uid: String,
    /// When it was made; of two that claim one Secret, the elder has it.
    pub created: Option<Timestamp>,
    /// The Secret that it claims.
    pub secret_name: String,
    /// What it asks for.
    pub spec: Arc<PkiSpec>,
    /// Whether a certificate has ever been issued for it.
    pub issued: bool,
    /// Why it has no certificate for its present spec, as far as its controller has said.
    pub trouble: Option<Trouble>,
}

/// Why a Pki has no certificate, as its condition has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// One word in CamelCase.
    pub reason: String,
    /// What its owner reads.
    pub message: String,
}

/// What is known of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSecret {
    /// The uid of the Pki that owns it, if a Pki does.
    pub pki_uid: Option<String>,
    /// Its version: a change of it is a change of the Secret.
    pub resource_version: String,
}

/// What is known of a Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPod {
    /// Its uid.
    pub uid: String,
    /// The Secrets that it reads.
    pub secrets: Vec<String>,
}

/// What is known of a PkiPolicy.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPolicy {
    /// Its uid.
    pub uid: String,
    /// What it allows; none where it does not compile, and is not in effect.
    pub rules: Option<Arc<PkiRules>>,
}

/// What is known of a PodPolicy.
#[derive(Debug, Clone)]
pub struct KnownPodPolicy {
    /// Its uid.
    pub uid: String,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// Whether Kubernetes itself would not take its expressions.
    pub is_refused: bool,
    /// What it adds and asks for; none where it is not in effect.
    pub rules: Option<Arc<PodRules>>,
}

/// All that is known of the cluster.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Portreeve's own namespace, where the Secrets of the authorities lie.
    pub own_namespace: String,
    /// The namespaces.
    pub namespaces: HashMap<String, KnownNamespace>,
    /// The policies of Pkis, in the order of their names.
    pub pki_policies: BTreeMap<String, KnownPolicy>,
    /// The policies of Pods, in the order of their names.
    pub pod_policies: BTreeMap<String, KnownPodPolicy>,
    /// The Pkis, by namespace and name.
    pub pkis: HashMap<String, BTreeMap<String, KnownPki>>,
    /// The Secrets, by namespace and name.
    pub secrets: HashMap<String, HashMap<String, KnownSecret>>,
    /// The Pods that read a Secret and have not ended, by namespace and name.
    pub pods: HashMap<String, BTreeMap<String, KnownPod>>,
}

impl Snapshot {
    /// The policies that are in effect, in the order of their names.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<PkiRules>> {
        self.pki_policies.values().filter_map(|policy| policy.rules.as_ref())
    }

    /// The policies that select a namespace, in the order of their names. A namespace so new that
    /// its labels are not known yet is selected by its name alone.
    pub fn policies_for<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<PkiRules>> + 'a {
        let labels = self.labels(namespace);
        self.rules().filter(move |rules| rules.selects(namespace, labels))
    }

    /// The labels of a namespace, where they are known.
    pub fn labels(&self, namespace: &str) -> Option<&BTreeMap<String, String>> {
        self.namespaces.get(namespace).map(|known| &known.labels)
    }

    /// Whether no Pod of a namespace is anybody's concern here: it is one of the cluster's own, or
    /// Portreeve's.
    pub fn is_exempt(&self, namespace: &str) -> bool {
        namespace == self.own_namespace || SYSTEM_NAMESPACES.contains(&namespace)
    }

    /// The policies that are in effect and about the Pods of a namespace, in the order of their
    /// names. None is about those of the cluster's own namespaces and of Portreeve's.
    pub fn pod_rules_for<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<PodRules>> + 'a {
        let labels = self.labels(namespace);
        let known = if self.is_exempt(namespace) { None } else { Some(self.pod_policies.values()) };
        let rules = known.into_iter().flatten().filter_map(|policy| policy.rules.as_ref());
        rules.filter(move |rules| rules.selects_namespace(namespace, labels))
    }

    /// The Pkis of a namespace that claim a Secret.
    pub fn claimants<'a>(
        &'a self,
        namespace: &str,
        secret: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a KnownPki)> + 'a {
        self.pkis
            .get(namespace)
            .into_iter()
            .flatten()
            .filter(move |(_, pki)| pki.secret_name == secret)
            .map(|(name, pki)| (name.as_str(), pki))
    }

    /// A Pki.
    pub fn pki(&self, namespace: &str, name: &str) -> Option<&KnownPki> {
        self.pkis.get(namespace)?.get(name)
    }

    /// A Secret.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&KnownSecret> {
        self.secrets.get(namespace)?.get(name)
    }

    /// The Pods of a namespace that read a Secret.
    pub fn readers<'a>(
        &'a self,
        namespace: &str,
        secret: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a KnownPod)> + 'a {
        self.pods
            .get(namespace)
            .into_iter()
            .flatten()
            .filter(move |(_, pod)| pod.secrets.iter().any(|name| name == secret))
            .map(|(name, pod)| (name.as_str(), pod))
    }
}
