//! What is known of all Pods and workloads. Pure: objects and judgements go in; whom to tell what,
//! what to write where, and how many there are comes out.
//!
//! Of an object little is kept: who it is, whose, what it matched, and its findings where it has
//! any, and what is equal is kept once. Nothing is kept of what is gone.

pub(super) mod counts;
mod owners;
mod todo;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::policy::pod::Workload;

use super::judged::{Judged, Standing, is_one};
use super::seen::{Owner, Seen, Uid};
use super::shared::Shared;
use super::telling::{self, Telling};
use counts::{Count, Counts};
pub(super) use owners::{Fault, Place, Union};

/// All Pods and workloads.
#[derive(Default)]
pub(super) struct Tally {
    objects: HashMap<Uid, Entry>,
    /// What each workload controls.
    made: HashMap<Uid, HashSet<Uid>>,
    counts: Counts,
    names: Shared<str>,
    policies: Shared<[Arc<str>]>,
    findings: Shared<Standing>,
    /// Moves whenever what objects are judged by has changed.
    clock: u64,
    /// What is to be judged.
    stale: HashSet<Uid>,
    /// How many of those have never been judged.
    unjudged: usize,
    /// The kinds that have been listed once.
    listed: HashSet<Workload>,
    /// Everything has been listed and judged once: what is counted is all there is.
    is_complete: bool,
    /// Of whom something may be told.
    pods: HashSet<Uid>,
    owners: HashSet<Uid>,
    /// In order as they are found, and what an earlier process told of them is not known yet.
    later: HashSet<Uid>,
    /// Nothing is told of them any more.
    withdrawn: Vec<Uid>,
    /// What does not carry its findings.
    untrue: HashSet<Uid>,
}

/// An object.
pub(super) struct Entry {
    pub(super) workload: Workload,
    pub(super) namespace: Arc<str>,
    pub(super) name: Box<str>,
    pub(super) findings: Box<[Arc<Standing>]>,
    pub(super) waits: bool,
    version: u64,
    generation: Option<i64>,
    print: u64,
    owner: Option<Owner>,
    is_judged: bool,
    /// Whether it has been judged once.
    is_known: bool,
    /// When it was last marked to be judged again.
    marked: u64,
    matched: Arc<[Arc<str>]>,
    reads: Box<[u64]>,
    told: Told,
    /// The truth that was last written onto it, in short.
    written: Option<u64>,
}

/// What was told of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Faults,
    InOrder,
}

/// Leave to judge an object as it was seen: what comes of it counts if nothing newer has come.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    uid: Uid,
    version: u64,
    begun: u64,
}

impl Tally {
    /// An object was listed to be judged again. The watch may have brought a newer one meanwhile, or
    /// have taken it away.
    pub(super) fn saw_again(&mut self, seen: Seen) -> Option<Ticket> {
        let known = self.objects.get(&seen.uid)?;
        let is_it = known.version <= seen.version && self.stale.contains(&seen.uid);
        if is_it { self.saw(seen) } else { None }
    }

    /// An object came by the watch. It is to be judged if there is a ticket.
    pub(super) fn saw(&mut self, seen: Seen) -> Option<Ticket> {
        let uid = seen.uid.clone();
        let ticket = Ticket { uid: uid.clone(), version: seen.version, begun: self.clock };
        let Some(known) = self.objects.get_mut(&uid) else {
            self.add(seen);
            return self.stale.contains(&uid).then_some(ticket);
        };
        let is_stirred = known.waits != seen.waits;
        let is_changed = known.print != seen.print;
        let is_moved = known.owner != seen.owner || known.is_judged != seen.is_judged;
        known.version = seen.version;
        known.generation = seen.generation;
        known.waits = seen.waits;
        known.print = seen.print;
        if is_moved {
            self.moved(&uid, seen.owner, seen.is_judged);
        }
        if is_stirred {
            self.has_news(&uid);
        }
        if is_changed && seen.is_judged {
            self.stale.insert(uid.clone());
        }
        self.stale.contains(&uid).then_some(ticket)
    }

