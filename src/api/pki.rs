//! `Pki`: an application's request for a certificate.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;

/// A DNS name in the form in which it stands in a certificate: lower-case LDH labels (RFC 1123),
/// the first one possibly `*` (RFC 6125).
pub const DNS_NAME_PATTERN: &str =
    r"^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$";

/// One DNS label (RFC 1123): what a Service's name may be.
pub const LABEL_PATTERN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// An absolute URI: a scheme, a colon, and printable ASCII without spaces (RFC 3986).
pub const URI_PATTERN: &str = r"^[a-z][a-z0-9+.\-]*:[!-~]+$";

/// A name of a Secret: a DNS subdomain (RFC 1123).
pub const SUBDOMAIN_PATTERN: &str =
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// A request for a certificate, made by an application owner. The certificate lies in a Secret of
/// its namespace for her Pods to mount.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "box.com",
    version = "v1",
    kind = "Pki",
    plural = "pkis",
    namespaced,
    status = "PkiStatus",
    derive = "PartialEq",
    derive = "Default",
    shortname = "pk",
    category = "portreeve",
    doc = "A request for a certificate. Portreeve issues it into a Secret of the same namespace, if a PkiPolicy allows it.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Service", type_ = "string", json_path = ".spec.serviceName"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.notAfter"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.revision) || (has(self.spec.secretName) ? self.spec.secretName : self.metadata.name) == (has(oldSelf.spec.secretName) ? oldSelf.spec.secretName : oldSelf.metadata.name)").message("spec.secretName can't be changed once the certificate is issued: make a new Pki for another Secret").field_path(".spec.secretName")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.duration) || !has(self.renewBefore) || duration(self.renewBefore) < duration(self.duration)").message("renewBefore must be shorter than duration"))]
pub struct PkiSpec {
    /// The name of the service that the certificate is for. The names `NAME`, `NAME.NAMESPACE`,
    /// `NAME.NAMESPACE.svc` and `NAME.NAMESPACE.svc.cluster.local` are put into the certificate.
    #[schemars(length(min = 1, max = 63), regex(pattern = LABEL_PATTERN))]
    pub service_name: String,

    /// The subject's common name, a DNS name too. Default: the service name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = DNS_NAME_PATTERN))]
    pub common_name: Option<String>,

    /// More DNS names, in lower case, international ones as A-labels (`xn--…`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 253), regex(pattern = DNS_NAME_PATTERN)), extend("x-kubernetes-list-type" = "set"))]
    pub dns_names: Vec<String>,

    /// URIs, such as `spiffe://cluster.local/ns/shop/sa/cart`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 2048), regex(pattern = URI_PATTERN)), extend("x-kubernetes-list-type" = "set"))]
    pub uris: Vec<String>,

    /// IP addresses, each in its canonical form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 2, max = 45)), extend("x-kubernetes-list-type" = "set"))]
    #[x_kube(validation = Rule::new("self.all(a, isIP(a) && ip.isCanonical(a))").message("each must be an IP address in its canonical form, such as 10.0.0.1 or 2001:db8::1"))]
    pub ip_addresses: Vec<String>,

    /// How long the certificate is valid, at least `1h`. Default: the shorter of 90 days
    /// (`2160h`) and the policy's `maxDuration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), regex(pattern = duration::PATTERN))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1h')").message("must be at least 1h"))]
    pub duration: Option<String>,

    /// How long before its end the certificate is renewed, at least `1m`. Default: a third of its
    /// lifetime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), regex(pattern = duration::PATTERN))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m')").message("must be at least 1m"))]
    pub renew_before: Option<String>,

    /// The private key that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeySpec>,

    /// What the certificate may be used for, as cert-manager spells it. Default: `server auth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 14), extend("x-kubernetes-list-type" = "set"))]
    pub usages: Vec<Usage>,

    /// The name of the Secret. Default: the Pki's own name. It can't be changed once the
    /// certificate is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN_PATTERN))]
    pub secret_name: Option<String>,

    /// Labels and annotations for the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<SecretTemplate>,
}

/// The private key of a certificate.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.size) || has(self.algorithm)").message("size needs algorithm beside it"),
    validation = Rule::new("!has(self.size) || !has(self.algorithm) || (self.algorithm == 'ECDSA' ? self.size in [256, 384, 521] : self.algorithm == 'RSA' ? self.size in [2048, 3072, 4096] : false)").message("size must be 256, 384 or 521 for ECDSA, 2048, 3072 or 4096 for RSA, and left out for Ed25519")
)]
pub struct PrivateKeySpec {
    /// The kind of key. Default: the first of the policy's `algorithms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// The size in bits. Default: 256 for ECDSA, 2048 for RSA; Ed25519 has one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i32>,
    /// Whether each new certificate has a new key. Default: `Always`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_policy: Option<RotationPolicy>,
}

