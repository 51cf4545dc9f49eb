//! What is to be done: which objects are to be judged again, and which are to be written to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::api::Finding;
use crate::api::finding::annotation;
use crate::controllers::cache::PodsConcerned;
use crate::controllers::pods::judged::{pki, secret};
use crate::policy::pod::Workload;

use super::{Tally, Uid};

/// How many namespaces of a kind are listed one by one before all are listed at once.
const FEW_NAMESPACES: usize = 16;

/// Findings to be written onto an object.
#[derive(Debug)]
pub(in crate::controllers::pods) struct Keeping {
    pub(in crate::controllers::pods) uid: Uid,
    pub(in crate::controllers::pods) workload: Workload,
    pub(in crate::controllers::pods) namespace: Arc<str>,
    pub(in crate::controllers::pods) name: String,
    pub(in crate::controllers::pods) findings: Vec<Finding>,
    truth: u64,
}

impl Tally {
    /// How many objects are to be judged.
    pub(in crate::controllers::pods) fn to_judge(&self) -> usize {
        self.stale.len()
    }

    /// What objects are judged by has changed: those whom it concerns are to be judged again.
    pub(in crate::controllers::pods) fn mark(&mut self, concerned: &HashSet<PodsConcerned>) {
        self.clock += 1;
        let mut namespaces: HashSet<&str> = HashSet::new();
        let mut reads: HashMap<&str, HashSet<u64>> = HashMap::new();
        let mut all = false;
        for concerned in concerned {
            match concerned {
                PodsConcerned::All => all = true,
                PodsConcerned::OfNamespace(name) => drop(namespaces.insert(name)),
                PodsConcerned::ReadersOf(key) => {
                    reads.entry(&key.namespace).or_default().insert(secret(&key.name));
                }
                PodsConcerned::AskersFor(key) => {
                    reads.entry(&key.namespace).or_default().insert(pki(&key.name));
                }
            }
        }
        for (uid, entry) in &mut self.objects {
            let namespace = &*entry.namespace;
            let is_reader = || {
                let reads = reads.get(namespace);
                reads.is_some_and(|reads| entry.reads.iter().any(|read| reads.contains(read)))
            };
            if entry.is_judged && (all || namespaces.contains(namespace) || is_reader()) {
                entry.marked = self.clock;
                self.stale.insert(uid.clone());
            }
        }
    }

    /// Where the objects are that are to be judged: kinds, and a namespace or all of them.
    pub(in crate::controllers::pods) fn stale_places(&self) -> Vec<(Workload, Option<Arc<str>>)> {
        let mut places: BTreeMap<Workload, BTreeSet<&Arc<str>>> = BTreeMap::new();
        for entry in self.stale.iter().filter_map(|uid| self.objects.get(uid)) {
            places.entry(entry.workload).or_default().insert(&entry.namespace);
        }
        let of_kind = |(workload, namespaces): (Workload, BTreeSet<&Arc<str>>)| {
            let listed: Vec<Option<Arc<str>>> = if namespaces.len() > FEW_NAMESPACES {
                vec![None]
            } else {
                namespaces.into_iter().cloned().map(Some).collect()
            };
            listed.into_iter().map(move |namespace| (workload, namespace))
        };
        places.into_iter().flat_map(of_kind).collect()
    }

    /// Whether an object is to be judged.
    pub(in crate::controllers::pods) fn is_stale(&self, uid: &str) -> bool {
        self.stale.contains(uid)
    }

    /// The next object that does not carry its findings. Each version of the truth is written once:
    /// whoever else insists on something there wins.
    pub(in crate::controllers::pods) fn next_keeping(&mut self) -> Option<Keeping> {
        loop {
            let uid = self.untrue.iter().next()?.clone();
            self.untrue.remove(&uid);
            let Some(entry) = self.objects.get(&uid) else { continue };
            let standing = entry.findings.iter();
            let findings: Vec<Finding> =
                standing.map(|standing| standing.finding.clone()).collect();
            let mut hasher = DefaultHasher::new();
            (entry.generation, annotation(&findings)).hash(&mut hasher);
            let truth = hasher.finish();
            if entry.written == Some(truth) {
                continue;
            }
            return Some(Keeping {
                workload: entry.workload,
                namespace: entry.namespace.clone(),
                name: entry.name.to_string(),
                uid,
                findings,
                truth,
            });
        }
    }

    /// They have been written.
    pub(in crate::controllers::pods) fn kept(&mut self, keeping: &Keeping) {
        if let Some(entry) = self.objects.get_mut(&keeping.uid) {
            entry.written = Some(keeping.truth);
        }
    }

    /// They could not be written, and are to be tried again.
    pub(in crate::controllers::pods) fn not_kept(&mut self, keeping: &Keeping) {
        if self.objects.contains_key(&keeping.uid) {
            self.untrue.insert(keeping.uid.clone());
        }
    }
}
