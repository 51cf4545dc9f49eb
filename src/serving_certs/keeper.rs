//! The task that keeps CA, leaf and `caBundle` as they should be.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration},
    core::v1::Secret,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
    runtime::utils::Backoff as _,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    Error, Identity, ServingCert,
    configurations::{Configuration, Kind},
    secret::Trust,
    world::{self, Observation, Seen, World},
};
use crate::backoff::Waits;
use crate::pki::{KeyAlgorithm, LeafRequest, PrivateKey, default_renew_before, renewal_time};

/// How long the CA lasts: longer than anybody waits for its rotation.
pub const CA_LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// How long a leaf lasts; it is replaced when a third of that is left.
pub const LEAF_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The field manager of what this room writes.
pub const FIELD_MANAGER: &str = "portreeve-serving-certs";

/// The wall clock is looked at this often: a timer alone would stand still while a machine sleeps.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(30);

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Keeps the serving certificate. Cheap to clone: all clones are the same keeper.
#[derive(Clone)]
pub struct Keeper {
    context: Arc<Context>,
}

struct Context {
    client: Client,
    identity: Identity,
    clock: Clock,
    serving: Arc<ServingCert>,
    world: Mutex<World>,
}

impl Keeper {
    /// A keeper that has as yet seen nothing.
    pub fn new(client: Client, identity: Identity) -> Self {
        Self::with_clock(client, identity, Arc::new(Timestamp::now))
    }

    /// As [`new`](Self::new), with another clock.
    pub fn with_clock(client: Client, identity: Identity, clock: Clock) -> Self {
        let (serving, world) = (Arc::default(), Mutex::default());
        Self { context: Arc::new(Context { client, identity, clock, serving, world }) }
    }

    /// The certificate that is being kept.
    pub fn serving_cert(&self) -> Arc<ServingCert> {
        Arc::clone(&self.context.serving)
    }

    /// Whether the API server's calls would succeed: a leaf is there and valid, and for each of our
    /// webhooks it verifies against the live `caBundle` for the name that is dialled.
    ///
    /// # Errors
    /// A sentence for whoever reads the readiness probe.
    pub fn ready(&self) -> Result<(), String> {
        let now = (self.context.clock)();
        let world = self.context.world();
        let why = |text: &str| match &world.fault {
            Some(fault) => format!("{text}: {fault}"),
            None => text.to_owned(),
        };
        let shown = self
            .context
            .serving
            .shown()
            .ok_or_else(|| why("there is no serving certificate yet"))?;
        if !shown.facts.validity.contains(now) {
            let until = shown.facts.validity.not_after;
            return Err(why(&format!("the serving certificate was valid until {until}")));
        }
        for (kind, seen) in world.configurations() {
            match seen {
                Seen::Unknown => {
                    return Err(why(&format!("the {} has not been read yet", kind.as_str())));
                }
                Seen::Absent => {}
                Seen::Present(it) => it.verify(&shown.chain, now).map_err(|text| why(&text))?,
            }
        }
        Ok(())
    }

    /// When the serving certificate ends.
    pub fn leaf_not_after(&self) -> Option<Timestamp> {
        self.context.serving.shown().map(|shown| shown.facts.validity.not_after)
    }

    /// When the CA that signs ends.
    pub fn ca_not_after(&self) -> Option<Timestamp> {
        self.context.world().trust.as_ref().map(|trust| trust.authority.validity().not_after)
    }

    /// Watches and sets right until `shutdown`. An API server that is away, forbids or refuses is
    /// tried again for as long as it takes; what is shown meanwhile is the last good certificate.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.context.keep()).await;
    }
}

