//! The wire format of admission: `AdmissionReview` of `admission.k8s.io/v1`, in and out.
//!
//! [`parse`] borrows from the body whatever it can and leaves the objects unread; [`Answer`] is
//! what goes back. A body that is not a review is a [`ReviewError`], which still knows how to
//! answer as Kubernetes expects where the review's uid could be read. No I/O, no policy, no clock.

mod answer;
mod error;
mod request;
pub mod warnings;

pub use answer::{Answer, Status};
pub use error::ReviewError;
pub use request::{GroupVersionKind, GroupVersionResource, Operation, Request, UserInfo, parse};

/// The one version of the API that is spoken, as `apiVersion` has it.
pub const API_VERSION: &str = "admission.k8s.io/v1";

/// The kind of the object that carries the request, and of the one that carries the answer.
pub const KIND: &str = "AdmissionReview";
