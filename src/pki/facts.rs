//! What a stored certificate says, and whether it is still the one that is wanted.

use std::{
    collections::BTreeSet,
    fmt::Display,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::{
    Authority, BACKDATE, Error, KeyAlgorithm, LeafRequest, PrivateKey, Usage, Validity,
    verify::{AnyUsage, verify_chain},
    x509,
};

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafFacts {
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The DNS names.
    pub dns_names: BTreeSet<String>,
    /// The IP addresses.
    pub ip_addresses: BTreeSet<IpAddr>,
    /// The URIs.
    pub uris: BTreeSet<String>,
    /// Basic and extended usages; those that [`Usage`] does not know are left out.
    pub usages: BTreeSet<Usage>,
    /// The serial number, in lower-case hexadecimal.
    pub serial: String,
    /// From when to when it is valid.
    pub validity: Validity,
    /// The kind of its key; `None` for one that we never make.
    pub algorithm: Option<KeyAlgorithm>,
    /// The public key, as SubjectPublicKeyInfo in DER form.
    pub public_key: Vec<u8>,
    /// The key identifier of the authority that signed it.
    pub authority_key_id: Option<Vec<u8>>,
    /// Whether the certificate holds a name of a kind that we never issue (an e-mail address, a
    /// directory name).
    pub other_names: bool,
    /// Whether it is a CA's, and could sign others.
    pub is_authority: bool,
    certificate: CertificateDer<'static>,
}

/// How a certificate differs from the request that it should answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The subject.
    #[error("its common name is {}, not {}", or_none(.has), or_none(.wants))]
    CommonName {
        /// In the certificate.
        has: Option<String>,
        /// In the request.
        wants: Option<String>,
    },
    /// Names of one type, or usages.
    #[error("its {what} differ: {}", in_words(.missing, .extra))]
    Set {
        /// What is compared, in the plural.
        what: &'static str,
        /// In the request only.
        missing: Vec<String>,
        /// In the certificate only.
        extra: Vec<String>,
    },
    /// Names that nobody could have asked for.
    #[error("it holds names that are neither DNS names nor IP addresses nor URIs")]
    OtherNames,
    /// The key.
    #[error("it is for another key")]
    Key,
    /// It could sign others.
    #[error("it is a CA's certificate")]
    IsAuthority,
    /// The kind of key.
    #[error("its key is {}, not {wants}", .has.map_or("of another kind".to_owned(), |it| it.to_string()))]
    KeyAlgorithm {
        /// In the certificate.
        has: Option<KeyAlgorithm>,
        /// What is wanted.
        wants: KeyAlgorithm,
    },
    /// The lifetime.
    #[error("it is valid for {has:#}, not {wants:#}")]
    Duration {
        /// From the certificate's start, or five minutes later, to its end.
        has: SignedDuration,
        /// In the request.
        wants: SignedDuration,
    },
    /// Another authority signed it, or nobody did.
    #[error("it was not signed by CA {authority:?}")]
    Authority {
        /// The subject of the authority that should have signed it.
        authority: String,
    },
}

impl LeafFacts {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// If there is none or it can't be parsed.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let certificate = x509::certificates_from_pem(text)?.swap_remove(0);
        let parsed = x509::parse(&certificate)?;
        let damaged =
            |error: x509_parser::error::X509Error| Error::CertificateDer(error.to_string());