impl Context {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self) {
        let mut observations = pin!(world::observations(&self.client, &self.identity));
        let mut waits = Waits::new();
        loop {
            let wait = match self.reconcile().await {
                Ok(()) => {
                    self.note_fault(None);
                    waits.reset();
                    LOOK_AT_CLOCK
                }
                Err(error) => {
                    self.note_fault(Some(error.to_string()));
                    waits.next().unwrap_or(LOOK_AT_CLOCK)
                }
            };
            tokio::select! {
                Some(observation) = observations.next() => self.world().observe(observation),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sets right what the world as seen lacks. Where one step fails the others are still taken: a
    /// Secret that was spoiled, or a bundle that can't be written, is no reason to let the leaf run
    /// out.
    async fn reconcile(&self) -> Result<(), Error> {
        let ensured = self.ensure_trust().await;
        let trust = match &ensured {
            Ok(trust) => trust.clone(),
            Err(_) => self.world().trust.clone(),
        };
        if let Some(trust) = trust {
            let published = self.publish(&trust).await;
            self.renew_leaf(&trust)?;
            published?;
        }
        ensured.map(drop)
    }

    /// What the Secret holds. Where there is no Secret one is made, of the CA that we already have
    /// while that is valid: a Secret that was deleted by mistake must not change the CA under every
    /// replica.
    async fn ensure_trust(&self) -> Result<Option<Arc<Trust>>, Error> {
        let held = {
            let world = self.world();
            match &world.secret {
                Seen::Unknown => return Ok(None),
                Seen::Absent => world.trust.clone(),
                Seen::Present(Err(unusable)) => return Err(unusable.clone().into()),
                Seen::Present(Ok(trust)) => return Ok(Some(Arc::clone(trust))),
            }
        };
        let now = (self.clock)();
        let trust = match held.filter(|held| held.authority.validity().contains(now)) {
            Some(held) => held,
            None => Arc::new(Trust::create(&self.identity, now)?),
        };
        let Identity { namespace, secret_name: name, .. } = &self.identity;
        let secrets = Api::<Secret>::namespaced(self.client.clone(), namespace);
        let params =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match secrets.create(&params, &trust.to_secret(&self.identity)).await {
            Ok(_) => {
                tracing::info!(namespace, name, "made the Secret of the serving CA");
                self.world().observe(Observation::Secret(Some(Ok(Arc::clone(&trust)))));
                Ok(Some(trust))
            }
            // Another replica was first: the watch brings its Secret.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(None),
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                Err(Error::NamespaceMissing { namespace: namespace.clone(), name: name.clone() })
            }
            Err(source) => {
                Err(Error::Api { action: format!("creating Secret {namespace}/{name}"), source })
            }
        }
    }

    /// Writes the bundle into those of our webhooks that lack a part of it.
    async fn publish(&self, trust: &Trust) -> Result<(), Error> {
        let patches: Vec<_> = self
            .world()
            .configurations()
            .into_iter()
            .filter_map(|(kind, seen)| match seen {
                Seen::Present(it) => Some((kind, it.patch(&trust.bundle)?)),
                _ => None,
            })
            .collect();
        for (kind, patch) in patches {
            self.patch(kind, patch).await?;
        }
        Ok(())
    }

    async fn patch(&self, kind: Kind, patch: Value) -> Result<(), Error> {
        let name = &self.identity.configuration_name;
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let (client, patch) = (self.client.clone(), Patch::Strategic(patch));
        let patched = match kind {
            Kind::Mutating => Api::<MutatingWebhookConfiguration>::all(client)
                .patch(name, &params, &patch)
                .await
                .map(|object| Configuration::from(&object)),
            Kind::Validating => Api::<ValidatingWebhookConfiguration>::all(client)
                .patch(name, &params, &patch)
                .await
                .map(|object| Configuration::from(&object)),
        };
        match patched {
            Ok(configuration) => {
                tracing::info!(kind = kind.as_str(), name, "wrote the caBundle");
                self.world().set_configuration(kind, Seen::Present(configuration));
                Ok(())
            }
            // It changed, or went, since we saw it: the watch brings what it is now.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
                Ok(())
            }
            Err(source) => Err(Error::Api {
                action: format!("writing the caBundle of {} {name}", kind.as_str()),
                source,
            }),
        }
    }

    /// Makes a new leaf if there is none, it is due, or another CA signs now. In the last case not
    /// before every webhook trusts that CA, as long as the old leaf will do.
    fn renew_leaf(&self, trust: &Trust) -> Result<(), Error> {
        let now = (self.clock)();
        if let Some(shown) = self.serving.shown() {
            let validity = shown.facts.validity;
            let due = renewal_time(
                validity.not_before,
                validity.not_after,
                default_renew_before(validity.lifetime()),
                &shown.facts.serial,
            );
            let of_this_ca = shown.facts.signed_by(&trust.authority);
            let cut_off = !of_this_ca && !self.world().trusts(trust);
            if validity.contains(now) && ((of_this_ca && now < due) || cut_off) {
                return Ok(());
            }
        }
        let mut request = LeafRequest::lasting(LEAF_LIFETIME);
        for name in &self.identity.names {
            match name.parse() {
                Ok(address) => request.ip_addresses.push(address),
                Err(_) => request.dns_names.push(name.clone()),
            }
        }
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let leaf = trust.authority.issue(&request, &key, now)?;
        self.serving.replace(&leaf.certificate_pem, &key)?;
        tracing::info!(
            serial = leaf.serial,
            not_after = %leaf.validity.not_after,
            clamped = leaf.clamped,
            names = ?self.identity.names,
            "serving with a new certificate"
        );
        Ok(())
    }

    /// Logs a fault when it begins, changes or ends, not at each try.
    fn note_fault(&self, fault: Option<String>) {
        let mut world = self.world();
        if world.fault != fault {
            match &fault {
                Some(fault) => tracing::warn!(fault, "the serving certificate is not in order"),
                None => tracing::info!("the serving certificate is in order again"),
            }
            world.fault = fault;
        }
    }
}

#[cfg(test)]
mod tests;