    fn add(&mut self, seen: Seen) {
        let Seen { uid, owner, is_judged, .. } = seen;
        let entry = Entry {
            workload: seen.workload,
            namespace: self.names.of(seen.namespace.as_str()),
            name: seen.name.into(),
            findings: Box::default(),
            waits: seen.waits,
            version: seen.version,
            generation: seen.generation,
            print: seen.print,
            owner: owner.clone(),
            is_judged,
            is_known: false,
            marked: self.clock,
            matched: self.policies.of(Vec::new()),
            reads: Box::default(),
            told: Told::Nothing,
            written: None,
        };
        self.objects.insert(uid.clone(), entry);
        if let Some(owner) = owner {
            self.made.entry(owner.uid).or_default().insert(uid.clone());
        }
        if is_judged {
            self.stale.insert(uid.clone());
            self.unjudged += 1;
        }
        self.owners.extend(self.teller(&uid));
    }

    /// It has another owner, or is judged by itself now, or no longer.
    fn moved(&mut self, uid: &Uid, owner: Option<Owner>, is_judged: bool) {
        self.owners.extend(self.teller(uid));
        self.unlink(uid);
        if let Some(owner) = &owner {
            self.made.entry(owner.uid.clone()).or_default().insert(uid.clone());
        }
        if !is_judged {
            self.withdrawn.push(uid.clone());
            self.forget_judgement(uid);
        }
        let Some(entry) = self.objects.get_mut(uid) else { return };
        let was_judged = std::mem::replace(&mut entry.is_judged, is_judged);
        entry.owner = owner;
        if is_judged && !was_judged {
            self.unjudged += usize::from(!entry.is_known);
            self.stale.insert(uid.clone());
        }
        self.owners.extend(self.teller(uid));
    }

    /// What came of a judgement.
    pub(super) fn judged(&mut self, ticket: &Ticket, judged: Judged) {
        let Ticket { uid, version, begun } = ticket;
        let Judged { matched, findings, reads, is_carried } = judged;
        let Some(entry) = self.objects.get_mut(uid) else { return };
        if entry.version != *version || !entry.is_judged {
            return;
        }
        let was_past = |finding: &_| {
            let mut known = entry.findings.iter().map(|standing| &standing.finding);
            known.any(|known| known.past_webhook && is_one(known, finding))
        };
        let findings: Box<[Arc<Standing>]> = findings
            .into_iter()
            .map(|mut standing| {
                // Of what has come past the webhook, an edit elsewhere is no admission.
                standing.finding.past_webhook |= was_past(&standing.finding);
                self.findings.of(standing)
            })
            .collect();
        let names = matched.iter().map(|name| self.names.of(name.as_str())).collect::<Vec<_>>();
        let matched = self.policies.of(names);
        let is_news = !entry.is_known || entry.findings != findings;
        if is_news || entry.matched != matched {
            self.counts.add(&entry.matched, &entry.findings, -1);
            self.counts.add(&matched, &findings, 1);
        }
        self.unjudged -= usize::from(!entry.is_known);
        entry.is_known = true;
        entry.matched = matched;
        entry.findings = findings;
        entry.reads = reads.into();
        if *begun >= entry.marked {
            self.stale.remove(uid);
        }
        if is_carried {
            self.untrue.remove(uid);
        } else {
            self.untrue.insert(uid.clone());
        }
        if is_news {
            self.has_news(uid);
        }
        self.settle();
    }

    /// An object could not be judged: what was found of it before still stands.
    pub(super) fn failed(&mut self, Ticket { uid, version, .. }: &Ticket) {
        let Some(entry) = self.objects.get_mut(uid) else { return };
        if entry.version != *version || !entry.is_judged {
            return;
        }
        self.unjudged -= usize::from(!entry.is_known);
        entry.is_known = true;
        self.stale.remove(uid);
        self.settle();
    }

    /// An object is gone, or nobody's concern any more. Whether it was known.
    pub(super) fn remove(&mut self, uid: &str) -> bool {
        let Some((uid, _)) = self.objects.get_key_value(uid) else { return false };
        let uid = uid.clone();
        self.owners.extend(self.teller(&uid));
        self.unlink(&uid);
        self.forget_judgement(&uid);
        self.objects.remove(&uid);
        for set in [&mut self.pods, &mut self.owners, &mut self.later] {
            set.remove(&uid);
        }
        self.settle();
        true
    }

    /// All objects of a kind have been listed, and these are they. Those that are gone are returned.
    pub(super) fn listed(&mut self, workload: Workload, listed: &HashSet<Uid>) -> Vec<Uid> {
        let is_gone =
            |(uid, entry): &(&Uid, &Entry)| entry.workload == workload && !listed.contains(*uid);
        let gone: Vec<Uid> =
            self.objects.iter().filter(is_gone).map(|(uid, _)| uid.clone()).collect();
        for uid in &gone {
            self.remove(uid);
        }
        self.listed.insert(workload);
        self.settle();
        gone
    }

