//! A PkiPolicy, compiled once and asked often.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::SignedDuration;
use kube::ResourceExt;
use thiserror::Error;

use crate::api::duration::{self, DurationError};
use crate::api::pki::Algorithm;
use crate::api::pki_policy::{CaIssuer, Issuer, IssuerRef, OnViolation, PkiPolicy};
use crate::policy::glob::{DnsGlob, UriGlob};
use crate::policy::selector::{Labels, SelectorError};

/// Why a PkiPolicy can't be put into effect.
#[derive(Debug, Error)]
pub enum RulesError {
    /// The selector of namespaces is none that Kubernetes knows.
    #[error("spec.namespaceSelector: {0}")]
    Selector(#[from] SelectorError),
    /// A range of addresses.
    #[error("spec.ipAddresses[{index}]: {value:?} is not an address range such as 10.0.0.0/8")]
    Range {
        /// Its place in the list.
        index: usize,
        /// As written.
        value: String,
    },
    /// The longest lifetime.
    #[error("spec.maxDuration: {0}")]
    Duration(#[from] DurationError),
    /// Nobody who signs, or two.
    #[error("spec.issuer: exactly one of ca and certManager must be given")]
    Issuer,
}

/// Who signs.
#[derive(Debug, Clone, PartialEq)]
pub enum Signer {
    /// The authority in a Secret of Portreeve's own namespace.
    Ca(CaIssuer),
    /// An issuer of cert-manager.
    CertManager(IssuerRef),
}

impl TryFrom<&Issuer> for Signer {
    type Error = RulesError;

    fn try_from(issuer: &Issuer) -> Result<Self, RulesError> {
        match (&issuer.ca, &issuer.cert_manager) {
            (Some(ca), None) => Ok(Self::Ca(ca.clone())),
            (None, Some(cert_manager)) => Ok(Self::CertManager(cert_manager.issuer_ref.clone())),
            _ => Err(RulesError::Issuer),
        }
    }
}

/// What a PkiPolicy allows.
#[derive(Debug, Clone, PartialEq)]
pub struct PkiRules {
    /// The policy's name.
    pub name: String,
    /// What happens to a Pki that asks for more.
    pub on_violation: OnViolation,
    /// The longest lifetime.
    pub max_duration: Option<SignedDuration>,
    /// The kinds of key that may be asked for, the default first; never empty.
    pub algorithms: Vec<Algorithm>,
    /// Whether a wildcard may be asked for.
    pub allow_wildcards: bool,
    /// Service names.
    pub allowed_names: Vec<DnsGlob>,
    /// Other DNS names.
    pub dns_names: Vec<DnsGlob>,
    /// Address ranges.
    pub ip_ranges: Vec<IpNet>,
    /// Service names, as written in the policy.
    pub allowed_name_texts: Vec<String>,
    /// Other DNS names, as written in the policy.
    pub dns_name_texts: Vec<String>,
    /// Address ranges, as written in the policy.
    pub ip_range_texts: Vec<String>,
    /// URIs, as written in the policy.
    pub uri_texts: Vec<String>,
    /// Who signs.
    pub signer: Signer,
    selector: Labels,
    uris: Vec<UriGlob>,
}

impl PkiRules {
    /// Compiles a policy.
    ///
    /// # Errors
    /// When a value is one that the schema should have refused, or a selector that no schema can
    /// check.
    pub fn compile(policy: &PkiPolicy) -> Result<Self, RulesError> {
        let spec = &policy.spec;
        let range = |(index, value): (usize, &String)| {
            value.parse().map_err(|_| RulesError::Range { index, value: value.clone() })
        };
        let algorithms = match spec.algorithms.as_slice() {
            [] => vec![Algorithm::Ecdsa, Algorithm::Rsa, Algorithm::Ed25519],
            listed => listed.to_vec(),
        };
        let selector = Labels::compile(Some(&spec.namespace_selector))?;
        Ok(Self {
            selector,
            name: policy.name_any(),
            on_violation: spec.on_violation,
            max_duration: spec.max_duration.as_deref().map(duration::parse).transpose()?,
            algorithms,
            allow_wildcards: spec.allow_wildcards,
            allowed_names: spec.allowed_names.iter().map(|glob| DnsGlob::new(glob)).collect(),
            dns_names: spec.dns_names.iter().map(|glob| DnsGlob::new(glob)).collect(),
            ip_ranges: spec.ip_addresses.iter().enumerate().map(range).collect::<Result<_, _>>()?,
            allowed_name_texts: spec.allowed_names.clone(),
            dns_name_texts: spec.dns_names.clone(),
            ip_range_texts: spec.ip_addresses.clone(),
            uri_texts: spec.uris.clone(),
            signer: Signer::try_from(&spec.issuer)?,
            uris: spec.uris.iter().map(|glob| UriGlob::new(glob)).collect(),
        })
    }

    /// Whether the policy judges the Pkis of a namespace, given its labels where they are known.
    /// Where they are not, only a policy that asks for nothing but the name can be sure.
    pub fn selects(&self, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        self.selector.select_namespace(namespace, labels)
    }

    /// The labels by which the policy selects namespaces.
    pub fn namespace_labels(&self) -> impl Iterator<Item = &str> {
        self.selector.keys()
    }

    /// Whether a service name may be asked for.
    pub fn allows_service(&self, name: &str) -> bool {
        self.allowed_names.iter().any(|glob| glob.matches(name))
    }

    /// Whether a DNS name that is not derived from a service's may be asked for.
    pub fn allows_dns_name(&self, name: &str) -> bool {
        (self.allow_wildcards || !name.starts_with("*."))
            && self.dns_names.iter().any(|glob| glob.matches(name))
    }

    /// Whether an address may be asked for.
    pub fn allows_address(&self, address: &IpAddr) -> bool {
        self.ip_ranges.iter().any(|range| range.contains(address))
    }

    /// Whether a URI may be asked for.
    pub fn allows_uri(&self, uri: &str) -> bool {
        self.uris.iter().any(|glob| glob.matches(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn selecting(selector: Value) -> PkiRules {
        let policy = json!({
            "metadata": {"name": "p"},
            "spec": {"namespaceSelector": selector, "issuer": {"ca": {"secretName": "ca"}}},
        });
        PkiRules::compile(&serde_json::from_value(policy).unwrap()).unwrap()
    }

    #[test]
    fn a_namespace_of_unknown_labels_is_selected_by_its_name_alone() {
        let name = json!({"matchLabels": {"kubernetes.io/metadata.name": "shop"}});
        assert!(selecting(name).selects("shop", None));
        assert!(selecting(json!({})).selects("shop", None));
        for other in ["NotIn", "DoesNotExist"] {
            let values = if other == "NotIn" { json!(["x"]) } else { json!([]) };
            let selector =
                json!({"matchExpressions": [{"key": "team", "operator": other, "values": values}]});
            assert!(!selecting(selector).selects("shop", None), "{other}");
        }
    }
}
