//! Certificate authorities: made, or read from what a platform engineer brought.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use x509_parser::{certificate::X509Certificate, extensions::ParsedExtension};
use zeroize::Zeroizing;

use super::{
    BACKDATE, Error, KeyAlgorithm, Leaf, LeafRequest, PrivateKey, Validity,
    leaf::{check_common_name, random_serial},
    x509,
};

/// A certificate and its key that may sign leaves.
#[derive(Debug)]
pub struct Authority {
    /// The signing certificate, then, of an intermediate, those above it that came along.
    chain: Vec<CertificateDer<'static>>,
    certificate: CertificateDer<'static>,
    key: PrivateKey,
    subject: String,
    validity: Validity,
    subject_key_id: Option<Vec<u8>>,
}

impl Authority {
    /// Makes a self-signed authority with a new key, valid from five minutes before `now` (other
    /// clocks run late) until `duration` after it. It may sign leaves but no other authority.
    ///
    /// # Errors
    /// For a common name that is empty or longer than 64 bytes, for a `duration` that is not
    /// positive or reaches past the year 9999, and if the cryptographic library fails.
    pub fn create(
        common_name: &str,
        duration: SignedDuration,
        algorithm: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Self, Error> {
        check_common_name(common_name)?;
        let time = |time: Result<Timestamp, jiff::Error>| {
            time.ok().and_then(x509::asn1_time).ok_or(Error::Duration { duration })
        };
        if duration.as_secs() <= 0 {
            return Err(Error::Duration { duration });
        }
        let key = PrivateKey::generate(algorithm)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(random_serial()?);
        params.not_before = time(now.checked_sub(BACKDATE))?.to_datetime();
        params.not_after = time(now.checked_add(duration))?.to_datetime();
        let certificate = params
            .self_signed(key.pair())
            .map_err(|source| Error::Library { action: "signing a CA", source })?;
        Self::new(vec![certificate.der().clone()], key)
    }

    /// Reads an authority. Of several certificates the first is the one that signs; those after it
    /// are handed out with each leaf if it is an intermediate.
    ///
    /// Whether it is still valid is told by [`issue`](Self::issue), not here: an expired authority
    /// is worth loading, if only to say when it expired.
    ///
    /// # Errors
    /// If certificate or key can't be read, the certificate is not a CA's, its key usage forbids
    /// signing, its subject can't be an issuer, or the key is not its key.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, Error> {
        let chain = x509::certificates_from_pem(certificate)?;
        Self::new(chain, PrivateKey::from_pem(key)?)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKey) -> Result<Self, Error> {
        let certificate =
            chain.first().cloned().ok_or_else(|| Error::CertificatePem("none".to_owned()))?;
        let parsed = x509::parse(&certificate)?;
        let subject = parsed.subject().to_string();
        let damaged =
            |error: x509_parser::error::X509Error| Error::CertificateDer(error.to_string());

        if !parsed.basic_constraints().map_err(damaged)?.is_some_and(|basic| basic.value.ca) {
            return Err(Error::NotAnAuthority { subject });
        }
        if parsed.key_usage().map_err(damaged)?.is_some_and(|usage| !usage.value.key_cert_sign()) {
            return Err(Error::CannotSign { subject });
        }
        if !can_be_repeated(&parsed) {
            return Err(Error::UnsupportedSubject { subject });
        }
        if parsed.public_key().raw != key.public_key() {
            return Err(Error::KeyMismatch { subject });
        }
        webpki::anchor_from_trusted_cert(&certificate)
            .map_err(|error| Error::CertificateDer(error.to_string()))?;
        let validity = x509::validity_of(&parsed);
        let subject_key_id = subject_key_id(&parsed);
        drop(parsed);
        let authority = Self { chain, certificate, key, subject, validity, subject_key_id };
        authority.issuer()?;
        Ok(authority)
    }

    /// Signs a leaf for the public half of `key`.
    ///
    /// The leaf is valid from five minutes before `now`, for as long after `now` as was asked or
    /// until the authority expires, whichever comes first; [`Leaf::clamped`] says which. It has
    /// been verified against this authority when it is returned.
    ///
    /// # Errors
    /// If the authority is not valid at `now` (the error has the dates), a name is not of the form
    /// that certificates hold, nothing at all is named, the duration is not positive, or the
    /// result does not verify (the authority's name constraints forbid a name, for example).
    pub fn issue(
        &self,
        request: &LeafRequest,
        key: &PrivateKey,
        now: Timestamp,
    ) -> Result<Leaf, Error> {
        Leaf::issue(self, request, key, now)
    }

