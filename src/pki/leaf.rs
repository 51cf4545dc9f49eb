//! Leaves: what is asked for, and how it is signed.

use std::{collections::BTreeSet, net::IpAddr};

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, SanType,
    SerialNumber,
};
use rustls_pki_types::{CertificateDer, DnsName};
use webpki::KeyUsage;

use super::{
    Authority, Error, KeyAlgorithm, PrivateKey, Usage, Validity,
    verify::{AnyUsage, verify_chain},
    x509,
};

/// How long before its making a certificate starts to be valid: clocks in a cluster differ by up
/// to half a minute.
pub const BACKDATE: SignedDuration = SignedDuration::from_mins(5);

/// RFC 5280, `ub-common-name`.
pub const MAX_COMMON_NAME_BYTES: usize = 64;

/// RFC 5280, section 4.1.2.2: at most 20 bytes.
const SERIAL_BYTES: usize = 20;

/// What a leaf is to be. Names are taken as they stand: what a namespace may ask for is decided
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRequest {
    /// The subject; none leaves the subject empty.
    pub common_name: Option<String>,
    /// DNS names, in A-label form; `*` may be the first label. A repeated one counts once.
    pub dns_names: Vec<String>,
    /// IP addresses. A repeated one counts once.
    pub ip_addresses: Vec<IpAddr>,
    /// Absolute URIs. A repeated one counts once.
    pub uris: Vec<String>,
    /// What the leaf may be used for; none at all means `server auth`.
    pub usages: Vec<Usage>,
    /// How long from now it is to be valid.
    pub duration: SignedDuration,
}

impl LeafRequest {
    /// A request for a leaf that lasts `duration` and as yet names nobody.
    pub fn lasting(duration: SignedDuration) -> Self {
        Self {
            common_name: None,
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            uris: Vec::new(),
            usages: Vec::new(),
            duration,
        }
    }

