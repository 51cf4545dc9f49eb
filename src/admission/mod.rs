//! Admission: a review comes in, a review goes out, and nothing else happens.
//!
//! This room is pure: it calls no API and waits for nothing. [`review`] is the wire format, and
//! the only part of it that the HTTP server knows; [`mutate`] and [`validate`] decide from a
//! request and a [`Snapshot`] of the cluster. It knows policy and findings.

pub mod review;

mod annotate;
mod pki;

use thiserror::Error;

use crate::api::names::GROUP;
use crate::policy::Snapshot;

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

/// The first webhook: sees the object before its schema does, refuses with all faults at once, or
/// writes the findings onto the object.
///
/// # Errors
/// When the kind is not one that Portreeve reviews.
pub fn mutate(
    request: &Request<'_>,
    snapshot: &Snapshot,
    admitter: &Admitter,
) -> Result<Answer, Undecided> {
    is_pki(request)?;
    Ok(pki::mutate(request, snapshot, admitter))
}

/// The last webhook: holds the line on what is finally stored, and warns.
///
/// # Errors
/// When the kind is not one that Portreeve reviews.
pub fn validate(request: &Request<'_>, snapshot: &Snapshot) -> Result<Answer, Undecided> {
    is_pki(request)?;
    Ok(pki::validate(request, snapshot))
}

fn is_pki(request: &Request<'_>) -> Result<(), Undecided> {
    let resource = &request.resource;
    if resource.group == GROUP && resource.resource == "pkis" && request.sub_resource.is_none() {
        return Ok(());
    }
    let mut name = resource.resource.to_string();
    if !resource.group.is_empty() {
        name = format!("{name}.{}", resource.group);
    }
    if let Some(sub_resource) = &request.sub_resource {
        name = format!("{name}/{sub_resource}");
    }
    Err(Undecided::UnknownKind { resource: name })
}
