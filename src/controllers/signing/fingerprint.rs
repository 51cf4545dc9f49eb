//! What is noted on a Secret whose certificate cert-manager signed: a fingerprint of what was asked
//! for, and one of what was got. An issuer may give something else than was asked for (a shorter
//! life, other usages), so the certificate alone does not tell whether it is still the wanted one.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use crate::api::pki_policy::IssuerRef;
use crate::policy::pki::certificate::CertificateRequest;

/// How many bytes of a hash are noted.
const BYTES: usize = 16;

/// A fingerprint of everything that a new certificate would be asked for. It is stored, and has to
/// stay the same over versions of Portreeve.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked(String);

impl Asked {
    pub(super) fn of(request: &CertificateRequest, issuer: &IssuerRef) -> Self {
        let leaf = &request.leaf;
        let usages = leaf.effective_usages(request.algorithm);
        Self(hash(&json!([
            [issuer.group, issuer.kind, issuer.name],
            leaf.common_name,
            leaf.dns_names,
            leaf.ip_addresses,
            leaf.uris,
            usages.iter().map(|usage| usage.as_str()).collect::<Vec<_>>(),
            leaf.duration.as_secs(),
            request.algorithm.to_string(),
        ])))
    }

    /// The note on a Secret that holds this, which was asked for so.
    pub(super) fn note(&self, chain: &str, ca: Option<&str>) -> String {
        format!("{}.{}", self.0, hash(&json!([chain, ca])))
    }

    /// Whether a note is of something that was asked for so.
    pub(super) fn is_noted(&self, note: &str) -> bool {
        note.split('.').next() == Some(self.0.as_str())
    }

    /// Whether a note is of this certificate, and if so the authority that came with it. That is
    /// not what lies beside it where the issuer gave none and somebody else put one there.
    pub(super) fn noted_ca<'a>(
        &self,
        note: &str,
        chain: &str,
        held_ca: Option<&'a str>,
    ) -> Option<Option<&'a str>> {
        [held_ca, None].into_iter().find(|ca| self.note(chain, *ca) == note)
    }
}

fn hash(value: &Value) -> String {
    let hash = digest::digest(&digest::SHA256, value.to_string().as_bytes());
    hash.as_ref().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::pki::RotationPolicy;
    use crate::pki::{KeyAlgorithm, LeafRequest, Usage};
    use jiff::SignedDuration;

    fn request() -> CertificateRequest {
        let mut leaf = LeafRequest::lasting(SignedDuration::from_hours(24));
        leaf.common_name = Some("app1".to_owned());
        leaf.dns_names = vec!["app1".to_owned()];
        CertificateRequest {
            leaf,
            algorithm: KeyAlgorithm::EcdsaP256,
            renew_before: SignedDuration::from_hours(8),
            rotation: RotationPolicy::Always,
        }
    }

    fn issuer(name: &str) -> IssuerRef {
        serde_json::from_value(json!({"name": name})).unwrap()
    }

    #[test]
    fn the_same_request_has_the_same_fingerprint_in_every_version() {
        let note = Asked::of(&request(), &issuer("ca")).note("chain", Some("ca"));
        insta::assert_snapshot!(note, @"6687993e2c845dc16574bdca01726539.c14d2a751b6644f56ceab3d450f04bda");
    }

    #[test]
    fn whatever_a_certificate_depends_on_changes_the_fingerprint_and_nothing_else_does() {
        let asked = Asked::of(&request(), &issuer("ca"));
        let changed = |change: &dyn Fn(&mut CertificateRequest)| {
            let mut request = request();
            change(&mut request);
            Asked::of(&request, &issuer("ca")) != asked
        };
        assert!(changed(&|it| it.leaf.common_name = None));
        assert!(changed(&|it| it.leaf.dns_names.push("shop".to_owned())));
        assert!(changed(&|it| it.leaf.ip_addresses.push([10, 0, 0, 1].into())));
        assert!(changed(&|it| it.leaf.uris.push("spiffe://a".to_owned())));
        assert!(changed(&|it| it.leaf.usages.push(Usage::ClientAuth)));
        assert!(changed(&|it| it.leaf.duration = SignedDuration::from_hours(2)));
        assert!(changed(&|it| it.algorithm = KeyAlgorithm::Ed25519));
        assert!(Asked::of(&request(), &issuer("another")) != asked);
        assert!(!changed(&|it| it.renew_before = SignedDuration::from_hours(1)));
        assert!(!changed(&|it| it.rotation = RotationPolicy::Never));
        // What nothing means is written out.
        assert!(!changed(&|it| it.leaf.usages.push(Usage::ServerAuth)));
    }

    #[test]
    fn a_note_knows_its_certificate_and_whose_the_ca_beside_it_is() {
        let asked = Asked::of(&request(), &issuer("ca"));
        let with_ca = asked.note("chain", Some("ca"));
        assert!(asked.is_noted(&with_ca));
        assert!(!Asked::of(&request(), &issuer("another")).is_noted(&with_ca));
        assert_eq!(asked.noted_ca(&with_ca, "chain", Some("ca")), Some(Some("ca")));
        assert_eq!(asked.noted_ca(&with_ca, "chain", Some("tampered with")), None);
        assert_eq!(asked.noted_ca(&with_ca, "chain", None), None);
        assert_eq!(asked.noted_ca(&with_ca, "tampered with", Some("ca")), None);
        let without = asked.note("chain", None);
        assert_eq!(asked.noted_ca(&without, "chain", Some("theirs")), Some(None));
        assert_eq!(asked.noted_ca(&without, "chain", None), Some(None));
    }
}
