//! The certificate that the TLS server shows, replaceable while it serves.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Error;
use crate::pki::{LeafFacts, PrivateKey, certificates_from_pem};

/// What is being shown.
pub(super) struct Shown {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) facts: LeafFacts,
    certified: Arc<CertifiedKey>,
}

/// The current serving certificate and its key. A handshake takes whichever is current when it
/// begins; before the first one, handshakes are refused.
#[derive(Default)]
pub struct ServingCert {
    current: ArcSwapOption<Shown>,
}

impl ServingCert {
    /// Shows this certificate (the leaf first, intermediates after it) from now on.
    ///
    /// # Errors
    /// If it can't be parsed, or the key is not its key. What was shown before stays then.
    pub fn replace(&self, certificate_pem: &str, key: &PrivateKey) -> Result<(), Error> {
        let chain = certificates_from_pem(certificate_pem)?;
        let facts = LeafFacts::from_pem(certificate_pem)?;
        let signing = aws_lc_rs::sign::any_supported_type(&PrivateKeyDer::Pkcs8(key.pkcs8()))?;
        let certified = CertifiedKey::new(chain.clone(), signing);
        certified.keys_match()?;
        let certified = Arc::new(certified);
        self.current.store(Some(Arc::new(Shown { chain, facts, certified })));
        Ok(())
    }

    /// What is known of the certificate being shown.
    pub fn facts(&self) -> Option<LeafFacts> {
        self.shown().map(|shown| shown.facts.clone())
    }

    /// A TLS configuration that shows this certificate, speaks TLS 1.2 and 1.3, and offers HTTP/2
    /// before HTTP/1.1. Made once: it follows every replacement.
    ///
    /// # Errors
    /// If the TLS library lacks what it was built with; never in practice.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, Error> {
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    pub(super) fn shown(&self) -> Option<Arc<Shown>> {
        self.current.load_full()
    }
}

impl ResolvesServerCert for ServingCert {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown().map(|shown| Arc::clone(&shown.certified))
    }
}

impl fmt::Debug for ServingCert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serial = self.shown().map(|shown| shown.facts.serial.clone());
        f.debug_struct("ServingCert").field("serial", &serial).finish_non_exhaustive()
    }
}
