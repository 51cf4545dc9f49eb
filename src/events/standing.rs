//! Which faults stand on which object in which scope, and when each is told next. Pure: it is told
//! the time and does no I/O.

mod item;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tokio::time::Instant;

pub(super) use self::item::{Fault, Pace, Told};
use self::item::{Item, Remembered};
use super::{name::EventKey, note::Telling};

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
/// faults are gone, or have nothing to be told. And so is a fault that is not renewed: its Event
/// may be there already.
#[derive(Debug)]
pub(super) struct Standing {
    pace: Pace,
    sets: BTreeMap<Subject, HashMap<EventKey, Item>>,
    agenda: BTreeSet<Due>,
    /// Subjects whose faults an earlier process told, and that were not spoken of since.
    told_before: BTreeMap<Subject, HashMap<EventKey, Remembered>>,
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
    /// Subjects whose faults were said to be gone: what is found of them since is new, whatever
    /// an earlier process told.
    ended: HashSet<Subject>,
    /// Objects that are gone, whatever scopes they turn out to have had.
    gone: HashSet<String>,
}

/// One thing to be told, at its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    at: Instant,
    subject: Subject,
    key: EventKey,
}

impl Due {
    fn of(item: &Item, subject: &Subject, key: &EventKey) -> Option<Self> {
        item.due().map(|at| Self { at, subject: subject.clone(), key: key.clone() })
    }
}

/// What [`Standing::due`] has. [`Standing::told`] or [`Standing::postpone`] must follow.
#[derive(Debug)]
pub(super) struct Wanted {
    pub due: Due,
    pub telling: Arc<Telling>,
    /// It was told before, and has another count now.
    pub is_recount: bool,
}

