//! Whose a Pod is: the workload at the top of those that control it, which is told of all its Pods
//! at once. Nothing is told of those between.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::finding::without_indices;
use crate::policy::pod::Workload;

use super::{Entry, Standing, Tally, Uid};

/// How many workloads can stand above one another: a Deployment above a ReplicaSet above a Pod, and
/// some to spare for what nobody makes. What points to itself comes to an end here.
const HIGHEST: usize = 4;

/// What makes findings of a workload and of its Pods one fault: who says so, what, and of what
/// value where. Positions in lists don't count, for something may have been put before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::controllers::pods) struct Fault<'t> {
    pub(in crate::controllers::pods) policy: &'t str,
    pub(in crate::controllers::pods) rule: &'t str,
    pub(in crate::controllers::pods) reason: &'t str,
    pub(in crate::controllers::pods) path: String,
    pub(in crate::controllers::pods) value: &'t str,
}

/// Where a fault stands.
#[derive(Debug)]
pub(in crate::controllers::pods) struct Place<'t> {
    /// The finding that is told: the template's own, or else that of one of the Pods.
    pub(in crate::controllers::pods) standing: &'t Standing,
    /// Whether the template has it.
    pub(in crate::controllers::pods) is_own: bool,
    /// How many Pods have it.
    pub(in crate::controllers::pods) pods: usize,
}

/// All that is wrong with a workload and its Pods.
#[derive(Debug, Default)]
pub(in crate::controllers::pods) struct Union<'t> {
    pub(in crate::controllers::pods) faults: BTreeMap<Fault<'t>, Place<'t>>,
    /// Whether any of its Pods waits, or it waits for Pods.
    pub(in crate::controllers::pods) waits: bool,
}

impl<'t> Fault<'t> {
    fn of(standing: &'t Standing, workload: Workload) -> Self {
        let finding = &standing.finding;
        let field = finding.field.strip_prefix(workload.prefix()).unwrap_or(&finding.field);
        Self {
            policy: finding.policy.as_deref().unwrap_or_default(),
            rule: finding.rule.as_deref().unwrap_or_default(),
            reason: &finding.reason,
            path: without_indices(field).collect(),
            value: finding.value.as_deref().unwrap_or_default(),
        }
    }
}

impl Tally {
    /// The workload that is told of an object: the one at the top of its owners, or itself. None of
    /// an object whose owners are not all known, and of a Pod that no workload made.
    pub(super) fn teller(&self, uid: &Uid) -> Option<Uid> {
        let mut uid = uid.clone();
        for _ in 0..=HIGHEST {
            let entry = self.objects.get(&uid)?;
            match &entry.owner {
                None => {
                    let is_teller = entry.is_judged && entry.workload != Workload::Pod;
                    return is_teller.then_some(uid);
                }
                Some(_) => uid = self.owner(entry)?,
            }
        }
        None
    }

    /// The workload that controls an object, if there is such a one: anybody can write a reference.
    fn owner(&self, entry: &Entry) -> Option<Uid> {
        let owner = entry.owner.as_ref()?;
        let known = self.objects.get(&owner.uid)?;
        let is_it = known.workload == owner.workload && known.namespace == entry.namespace;
        is_it.then(|| owner.uid.clone())
    }

    /// All that is wrong with a workload and its Pods.
    pub(super) fn union(&self, uid: &Uid) -> Union<'_> {
        let mut union = Union::default();
        self.gather(uid, 0, &mut union);
        union
    }

    fn gather<'t>(&'t self, uid: &Uid, depth: usize, union: &mut Union<'t>) {
        let Some(entry) = self.objects.get(uid) else { return };
        if depth == 0 || entry.workload == Workload::Pod {
            union.waits |= entry.waits;
            let mut seen = BTreeSet::new();
            for standing in &entry.findings {
                let fault = Fault::of(standing, entry.workload);
                let is_first = seen.insert(fault.clone());
                union.add(fault, standing, entry.workload, is_first);
            }
        }
        if depth == HIGHEST {
            return;
        }
        for made in self.made.get(uid).into_iter().flatten() {
            let is_its = |made: &Entry| self.owner(made).as_ref() == Some(uid);
            if self.objects.get(made).is_some_and(is_its) {
                self.gather(made, depth + 1, union);
            }
        }
    }
}

impl<'t> Union<'t> {
    fn add(&mut self, fault: Fault<'t>, standing: &'t Standing, of: Workload, is_first: bool) {
        let is_own = of != Workload::Pod;
        let place = self.faults.entry(fault).or_insert(Place { standing, is_own, pods: 0 });
        place.pods += usize::from(is_first && !is_own);
        // Whatever order the Pods come in, it is the same one that is told.
        let rank =
            |standing: &Standing| (standing.finding.fault.clone(), standing.finding.past_webhook);
        if !place.is_own && rank(standing) < rank(place.standing) {
            place.standing = standing;
        }
    }
}
