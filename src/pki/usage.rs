//! What a certificate may be used for, as users of cert-manager spell it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};

use super::KeyAlgorithm;

/// A basic or extended key usage (RFC 5280, sections 4.2.1.3 and 4.2.1.12).
///
/// `cert sign`, `crl sign` and `ocsp signing` are left out on purpose: with one of them the owner
/// of a leaf could speak for the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// `digital signature`, also `signing`: basic; what TLS 1.3 and ECDHE need.
    DigitalSignature,
    /// `content commitment`: basic; once called non-repudiation.
    ContentCommitment,
    /// `key encipherment`: basic; for RSA keys only.
    KeyEncipherment,
    /// `data encipherment`: basic; for RSA keys only.
    DataEncipherment,
    /// `key agreement`: basic; for ECDSA keys only.
    KeyAgreement,
    /// `any`: extended; whatever the verifier likes.
    Any,
    /// `server auth`: extended; the certificate of a TLS server.
    ServerAuth,
    /// `client auth`: extended; the certificate of a TLS client.
    ClientAuth,
    /// `code signing`: extended.
    CodeSigning,
    /// `email protection`, also `s/mime`: extended.
    EmailProtection,
    /// `timestamping`: extended.
    TimeStamping,
    /// `ipsec end system`: extended.
    IpsecEndSystem,
    /// `ipsec tunnel`: extended.
    IpsecTunnel,
    /// `ipsec user`: extended.
    IpsecUser,
}

/// How each usage is spelt, the preferred spelling first.
const SPELLINGS: &[(&str, Usage)] = &[
    ("server auth", Usage::ServerAuth),
    ("client auth", Usage::ClientAuth),
    ("digital signature", Usage::DigitalSignature),
    ("signing", Usage::DigitalSignature),
    ("content commitment", Usage::ContentCommitment),
    ("key encipherment", Usage::KeyEncipherment),
    ("data encipherment", Usage::DataEncipherment),
    ("key agreement", Usage::KeyAgreement),
    ("any", Usage::Any),
    ("code signing", Usage::CodeSigning),
    ("email protection", Usage::EmailProtection),
    ("s/mime", Usage::EmailProtection),
    ("timestamping", Usage::TimeStamping),
    ("ipsec end system", Usage::IpsecEndSystem),
    ("ipsec tunnel", Usage::IpsecTunnel),
    ("ipsec user", Usage::IpsecUser),
];

/// RFC 2459, section 4.2.1.13. RFC 4945 made them obsolete, so rcgen has no names for them.
const IPSEC_END_SYSTEM: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 5];
const IPSEC_TUNNEL: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 6];
const IPSEC_USER: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 7];

/// The word is no usage that a leaf can have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key usage that a certificate can be given")]
pub struct UnknownUsage(
    /// The word as it was given.
    pub String,
);

