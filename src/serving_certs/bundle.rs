//! Sets of CA certificates: what a `ca.crt` or a `caBundle` holds.

use rustls_pki_types::CertificateDer;

use crate::pki;

/// A set of CA certificates. Order is kept, and means nothing.
#[derive(Clone, Debug, Default)]
pub struct Bundle(Vec<CertificateDer<'static>>);

impl Bundle {
    /// Reads the certificates of a PEM text.
    ///
    /// # Errors
    /// If there is none, or the PEM is damaged.
    pub fn from_pem(text: &str) -> Result<Self, pki::Error> {
        let mut bundle = Self::default();
        pki::certificates_from_pem(text)?.into_iter().for_each(|it| bundle.insert(it));
        Ok(bundle)
    }

    /// Adds a certificate, if it is not there yet.
    pub fn insert(&mut self, certificate: CertificateDer<'static>) {
        if !self.contains(&certificate) {
            self.0.push(certificate);
        }
    }

    /// Whether this very certificate is in the set.
    pub fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        self.0.iter().any(|ours| ours.as_ref() == certificate.as_ref())
    }

    /// Whether all of `other` is in the set.
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.iter().all(|certificate| self.contains(certificate))
    }

    /// The certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// As one PEM text.
    pub fn pem(&self) -> String {
        pki::certificates_to_pem(&self.0)
    }
}