impl Standing {
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            sets: BTreeMap::new(),
            agenda: BTreeSet::new(),
            told_before: BTreeMap::new(),
            undecided: Some(Undecided::default()),
            faults: 0,
        }
    }

    /// Whether it is known what an earlier process told.
    pub fn knows_the_past(&self) -> bool {
        self.undecided.is_none()
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
        faults: Vec<Fault>,
        resolved: Option<Telling>,
        now: Instant,
    ) {
        let before = self.withdraw(subject);
        // An undecided fault is one that this process did not tell.
        let had_faults = before.values().any(|item| item.is_fault() && !item.is_undecided());
        let told_before = self.told_before.remove(subject);
        if !faults.is_empty() {
            let items = self.found(subject, faults, &before, told_before, now);
            if !items.values().all(Item::is_undecided) {
                self.decide(subject);
            }
            self.set(subject, items);
        } else if had_faults || told_before.is_some() {
            self.resolve(subject, resolved.map(Arc::new), now);
        } else if before.values().any(|item| !item.is_fault()) {
            // A resolution that still waits for room in the queue.
            self.set(subject, before);
        } else if let (Some(undecided), Some(resolved)) = (&mut self.undecided, resolved) {
            let resolved = Some(Arc::new(resolved));
            if before.is_empty() {
                undecided.spoken_of.entry(subject.clone()).or_insert(resolved);
            } else {
                undecided.spoken_of.insert(subject.clone(), resolved);
            }
        }
    }

    /// The object is gone.
    pub fn forget(&mut self, uid: &str) {
        let first = Subject::new(uid, "");
        let of_object = |subject: &&Subject| subject.uid == uid;
        let standing = self.sets.range(first.clone()..).map(|(subject, _)| subject);
        let told_before = self.told_before.range(first..).map(|(subject, _)| subject);
        let subjects: Vec<Subject> = standing
            .take_while(of_object)
            .chain(told_before.take_while(of_object))
            .cloned()
            .collect();
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
    /// to be gone, and what was told of each fault.
    pub fn recovered(&mut self, open: BTreeMap<Subject, HashMap<EventKey, Told>>, now: Instant) {
        let Undecided { spoken_of, gone, .. } = self.undecided.take().unwrap_or_default();
        let pace = self.pace;
        let remember = |(key, told)| (key, Remembered::new(told, &pace, now));
        let mut open: BTreeMap<Subject, HashMap<EventKey, Remembered>> = open
            .into_iter()
            .filter(|(subject, _)| !gone.contains(&subject.uid))
            .map(|(subject, faults)| (subject, faults.into_iter().map(remember).collect()))
            .collect();
        for (subject, items) in &mut self.sets {
            let before = open.remove(subject);
            for (key, item) in items.iter_mut().filter(|(_, item)| item.is_undecided()) {
                item.recall(before.as_ref().and_then(|before| before.get(key)), now);
                self.agenda.extend(Due::of(item, subject, key));
            }
        }
        for (subject, faults) in open {
            match spoken_of.get(&subject) {
                Some(Some(resolved)) => self.resolve(&subject, Some(Arc::clone(resolved)), now),
                Some(None) => {}
                None => {
                    self.told_before.insert(subject, faults);
                }
            }
        }
    }

    /// When something is to be told next.
    pub fn next_due(&self) -> Option<Instant> {
        self.agenda.first().map(|due| due.at)
    }

    /// The next thing to be told by now, if any.
    pub fn due(&mut self, now: Instant) -> Option<Wanted> {
        while self.agenda.first().is_some_and(|due| due.at <= now) {
            let due = self.agenda.pop_first()?;
            if let Some(item) = self.sets.get(&due.subject).and_then(|items| items.get(&due.key)) {
                let telling = Arc::clone(&item.telling);
                return Some(Wanted { due, telling, is_recount: item.is_recount() });
            }
        }
        None
    }

    /// It is on its way: a fault may be due again, a resolution never is.
    pub fn told(&mut self, due: Due, now: Instant) {
        let Due { subject, key, .. } = due;
        let Some(items) = self.sets.get_mut(&subject) else { return };
        let Some(item) = items.get_mut(&key) else { return };
        if item.is_fault() {
            item.told(&self.pace, now);
            self.agenda.extend(Due::of(item, &subject, &key));
            return;
        }
        items.remove(&key);
        if items.is_empty() {
            self.sets.remove(&subject);
        }
        if let Some(undecided) = &mut self.undecided {
            undecided.ended.insert(subject);
        }
    }

    /// It is to be told at `at` instead.
    pub fn postpone(&mut self, due: Due, at: Instant) {
        self.change(&due.subject, &due.key, |item| item.postpone(at));
    }

    /// The Event was not written and never will be by trying again at once.
    pub fn given_up(&mut self, subject: &Subject, key: &EventKey) {
        self.change(subject, key, Item::given_up);
    }

    fn change(&mut self, subject: &Subject, key: &EventKey, change: impl FnOnce(&mut Item)) {
        let Some(item) = self.sets.get_mut(subject).and_then(|items| items.get_mut(key)) else {
            return;
        };
        if let Some(due) = Due::of(item, subject, key) {
            self.agenda.remove(&due);
        }
        change(item);
        self.agenda.extend(Due::of(item, subject, key));
    }

    /// `faults`, each with what is known of it.
    fn found(
        &self,
        subject: &Subject,
        faults: Vec<Fault>,
        before: &HashMap<EventKey, Item>,
        told_before: Option<HashMap<EventKey, Remembered>>,
        now: Instant,
    ) -> HashMap<EventKey, Item> {
        let past_is_known = self.undecided.as_ref().is_none_or(|u| u.ended.contains(subject));
        let told_before = told_before.unwrap_or_default();
        let mut items = HashMap::with_capacity(faults.len());
        for fault in faults {
            let key = fault.telling.key.clone();
            let mut item = match before.get(&key) {
                Some(known) => known.again(fault, now),
                None => Item::fault(fault, &self.pace, now),
            };
            if past_is_known {
                item.recall(told_before.get(&key), now);
            }
            items.insert(key, item);
        }
        items
    }

    fn resolve(&mut self, subject: &Subject, resolved: Option<Arc<Telling>>, now: Instant) {
        let item = |telling: Arc<Telling>| {
            (telling.key.clone(), Item::resolution(telling, &self.pace, now))
        };
        let items = resolved.into_iter().map(item).collect();
        self.set(subject, items);
    }

    fn set(&mut self, subject: &Subject, items: HashMap<EventKey, Item>) {
        for (key, item) in &items {
            self.agenda.extend(Due::of(item, subject, key));
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
            if let Some(due) = Due::of(item, subject, key) {
                self.agenda.remove(&due);
            }
            self.faults -= usize::from(item.is_fault());
        }
        items
    }
}

#[cfg(test)]
mod tests;