    /// The signing certificate in PEM form, and those above it that came along.
    pub fn certificate_pem(&self) -> String {
        x509::certificates_to_pem(&self.chain)
    }

    /// The signing certificate in DER form.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The private key in PEM form, PKCS#8.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.pem()
    }

    /// From when to when the authority may sign.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The subject, as `CN=…`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// SHA-256 of the signing certificate's DER form, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        x509::fingerprint(&self.certificate)
    }

    /// The subject key identifier, which leaves repeat as their authority key identifier. An
    /// authority made elsewhere may have none.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.subject_key_id.as_deref()
    }

    /// What a TLS server shows besides its leaf: nothing for a root, the intermediates otherwise.
    pub(super) fn intermediates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.chain.iter().filter(|der| {
            x509::parse(der).is_ok_and(|it| it.subject().as_raw() != it.issuer().as_raw())
        })
    }

    pub(super) fn issuer(&self) -> Result<Issuer<'static, &KeyPair>, Error> {
        Issuer::from_ca_cert_der(&self.certificate, self.key.pair())
            .map_err(|source| Error::Library { action: "reading a CA", source })
    }
}

/// rcgen holds a name as a map: an attribute that occurs twice, or two in one RDN, would come out
/// changed, and no chain to such an issuer verifies.
fn can_be_repeated(certificate: &X509Certificate<'_>) -> bool {
    let mut seen = BTreeSet::new();
    let single = certificate.subject().iter_rdn().all(|rdn| rdn.iter().count() == 1);
    single
        && certificate
            .subject()
            .iter_attributes()
            .all(|attribute| seen.insert(attribute.attr_type().to_id_string()))
}

