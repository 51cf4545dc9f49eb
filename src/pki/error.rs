//! What can go wrong with keys and certificates, in words for a platform engineer.

use jiff::{SignedDuration, Timestamp};

/// Why a key, a certificate or an authority was not made or not accepted.
///
/// No variant ever carries key material.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text has no certificate in PEM form, or a damaged one.
    #[error("no certificate could be read: {0}")]
    CertificatePem(String),
    /// The PEM was sound but what it held is no X.509 certificate that we understand.
    #[error("the certificate can't be parsed: {0}")]
    CertificateDer(String),
    /// The text has no private key in PEM form, or a damaged one.
    #[error("no private key could be read: {0}")]
    KeyPem(String),
    /// The key is none of the kinds in [`KeyAlgorithm`](super::KeyAlgorithm).
    #[error(
        "the private key is of a kind that is not supported: it must be ECDSA P-256, P-384 or \
         P-521, Ed25519, or RSA of 2048, 3072 or 4096 bits, unencrypted"
    )]
    KeyUnsupported,
    /// The certificate that is to sign is not marked as an authority's.
    #[error(
        "certificate {subject:?} is not a CA: it has no basicConstraints CA:TRUE, so nothing would \
         trust what it signs"
    )]
    NotAnAuthority {
        /// The certificate's subject.
        subject: String,
    },
    /// The authority's key usage extension forbids what it is wanted for.
    #[error("CA {subject:?} must not sign certificates: its keyUsage lacks keyCertSign")]
    CannotSign {
        /// The authority's subject.
        subject: String,
    },
    /// Certificate and key are of two different pairs.
    #[error("the private key does not belong to certificate {subject:?}")]
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The authority's subject can't be repeated byte for byte as the issuer of a leaf.
    #[error(
        "CA {subject:?} has a subject that can't be used as an issuer: each attribute may occur \
         once, on its own"
    )]
    UnsupportedSubject {
        /// The authority's subject.
        subject: String,
    },
    /// The authority's time is over.
    #[error("CA {subject:?} expired at {not_after}; it is {now} now")]
    AuthorityExpired {
        /// The authority's subject.
        subject: String,
        /// When it expired.
        not_after: Timestamp,
        /// The time of the attempt.
        now: Timestamp,
    },
    /// The authority's time has not come.
    #[error("CA {subject:?} is not valid before {not_before}; it is {now} now")]
    AuthorityNotYetValid {
        /// The authority's subject.
        subject: String,
        /// When it becomes valid.
        not_before: Timestamp,
        /// The time of the attempt.
        now: Timestamp,
    },
    /// RFC 5280's upper bound of a common name (`ub-common-name`), or an empty one.
    #[error("common name {name:?} is {length} bytes long: 1 to 64 are allowed")]
    CommonNameLength {
        /// The name that was asked for.
        name: String,
        /// Its length in bytes.
        length: usize,
    },
    /// Not a DNS name in the form in which certificates hold it.
    #[error(
        "{value:?} is not a DNS name: labels of letters, digits and hyphens, at most 63 bytes each \
         and 253 together, no final dot, \"*\" only as the whole first label"
    )]
    DnsName {
        /// The name that was asked for.
        value: String,
    },
    /// Not an absolute URI of ASCII characters.
    #[error("{value:?} is not a URI: a scheme, a colon, and ASCII characters without blanks")]
    Uri {
        /// The URI that was asked for.
        value: String,
    },
    /// A certificate that names nobody.
    #[error(
        "no name was asked for: a certificate needs a common name, DNS name, IP address or URI"
    )]
    NoNames,
    /// Zero, negative, or past the last date that a certificate can hold.
    #[error("{duration} is not a lifetime that a certificate can have")]
    Duration {
        /// The lifetime that was asked for.
        duration: SignedDuration,
    },
    /// The leaf was made, and then found not to verify; it is not returned.
    #[error("the certificate that CA {subject:?} signed does not verify against it: {source}")]
    Unverifiable {
        /// The authority's subject.
        subject: String,
        /// webpki's verdict: name constraints of the authority, for example.
        source: webpki::Error,
    },
    /// The cryptographic library failed.
    #[error("{action} failed: {source}")]
    Library {
        /// What was being done.
        action: &'static str,
        /// What the library said.
        source: rcgen::Error,
    },
    /// The system's random numbers are not to be had.
    #[error("the system gave no random numbers")]
    Random,
}
