//! What waits to be written: coalesced by Event, bounded, in the order of its urgency. Pure: it is
//! told the time and does no I/O.
//!
//! Two lanes. The first occurrence of a reason on an object waits for the overall budget only;
//! everything else waits for that of its object too, and behind all first occurrences. A recount,
//! which is paced by whoever offers it, goes with the latter and waits for no budget of its object.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    budget::{Bucket, Budget},
    name::EventKey,
    note::{Part, Telling},
    object::ObjectState,
};

/// A point in time, on the clock that stamps and on the clock that measures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub wall: Timestamp,
    pub tick: Instant,
}

/// The bounds of a [`Queue`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub pending: usize,
    pub pending_per_object: usize,
    pub per_object: Budget,
    pub overall: Budget,
}

/// How often something occurred, and over what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub count: u32,
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Tally {
    fn once(at: Timestamp) -> Self {
        Self { count: 1, first: at, last: at }
    }

    fn and_once(self, at: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: self.last.max(at), ..self }
    }
}

/// Occurrences on their way to the API server. A batch that failed is tried again as it was, and
/// later occurrences form the next one: so a write of which only the answer was lost is known
/// again by its timestamp and is not counted twice.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub telling: Arc<Telling>,
    pub tally: Tally,
    /// Attempts that failed so far.
    pub failures: u32,
}

/// What [`Queue::take`] has.
#[derive(Debug)]
pub(super) enum Take {
    /// This one now. [`Queue::finished`] or [`Queue::retry`] must follow.
    Now(Batch),
    /// Nothing before this time.
    NotBefore(Instant),
    /// Nothing at all.
    Nothing,
}

#[derive(Debug)]
struct Entry {
    telling: Arc<Telling>,
    /// Occurrences not yet part of a batch.
    fresh: Option<Tally>,
    /// A batch that failed and waits for its next attempt.
    failed: Option<Batch>,
    /// `None`: in flight.
    slot: Option<Slot>,
    first: bool,
    /// Whether there is a recount among those not yet part of a batch.
    recount: bool,
}

type Slot = (Instant, u64);
type Lane = BTreeMap<Slot, EventKey>;

#[derive(Debug)]
pub(super) struct Queue {
    component: String,
    limits: Limits,
    entries: HashMap<EventKey, Entry>,
    firsts: Lane,
    repeats: Lane,
    objects: HashMap<String, ObjectState>,
    sweep_at: usize,
    overall: Bucket,
    paused_until: Option<Instant>,
    sequence: u64,
}

impl Queue {
    pub fn new(component: &str, limits: Limits) -> Self {
        Self {
            component: component.to_owned(),
            limits,
            entries: HashMap::new(),
            firsts: Lane::new(),
            repeats: Lane::new(),
            objects: HashMap::new(),
            sweep_at: 64,
            overall: Bucket::full(limits.overall),
            paused_until: None,
            sequence: 0,
        }
    }

    /// Distinct Events that wait or are in flight.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes in one occurrence. False: there is no room for it.
    #[must_use]
    pub fn offer(&mut self, telling: &Arc<Telling>, now: Moment) -> bool {
        if self.coalesce(telling, now) {
            return true;
        }
        let object = self.objects.get(&telling.uid);
        let first = object.is_none_or(|object| object.is_first(&telling.reason));
        let room = if first { self.limits.pending } else { self.room_for_repeats() };
        let crowded = object.is_some_and(|object| object.waiting >= self.limits.pending_per_object);
        if self.entries.len() >= room || (crowded && !first) {
            return false;
        }
        self.insert(telling, first, now);
        true
    }

    /// Takes in a new count of an Event that was told before. False: there is no room for it.
    #[must_use]
    pub fn recount(&mut self, telling: &Arc<Telling>, now: Moment) -> bool {
        if !self.coalesce(telling, now) {
            if self.entries.len() >= self.room_for_repeats() {
                return false;
            }
            self.insert(telling, false, now);
        }
        let Some(entry) = self.entries.get_mut(&telling.key) else { return true };
        entry.recount = true;
        // Its count does not wait for a budget that it waited for without. A failed batch keeps
        // its time, and one in flight has none.
        if entry.slot.is_some() && entry.failed.is_none() {
            self.place(&telling.key, now.tick);
        }
        true
    }

    /// Counts an occurrence that [`Queue::offer`] had no room for, as one more of its object's
    /// held-back ones. False: there is no room for that either.
    #[must_use]
    pub fn hold_back(&mut self, telling: &Telling, now: Moment) -> bool {
        let full = self.entries.len() >= self.limits.pending;
        if full && !self.objects.contains_key(&telling.uid) {
            return false;
        }
        let component = self.component.clone();
        let held = &mut self.object(&telling.uid, now.tick).held_back;
        held.add(telling);
        let summary = Arc::new(held.summary(&component, telling));
        if self.coalesce(&summary, now) {
            return true;
        }
        if !full {
            self.insert(&summary, false, now);
        }
        !full
    }

    /// The next to be written.
    pub fn take(&mut self, now: Instant) -> Take {
        if let Some(until) = self.paused_until.filter(|&until| until > now) {
            return if self.next_slot().is_some() { Take::NotBefore(until) } else { Take::Nothing };
        }
        loop {
            let due = [&self.firsts, &self.repeats]
                .into_iter()
                .filter_map(|lane| lane.first_key_value())
                .find(|((at, _), _)| *at <= now)
                .map(|(_, key)| key.clone());
            let Some(key) = due else {
                return self.next_slot().map_or(Take::Nothing, Take::NotBefore);
            };
            let overall = self.overall.ready_at(now);
            if overall > now {
                return Take::NotBefore(overall);
            }
            if let Err(later) = self.spend_of_object(&key, now) {
                self.place(&key, later);
                continue;
            }
            if let Some(batch) = self.launch(&key) {
                self.overall.charge(now);
                return Take::Now(batch);
            }
        }
    }

