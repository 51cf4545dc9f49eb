//! Signing requests (PKCS#10, RFC 2986), for issuers other than our own authorities.

use super::{Error, LeafRequest, PrivateKey};

impl LeafRequest {
    /// The request in PEM form, signed by the key: names and usages. It has no place for a
    /// lifetime.
    ///
    /// # Errors
    /// If a name can't stand in a certificate, or there is none.
    pub fn signing_request(&self, key: &PrivateKey) -> Result<String, Error> {
        let failed = |source| Error::Library { action: "making a signing request", source };
        let request = self.params(key.algorithm())?.serialize_request(key.pair());
        request.and_then(|request| request.pem()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyAlgorithm, Usage};
    use super::*;
    use jiff::SignedDuration;
    use x509_parser::certification_request::X509CertificationRequest;
    use x509_parser::prelude::FromDer as _;

    #[test]
    fn a_request_asks_for_its_names_and_usages_and_is_signed_by_its_key() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let mut asked = LeafRequest::lasting(SignedDuration::from_hours(1));
            asked.common_name = Some("shop".to_owned());
            asked.dns_names = vec!["shop".to_owned(), "shop.example.com".to_owned()];
            asked.ip_addresses = vec!["10.0.0.1".parse().unwrap()];
            asked.usages = vec![Usage::ClientAuth];
            let pem = pem::parse(asked.signing_request(&key).unwrap()).unwrap();
            let (_, parsed) = X509CertificationRequest::from_der(pem.contents()).unwrap();
            let info = &parsed.certification_request_info;
            assert_eq!(info.subject.to_string(), "CN=shop");
            assert_eq!(info.subject_pki.raw, key.public_key());
            let extensions =
                format!("{:?}", parsed.requested_extensions().unwrap().collect::<Vec<_>>());
            for part in ["\"shop\"", "shop.example.com", "[10, 0, 0, 1]", "client_auth: true"] {
                assert!(extensions.contains(part), "{algorithm}: {part} in {extensions}");
            }
        }
    }

    #[test]
    fn a_request_for_nobody_is_none() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let asked = LeafRequest::lasting(SignedDuration::from_hours(1));
        assert!(matches!(asked.signing_request(&key), Err(Error::NoNames)));
    }
}
