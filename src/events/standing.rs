//! Which faults stand on which object in which scope, and when each is told next. Pure: it is told
//! the time and does no I/O.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    budget::after,
    name::EventKey,
    note::{Role, Telling},
};

/// What a set of faults is the whole truth of: one scope of one object. In their order the scopes
/// of an object lie side by side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Subject {
    uid: String,
    scope: String,
}

impl Subject {
    pub fn new(uid: &str, scope: &str) -> Self {
        Self { uid: uid.to_owned(), scope: scope.to_owned() }
    }
}

/// What the level-triggered half of the recorder knows.
///
/// What was told by an earlier process is learnt only when [`Standing::recovered`] is called.
/// Until then a subject that is said to be healthy is undecided: it may have to be told that its
/// faults are gone, or have nothing to be told.
#[derive(Debug)]
pub(super) struct Standing {
    renew_every: Duration,
    sets: BTreeMap<Subject, HashMap<EventKey, Item>>,
    agenda: BTreeSet<Due>,
    /// Subjects whose faults an earlier process told, and that were not spoken of since.
    told_before: BTreeSet<Subject>,
    /// `None`: what an earlier process told is known.
    undecided: Option<Undecided>,
    faults: usize,
}

/// What was said before it is known what an earlier process told.
#[derive(Debug, Default)]
struct Undecided {
    /// Subjects spoken of, and what is to be told of those among them of which an earlier process
    /// told faults. `None` within: nothing, all was said since.
    spoken_of: HashMap<Subject, Option<Arc<Telling>>>,
    /// Objects that are gone, whatever scopes they turn out to have had.
    gone: HashSet<String>,
}

#[derive(Debug)]
struct Item {
    telling: Arc<Telling>,
    due: Instant,
}

impl Item {
    fn is_fault(&self) -> bool {
        self.telling.role() == Some(Role::Fault)
    }

    fn on_agenda(&self, subject: &Subject, key: &EventKey) -> Due {
        Due { at: self.due, subject: subject.clone(), key: key.clone() }
    }
}

/// One thing to be told, at its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    at: Instant,
    subject: Subject,
    key: EventKey,
}

impl Standing {
    pub fn new(renew_every: Duration) -> Self {
        Self {
            renew_every,
            sets: BTreeMap::new(),
            agenda: BTreeSet::new(),
            told_before: BTreeSet::new(),
            undecided: Some(Undecided::default()),
            faults: 0,
        }
    }

    /// Faults that stand, over all objects.
    pub fn faults(&self) -> usize {
        self.faults
    }

    /// `faults` are all that stand on the subject now; if there are none and there were some,
    /// `resolved` is to be told.
    pub fn stand(
        &mut self,
        subject: &Subject,
        faults: Vec<Telling>,
        resolved: Option<Telling>,
        now: Instant,
    ) {
        let before = self.withdraw(subject);
        let had_faults = before.values().any(Item::is_fault);
        let told_before = self.told_before.remove(subject);
        if !faults.is_empty() {
            self.decide(subject);
            self.set(subject, faults, before, now);
        } else if had_faults || told_before {
            self.set(subject, resolved.into_iter().collect(), HashMap::new(), now);
        } else if !before.is_empty() {
            // A resolution that still waits for room in the queue.
            let waiting = before.values().map(|item| Telling::clone(&item.telling)).collect();
            self.set(subject, waiting, before, now);
        } else if let (Some(undecided), Some(resolved)) = (&mut self.undecided, resolved) {
            undecided.spoken_of.entry(subject.clone()).or_insert(Some(Arc::new(resolved)));
        }
    }

    /// The object is gone.
    pub fn forget(&mut self, uid: &str) {
        let first = Subject::new(uid, "");
        let of_object = |subject: &&Subject| subject.uid == uid;
        let standing = self.sets.range(first.clone()..).map(|(subject, _)| subject);
        let told_before = self.told_before.range(first..).take_while(of_object);
        let subjects: Vec<Subject> =
            standing.take_while(of_object).chain(told_before).cloned().collect();
        for subject in subjects {
            self.withdraw(&subject);
            self.told_before.remove(&subject);
        }
        if let Some(undecided) = &mut self.undecided {
            undecided.gone.insert(uid.to_owned());
        }
    }