    /// Whether everything has been listed and judged once.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn settle(&mut self) {
        self.is_complete |= self.listed.len() == Workload::ALL.len() && self.unjudged == 0;
    }

    /// Something may be to be told of it, and of its owner.
    fn has_news(&mut self, uid: &Uid) {
        if self.objects.get(uid).is_some_and(|entry| entry.workload == Workload::Pod) {
            self.pods.insert(uid.clone());
        }
        self.owners.extend(self.teller(uid));
    }

    fn forget_judgement(&mut self, uid: &Uid) {
        self.stale.remove(uid);
        self.untrue.remove(uid);
        let Some(entry) = self.objects.get_mut(uid) else { return };
        self.counts.add(&entry.matched, &entry.findings, -1);
        self.unjudged -= usize::from(entry.is_judged && !entry.is_known);
        entry.findings = Box::default();
        entry.matched = self.policies.of(Vec::new());
        entry.reads = Box::default();
        entry.is_known = false;
        entry.told = Told::Nothing;
    }

    fn unlink(&mut self, uid: &Uid) {
        let Some(owner) = self.objects.get(uid).and_then(|entry| entry.owner.as_ref()) else {
            return;
        };
        if let Some(made) = self.made.get_mut(&owner.uid) {
            made.remove(uid);
            if made.is_empty() {
                self.made.remove(&owner.uid);
            }
        }
    }

    /// Those of whom nothing is told any more.
    pub(super) fn withdrawn(&mut self) -> Vec<Uid> {
        std::mem::take(&mut self.withdrawn)
    }

    /// What is to be told of some of those of whom there is news; none when there is none. Owners
    /// have their turn once everything is known that they are told by.
    pub(super) fn tellings(
        &mut self,
        is_owners_turn: bool,
        past_is_known: bool,
        limit: usize,
    ) -> Option<Vec<Telling>> {
        if past_is_known && !self.later.is_empty() {
            let is_pod = |uid: &Uid| {
                self.objects.get(uid).is_some_and(|entry| entry.workload == Workload::Pod)
            };
            let (pods, owners): (Vec<Uid>, Vec<Uid>) =
                std::mem::take(&mut self.later).into_iter().partition(is_pod);
            self.pods.extend(pods);
            self.owners.extend(owners);
        }
        let mut uids: Vec<Uid> = self.pods.iter().take(limit).cloned().collect();
        if is_owners_turn && self.is_complete {
            uids.extend(self.owners.iter().take(limit - uids.len()).cloned());
        }
        if uids.is_empty() {
            return None;
        }
        Some(uids.iter().filter_map(|uid| self.telling(uid, past_is_known)).collect())
    }

    fn telling(&mut self, uid: &Uid, past_is_known: bool) -> Option<Telling> {
        self.pods.remove(uid);
        self.owners.remove(uid);
        let entry = self.objects.get(uid).filter(|entry| entry.is_judged)?;
        let telling = if entry.workload == Workload::Pod {
            telling::of_pod(uid, entry)
        } else {
            let union = self.union(uid);
            telling::of_owner(uid, entry, &union)
        };
        let told = if telling.faults.is_empty() { Told::InOrder } else { Told::Faults };
        if told == Told::InOrder && entry.told == Told::Nothing && !past_is_known {
            self.later.insert(uid.clone());
            return None;
        }
        let entry = self.objects.get_mut(uid)?;
        let before = std::mem::replace(&mut entry.told, told);
        (told == Told::Faults || before != Told::InOrder).then_some(telling)
    }

    /// What stands under a policy; none while not everything is counted.
    pub(super) fn count(&self, policy: &str) -> Option<Count> {
        self.is_complete.then(|| self.counts.of(policy))
    }

    /// The policies whose counts have changed since this was last asked; none if none has. Kept
    /// until everything is counted.
    pub(super) fn changed_counts(&mut self) -> Option<Vec<String>> {
        self.counts.changed()
    }

    /// How many findings stand, by policy and reason.
    pub(super) fn standing_by_reason(&self) -> Vec<(String, String, i64)> {
        self.counts.by_reason()
    }
}
