//! Policies, compiled: what they select, what they allow, and the findings that come of it.
//!
//! Everything here is a pure function of an object and the [`Snapshot`] of what is known of the
//! cluster: no client, no clock, no I/O. Admission and the controllers ask the same functions, so
//! that what is said at `apply` and what is said later are one diagnosis. This room knows the
//! kinds ([`crate::api`]) and certificates ([`crate::pki`]).

pub mod glob;
pub mod mounts;
pub mod nearest;
pub mod patch;
pub mod pki;
pub mod pod;
pub mod selector;
pub mod snapshot;
pub mod types;

pub use snapshot::Snapshot;