impl Usage {
    /// Every usage, in the order in which they are listed to people.
    pub const ALL: &'static [Self] = &[
        Self::ServerAuth,
        Self::ClientAuth,
        Self::DigitalSignature,
        Self::ContentCommitment,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
        Self::Any,
        Self::CodeSigning,
        Self::EmailProtection,
        Self::TimeStamping,
        Self::IpsecEndSystem,
        Self::IpsecTunnel,
        Self::IpsecUser,
    ];

    /// Every spelling that [`FromStr`] takes, synonyms included.
    pub fn spellings() -> impl Iterator<Item = &'static str> {
        SPELLINGS.iter().map(|(spelling, _)| *spelling)
    }

    /// The preferred spelling.
    pub fn as_str(self) -> &'static str {
        SPELLINGS.iter().find(|(_, usage)| *usage == self).map_or("", |(spelling, _)| *spelling)
    }

    /// Whether a key of this algorithm can serve this usage. A usage that does not fit is left out
    /// of the certificate, as RFC 8813 and RFC 8410 demand.
    pub fn fits(self, algorithm: KeyAlgorithm) -> bool {
        match self {
            Self::KeyEncipherment | Self::DataEncipherment => algorithm.is_rsa(),
            Self::KeyAgreement => algorithm.is_ecdsa(),
            _ => true,
        }
    }

    /// What a certificate for a key of `algorithm` carries when `asked` is asked for: nothing at
    /// all means a server's certificate; where no basic usage fits, the algorithm's own is taken.
    pub(super) fn effective(asked: &[Self], algorithm: KeyAlgorithm) -> BTreeSet<Self> {
        let mut usages: BTreeSet<Self> =
            asked.iter().copied().filter(|usage| usage.fits(algorithm)).collect();
        if asked.is_empty() {
            usages.insert(Self::ServerAuth);
        }
        if !usages.iter().any(|usage| usage.basic().is_some()) {
            usages.insert(Self::DigitalSignature);
            if algorithm.is_rsa() {
                usages.insert(Self::KeyEncipherment);
            }
        }
        usages
    }

    pub(super) fn basic(self) -> Option<KeyUsagePurpose> {
        Some(match self {
            Self::DigitalSignature => KeyUsagePurpose::DigitalSignature,
            Self::ContentCommitment => KeyUsagePurpose::ContentCommitment,
            Self::KeyEncipherment => KeyUsagePurpose::KeyEncipherment,
            Self::DataEncipherment => KeyUsagePurpose::DataEncipherment,
            Self::KeyAgreement => KeyUsagePurpose::KeyAgreement,
            _ => return None,
        })
    }

    pub(super) fn extended(self) -> Option<ExtendedKeyUsagePurpose> {
        Some(match self {
            Self::Any => ExtendedKeyUsagePurpose::Any,
            Self::ServerAuth => ExtendedKeyUsagePurpose::ServerAuth,
            Self::ClientAuth => ExtendedKeyUsagePurpose::ClientAuth,
            Self::CodeSigning => ExtendedKeyUsagePurpose::CodeSigning,
            Self::EmailProtection => ExtendedKeyUsagePurpose::EmailProtection,
            Self::TimeStamping => ExtendedKeyUsagePurpose::TimeStamping,
            Self::IpsecEndSystem => ExtendedKeyUsagePurpose::Other(IPSEC_END_SYSTEM.to_vec()),
            Self::IpsecTunnel => ExtendedKeyUsagePurpose::Other(IPSEC_TUNNEL.to_vec()),
            Self::IpsecUser => ExtendedKeyUsagePurpose::Other(IPSEC_USER.to_vec()),
            _ => return None,
        })
    }

    /// The usages of a parsed certificate.
    pub(super) fn of(
        basic: Option<&x509_parser::extensions::KeyUsage>,
        extended: Option<&x509_parser::extensions::ExtendedKeyUsage<'_>>,
    ) -> BTreeSet<Self> {
        let mut usages = BTreeSet::new();
        let mut note = |present: bool, usage| {
            if present {
                usages.insert(usage);
            }
        };
        if let Some(basic) = basic {
            note(basic.digital_signature(), Self::DigitalSignature);
            note(basic.non_repudiation(), Self::ContentCommitment);
            note(basic.key_encipherment(), Self::KeyEncipherment);
            note(basic.data_encipherment(), Self::DataEncipherment);
            note(basic.key_agreement(), Self::KeyAgreement);
        }
        if let Some(extended) = extended {
            note(extended.any, Self::Any);
            note(extended.server_auth, Self::ServerAuth);
            note(extended.client_auth, Self::ClientAuth);
            note(extended.code_signing, Self::CodeSigning);
            note(extended.email_protection, Self::EmailProtection);
            note(extended.time_stamping, Self::TimeStamping);
            let has = |oid: &[u64]| {
                extended
                    .other
                    .iter()
                    .any(|other| other.iter().is_some_and(|it| it.eq(oid.iter().copied())))
            };
            note(has(IPSEC_END_SYSTEM), Self::IpsecEndSystem);
            note(has(IPSEC_TUNNEL), Self::IpsecTunnel);
            note(has(IPSEC_USER), Self::IpsecUser);
        }
        usages
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Usage {
    type Err = UnknownUsage;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        SPELLINGS
            .iter()
            .find(|(spelling, _)| *spelling == word)
            .map(|(_, usage)| *usage)
            .ok_or_else(|| UnknownUsage(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usage_has_a_spelling_that_parses_back_to_it() {
        for usage in Usage::ALL {
            assert_eq!(usage.as_str().parse(), Ok(*usage));
        }
    }

    #[test]
    fn every_spelling_parses_to_a_listed_usage() {
        for spelling in Usage::spellings() {
            assert!(Usage::ALL.contains(&spelling.parse().unwrap()), "{spelling}");
        }
    }

    #[test]
    fn synonyms_of_cert_manager_are_understood() {
        assert_eq!("signing".parse(), Ok(Usage::DigitalSignature));
        assert_eq!("s/mime".parse(), Ok(Usage::EmailProtection));
    }

    #[test]
    fn usages_that_speak_for_the_authority_are_refused_and_named() {
        for word in ["cert sign", "crl sign", "ocsp signing", "Server Auth", ""] {
            let error = word.parse::<Usage>().unwrap_err();
            assert!(error.to_string().contains(&format!("{word:?}")), "{error}");
        }
    }

    #[test]
    fn nothing_asked_means_a_server() {
        let ecdsa = Usage::effective(&[], KeyAlgorithm::EcdsaP256);
        assert_eq!(ecdsa, [Usage::DigitalSignature, Usage::ServerAuth].into());
        let rsa = Usage::effective(&[], KeyAlgorithm::Rsa2048);
        assert_eq!(
            rsa,
            [Usage::DigitalSignature, Usage::KeyEncipherment, Usage::ServerAuth].into()
        );
    }

    #[test]
    fn encipherment_is_left_out_of_keys_that_can_not_encipher() {
        let asked = [Usage::KeyEncipherment, Usage::ClientAuth];
        assert_eq!(
            Usage::effective(&asked, KeyAlgorithm::Ed25519),
            [Usage::DigitalSignature, Usage::ClientAuth].into()
        );
        assert_eq!(
            Usage::effective(&asked, KeyAlgorithm::Rsa2048),
            [Usage::KeyEncipherment, Usage::ClientAuth].into()
        );
    }
}
