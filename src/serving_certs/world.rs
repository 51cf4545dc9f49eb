//! What the API server holds, as far as the keeper needs to know it, and the watches that say so.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use futures::{Stream, StreamExt as _, future, stream};
use k8s_openapi::api::{
    admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration},
    core::v1::Secret,
};
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};
use serde::de::DeserializeOwned;

use crate::backoff::Waits;

use super::{
    Identity, Unusable,
    configurations::{Configuration, Kind},
    secret::Trust,
};

/// A watch whose connection died in silence is noticed after as long as this.
const WATCH_SECONDS: u32 = 60;

/// What is known of an object that is watched.
#[derive(Default)]
pub(super) enum Seen<T> {
    /// The API server has not told us yet.
    #[default]
    Unknown,
    Absent,
    Present(T),
}

impl<T> Seen<T> {
    fn from_watch(object: Option<T>) -> Self {
        object.map_or(Self::Absent, Self::Present)
    }
}

/// The world as last seen.
#[derive(Default)]
pub(super) struct World {
    pub(super) secret: Seen<Result<Arc<Trust>, Unusable>>,
    /// What the Secret held when it was last usable.
    pub(super) trust: Option<Arc<Trust>>,
    pub(super) mutating: Seen<Configuration>,
    pub(super) validating: Seen<Configuration>,
    /// Why the last attempt to set things right failed.
    pub(super) fault: Option<String>,
    broken_watches: BTreeSet<Watched>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    Secret,
    Configuration(Kind),
}

pub(super) enum Observation {
    Secret(Option<Result<Arc<Trust>, Unusable>>),
    Configuration(Kind, Option<Configuration>),
    Broken(Watched, watcher::Error),
}

impl World {
    pub(super) fn configurations(&self) -> [(Kind, &Seen<Configuration>); 2] {
        [(Kind::Mutating, &self.mutating), (Kind::Validating, &self.validating)]
    }

    pub(super) fn set_configuration(&mut self, kind: Kind, seen: Seen<Configuration>) {
        match kind {
            Kind::Mutating => self.mutating = seen,
            Kind::Validating => self.validating = seen,
        }
    }

    /// Whether every webhook of ours is known to trust what the authority signs.
    pub(super) fn trusts(&self, trust: &Trust) -> bool {
        self.configurations().iter().all(|(_, seen)| match seen {
            Seen::Unknown => false,
            Seen::Absent => true,
            Seen::Present(it) => it.trusts(trust.authority.certificate()),
        })
    }

    /// Takes note of what a watch brought.
    pub(super) fn observe(&mut self, observation: Observation) {
        let watched = match &observation {
            Observation::Secret(_) => Watched::Secret,
            Observation::Configuration(kind, _) => Watched::Configuration(*kind),
            Observation::Broken(watched, error) => {
                if self.broken_watches.insert(*watched) {
                    tracing::warn!(?watched, %error, "a watch is broken; it is tried again");
                }
                return;
            }
        };
        if self.broken_watches.remove(&watched) {
            tracing::info!(?watched, "the watch works again");
        }
        match observation {
            Observation::Secret(secret) => {
                if let Some(Ok(trust)) = &secret {
                    self.trust = Some(Arc::clone(trust));
                }
                self.secret = Seen::from_watch(secret);
            }
            Observation::Configuration(kind, seen) => {
                self.set_configuration(kind, Seen::from_watch(seen));
            }
            Observation::Broken(..) => {}
        }
    }
}

/// Watches all three objects, without end. A broken watch is told, and tried again.
pub(super) fn observations(
    client: &Client,
    identity: &Identity,
) -> impl Stream<Item = Observation> + use<> {
    let Identity { namespace, secret_name, configuration_name, .. } = identity;
    let client = || client.clone();
    let secret = watch_one(Api::<Secret>::namespaced(client(), namespace), secret_name);
    let secret = secret.map(|seen| match seen {
        Ok(object) => Observation::Secret(object.as_ref().map(Trust::read)),
        Err(error) => Observation::Broken(Watched::Secret, error),
    });
    let mutating =
        watch_one(Api::<MutatingWebhookConfiguration>::all(client()), configuration_name)
            .map(|seen| configuration(Kind::Mutating, seen));
    let validating =
        watch_one(Api::<ValidatingWebhookConfiguration>::all(client()), configuration_name)
            .map(|seen| configuration(Kind::Validating, seen));
    stream::select_all([secret.boxed(), mutating.boxed(), validating.boxed()])
}

/// What becomes of one object: `None` whenever it is found not to exist.
fn watch_one<K>(api: Api<K>, name: &str) -> impl Stream<Item = watcher::Result<Option<K>>> + use<K>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config =
        watcher::Config::default().fields(&format!("metadata.name={name}")).timeout(WATCH_SECONDS);
    watcher(api, config)
        .scan(false, |listed, event| {
            let seen = match event {
                Ok(watcher::Event::Init) => {
                    *listed = false;
                    None
                }
                Ok(watcher::Event::InitApply(object)) => {
                    *listed = true;
                    Some(Ok(Some(object)))
                }
                Ok(watcher::Event::InitDone) => (!*listed).then_some(Ok(None)),
                Ok(watcher::Event::Apply(object)) => Some(Ok(Some(object))),
                Ok(watcher::Event::Delete(_)) => Some(Ok(None)),
                Err(error) => Some(Err(error)),
            };
            future::ready(Some(seen))
        })
        .filter_map(future::ready)
        // Last, because each try begins with an `Init`, which would count as a success.
        .backoff(Waits::new())
}

fn configuration<K>(kind: Kind, seen: Result<Option<K>, watcher::Error>) -> Observation
where
    for<'a> Configuration: From<&'a K>,
{
    match seen {
        Ok(object) => Observation::Configuration(kind, object.as_ref().map(Configuration::from)),
        Err(error) => Observation::Broken(Watched::Configuration(kind), error),
    }
}
