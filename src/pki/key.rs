//! Private keys.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize, SignatureAlgorithm};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ED25519},
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Error, x509::in_words};

/// The kinds of keys that certificates are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256: the default; everything understands it, and it costs next to nothing.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521. Browsers do not take it.
    EcdsaP521,
    /// Ed25519 (RFC 8410). Browsers do not take it.
    Ed25519,
    /// RSA with 2048 bits. Takes 60 to 165 ms to make.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits. Takes up to more than a second to make.
    Rsa4096,
}

impl KeyAlgorithm {
    /// Every algorithm, in the order in which they are listed to people.
    pub const ALL: &'static [Self] = &[
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
    ];

    /// Whether this is RSA of any size.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether this is ECDSA on any curve.
    pub fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521)
    }

    /// The algorithm of a certificate's key; `None` for one that is not supported.
    pub(super) fn of(public_key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let curve = || public_key.algorithm.parameters.as_ref()?.as_oid().ok();
        match public_key.parsed().ok()? {
            PublicKey::RSA(key) => match key.key_size() {
                2048 => Some(Self::Rsa2048),
                3072 => Some(Self::Rsa3072),
                4096 => Some(Self::Rsa4096),
                _ => None,
            },
            PublicKey::EC(_) => match curve()? {
                oid if oid == OID_EC_P256 => Some(Self::EcdsaP256),
                oid if oid == OID_NIST_EC_P384 => Some(Self::EcdsaP384),
                oid if oid == OID_NIST_EC_P521 => Some(Self::EcdsaP521),
                _ => None,
            },
            _ => (public_key.algorithm.algorithm == OID_SIG_ED25519).then_some(Self::Ed25519),
        }
    }

    fn signature(self) -> &'static SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Self::EcdsaP521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            Self::Ed25519 => &rcgen::PKCS_ED25519,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA 256",
            Self::EcdsaP384 => "ECDSA 384",
            Self::EcdsaP521 => "ECDSA 521",
            Self::Ed25519 => "Ed25519",
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
        })
    }
}

/// A private key. Its `Debug` names the algorithm and nothing more, and it is wiped from memory
/// when it is dropped. (Copies that the libraries make for a moment while they encode it are not.)
pub struct PrivateKey {
    algorithm: KeyAlgorithm,
    pair: KeyPair,
}

impl PrivateKey {
    /// Makes a new key from the system's random numbers.
    ///
    /// # Errors
    /// [`Error::Library`] if the cryptographic library fails.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Error> {
        let pair = match algorithm {
            KeyAlgorithm::Rsa2048 => rsa(RsaKeySize::_2048),
            KeyAlgorithm::Rsa3072 => rsa(RsaKeySize::_3072),
            KeyAlgorithm::Rsa4096 => rsa(RsaKeySize::_4096),
            KeyAlgorithm::Ed25519 => {
                // The library's own form of a new Ed25519 key is PKCS#8 version 2, which OpenSSL
                // and Java refuse.
                let pair = Ed25519KeyPair::generate().map_err(|_| Error::Random)?;
                let pkcs8 = pair.to_pkcs8v1().map_err(|_| Error::Random)?;
                return Self::from_pkcs8(algorithm, pkcs8.as_ref());
            }
            _ => KeyPair::generate_for(algorithm.signature()),
        };
        let pair = pair.map_err(|source| Error::Library { action: "making a key", source })?;
        Ok(Self { algorithm, pair })
    }

    /// Reads a key in PKCS#8, SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`) form. Whatever
    /// the form was, [`pem`](Self::pem) gives PKCS#8.
    ///
    /// # Errors
    /// [`Error::KeyPem`] where there is no key to read, [`Error::KeyUnsupported`] for a key that is
    /// none of [`KeyAlgorithm`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let mut der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
            Error::KeyPem(if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
                "it is encrypted with a passphrase".to_owned()
            } else {
                in_words(&error)
            })
        })?;
        let key = recognise(&der)
            .ok_or(Error::KeyUnsupported)
            .and_then(|(algorithm, pkcs8)| Self::from_pkcs8(algorithm, &pkcs8));
        der.zeroize();
        key
    }

    fn from_pkcs8(algorithm: KeyAlgorithm, pkcs8: &[u8]) -> Result<Self, Error> {
        let der = PrivatePkcs8KeyDer::from(pkcs8);
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, algorithm.signature())
            .map_err(|source| Error::Library { action: "reading a key", source })?;
        Ok(Self { algorithm, pair })
    }

    /// The key in PEM form, PKCS#8.
    pub fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.pair.serialize_pem())
    }

    /// The key in DER form, PKCS#8, as TLS libraries take it.
    pub fn pkcs8(&self) -> PrivatePkcs8KeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pair.serialize_der())
    }

    /// What kind of key this is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public half, as SubjectPublicKeyInfo in DER form.
    pub fn public_key(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.pair.zeroize();
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm)
    }
}

