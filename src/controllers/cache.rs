//! The snapshot that decisions are made from, and what each change of it concerns.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures::{Stream, StreamExt};
use tokio::sync::Notify;

use crate::policy::Snapshot;
use crate::policy::snapshot::Key;

/// The kinds that are watched, by the names that a reader of `/readyz` knows.
pub const KINDS: [&str; 6] =
    ["Namespaces", "PkiPolicies", "Pkis", "Secrets", "Pods", "PodPolicies"];

/// What is known of the cluster, kept by the watches.
///
/// Locks are held for the moment of a look-up or a change, never across a wait.
#[derive(Debug, Default)]
pub struct Cache {
    snapshot: RwLock<Snapshot>,
    filled: [AtomicBool; KINDS.len()],
    filling: Notify,
    /// The Pkis that a change concerns.
    pub pkis: Arc<Dirty<Key>>,
    /// The PkiPolicies that a change concerns.
    pub policies: Arc<Dirty<String>>,
    /// What Pods are judged by, where it has changed, so that all are to be judged again.
    pub pods: Arc<Dirty<PodsConcerned>>,
    /// What is no longer to be told of.
    pub gone: Arc<Dirty<Gone>>,
}

/// What is no longer to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Gone {
    /// An object, by its uid.
    Object(String),
    /// What a Pki (by name) had to say of an object (by uid).
    Scope(String, String),
}

/// Which Pods and workloads are to be judged again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PodsConcerned {
    /// All: a PodPolicy has changed.
    All,
    /// Those of a namespace: its labels have changed.
    OfNamespace(String),
    /// Those that read a Secret: whose it is has changed.
    ReadersOf(Key),
    /// Those that ask for the certificate of a Pki: it has changed.
    AskersFor(Key),
}

/// What a change of the snapshot concerns.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// Pods and workloads that are to be judged again.
    pub pods: Vec<PodsConcerned>,
    /// Pkis that are to be judged again.
    pub pkis: Vec<Key>,
    /// PkiPolicies whose authority may have changed.
    pub policies: Vec<String>,
    /// What is no longer to be told of.
    pub gone: Vec<Gone>,
}

impl Cache {
    /// An empty cache of a Portreeve that lives in this namespace.
    pub fn new(own_namespace: &str) -> Self {
        let snapshot = Snapshot { own_namespace: own_namespace.to_owned(), ..Snapshot::default() };
        Self { snapshot: RwLock::new(snapshot), ..Self::default() }
    }

    /// The snapshot, to decide from.
    pub fn read(&self) -> RwLockReadGuard<'_, Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the snapshot and marks whom it concerns.
    pub(super) fn change(&self, change: impl FnOnce(&mut Snapshot) -> Concerned) {
        let concerned = change(&mut self.write());
        self.pkis.mark(concerned.pkis);
        self.policies.mark(concerned.policies);
        self.pods.mark(concerned.pods);
        self.gone.mark(concerned.gone);
    }

    fn write(&self) -> RwLockWriteGuard<'_, Snapshot> {
        self.snapshot.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_filled(&self, kind: usize) {
        if let Some(filled) = self.filled.get(kind) {
            filled.store(true, Ordering::Release);
        }
        self.filling.notify_waiters();
    }

    /// Waits until everything has been read once.
    pub async fn until_filled(&self) {
        loop {
            let changed = self.filling.notified();
            if self.filled().is_ok() {
                return;
            }
            changed.await;
        }
    }

    /// Whether everything has been read once, so that decisions can be made.
    ///
    /// # Errors
    /// A sentence that names what is still missing.
    pub fn filled(&self) -> Result<(), String> {
        let missing: Vec<&str> = KINDS
            .iter()
            .zip(&self.filled)
            .filter(|(_, filled)| !filled.load(Ordering::Acquire))
            .map(|(kind, _)| *kind)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("the cluster's {} have not been read yet", missing.join(", ")))
    }

    /// Begins or ends to note whom changes concern: only the leader asks.
    pub(super) fn note_changes(&self, on: bool) {
        self.pkis.note(on);
        self.policies.note(on);
        self.pods.note(on);
        self.gone.note(on);
    }
}

/// A set of what has changed, drained by the one who acts on it. It holds nothing twice, so that it
/// is never larger than what there is.
#[derive(Debug)]
pub struct Dirty<T> {
    marked: Mutex<Option<HashSet<T>>>,
    changed: Notify,
}

impl<T> Default for Dirty<T> {
    fn default() -> Self {
        Self { marked: Mutex::new(None), changed: Notify::new() }
    }
}

impl<T: Eq + Hash> Dirty<T> {
    fn marked(&self) -> MutexGuard<'_, Option<HashSet<T>>> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, on: bool) {
        *self.marked() = on.then(HashSet::new);
    }

    pub(super) fn mark(&self, items: Vec<T>) {
        if items.is_empty() {
            return;
        }
        if let Some(marked) = self.marked().as_mut() {
            marked.extend(items);
            self.changed.notify_one();
        }
    }

    /// What has been marked since the last call, once there is anything.
    pub async fn take(&self) -> HashSet<T> {
        loop {
            let taken = self.marked().as_mut().map(std::mem::take).unwrap_or_default();
            if !taken.is_empty() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    /// All that is marked from now on, one by one.
    pub fn stream(self: &Arc<Self>) -> impl Stream<Item = T> + Send + use<T>
    where
        T: Send + 'static,
    {
        let taken = futures::stream::unfold(self.clone(), |dirty| async move {
            let items = dirty.take().await;
            Some((futures::stream::iter(items), dirty))
        });
        taken.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[tokio::test]
    async fn a_mark_is_seen_once_however_often_it_is_made() {
        let dirty = Arc::new(Dirty::default());
        dirty.note(true);
        dirty.mark(vec![1, 1]);
        dirty.mark(vec![1]);
        let mut stream = pin!(dirty.stream());
        assert_eq!(stream.next().await, Some(1));
        dirty.mark(vec![2]);
        assert_eq!(stream.next().await, Some(2));
    }

    #[tokio::test]
    async fn nothing_is_kept_while_nobody_asks() {
        let dirty = Dirty::default();
        dirty.mark(vec![1]);
        dirty.note(true);
        dirty.mark(vec![2]);
        assert_eq!(dirty.take().await, [2].into());
    }

    #[test]
    fn what_has_not_been_read_is_named() {
        let cache = Cache::default();
        for kind in [0, 1, 2, 4, 5] {
            cache.set_filled(kind);
        }
        assert_eq!(cache.filled().unwrap_err(), "the cluster's Secrets have not been read yet");
        cache.set_filled(3);
        assert!(cache.filled().is_ok());
    }
}