        let common_name = parsed
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .map(str::to_owned);
        let basic = parsed.key_usage().map_err(damaged)?;
        let extended = parsed.extended_key_usage().map_err(damaged)?;
        let mut facts = Self {
            common_name,
            dns_names: BTreeSet::new(),
            ip_addresses: BTreeSet::new(),
            uris: BTreeSet::new(),
            usages: Usage::of(
                basic.as_ref().map(|it| it.value),
                extended.as_ref().map(|it| it.value),
            ),
            serial: x509::serial_of(&parsed),
            validity: x509::validity_of(&parsed),
            algorithm: KeyAlgorithm::of(parsed.public_key()),
            public_key: parsed.public_key().raw.to_vec(),
            authority_key_id: parsed.iter_extensions().find_map(|it| match it.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(aki) => {
                    aki.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                _ => None,
            }),
            other_names: false,
            is_authority: parsed.is_ca(),
            certificate: certificate.clone(),
        };
        if let Some(names) = parsed.subject_alternative_name().map_err(damaged)? {
            for name in &names.value.general_names {
                facts.note(name);
            }
        }
        Ok(facts)
    }

    fn note(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => {
                self.dns_names.insert((*name).to_owned());
            }
            GeneralName::URI(uri) => {
                self.uris.insert((*uri).to_owned());
            }
            GeneralName::IPAddress(octets) => match ip_address(octets) {
                Some(address) => {
                    self.ip_addresses.insert(address);
                }
                None => self.other_names = true,
            },
            _ => self.other_names = true,
        }
    }

    /// Whether this authority's key signed the certificate. Dates and usages don't matter.
    pub fn signed_by(&self, authority: &Authority) -> bool {
        let at = self.validity.not_before;
        verify_chain(&self.certificate, authority.certificate(), at, AnyUsage).is_ok()
    }

    /// Whether the certificate's public key is that of `key`.
    pub fn holds_key(&self, key: &PrivateKey) -> bool {
        self.public_key == key.public_key()
    }

    /// Whether this answers a signing request: it is for its key, has its names and no others, and
    /// is no CA's. An issuer may leave the common name out, take another of the names for it, or
    /// repeat it among the DNS names; usages and lifetime are for it to say.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn answers(&self, request: &LeafRequest, key: &PrivateKey) -> Result<(), Difference> {
        if !self.holds_key(key) {
            return Err(Difference::Key);
        }
        let mut dns_names: BTreeSet<String> = request.dns_names.iter().cloned().collect();
        let common_names = request.common_name.iter().chain(&request.dns_names);
        if let Some(name) = &self.common_name
            && !common_names.into_iter().any(|allowed| allowed == name)
        {
            return Err(Difference::CommonName {
                has: Some(name.clone()),
                wants: request.common_name.clone(),
            });
        }
        let repeated = request.common_name.iter().filter(|name| self.dns_names.contains(*name));
        dns_names.extend(repeated.cloned());
        same("DNS names", &self.dns_names, dns_names)?;
        same("IP addresses", &self.ip_addresses, request.ip_addresses.iter().copied())?;
        same("URIs", &self.uris, request.uris.iter().cloned())?;
        if self.other_names {
            return Err(Difference::OtherNames);
        }
        if self.is_authority {
            return Err(Difference::IsAuthority);
        }
        Ok(())
    }

    /// Whether this is the leaf that `authority` would issue for `request` and a key of
    /// `algorithm`, but for serial number, key and the time of issue. A leaf that was cut short
    /// by its authority's end matches.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn matches(
        &self,
        request: &LeafRequest,
        algorithm: KeyAlgorithm,
        authority: &Authority,
    ) -> Result<(), Difference> {
        if self.common_name != request.common_name {
            return Err(Difference::CommonName {
                has: self.common_name.clone(),
                wants: request.common_name.clone(),
            });
        }
        same("DNS names", &self.dns_names, request.dns_names.iter().cloned())?;
        same("IP addresses", &self.ip_addresses, request.ip_addresses.iter().copied())?;
        same("URIs", &self.uris, request.uris.iter().cloned())?;
        if self.algorithm != Some(algorithm) {
            return Err(Difference::KeyAlgorithm { has: self.algorithm, wants: algorithm });
        }
        same("usages", &self.usages, Usage::effective(&request.usages, algorithm))?;
        if self.other_names {
            return Err(Difference::OtherNames);
        }
        if !self.signed_by(authority) {
            return Err(Difference::Authority { authority: authority.subject().to_owned() });
        }
        self.lasts(request.duration, authority)
    }

    /// The time of issue is not in the certificate: it lies between its start and [`BACKDATE`]
    /// later.
    fn lasts(&self, wants: SignedDuration, authority: &Authority) -> Result<(), Difference> {
        let Validity { not_before, not_after } = self.validity;
        let end = |from: Timestamp, lag: SignedDuration| {
            let issued = from.checked_add(lag).unwrap_or(Timestamp::MAX);
            let wanted = issued.checked_add(wants).unwrap_or(Timestamp::MAX);
            wanted.min(authority.validity().not_after).as_second()
        };
        let expected = end(not_before, SignedDuration::ZERO)..=end(not_before, BACKDATE);
        if expected.contains(&not_after.as_second()) {
            return Ok(());
        }
        let has = self.validity.lifetime();
        Err(Difference::Duration { has: if has > BACKDATE { has - BACKDATE } else { has }, wants })
    }
}

fn same<T: Ord + Display>(
    what: &'static str,
    has: &BTreeSet<T>,
    wants: impl IntoIterator<Item = T>,
) -> Result<(), Difference> {
    let wants: BTreeSet<T> = wants.into_iter().collect();
    if *has == wants {
        return Ok(());
    }
    Err(Difference::Set {
        what,
        missing: wants.difference(has).map(T::to_string).collect(),
        extra: has.difference(&wants).map(T::to_string).collect(),
    })
}

fn or_none(name: &Option<String>) -> String {
    name.as_ref().map_or_else(|| "empty".to_owned(), |name| format!("{name:?}"))
}

fn in_words(missing: &[String], extra: &[String]) -> String {
    let said = |list: &[String], how: &str| {
        (!list.is_empty()).then(|| format!("{how} {}", list.join(", ")))
    };
    let parts: Vec<_> =
        [said(missing, "it lacks"), said(extra, "it has besides")].into_iter().flatten().collect();
    parts.join("; ")
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|it| IpAddr::V4(Ipv4Addr::from(it)));
    let v6 = <[u8; 16]>::try_from(octets).map(|it| IpAddr::V6(Ipv6Addr::from(it)));
    v4.or(v6).ok()
}