fn rsa(size: RsaKeySize) -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size)
}

/// What kind of key this is, and its form as PKCS#8 version 1.
fn recognise(der: &PrivateKeyDer<'_>) -> Option<(KeyAlgorithm, Zeroizing<Vec<u8>>)> {
    let bytes = der.secret_der();
    let own = |der: &[u8]| Zeroizing::new(der.to_vec());

    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes) {
        return Some((KeyAlgorithm::Ed25519, own(pair.to_pkcs8v1().ok()?.as_ref())));
    }
    const CURVES: [(KeyAlgorithm, &EcdsaSigningAlgorithm); 3] = [
        (KeyAlgorithm::EcdsaP256, &ECDSA_P256_SHA256_ASN1_SIGNING),
        (KeyAlgorithm::EcdsaP384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        (KeyAlgorithm::EcdsaP521, &ECDSA_P521_SHA512_ASN1_SIGNING),
    ];
    for (algorithm, curve) in CURVES {
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve, bytes) {
            return Some((algorithm, own(pair.to_pkcs8v1().ok()?.as_ref())));
        }
    }
    let pair = match der {
        PrivateKeyDer::Pkcs8(_) => RsaKeyPair::from_pkcs8(bytes),
        _ => RsaKeyPair::from_der(bytes),
    }
    .ok()?;
    let algorithm = match pair.public_modulus_len() * 8 {
        2048 => KeyAlgorithm::Rsa2048,
        3072 => KeyAlgorithm::Rsa3072,
        4096 => KeyAlgorithm::Rsa4096,
        _ => return None,
    };
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    Some((algorithm, own(pkcs8.as_ref())))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::EcPrivateKeyRfc5915Der;

    use super::*;

    #[test]
    fn every_algorithm_survives_a_round_trip_through_pem() {
        for algorithm in KeyAlgorithm::ALL {
            let key = PrivateKey::generate(*algorithm).unwrap();
            let again = PrivateKey::from_pem(&key.pem()).unwrap();
            assert_eq!(again.algorithm(), *algorithm);
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(*again.pem(), *key.pem());
            assert!(key.pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        }
    }

    #[test]
    fn ed25519_keys_are_pkcs8_version_1() {
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        assert_eq!(key.pkcs8().secret_pkcs8_der()[..5], [0x30, 0x2e, 0x02, 0x01, 0x00]);
    }

    #[test]
    fn the_older_forms_of_a_key_come_out_as_pkcs8() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            key.pkcs8().secret_pkcs8_der(),
        )
        .unwrap();
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let sec1 = ::pem::Pem::new("EC PRIVATE KEY", sec1.as_ref());
        let again = PrivateKey::from_pem(&::pem::encode(&sec1)).unwrap();
        assert_eq!(*again.pem(), *key.pem());

        let rsa = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
        // The header of an RSA key's PKCS#8 form is 26 bytes long; its PKCS#1 form follows.
        let pkcs1 = ::pem::encode(&::pem::Pem::new(
            "RSA PRIVATE KEY",
            rsa.pkcs8().secret_pkcs8_der()[26..].to_vec(),
        ));
        let again = PrivateKey::from_pem(&pkcs1).unwrap();
        assert_eq!(*again.pem(), *rsa.pem());
    }

    #[test]
    fn debug_never_shows_the_key() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(ECDSA 256)");
    }

    #[test]
    fn garbage_is_refused_with_a_reason() {
        let none = PrivateKey::from_pem("hello").unwrap_err();
        assert!(none.to_string().starts_with("no private key could be read"), "{none}");
        let wrong = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(PrivateKey::from_pem(wrong), Err(Error::KeyUnsupported)));
        let locked =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let locked = PrivateKey::from_pem(locked).unwrap_err();
        assert!(locked.to_string().contains("passphrase"), "{locked}");
    }
}
