//! A recorder of Kubernetes Events that loses none and repeats none.
//!
//! What lives here: notes about objects are turned into core/v1 Events, correlated, limited and
//! delivered. What it promises:
//!
//! - **One diagnosis is one Event**, whoever finds it and whenever: the name is a hash of object,
//!   type, reason, component and key, and what is found again raises the Event's count. The raise
//!   is bound to the resourceVersion, so that no count is lost between replicas; a write of which
//!   only the answer was lost is not counted twice. Where a note says how many things it is
//!   about ([`Note::count`]), the count is set to that instead.
//! - **Faults are level-triggered** ([`Recorder::stand`]): while a fault stands, its Event is
//!   renewed before it expires, where that is wanted ([`Note::renew`]); when the last one is gone,
//!   a Normal Event says so, once. An object that several judge has a set of faults for each, its
//!   scope. What was told before a restart is read from the Events themselves.
//! - **An outage loses nothing**: 429, 5xx, time-outs and broken connections are waited out, with
//!   back-off, jitter and `Retry-After`.
//! - **A storm stays here**: the queue is bounded and coalesces, each object, the counts of each
//!   fault, and the whole have budgets. The first occurrence of a reason on an object waits for no budget but the whole's,
//!   and what is held back is said ("N more …").
//! - **Callers never wait**: the methods of [`Recorder`] neither block, nor fail, nor do I/O.
//!
//! It knows `kube` and `k8s-openapi`, and no room of this crate.
//!
//! # The client
//!
//! Pass a client whose [`kube::Config::default_retry`] is `false`. kube's own retries wait without
//! a bound of ours and would multiply with those here.
//!
//! # RBAC
//!
//! `create`, `get` and `patch` on `events` (core group) in the namespaces of the objects, and
//! `list` in all namespaces. Without `list`, what was told before a restart stays unknown.
//!
//! # Example
//!
//! ```no_run
//! use k8s_openapi::api::core::v1::Pod;
//! use kube::{Client, Config, Resource};
//! use portreeve::events::{EventType, Note, Options, recorder};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn example(pod: Pod) -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = Config::infer().await?;
//! config.default_retry = false;
//! let client = Client::try_from(config)?;
//! let (recorder, delivery) = recorder(client, Options::new("controlplane", "replica-1"));
//! let shutdown = CancellationToken::new();
//! let running = tokio::spawn(delivery.run(shutdown.clone()));
//!
//! let fault = Note {
//!     event_type: EventType::Warning,
//!     reason: "PkiServiceNameError".into(),
//!     action: "IssueCertificate".into(),
//!     message: "ServiceName: appp1 is not found in allowedNames: [app1 app2]".into(),
//!     key: None,
//!     count: None,
//!     renew: true,
//! };
//! recorder.stand(&pod.object_ref(&()), "app1-pki", vec![fault], None);
//!
//! shutdown.cancel();
//! running.await?;
//! # Ok(())
//! # }
//! ```

mod api;
mod budget;
mod delivery;
mod failure;
mod held_back;
mod known;
mod name;
mod note;
mod object;
mod options;
mod queue;
mod recovery;
mod standing;
mod state;
mod stats;
mod upsert;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;

use self::{
    api::EventsApi,
    note::{Part, Role, Telling, cut, identity},
    standing::{Fault, Subject},
    state::Shared,
    wire::Reporter,
};
pub use self::{
    budget::Budget,
    delivery::Delivery,
    held_back::HELD_BACK_REASON,
    note::{EventType, MAX_FIELD_BYTES, MAX_MESSAGE_BYTES, Note},
    options::{Backoff, Clock, Options},
    stats::{Cause, Stats},
    wire::{ROLE_LABEL, SCOPE_ANNOTATION, TOLD_AT_ANNOTATION},
};

/// Makes a recorder and the delivery that does its I/O. See the [module](self) for what the client
/// needs.
pub fn recorder(client: Client, options: Options) -> (Recorder, Delivery) {
    let shared = Arc::new(Shared::new(&options));
    let delivery = Delivery {
        shared: Arc::clone(&shared),
        api: EventsApi::new(client, options.request_timeout),
        reporter: Reporter {
            component: options.component.clone(),
            instance: cut(&options.instance, MAX_FIELD_BYTES),
        },
        backoff: options.backoff,
        in_flight: options.in_flight,
        known_size: options.pending,
        grace: options.grace,
    };
    (Recorder { shared, component: options.component.into() }, delivery)
}