/// A kind of private key.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Elliptic curves of NIST: P-256, P-384, P-521.
    #[serde(rename = "ECDSA")]
    Ecdsa,
    /// RSA.
    #[serde(rename = "RSA")]
    Rsa,
    /// Edwards curve 25519 (RFC 8410).
    Ed25519,
}

impl Algorithm {
    /// As it is spelt in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Ecdsa => "ECDSA",
            Algorithm::Rsa => "RSA",
            Algorithm::Ed25519 => "Ed25519",
        }
    }

    /// The sizes that a key may have, in bits, the default first; empty where there is but one.
    pub fn sizes(self) -> &'static [i32] {
        match self {
            Algorithm::Ecdsa => &[256, 384, 521],
            Algorithm::Rsa => &[2048, 3072, 4096],
            Algorithm::Ed25519 => &[],
        }
    }
}

/// Whether a key outlives its certificate.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RotationPolicy {
    /// Each new certificate has a new key.
    Always,
    /// A new certificate keeps the key that is in the Secret.
    Never,
}

/// What a certificate may be used for: basic and extended key usages (RFC 5280, sections 4.2.1.3
/// and 4.2.1.12). Those that would let a leaf speak for its authority are not there.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// TLS servers.
    #[serde(rename = "server auth")]
    ServerAuth,
    /// TLS clients.
    #[serde(rename = "client auth")]
    ClientAuth,
    /// Signatures other than on certificates.
    #[serde(rename = "digital signature")]
    DigitalSignature,
    /// Signatures that can't be denied later.
    #[serde(rename = "content commitment")]
    ContentCommitment,
    /// Enciphering keys, with RSA.
    #[serde(rename = "key encipherment")]
    KeyEncipherment,
    /// Enciphering data, with RSA.
    #[serde(rename = "data encipherment")]
    DataEncipherment,
    /// Agreeing on keys, with ECDSA's curves.
    #[serde(rename = "key agreement")]
    KeyAgreement,
    /// Whatever the verifier likes.
    Any,
    /// Signing code.
    #[serde(rename = "code signing")]
    CodeSigning,
    /// Signing and enciphering mail.
    #[serde(rename = "email protection")]
    EmailProtection,
    /// Stamping with the time.
    #[serde(rename = "timestamping")]
    TimeStamping,
    /// An end of an IPsec connection.
    #[serde(rename = "ipsec end system")]
    IpsecEndSystem,
    /// An IPsec tunnel.
    #[serde(rename = "ipsec tunnel")]
    IpsecTunnel,
    /// A user of IPsec.
    #[serde(rename = "ipsec user")]
    IpsecUser,
}

/// What the Secret carries beside the certificate.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretTemplate {
    /// Labels for the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new("self.all(k, !k.matches('(^|\\\\.)box\\\\.com/') && k != 'app.kubernetes.io/managed-by')").message("keys of box.com and app.kubernetes.io/managed-by are Portreeve's"))]
    pub labels: BTreeMap<String, String>,
    /// Annotations for the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new("self.all(k, !k.matches('(^|\\\\.)box\\\\.com/'))").message("keys of box.com are Portreeve's"))]
    pub annotations: BTreeMap<String, String>,
}

/// What became of the request.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PkiStatus {
    /// `Ready`: whether the Secret holds a certificate as asked, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that was judged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the certificate begins to be valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// When the certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// When the certificate is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_time: Option<Time>,
    /// The certificate's serial number, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// How many certificates have been issued for this Pki.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// The Secret that holds the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// The policy under which the certificate was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The names in the certificate, derived ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
    /// The lifetime that was asked for, or taken where the owner said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The time before the end at which it is renewed, as asked for or taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<String>,
    /// The key that was made, as asked for or taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeySpec>,
}

impl Pki {
    /// The name of its Secret: `spec.secretName`, or else its own.
    pub fn secret_name(&self) -> String {
        self.spec.secret_name.clone().unwrap_or_else(|| self.name_any())
    }

    /// Whether a certificate has ever been issued for it.
    pub fn is_issued(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.revision.is_some())
    }
}
