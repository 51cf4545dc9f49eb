//! Admission: a review comes in, a review goes out, and nothing else happens.
//!
//! This room is pure: it calls no API and waits for nothing. [`review`] is the wire format, and
//! the only part of it that the HTTP server knows; [`mutate`] and [`validate`] decide from a
//! request and a [`Snapshot`] of the cluster. It knows policy and findings.

pub mod review;

mod annotate;
mod pki;
mod pod_policy;
mod pods;
mod request;
mod telling;

use thiserror::Error;

use crate::api::names::GROUP;
use crate::policy::Snapshot;
use crate::policy::pod::Workload;

use review::{Answer, Request};

/// Who answers: what is written into the annotation `box.com/admitted-by`.
#[derive(Debug, Clone)]
pub struct Admitter(pub String);

/// Why a request gets no decision. The webhook's `failurePolicy` says what becomes of the object:
/// a replica that is older than its webhook configuration must not refuse what it does not know.
#[derive(Debug, Error)]
pub enum Undecided {
    /// The webhook configuration sends a kind that Portreeve does not review.
    #[error(
        "portreeve {} does not review {resource}: the webhook configuration should not send it",
        env!("CARGO_PKG_VERSION")
    )]
    UnknownKind {
        /// The resource as RBAC spells it: `pods`, `pods/exec`, `deployments.apps`.
        resource: String,
    },
}

/// Does once, at the start, what the first request would have to wait for.
pub fn prepare() {
    crate::policy::pki::structure::prepare();
}

/// The first webhook: sees the object before its schema does. A Pki is refused with all faults at
/// once; to a Pod is added what policies add; and what is found is written onto the object.
///
/// # Errors
/// When the kind is not one that Portreeve reviews.
pub fn mutate(
    request: &Request<'_>,
    snapshot: &Snapshot,
    admitter: &Admitter,
) -> Result<Answer, Undecided> {
    Ok(match Reviewed::of(request)? {
        Reviewed::Pki => pki::mutate(request, snapshot, admitter),
        Reviewed::Pods(workload) => pods::mutate(request, workload, snapshot, admitter),
        Reviewed::PodPolicy => Answer::allow(),
    })
}

/// The last webhook: holds the line on what is finally stored, and warns.
///
/// # Errors
/// When the kind is not one that Portreeve reviews.
pub fn validate(request: &Request<'_>, snapshot: &Snapshot) -> Result<Answer, Undecided> {
    Ok(match Reviewed::of(request)? {
        Reviewed::Pki => pki::validate(request, snapshot),
        Reviewed::Pods(workload) => pods::validate(request, workload, snapshot),
        Reviewed::PodPolicy => pod_policy::validate(request),
    })
}

/// What Portreeve reviews.
enum Reviewed {
    Pki,
    PodPolicy,
    Pods(Workload),
}

/// The subresources by which what runs in a Pod is changed.
const POD_SUB_RESOURCES: [&str; 2] = ["ephemeralcontainers", "resize"];

impl Reviewed {
    fn of(request: &Request<'_>) -> Result<Self, Undecided> {
        let (group, resource) = (&*request.resource.group, &*request.resource.resource);
        let workload = Workload::of_resource(group, resource);
        match (request.sub_resource.as_deref(), workload) {
            (None, None) if group == GROUP && resource == "pkis" => Ok(Self::Pki),
            (None, None) if group == GROUP && resource == "podpolicies" => Ok(Self::PodPolicy),
            (None, Some(workload)) => Ok(Self::Pods(workload)),
            (Some(part), Some(Workload::Pod)) if POD_SUB_RESOURCES.contains(&part) => {
                Ok(Self::Pods(Workload::Pod))
            }
            (part, _) => {
                let mut name = resource.to_owned();
                if !group.is_empty() {
                    name = format!("{name}.{group}");
                }
                if let Some(part) = part {
                    name = format!("{name}/{part}");
                }
                Err(Undecided::UnknownKind { resource: name })
            }
        }
    }
}
