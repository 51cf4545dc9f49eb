//! The kinds that Portreeve adds to Kubernetes, the findings that it makes of them, and the names
//! of the annotations and labels that it writes.
//!
//! Values are spelt as Kubernetes and cert-manager users know them. What a schema can say stands in
//! the CRD, so that it holds while the webhook is away. This room knows no other.

pub mod condition;
pub mod duration;
pub mod finding;
pub mod names;
pub mod pki;
pub mod pki_policy;
pub mod pod_policy;

pub use finding::{Enforcement, Finding};
pub use pki::{Pki, PkiSpec, PkiStatus};
pub use pki_policy::{PkiPolicy, PkiPolicySpec, PkiPolicyStatus};
pub use pod_policy::{PodPolicy, PodPolicySpec, PodPolicyStatus};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// The definitions of all kinds, in the order in which they are installed.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![Pki::crd(), PkiPolicy::crd(), PodPolicy::crd()]
}