/// Tells the owners of objects what is to be said about them. Cheap to clone; all clones are one
/// recorder.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    component: Arc<str>,
}

impl Recorder {
    /// Tells one occurrence of something about an object.
    pub fn record(&self, regarding: &ObjectReference, note: Note) {
        let telling = Arc::new(Telling::new(&self.component, regarding, &note, None));
        self.shared.with(|state, stats| state.record(&telling, stats));
        self.shared.changed.notify_one();
    }

    /// Tells all the faults that stand on an object now in one scope; to be called whenever the
    /// object was looked at, with whatever was found.
    ///
    /// A scope is what is judged by itself, whenever its turn comes: of a Pod that mounts the
    /// Secrets of two Pkis, each Pki. `faults` are the whole truth of that scope, and `resolved`
    /// ends that scope's faults; they say nothing of the object's other scopes. The name of a scope
    /// is any short text that stays the same over restarts: it is written on the Events
    /// ([`SCOPE_ANNOTATION`]) and is part of their names, so that one diagnosis in two scopes is
    /// two Events. Where an object is judged as a whole the scope is empty.
    ///
    /// A fault that is new, or said in other words, is told at once. One that stands and is to be
    /// renewed ([`Note::renew`]) is told again every [`Options::renew_every`], its count raised by
    /// one; one that is not is remembered, so that its end can be told. Either may become the
    /// other: renewals then begin `renew_every` after the last telling, at once if that is past,
    /// or they stop. One that is not in `faults` any more is no longer renewed; and when none is
    /// left where some were, `resolved` is told, once. The same set again writes nothing.
    ///
    /// A fault with a count ([`Note::count`]) that changes, in its count or its words, is told
    /// again no sooner than [`Options::recount_every`] after its last telling: a thousand changes
    /// are a few writes, and the last of them is always told. Its renewals write the same count
    /// again.
    ///
    /// What a process before this one told counts: its faults found again raise the counts of
    /// their Events, and faults that went away while nobody ran are resolved by the first call
    /// without any for their scope. A fault that is not to be renewed is not told again where its
    /// Event is there and says the same; until that is known, it waits. Of a scope of which
    /// nothing was ever told, a call without faults writes nothing.
    pub fn stand(
        &self,
        regarding: &ObjectReference,
        scope: &str,
        faults: Vec<Note>,
        resolved: Option<Note>,
    ) {
        let telling = |note: &Note, role| {
            let part = Part { role, scope: scope.to_owned() };
            Telling::new(&self.component, regarding, note, Some(part))
        };
        let fault = |note: &Note| Fault { telling: telling(note, Role::Fault), renew: note.renew };
        let faults = faults.iter().map(fault).collect();
        let resolved = resolved.map(|note| telling(&note, Role::Resolution));
        let subject = Subject::new(&identity(regarding), scope);
        self.shared.with(|state, _| {
            let now = state.now();
            state.standing.stand(&subject, faults, resolved, now.tick);
            state.pump();
        });
        self.shared.changed.notify_one();
    }

    /// The object with this uid is gone: nothing about its faults, in any scope, is renewed or said
    /// any more. What was [recorded](Recorder::record) of it happened, and is still told.
    pub fn forget(&self, uid: &str) {
        self.shared.with(|state, _| {
            let now = state.now();
            state.standing.forget(uid);
            state.queue.forget(uid, now.tick);
        });
    }

    /// Nobody judges this scope of the object any more: its faults are no longer renewed, and
    /// nothing is said of their end. Other scopes stand as they stood.
    pub fn forget_scope(&self, uid: &str, scope: &str) {
        self.shared.with(|state, _| {
            let now = state.now();
            state.standing.forget_scope(&Subject::new(uid, scope));
            state.queue.forget_scope(uid, scope, now.tick);
        });
    }

    /// Whether it is known what a process before this one told. Until then the recorder has to
    /// remember each object without faults that it is told of; after that such a call costs nothing.
    pub fn knows_the_past(&self) -> bool {
        self.shared.with(|state, _| state.standing.knows_the_past())
    }

    /// Counts of what this recorder did.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }
}
