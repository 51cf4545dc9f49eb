//! The certificate that a Pki asks for, with everything that its owner left open filled in.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::api::duration;
use crate::api::pki::{Algorithm, PrivateKeySpec, RotationPolicy, Usage as AskedUsage};
use crate::pki::{KeyAlgorithm, LeafRequest, Usage, Validity, default_renew_before, renewal_time};

use super::{PkiRules, Subject};

/// The lifetime where neither owner nor policy says: 90 days.
pub const DEFAULT_DURATION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The certificate that a Pki asks for under a policy.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// Names, usages and lifetime.
    pub leaf: LeafRequest,
    /// The key to make.
    pub algorithm: KeyAlgorithm,
    /// How long before its end the certificate is renewed.
    pub renew_before: SignedDuration,
    /// Whether a new certificate has a new key.
    pub rotation: RotationPolicy,
}

impl CertificateRequest {
    /// Why a certificate of this validity is to be renewed by now; none where its time has not
    /// come. `seed` moves the renewal of one certificate a little away from that of the next.
    pub fn due(&self, validity: Validity, seed: &str, now: Timestamp) -> Option<String> {
        let renewal = self.renewal_time(validity, seed);
        (now >= renewal).then(|| format!("it was to be renewed at {renewal}"))
    }

    /// When a certificate of this validity is to be renewed.
    pub fn renewal_time(&self, validity: Validity, seed: &str) -> Timestamp {
        renewal_time(validity.not_before, validity.not_after, self.renew_before, seed)
    }
}

/// Fills in what the owner left open, so that it fits the policy.
pub fn request(subject: &Subject<'_>, rules: &PkiRules) -> CertificateRequest {
    let spec = subject.spec;
    let mut dns_names = derived_names(&spec.service_name, subject.namespace).to_vec();
    dns_names.extend(
        spec.dns_names.iter().filter(|name| !dns_names.contains(name)).cloned().collect::<Vec<_>>(),
    );
    let asked = spec.duration.as_deref().and_then(|text| duration::parse(text).ok());
    let lifetime = lifetime(asked, rules);
    let renew_before = spec.renew_before.as_deref().and_then(|text| duration::parse(text).ok());
    let key = spec.private_key.clone().unwrap_or_default();
    CertificateRequest {
        leaf: LeafRequest {
            common_name: Some(
                spec.common_name.clone().unwrap_or_else(|| spec.service_name.clone()),
            ),
            dns_names,
            ip_addresses: spec
                .ip_addresses
                .iter()
                .filter_map(|text| text.parse::<IpAddr>().ok())
                .collect(),
            uris: spec.uris.clone(),
            usages: spec.usages.iter().copied().map(usage).collect(),
            duration: lifetime,
        },
        algorithm: key_algorithm(&key, rules),
        renew_before: renew_before.unwrap_or_else(|| default_renew_before(lifetime)),
        rotation: key.rotation_policy.unwrap_or(RotationPolicy::Always),
    }
}