    /// What certificate and signing request have alike: names and usages.
    pub(super) fn params(&self, algorithm: KeyAlgorithm) -> Result<CertificateParams, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject()?;
        params.subject_alt_names = self.alternative_names()?;
        if self.common_name.is_none() && params.subject_alt_names.is_empty() {
            return Err(Error::NoNames);
        }
        let usages = self.effective_usages(algorithm);
        params.key_usages = usages.iter().filter_map(|usage| usage.basic()).collect();
        params.extended_key_usages = usages.iter().filter_map(|usage| usage.extended()).collect();
        Ok(params)
    }

    /// The usages that a certificate for a key of `algorithm` carries: those asked for that fit
    /// it, and what follows from its kind where nothing is asked for.
    pub fn effective_usages(&self, algorithm: KeyAlgorithm) -> BTreeSet<Usage> {
        Usage::effective(&self.usages, algorithm)
    }

    fn subject(&self) -> Result<DistinguishedName, Error> {
        let mut subject = DistinguishedName::new();
        if let Some(name) = &self.common_name {
            check_common_name(name)?;
            subject.push(DnType::CommonName, name.as_str());
        }
        Ok(subject)
    }

    fn alternative_names(&self) -> Result<Vec<SanType>, Error> {
        let dns = self.dns_names.iter().map(|value| dns_name(value));
        let ips = self.ip_addresses.iter().map(|address| Ok(SanType::IpAddress(*address)));
        let uris = self.uris.iter().map(|value| uri(value));
        let mut names = Vec::new();
        for name in dns.chain(ips).chain(uris) {
            let name = name?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// A leaf as it was issued. The key is the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf in PEM form, and the intermediates above it if an intermediate signed it.
    pub certificate_pem: String,
    /// The serial number, in lower-case hexadecimal.
    pub serial: String,
    /// From when to when it is valid.
    pub validity: Validity,
    /// Whether it ends before what was asked for because the authority does.
    pub clamped: bool,
}

impl Leaf {
    pub(super) fn issue(
        authority: &Authority,
        request: &LeafRequest,
        key: &PrivateKey,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (validity, clamped) = validity(authority, request.duration, now)?;
        let mut params = request.params(key.algorithm())?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.serial_number = Some(random_serial()?);
        params.use_authority_key_identifier_extension = true;
        let time = |time| {
            x509::asn1_time(time)
                .map(|time| time.to_datetime())
                .ok_or(Error::Duration { duration: request.duration })
        };
        params.not_before = time(validity.not_before)?;
        params.not_after = time(validity.not_after)?;
        let purposes = params.extended_key_usages.clone();
        let certificate = params
            .signed_by(key.pair(), &authority.issuer()?)
            .map_err(|source| Error::Library { action: "signing a certificate", source })?;

        verify(certificate.der(), authority, now, &purposes).map_err(|source| {
            Error::Unverifiable { subject: authority.subject().to_owned(), source }
        })?;
        let chain = std::iter::once(certificate.der()).chain(authority.intermediates());
        Ok(Self {
            certificate_pem: x509::certificates_to_pem(chain),
            serial: x509::serial_of(&x509::parse(certificate.der())?),
            validity,
            clamped,
        })
    }
}

fn validity(
    authority: &Authority,
    duration: SignedDuration,
    now: Timestamp,
) -> Result<(Validity, bool), Error> {
    let within = authority.validity();
    let subject = || authority.subject().to_owned();
    if now.as_second() > within.not_after.as_second() {
        return Err(Error::AuthorityExpired {
            subject: subject(),
            not_after: within.not_after,
            now,
        });
    }
    if now.as_second() < within.not_before.as_second() {
        return Err(Error::AuthorityNotYetValid {
            subject: subject(),
            not_before: within.not_before,
            now,
        });
    }
    if duration.as_secs() <= 0 {
        return Err(Error::Duration { duration });
    }
    let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let wanted = second.checked_add(duration).unwrap_or(Timestamp::MAX);
    let not_before = second.checked_sub(BACKDATE).unwrap_or(Timestamp::MIN).max(within.not_before);
    let not_after = wanted.min(within.not_after);
    Ok((Validity { not_before, not_after }, not_after < wanted))
}

/// Verifies the leaf for each usage that TLS knows, or else its chain alone.
fn verify(
    leaf: &CertificateDer<'_>,
    authority: &Authority,
    now: Timestamp,
    purposes: &[ExtendedKeyUsagePurpose],
) -> Result<(), webpki::Error> {
    let anchor = authority.certificate();
    verify_chain(leaf, anchor, now, AnyUsage)?;
    for purpose in purposes {
        match purpose {
            ExtendedKeyUsagePurpose::ServerAuth => {
                verify_chain(leaf, anchor, now, KeyUsage::server_auth())?;
            }
            ExtendedKeyUsagePurpose::ClientAuth => {
                verify_chain(leaf, anchor, now, KeyUsage::client_auth())?;
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn check_common_name(name: &str) -> Result<(), Error> {
    match name.len() {
        1..=MAX_COMMON_NAME_BYTES => Ok(()),
        length => Err(Error::CommonNameLength { name: name.to_owned(), length }),
    }
}

/// A positive number of always 20 bytes, 158 bits of them random.
pub(super) fn random_serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; SERIAL_BYTES];
    rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn dns_name(value: &str) -> Result<SanType, Error> {
    let refuse = || Error::DnsName { value: value.to_owned() };
    let concrete = value.strip_prefix("*.").unwrap_or(value);
    let wildcard_of_all = value.starts_with("*.") && !concrete.contains('.');
    if wildcard_of_all || value.len() > 253 || value.ends_with('.') {
        return Err(refuse());
    }
    DnsName::try_from(concrete).map_err(|_| refuse())?;
    value.try_into().map(SanType::DnsName).map_err(|_| refuse())
}

/// RFC 5280, section 4.2.1.6: absolute, in ASCII.
fn uri(value: &str) -> Result<SanType, Error> {
    let refuse = || Error::Uri { value: value.to_owned() };
    let (scheme, rest) = value.split_once(':').ok_or_else(refuse)?;
    let scheme_is_sound = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !scheme_is_sound || rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refuse());
    }
    value.try_into().map(SanType::URI).map_err(|_| refuse())
}

#[cfg(test)]
mod tests;