    /// A batch is done with, delivered or given up.
    pub fn finished(&mut self, key: &EventKey, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.fresh.is_some() {
            entry.first = false;
            self.place(key, now);
        } else {
            self.remove(key, now);
        }
    }

    /// A batch failed and is to be tried again, not before `at`. One whose object was forgotten
    /// meanwhile is dropped.
    pub fn retry(&mut self, batch: Batch, at: Instant) {
        let key = batch.telling.key.clone();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let failures = batch.failures.saturating_add(1);
        entry.failed = Some(Batch { failures, ..batch });
        self.place(&key, at);
    }

    /// Nothing is taken before `until`: it is the API server that has trouble, not one Event.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Drops what waits because the object's faults stand, or ended. What was recorded of it
    /// happened, and is still told.
    pub fn forget(&mut self, uid: &str, now: Instant) {
        self.remove_parts(uid, |_| true, now);
        if self.objects.get(uid).is_some_and(|object| object.waiting == 0) {
            self.objects.remove(uid);
        }
    }

    /// Drops what waits because the faults of one scope of the object stand, or ended.
    pub fn forget_scope(&mut self, uid: &str, scope: &str, now: Instant) {
        self.remove_parts(uid, |part| part.scope == scope, now);
    }

    /// Adds an occurrence to those of the same Event that wait already.
    fn coalesce(&mut self, telling: &Arc<Telling>, now: Moment) -> bool {
        let Some(entry) = self.entries.get_mut(&telling.key) else { return false };
        entry.telling = match &entry.telling.part {
            Some(part) if telling.part.is_none() => {
                Arc::new(Telling { part: Some(part.clone()), ..Telling::clone(telling) })
            }
            _ => Arc::clone(telling),
        };
        entry.fresh =
            Some(entry.fresh.map_or(Tally::once(now.wall), |tally| tally.and_once(now.wall)));
        true
    }

    fn insert(&mut self, telling: &Arc<Telling>, first: bool, now: Moment) {
        let object = self.object(&telling.uid, now.tick);
        object.waiting += 1;
        object.told(&telling.reason);
        let entry = Entry {
            telling: Arc::clone(telling),
            fresh: Some(Tally::once(now.wall)),
            failed: None,
            slot: None,
            first,
            recount: false,
        };
        self.entries.insert(telling.key.clone(), entry);
        self.place(&telling.key, now.tick);
    }

    /// Charges the object's budget, which binds neither a first occurrence, nor a recount, nor
    /// another attempt.
    fn spend_of_object(&mut self, key: &EventKey, now: Instant) -> Result<(), Instant> {
        let Some(entry) = self.entries.get(key) else { return Ok(()) };
        let Some(object) = self.objects.get_mut(&entry.telling.uid) else { return Ok(()) };
        if entry.failed.is_some() {
            return Ok(());
        }
        if entry.first {
            object.bucket.charge(now);
            return Ok(());
        }
        if entry.recount {
            return Ok(());
        }
        object.bucket.take(now)
    }

    fn launch(&mut self, key: &EventKey) -> Option<Batch> {
        self.unplace(key);
        let entry = self.entries.get_mut(key)?;
        entry.failed.take().or_else(|| {
            let telling = Arc::clone(&entry.telling);
            entry.recount = false;
            entry.fresh.take().map(|tally| Batch { telling, tally, failures: 0 })
        })
    }

    fn place(&mut self, key: &EventKey, at: Instant) {
        self.unplace(key);
        let Some(entry) = self.entries.get_mut(key) else { return };
        self.sequence += 1;
        let slot = (at, self.sequence);
        entry.slot = Some(slot);
        let lane = if entry.first { &mut self.firsts } else { &mut self.repeats };
        lane.insert(slot, key.clone());
    }

    fn unplace(&mut self, key: &EventKey) {
        if let Some(slot) = self.entries.get_mut(key).and_then(|entry| entry.slot.take()) {
            self.firsts.remove(&slot);
            self.repeats.remove(&slot);
        }
    }

    fn remove_parts(&mut self, uid: &str, chosen: impl Fn(&Part) -> bool, now: Instant) {
        if !self.objects.contains_key(uid) {
            return;
        }
        let keys: Vec<EventKey> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.telling.uid == uid)
            .filter(|(_, entry)| entry.telling.part.as_ref().is_some_and(&chosen))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.remove(&key, now);
        }
    }

    fn remove(&mut self, key: &EventKey, now: Instant) {
        self.unplace(key);
        let Some(entry) = self.entries.remove(key) else { return };
        if let Some(object) = self.objects.get_mut(&entry.telling.uid) {
            object.waiting = object.waiting.saturating_sub(1);
            if object.is_at_rest(now) {
                self.objects.remove(&entry.telling.uid);
            }
        }
    }

    fn object(&mut self, uid: &str, now: Instant) -> &mut ObjectState {
        if self.objects.len() >= self.sweep_at {
            self.objects.retain(|_, object| !object.is_at_rest(now));
            self.sweep_at = 2 * self.objects.len().max(32);
        }
        self.objects
            .entry(uid.to_owned())
            .or_insert_with(|| ObjectState::new(self.limits.per_object))
    }

    /// A quarter of the room is kept for first occurrences.
    fn room_for_repeats(&self) -> usize {
        self.limits.pending - self.limits.pending / 4
    }

    fn next_slot(&self) -> Option<Instant> {
        [&self.firsts, &self.repeats]
            .into_iter()
            .filter_map(|lane| lane.first_key_value())
            .map(|((at, _), _)| *at)
            .min()
    }
}

#[cfg(test)]
mod tests;
