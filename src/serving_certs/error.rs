//! What keeps the server from having, or proving, its certificate.

use crate::pki;

/// Why the serving certificate, its CA or the `caBundle` is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CA's Secret can't be created because there is nowhere to put it.
    #[error("Secret {namespace}/{name} can't be made: namespace {namespace:?} does not exist")]
    NamespaceMissing {
        /// The namespace.
        namespace: String,
        /// The Secret's name.
        name: String,
    },
    /// The Secret is there, and is no CA that we can use.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A key or certificate could not be made.
    #[error("no serving certificate can be made: {0}")]
    Pki(#[from] pki::Error),
    /// The TLS library refused what we made.
    #[error("the TLS library does not take the serving certificate: {0}")]
    Tls(#[from] rustls::Error),
    /// The API server refused, or could not be reached.
    #[error("{action} failed: {source}")]
    Api {
        /// What was being done, with the object's name.
        action: String,
        /// What the API server said.
        source: kube::Error,
    },
}

/// What is wrong with the CA's Secret, which is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Secret {namespace}/{name} is not a usable CA: {fault}. Repair it, or delete it and it is made \
     anew"
)]
pub struct Unusable {
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub name: String,
    /// What is wrong with it.
    pub fault: String,
}