fn subject_key_id(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn year() -> SignedDuration {
        SignedDuration::from_hours(365 * 24)
    }

    fn authority() -> Authority {
        Authority::create("test CA", year(), KeyAlgorithm::EcdsaP256, now()).unwrap()
    }

    #[test]
    fn an_authority_survives_a_round_trip_through_pem() {
        for algorithm in KeyAlgorithm::ALL {
            let made = Authority::create("test CA", year(), *algorithm, now()).unwrap();
            let read = Authority::from_pem(&made.certificate_pem(), &made.key_pem()).unwrap();
            assert_eq!(read.fingerprint(), made.fingerprint());
            assert_eq!(read.validity(), made.validity());
            assert_eq!(read.subject(), "CN=test CA");
            assert_eq!(read.subject_key_id().unwrap().len(), 20);
        }
    }

    #[test]
    fn an_authority_is_backdated_and_lasts_as_long_as_asked() {
        let validity = authority().validity();
        assert_eq!(validity.not_before, "2026-11-21T09:55:00Z".parse().unwrap());
        assert_eq!(validity.not_after, "2027-11-21T10:00:00Z".parse().unwrap());
    }

    #[test]
    fn an_authority_signs_leaves_and_nothing_else() {
        let authority = authority();
        let parsed = x509::parse(authority.certificate()).unwrap();
        let basic = parsed.basic_constraints().unwrap().unwrap();
        assert!(basic.critical && basic.value.ca);
        assert_eq!(basic.value.path_len_constraint, Some(0));
        let usage = parsed.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert!(usage.value.key_cert_sign() && usage.value.crl_sign());
        assert!(!usage.value.digital_signature());
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_der_form_in_lower_case_hexadecimal() {
        let fingerprint = authority().fingerprint();
        assert_eq!(fingerprint.len(), 64);
        assert!(fingerprint.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn a_leaf_is_no_authority() {
        let authority = authority();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request =
            LeafRequest { dns_names: vec!["app1".to_owned()], ..LeafRequest::lasting(year()) };
        let leaf = authority.issue(&request, &key, now()).unwrap();
        let error = Authority::from_pem(&leaf.certificate_pem, &key.pem()).unwrap_err();
        assert!(matches!(error, Error::NotAnAuthority { .. }), "{error}");
    }

    fn foreign(change: impl FnOnce(&mut CertificateParams)) -> Result<Authority, Error> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let certificate = params.self_signed(key.pair()).unwrap();
        Authority::from_pem(&certificate.pem(), &key.pem())
    }

    #[test]
    fn an_authority_made_elsewhere_without_key_usage_is_taken() {
        assert!(foreign(|_| ()).is_ok());
    }

    #[test]
    fn an_authority_that_may_sign_no_certificates_is_refused() {
        let error = foreign(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]);
        assert!(matches!(error, Err(Error::CannotSign { .. })), "{error:?}");
    }

    #[test]
    fn the_key_of_another_authority_is_refused_and_the_authority_named() {
        let error = Authority::from_pem(&authority().certificate_pem(), &authority().key_pem());
        assert_eq!(
            error.unwrap_err().to_string(),
            "the private key does not belong to certificate \"CN=test CA\""
        );
    }

    /// Made by OpenSSL with `-subj "/O=Box+OU=Platform/CN=CA"`.
    const TWO_ATTRIBUTES_IN_ONE: &str = "-----BEGIN CERTIFICATE-----
MIIBrzCCAVWgAwIBAgIUFY29aQ5EeO8TnHlMCBbFOi3FVwswCgYIKoZIzj0EAwIw
LDEdMAoGA1UECgwDQm94MA8GA1UECwwIUGxhdGZvcm0xCzAJBgNVBAMMAkNBMCAX
DTI2MTEyMTExMjE1M1oYDzIxMjYxMDI4MTEyMTUzWjAsMR0wCgYDVQQKDANCb3gw
DwYDVQQLDAhQbGF0Zm9ybTELMAkGA1UEAwwCQ0EwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATH27IvhvHT1F+M0Ac4r6yJdtutmX0FR+h0TBeAOPkBMBad0C3gpKuU
LWcgpG2WJmt6GN1/ytH/UATAJnRFTkIao1MwUTAdBgNVHQ4EFgQU1HHaZhT2r0is
eg2DYd9IG+ZnEgkwHwYDVR0jBBgwFoAU1HHaZhT2r0iseg2DYd9IG+ZnEgkwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAmS1LnIifIJ03UrHwTK11
Gb8rcNQNvNore82rwiOq+QkCIBhZDf+0oFqH50Hec3yIHjtrJqmEWYD0+tAxlCLD
IJU0
-----END CERTIFICATE-----
";

    /// Made by OpenSSL with `-subj "/OU=Box/OU=Platform/CN=CA"`.
    const ONE_ATTRIBUTE_TWICE: &str = "-----BEGIN CERTIFICATE-----
MIIBtDCCAVmgAwIBAgIUFYcRpGzLc9ab7IUgj9Fo1t0yzVwwCgYIKoZIzj0EAwIw
LjEMMAoGA1UECwwDQm94MREwDwYDVQQLDAhQbGF0Zm9ybTELMAkGA1UEAwwCQ0Ew
IBcNMjYxMTIxMTEyMTUzWhgPMjEyNjEwMjgxMTIxNTNaMC4xDDAKBgNVBAsMA0Jv
eDERMA8GA1UECwwIUGxhdGZvcm0xCzAJBgNVBAMMAkNBMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEx9uyL4bx09RfjNAHOK+siXbbrZl9BUfodEwXgDj5ATAWndAt
4KSrlC1nIKRtliZrehjdf8rR/1AEwCZ0RU5CGqNTMFEwHQYDVR0OBBYEFNRx2mYU
9q9IrHoNg2HfSBvmZxIJMB8GA1UdIwQYMBaAFNRx2mYU9q9IrHoNg2HfSBvmZxIJ
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAIWCfOsgvYHVCr1c
SzA8L6mij6rw309aX6IE31emBOuFAiEAxnA1wsT7CrBCG5YIBM9DXwFDXkCWM/2B
7eZ3IfjNSnA=
-----END CERTIFICATE-----
";

    #[test]
    fn an_issuer_whose_name_would_come_out_changed_is_refused_before_it_signs() {
        let key = authority().key_pem();
        for certificate in [TWO_ATTRIBUTES_IN_ONE, ONE_ATTRIBUTE_TWICE] {
            let error = Authority::from_pem(certificate, &key).unwrap_err();
            assert!(matches!(error, Error::UnsupportedSubject { .. }), "{error}");
        }
    }

    #[test]
    fn garbage_is_refused_with_a_reason() {
        let good = authority();
        for (certificate, key) in [
            ("", good.key_pem().as_str()),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &good.key_pem()),
            (&good.certificate_pem(), ""),
            (&good.certificate_pem(), &good.certificate_pem()),
        ] {
            assert!(Authority::from_pem(certificate, key).is_err());
        }
    }

    #[test]
    fn impossible_lifetimes_are_refused() {
        for duration in [SignedDuration::ZERO, SignedDuration::from_secs(-1), SignedDuration::MAX] {
            let error = Authority::create("x", duration, KeyAlgorithm::EcdsaP256, now());
            assert!(matches!(error, Err(Error::Duration { .. })), "{duration}: {error:?}");
        }
    }

    #[test]
    fn debug_never_shows_the_key() {
        assert!(format!("{:?}", authority()).contains("key: PrivateKey(ECDSA 256)"));
    }
}