    /// Nobody judges the subject any more.
    pub fn forget_scope(&mut self, subject: &Subject) {
        self.withdraw(subject);
        self.told_before.remove(subject);
        self.decide(subject);
    }

    /// What an earlier process told is known: `open` are the subjects whose faults were not said
    /// to be gone.
    pub fn recovered(&mut self, open: BTreeSet<Subject>, now: Instant) {
        let Undecided { spoken_of, gone } = self.undecided.take().unwrap_or_default();
        for subject in open.into_iter().filter(|subject| !gone.contains(&subject.uid)) {
            match spoken_of.get(&subject) {
                Some(Some(resolved)) => {
                    self.set(&subject, vec![Telling::clone(resolved)], HashMap::new(), now);
                }
                Some(None) => {}
                None => {
                    self.told_before.insert(subject);
                }
            }
        }
    }

    /// When something is to be told next.
    pub fn next_due(&self) -> Option<Instant> {
        self.agenda.first().map(|due| due.at)
    }

    /// The next thing to be told by now, if any. [`Standing::told`] or [`Standing::postpone`]
    /// must follow.
    pub fn due(&mut self, now: Instant) -> Option<(Due, Arc<Telling>)> {
        while self.agenda.first().is_some_and(|due| due.at <= now) {
            let due = self.agenda.pop_first()?;
            if let Some(item) = self.sets.get(&due.subject).and_then(|items| items.get(&due.key)) {
                let telling = Arc::clone(&item.telling);
                return Some((due, telling));
            }
        }
        None
    }

    /// It is on its way: a fault is due again when it is to be renewed, a resolution never.
    pub fn told(&mut self, due: Due, now: Instant) {
        let Some(items) = self.sets.get_mut(&due.subject) else { return };
        let Some(item) = items.get(&due.key) else { return };
        if item.is_fault() {
            let at = after(now, self.renew_every);
            self.postpone(due, at);
        } else {
            items.remove(&due.key);
            if items.is_empty() {
                self.sets.remove(&due.subject);
            }
        }
    }

    /// It is to be told at `at` instead.
    pub fn postpone(&mut self, due: Due, at: Instant) {
        let Due { subject, key, .. } = due;
        if let Some(item) = self.sets.get_mut(&subject).and_then(|items| items.get_mut(&key)) {
            item.due = at;
            self.agenda.insert(Due { at, subject, key });
        }
    }

    fn set(
        &mut self,
        subject: &Subject,
        tellings: Vec<Telling>,
        before: HashMap<EventKey, Item>,
        now: Instant,
    ) {
        let mut items = HashMap::with_capacity(tellings.len());
        for telling in tellings {
            let key = telling.key.clone();
            // A fault said in other words is news; in the same words it waits for its renewal.
            let due = before
                .get(&key)
                .filter(|known| *known.telling == telling)
                .map_or(now, |known| known.due);
            items.insert(key, Item { telling: Arc::new(telling), due });
        }
        for (key, item) in &items {
            self.agenda.insert(item.on_agenda(subject, key));
            self.faults += usize::from(item.is_fault());
        }
        if !items.is_empty() {
            self.sets.insert(subject.clone(), items);
        }
    }

    /// Whatever an earlier process told of the subject does not matter any more.
    fn decide(&mut self, subject: &Subject) {
        if let Some(undecided) = &mut self.undecided {
            undecided.spoken_of.insert(subject.clone(), None);
        }
    }

    fn withdraw(&mut self, subject: &Subject) -> HashMap<EventKey, Item> {
        let items = self.sets.remove(subject).unwrap_or_default();
        for (key, item) in &items {
            self.agenda.remove(&item.on_agenda(subject, key));
            self.faults -= usize::from(item.is_fault());
        }
        items
    }
}

#[cfg(test)]
mod tests;
