//! How a Pki comes to its certificate: signed by an authority of ours, or by cert-manager.

mod answers;
mod authority;
pub(super) mod cert_manager;
mod certificate_request;
mod fingerprint;
pub(super) mod issuer;

use std::time::Duration;

use jiff::Timestamp;

use crate::api::pki::RotationPolicy;
use crate::api::{Finding, Pki};
use crate::pki::PrivateKey;
use crate::policy::pki::certificate::CertificateRequest;
use crate::policy::pki::{PkiRules, Signer, Subject};

use super::secret::{Holding, Wanted};
use super::{Context, Error};

/// How soon what keeps a certificate from being issued is looked at again, beside every change.
pub(super) const RETRY_BLOCKED: Duration = Duration::from_secs(60);

/// A certificate that is allowed, and what there is of it.
pub(super) struct Order<'a> {
    pub(super) pki: &'a Pki,
    pub(super) rules: &'a PkiRules,
    pub(super) request: CertificateRequest,
    pub(super) holding: Option<Holding>,
    pub(super) now: Timestamp,
}

/// What a signer gives.
pub(super) enum Obtained {
    /// What the Secret is to hold.
    Certificate(Box<Certificate>),
    /// It is on its way: what for, and when to look again.
    Pending(String, Duration),
    /// Nothing: why, and when to look again.
    Blocked(Box<Finding>, Duration),
}

/// What a Secret is to hold.
pub(super) struct Certificate {
    pub(super) wanted: Wanted,
    /// Why a new one was needed; none for the one that is there.
    pub(super) why_new: Option<String>,
    /// Through what it ends earlier than asked for, if it does.
    pub(super) shortened: Option<String>,
}

/// Has the certificate signed that is ordered, unless the one that is there will do.
///
/// # Errors
/// When the API server is away; it is tried again.
pub(super) async fn obtain(order: &Order<'_>, context: &Context) -> Result<Obtained, Error> {
    match &order.rules.signer {
        Signer::Ca(ca) => authority::obtain(order, ca, context).await,
        Signer::CertManager(issuer) => cert_manager::obtain(order, issuer, context).await,
    }
}

impl Order<'_> {
    fn subject(&self) -> Subject<'_> {
        Subject::stored(self.pki)
    }

    /// What moves the renewal of one certificate a little away from that of the next.
    fn seed(&self) -> &str {
        self.pki.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The key of the certificate that is there, where it is to be kept.
    fn kept_key(&self) -> Option<PrivateKey> {
        if self.request.rotation != RotationPolicy::Never {
            return None;
        }
        let (_, key) = self.holding.as_ref()?.pair()?;
        let key = PrivateKey::from_pem(key).ok()?;
        (key.algorithm() == self.request.algorithm).then_some(key)
    }
}

/// Does what takes the processor long, as making an RSA key does, away from the threads that serve.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|lost| Error::Lost(lost.to_string()))
}
