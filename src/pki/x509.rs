//! PEM, DER and dates: the encodings between the room's types and the crates'.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::{CertificateDer, pem, pem::PemObject as _};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _, time::ASN1Time};

use super::Error;

/// From when to when a certificate is valid, both ends included, to the second (RFC 5280, section
/// 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// Whether `now` lies within it.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.not_before.as_second() <= now.as_second()
            && now.as_second() <= self.not_after.as_second()
    }

    /// How long it is.
    pub fn lifetime(&self) -> SignedDuration {
        self.not_after.duration_since(self.not_before)
    }
}

/// Reads all certificates of a PEM text, in order. A bundle of authorities (`ca.crt`) is read
/// with this, too.
///
/// # Errors
/// [`Error::CertificatePem`] if there is none, or the PEM is damaged. The certificates themselves
/// are not parsed.
pub fn certificates_from_pem(text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::CertificatePem(in_words(&error)))?;
    if certificates.is_empty() {
        return Err(Error::CertificatePem(in_words(&pem::Error::NoItemsFound)));
    }
    Ok(certificates)
}

/// Writes certificates as one PEM text, in order.
pub fn certificates_to_pem<'a, 'b: 'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'b>>,
) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    certificates
        .into_iter()
        .map(|der| ::pem::encode_config(&::pem::Pem::new("CERTIFICATE", der.to_vec()), config))
        .collect()
}

/// SHA-256 of a certificate's DER form, in lower-case hexadecimal.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex(digest::digest(&digest::SHA256, certificate).as_ref())
}

/// What is wrong with a PEM text, without a byte of the text: it may be a key's.
pub(super) fn in_words(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is no such PEM section",
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no END line",
        pem::Error::IllegalSectionStart { .. } => "the BEGIN line of a PEM section is damaged",
        pem::Error::Base64Decode(_) => "a PEM section is not base64",
        _ => "the PEM text is damaged",
    }
    .to_owned()
}

pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(Error::CertificateDer("bytes follow its end".to_owned())),
        Err(error) => Err(Error::CertificateDer(error.to_string())),
    }
}

pub(super) fn validity_of(certificate: &X509Certificate<'_>) -> Validity {
    let validity = certificate.validity();
    Validity {
        not_before: timestamp(validity.not_before),
        not_after: timestamp(validity.not_after),
    }
}

/// The serial number in lower-case hexadecimal, without the sign byte of its encoding.
pub(super) fn serial_of(certificate: &X509Certificate<'_>) -> String {
    match certificate.raw_serial() {
        [0, rest @ ..] if !rest.is_empty() => hex(rest),
        raw => hex(raw),
    }
}

/// RFC 5280's "no end" of 9999-12-31 lies a day after the last moment that jiff knows.
fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(if time.timestamp() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Cut to the second. `None` for a year before 0 or after 9999.
pub(super) fn asn1_time(time: Timestamp) -> Option<ASN1Time> {
    ASN1Time::from_timestamp(time.as_second()).ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_pem_is_described_without_quoting_it() {
        for text in ["", "secret", "-----BEGIN CERTIFICATE-----\nsecret\n", "-----BEGIN secret"] {
            let error = certificates_from_pem(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.starts_with("no certificate could be read"), "{error}");
        }
    }

    #[test]
    fn a_validity_includes_both_its_ends() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let validity = Validity { not_before: at(10), not_after: at(20) };
        let inside: Vec<_> = (8..23).filter(|s| validity.contains(at(*s))).collect();
        assert_eq!(inside, (10..=20).collect::<Vec<_>>());
    }
}