/// The names that follow from a service's, as the cluster's DNS has them
/// (<https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/>).
pub fn derived_names(service: &str, namespace: &str) -> [String; 4] {
    [
        service.to_owned(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
    ]
}

/// The lifetime that is asked for, or else the shorter of the default and the policy's longest.
pub fn lifetime(asked: Option<SignedDuration>, rules: &PkiRules) -> SignedDuration {
    let longest = rules.max_duration.unwrap_or(DEFAULT_DURATION);
    asked.unwrap_or_else(|| DEFAULT_DURATION.min(longest))
}

fn key_algorithm(key: &PrivateKeySpec, rules: &PkiRules) -> KeyAlgorithm {
    let first = rules.algorithms.first().copied().unwrap_or(Algorithm::Ecdsa);
    match (key.algorithm.unwrap_or(first), key.size) {
        (Algorithm::Ecdsa, Some(384)) => KeyAlgorithm::EcdsaP384,
        (Algorithm::Ecdsa, Some(521)) => KeyAlgorithm::EcdsaP521,
        (Algorithm::Ecdsa, _) => KeyAlgorithm::EcdsaP256,
        (Algorithm::Rsa, Some(3072)) => KeyAlgorithm::Rsa3072,
        (Algorithm::Rsa, Some(4096)) => KeyAlgorithm::Rsa4096,
        (Algorithm::Rsa, _) => KeyAlgorithm::Rsa2048,
        (Algorithm::Ed25519, _) => KeyAlgorithm::Ed25519,
    }
}

/// A key as the status shows it.
pub fn shown_key(algorithm: KeyAlgorithm, rotation: RotationPolicy) -> PrivateKeySpec {
    let (algorithm, size) = match algorithm {
        KeyAlgorithm::EcdsaP256 => (Algorithm::Ecdsa, Some(256)),
        KeyAlgorithm::EcdsaP384 => (Algorithm::Ecdsa, Some(384)),
        KeyAlgorithm::EcdsaP521 => (Algorithm::Ecdsa, Some(521)),
        KeyAlgorithm::Rsa2048 => (Algorithm::Rsa, Some(2048)),
        KeyAlgorithm::Rsa3072 => (Algorithm::Rsa, Some(3072)),
        KeyAlgorithm::Rsa4096 => (Algorithm::Rsa, Some(4096)),
        KeyAlgorithm::Ed25519 => (Algorithm::Ed25519, None),
    };
    PrivateKeySpec { algorithm: Some(algorithm), size, rotation_policy: Some(rotation) }
}

fn usage(asked: AskedUsage) -> Usage {
    match asked {
        AskedUsage::ServerAuth => Usage::ServerAuth,
        AskedUsage::ClientAuth => Usage::ClientAuth,
        AskedUsage::DigitalSignature => Usage::DigitalSignature,
        AskedUsage::ContentCommitment => Usage::ContentCommitment,
        AskedUsage::KeyEncipherment => Usage::KeyEncipherment,
        AskedUsage::DataEncipherment => Usage::DataEncipherment,
        AskedUsage::KeyAgreement => Usage::KeyAgreement,
        AskedUsage::Any => Usage::Any,
        AskedUsage::CodeSigning => Usage::CodeSigning,
        AskedUsage::EmailProtection => Usage::EmailProtection,
        AskedUsage::TimeStamping => Usage::TimeStamping,
        AskedUsage::IpsecEndSystem => Usage::IpsecEndSystem,
        AskedUsage::IpsecTunnel => Usage::IpsecTunnel,
        AskedUsage::IpsecUser => Usage::IpsecUser,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{snapshot, spec};
    use super::*;
    use serde_json::{Value, json};

    fn requested(policy: Value, asked: Value) -> CertificateRequest {
        let snapshot = snapshot(&[policy]);
        let spec = spec(asked);
        let subject = Subject {
            namespace: "shop",
            name: "cart-pki",
            uid: None,
            created: None,
            issued: false,
            spec: &spec,
        };
        request(&subject, snapshot.rules().next().unwrap())
    }

    #[test]
    fn where_the_owner_says_nothing_the_default_fits_the_policy() {
        let open = requested(json!({}), json!({"serviceName": "cart"}));
        assert_eq!(open.leaf.duration, DEFAULT_DURATION);
        assert_eq!(open.renew_before, SignedDuration::from_hours(720));
        assert_eq!(open.algorithm, KeyAlgorithm::EcdsaP256);
        assert_eq!(open.leaf.common_name.as_deref(), Some("cart"));
        let strict = json!({"maxDuration": "24h", "algorithms": ["Ed25519", "RSA"]});
        let strict = requested(strict, json!({"serviceName": "cart"}));
        assert_eq!(strict.leaf.duration, SignedDuration::from_hours(24));
        assert_eq!(strict.algorithm, KeyAlgorithm::Ed25519);
        let long = requested(json!({"maxDuration": "8760h"}), json!({"serviceName": "cart"}));
        assert_eq!(long.leaf.duration, DEFAULT_DURATION);
    }

    #[test]
    fn derived_names_come_first_and_none_comes_twice() {
        let asked =
            json!({"serviceName": "cart", "dnsNames": ["cart.shop.svc", "cart.example.com"]});
        assert_eq!(
            requested(json!({}), asked).leaf.dns_names,
            [
                "cart",
                "cart.shop",
                "cart.shop.svc",
                "cart.shop.svc.cluster.local",
                "cart.example.com"
            ]
        );
    }
}
