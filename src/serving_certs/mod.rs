//! The server's own certificate, without which no API server talks to it.
//!
//! A CA lies in a Secret of Portreeve's own namespace; every replica reads it by a watch and makes
//! a leaf of its own, in memory. The Secret's bundle is written into the webhook configurations as
//! `caBundle`. What this room promises:
//!
//! - of replicas that start together exactly one makes the CA, and the others take it;
//! - a Secret that can't be used is reported, never overwritten;
//! - a leaf is replaced without a restart, and no handshake sees a half-changed one;
//! - a leaf in use is not replaced by one of another CA until the live `caBundle` trusts that CA;
//! - readiness is the handshake that the API server would make, against the live `caBundle`.
//!
//! It knows [`pki`](crate::pki) and the Kubernetes client, and nothing of admission.
//!
//! # RBAC needed
//!
//! - `secrets`: `list`, `watch` and `create` in its own namespace;
//! - `mutatingwebhookconfigurations` and `validatingwebhookconfigurations`: `list` and `watch`, and
//!   `patch` of the one by name.

mod bundle;
mod configurations;
mod error;
mod keeper;
mod secret;
mod serving_cert;
mod world;

pub use bundle::Bundle;
pub use error::{Error, Unusable};
pub use keeper::{CA_LIFETIME, Clock, FIELD_MANAGER, Keeper, LEAF_LIFETIME};
pub use serving_cert::ServingCert;

/// The name of the CA's Secret where nobody says otherwise.
pub const DEFAULT_SECRET_NAME: &str = "portreeve-serving-ca";

/// The name of both webhook configurations where nobody says otherwise.
pub const DEFAULT_CONFIGURATION_NAME: &str = "portreeve";

/// How the names of Portreeve's own webhooks end; the others in a configuration are not touched.
pub const WEBHOOK_SUFFIX: &str = ".portreeve.box.com";

/// Who the server is to its API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Portreeve's own namespace.
    pub namespace: String,
    /// The Secret in it that holds the CA.
    pub secret_name: String,
    /// The DNS names and IP addresses by which the API server calls: `SERVICE.NAMESPACE.svc`, or
    /// the host of the webhooks' URL.
    pub names: Vec<String>,
    /// The name of the mutating and of the validating webhook configuration.
    pub configuration_name: String,
}

impl Identity {
    /// An identity with the usual names of Secret and webhook configurations.
    pub fn new(namespace: impl Into<String>, names: Vec<String>) -> Self {
        Self {
            namespace: namespace.into(),
            secret_name: DEFAULT_SECRET_NAME.to_owned(),
            names,
            configuration_name: DEFAULT_CONFIGURATION_NAME.to_owned(),
        }
    }
}
