//! The CA's Secret: what lies in it, and how it is first made.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::{
    ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{Bundle, CA_LIFETIME, Error, Identity, Unusable};
use crate::pki::{Authority, KeyAlgorithm};

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const BUNDLE: &str = "ca.crt";

/// What the Secret holds: who signs, and all that is to be trusted. During a rotation the bundle
/// has more authorities than the one that signs.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) authority: Authority,
    pub(super) bundle: Bundle,
}

impl Trust {
    /// A new CA for `identity`, trusted alone.
    pub(super) fn create(identity: &Identity, now: Timestamp) -> Result<Self, Error> {
        // RFC 5280 allows 64 bytes of common name; a namespace's name has up to 63.
        let mut name = format!("portreeve serving CA {}", identity.namespace);
        name.truncate(crate::pki::MAX_COMMON_NAME_BYTES);
        let authority = Authority::create(&name, CA_LIFETIME, KeyAlgorithm::EcdsaP256, now)?;
        let mut bundle = Bundle::default();
        bundle.insert(authority.certificate().clone());
        Ok(Self { authority, bundle })
    }

    /// Reads the Secret. The authority that signs is always part of the bundle, whatever `ca.crt`
    /// says.
    pub(super) fn read(secret: &Secret) -> Result<Arc<Self>, Unusable> {
        let unusable = |fault: String| Unusable {
            namespace: secret.metadata.namespace.clone().unwrap_or_default(),
            name: secret.metadata.name.clone().unwrap_or_default(),
            fault,
        };
        let entry = |key: &str| -> Result<Option<&str>, Unusable> {
            let Some(ByteString(bytes)) = secret.data.as_ref().and_then(|data| data.get(key))
            else {
                return Ok(None);
            };
            let text = std::str::from_utf8(bytes);
            text.map(Some).map_err(|_| unusable(format!("{key} is not text")))
        };
        let required = |key: &str| entry(key)?.ok_or_else(|| unusable(format!("{key} is missing")));

        let authority = Authority::from_pem(required(CERTIFICATE)?, required(KEY)?)
            .map_err(|error| unusable(error.to_string()))?;
        let mut bundle = Bundle::default();
        bundle.insert(authority.certificate().clone());
        if let Some(text) = entry(BUNDLE)? {
            let listed =
                Bundle::from_pem(text).map_err(|error| unusable(format!("{BUNDLE}: {error}")))?;
            listed.certificates().iter().cloned().for_each(|it| bundle.insert(it));
        }
        Ok(Arc::new(Self { authority, bundle }))
    }

    /// The Secret that holds this.
    pub(super) fn to_secret(&self, identity: &Identity) -> Secret {
        let data = [
            (CERTIFICATE, self.authority.certificate_pem()),
            (KEY, self.authority.key_pem().to_string()),
            (BUNDLE, self.bundle.pem()),
        ];
        Secret {
            metadata: ObjectMeta {
                name: Some(identity.secret_name.clone()),
                namespace: Some(identity.namespace.clone()),
                labels: Some(
                    [("app.kubernetes.io/managed-by".to_owned(), "portreeve".to_owned())].into(),
                ),
                ..ObjectMeta::default()
            },
            type_: Some("kubernetes.io/tls".to_owned()),
            data: Some(
                data.into_iter()
                    .map(|(key, text)| (key.to_owned(), ByteString(text.into_bytes())))
                    .collect(),
            ),
            ..Secret::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn identity() -> Identity {
        Identity::new("portreeve", vec!["portreeve.portreeve.svc".to_owned()])
    }

    fn with(key: &str, text: &str) -> Secret {
        let mut secret = Trust::create(&identity(), now()).unwrap().to_secret(&identity());
        secret.data.as_mut().unwrap().insert(key.to_owned(), ByteString(text.into()));
        secret
    }

    #[test]
    fn a_new_ca_survives_a_round_trip_through_its_secret() {
        let made = Trust::create(&identity(), now()).unwrap();
        let secret = made.to_secret(&identity());
        assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
        let read = Trust::read(&secret).unwrap();
        assert_eq!(read.authority.fingerprint(), made.authority.fingerprint());
        assert!(read.bundle.contains_all(&made.bundle) && made.bundle.contains_all(&read.bundle));
    }

    #[test]
    fn a_bundle_may_hold_more_authorities_than_the_one_that_signs() {
        let old = Trust::create(&identity(), now()).unwrap();
        let secret = with("ca.crt", &old.bundle.pem());
        let read = Trust::read(&secret).unwrap();
        assert_eq!(read.bundle.certificates().len(), 2);
        assert!(read.bundle.contains(old.authority.certificate()));
        assert!(read.bundle.contains(read.authority.certificate()));
    }

    #[test]
    fn a_secret_without_a_bundle_is_trusted_for_its_ca() {
        let mut secret = with("x", "");
        secret.data.as_mut().unwrap().remove("ca.crt");
        assert_eq!(Trust::read(&secret).unwrap().bundle.certificates().len(), 1);
    }

    #[test]
    fn an_unusable_secret_is_named_with_what_is_wrong() {
        let other = Trust::create(&identity(), now()).unwrap();
        for (key, text, fault) in [
            ("tls.crt", "hello", "no certificate could be read"),
            ("tls.key", "hello", "no private key could be read"),
            ("tls.key", other.authority.key_pem().as_str(), "does not belong to certificate"),
            ("ca.crt", "hello", "ca.crt: no certificate could be read"),
        ] {
            let error = Trust::read(&with(key, text)).unwrap_err().to_string();
            assert!(error.starts_with("Secret portreeve/portreeve-serving-ca is not"), "{error}");
            assert!(error.contains(fault), "{error}");
        }
        let mut empty = with("x", "");
        empty.data = None;
        let error = Trust::read(&empty).unwrap_err().to_string();
        assert!(error.contains("tls.crt is missing"), "{error}");
    }

    #[test]
    fn the_longest_namespace_name_makes_a_ca_too() {
        let identity = Identity::new("n".repeat(63), vec![]);
        assert!(Trust::create(&identity, now()).is_ok());
    }
}
