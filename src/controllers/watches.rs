//! The watches that keep the snapshot: one task per kind, on every replica.

use std::collections::HashSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api::{Pki, PkiPolicy, PodPolicy};
use crate::backoff::Waits;
use crate::policy::Snapshot;
use crate::policy::snapshot::Key;

use super::cache::{Cache, Concerned, KINDS};
use super::{indexes, said};

/// How long the API server keeps a watch, in seconds. A connection that died without a word is
/// noticed by then.
pub(super) const WATCH_SECONDS: u32 = 60;

/// A kind that is watched, and what of it goes into the snapshot.
pub(super) trait Indexed: 'static {
    /// What the API server sends.
    type Object: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static;
    /// Its place in [`KINDS`].
    const KIND: usize;

    /// Takes an object in.
    fn apply(snapshot: &mut Snapshot, object: &Self::Object) -> Concerned;

    /// Takes an object out.
    fn remove(snapshot: &mut Snapshot, key: &Key) -> Concerned;

    /// The objects that are in; cluster-scoped ones have an empty namespace.
    fn keys(snapshot: &Snapshot) -> Vec<Key>;
}

/// Keeps the cache until `shutdown`. `namespace` is Portreeve's own, where the authorities lie.
pub async fn run(client: Client, cache: Arc<Cache>, shutdown: CancellationToken) {
    let all = async {
        tokio::join!(
            follow::<indexes::Namespaces>(Api::<Namespace>::all(client.clone()), &cache),
            follow::<indexes::PkiPolicies>(Api::<PkiPolicy>::all(client.clone()), &cache),
            follow::<indexes::Pkis>(Api::<Pki>::all(client.clone()), &cache),
            follow::<indexes::Secrets>(
                Api::<PartialObjectMeta<Secret>>::all(client.clone()),
                &cache
            ),
            follow::<indexes::Pods>(Api::<Pod>::all(client.clone()), &cache),
            follow::<indexes::PodPolicies>(Api::<PodPolicy>::all(client.clone()), &cache),
        )
    };
    shutdown.run_until_cancelled(all).await;
}

/// Follows one kind for ever. Says once when it begins to fail and once when it works again.
async fn follow<I: Indexed>(api: Api<I::Object>, cache: &Cache) {
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    let mut events = pin!(watcher(api, config));
    let mut waits = Waits::new();
    let mut failing = false;
    let mut listed: HashSet<Key> = HashSet::new();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                if !failing {
                    warn!(kind = KINDS[I::KIND], error = reason(&error), "can't watch");
                }
                failing = true;
                tokio::time::sleep(waits.next().unwrap_or_default()).await;
                continue;
            }
        };
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                cache.change(|snapshot| I::apply(snapshot, &object));
                listed.insert(key_of(&object));
            }
            Event::InitDone => {
                cache.change(|snapshot| retain::<I>(snapshot, &listed));
                listed = HashSet::new();
                cache.set_filled(I::KIND);
                waits.reset();
                if failing {
                    info!(kind = KINDS[I::KIND], "watching again");
                }
                failing = false;
            }
            Event::Apply(object) => cache.change(|snapshot| I::apply(snapshot, &object)),
            Event::Delete(object) => {
                let key = key_of(&object);
                cache.change(|snapshot| I::remove(snapshot, &key));
            }
        }
    }
}

/// Why a watch failed, without the whole status that kube's error repeats.
pub(super) fn reason(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => said(error),
        error => error.to_string(),
    }
}

/// Takes out what a new list does not have: it went while nobody watched.
fn retain<I: Indexed>(snapshot: &mut Snapshot, listed: &HashSet<Key>) -> Concerned {
    let mut concerned = Concerned::default();
    for key in I::keys(snapshot) {
        if !listed.contains(&key) {
            let Concerned { pods, pkis, policies, gone } = I::remove(snapshot, &key);
            concerned.pods.extend(pods);
            concerned.pkis.extend(pkis);
            concerned.policies.extend(policies);
            concerned.gone.extend(gone);
        }
    }
    concerned
}

fn key_of<K: Resource>(object: &K) -> Key {
    Key::new(object.namespace().unwrap_or_default(), object.name_any())
}
