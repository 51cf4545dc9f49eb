//! `PkiPolicy`: who may ask for which certificate, and who signs it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Enforcement;
use super::duration;
use super::pki::{Algorithm, SUBDOMAIN_PATTERN};

/// The API group of cert-manager's own kinds.
pub const CERT_MANAGER_GROUP: &str = "cert-manager.io";

/// The kind of its issuers that serve one namespace.
pub const ISSUER: &str = "Issuer";

/// The kind of its issuers that serve all.
pub const CLUSTER_ISSUER: &str = "ClusterIssuer";

/// A glob over DNS names: labels of which each may hold `*`, which stays within its label.
const DNS_GLOB_PATTERN: &str = r"^[-a-z0-9*]{1,63}(\.[-a-z0-9*]{1,63})*$";

/// Which certificates the namespaces that it selects may ask for, and who signs them. Nothing is
/// allowed by default.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "box.com",
    version = "v1",
    kind = "PkiPolicy",
    plural = "pkipolicies",
    status = "PkiPolicyStatus",
    derive = "PartialEq",
    shortname = "pkp",
    category = "portreeve",
    doc = "Which certificates the Pkis of the selected namespaces may ask for, and who signs them. Nothing is allowed by default.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "OnViolation", type_ = "string", json_path = ".spec.onViolation"),
    printcolumn(name = "CA", type_ = "string", json_path = ".spec.issuer.ca.secretName"),
    printcolumn(name = "CA-Expires", type_ = "string", json_path = ".status.caNotAfter"),
    printcolumn(
        name = "Issuer",
        type_ = "string",
        json_path = ".spec.issuer.certManager.issuerRef.name"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PkiPolicySpec {
    /// The namespaces whose Pkis this policy judges, by their labels; `{}` selects all.
    #[x_kube(
        validation = Rule::new("!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'] && (e.operator in ['In', 'NotIn']) == (has(e.values) && e.values.size() > 0))").message("each operator must be In or NotIn, with values, or Exists or DoesNotExist, without")
    )]
    pub namespace_selector: LabelSelector,

    /// The service names that may be asked for: exact names, or globs in which `*` stays within
    /// one DNS label. The names derived from an allowed one need no more leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 253), regex(pattern = DNS_GLOB_PATTERN)), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_names: Vec<String>,

    /// Further DNS names, and common names, that may be asked for: globs in which `*` stays within
    /// one DNS label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 253), regex(pattern = DNS_GLOB_PATTERN)), extend("x-kubernetes-list-type" = "set"))]
    pub dns_names: Vec<String>,

    /// The address ranges (CIDR) of which addresses may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    #[x_kube(validation = Rule::new("self.all(r, isCIDR(r))").message("each must be an address range such as 10.0.0.0/8 or 2001:db8::/32"))]
    pub ip_addresses: Vec<String>,

    /// The URIs that may be asked for: globs in which `*` stays within one segment between `/`,
    /// and within one DNS label of the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 2048), regex(pattern = r"^[a-z][a-z0-9+.\-]*:[!-~]+$")), extend("x-kubernetes-list-type" = "set"))]
    pub uris: Vec<String>,

    /// Whether a wildcard (`*.…`) may be asked for where a glob matches it.
    #[serde(default)]
    pub allow_wildcards: bool,

    /// The longest lifetime that may be asked for. Default: no limit but the CA's own end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), regex(pattern = duration::PATTERN))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1h')").message("must be at least 1h"))]
    pub max_duration: Option<String>,

    /// The kinds of key that may be asked for; the first is what is made where the owner says
    /// nothing. Default: all, ECDSA first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub algorithms: Vec<Algorithm>,

    /// What happens to a Pki that asks for more: refused, or let through with a warning (and no
    /// certificate).
    #[serde(default)]
    pub on_violation: OnViolation,

    /// Who signs.
    pub issuer: Issuer,
}

/// What happens to an object that a policy objects to.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnViolation {
    /// It is refused.
    #[default]
    Deny,
    /// It is let through, its owner is told, and what it may not have is not made.
    Warn,
}

impl From<OnViolation> for Enforcement {
    fn from(on_violation: OnViolation) -> Self {
        match on_violation {
            OnViolation::Deny => Enforcement::Deny,
            OnViolation::Warn => Enforcement::Warn,
        }
    }
}

/// Who signs the certificates: a CA in a Secret, or cert-manager.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.ca) != has(self.certManager)").message("exactly one of ca and certManager must be given"))]
pub struct Issuer {
    /// A certificate authority whose certificate and key lie in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaIssuer>,
    /// An issuer of cert-manager, asked by CertificateRequests in the namespaces of the Pkis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_manager: Option<CertManagerIssuer>,
}

/// An issuer of cert-manager.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertManagerIssuer {
    /// Which of them.
    pub issuer_ref: IssuerRef,
}

/// The issuer that a CertificateRequest names, with cert-manager's own defaults.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.group != 'cert-manager.io' || self.kind in ['Issuer', 'ClusterIssuer']").message("kind must be Issuer or ClusterIssuer, which are those of cert-manager.io"))]
pub struct IssuerRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its kind. An `Issuer` is looked for in the namespace of each Pki, a `ClusterIssuer` serves
    /// all; other groups have kinds of their own.
    #[serde(default = "issuer_kind")]
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// The API group of its kind.
    #[serde(default = "issuer_group")]
    #[schemars(length(min = 1, max = 253))]
    pub group: String,
}

fn issuer_kind() -> String {
    ISSUER.to_owned()
}

fn issuer_group() -> String {
    CERT_MANAGER_GROUP.to_owned()
}

impl std::fmt::Display for IssuerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, kind, group } = self;
        if group == CERT_MANAGER_GROUP {
            return write!(f, "{kind} {name} of cert-manager");
        }
        write!(f, "{kind} {name} of {group}")
    }
}

/// A certificate authority in a Secret.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaIssuer {
    /// The Secret (type `kubernetes.io/tls`) in Portreeve's own namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN_PATTERN))]
    pub secret_name: String,
    /// Whether Portreeve makes the authority when the Secret is not there.
    #[serde(default)]
    pub create: bool,
}

/// Whether the policy can be put into effect.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PkiPolicyStatus {
    /// `Ready`: whether the policy compiles and its issuer can sign, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that was judged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the certificate of the CA in the Secret ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_not_after: Option<Time>,
}
