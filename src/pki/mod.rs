//! Keys, certificates, certificate authorities and renewal times.
//!
//! This room is pure: it does no I/O, reads no clock but the one it is given, and knows no
//! Kubernetes. What it promises of every leaf that it returns:
//!
//! - it verifies (webpki) against the authority that signed it, at the time it was issued, for the
//!   usage that was asked;
//! - its names are the names of the request and no others, each as its own type;
//! - it does not outlive its authority, and the caller is told where that cut it short;
//! - its serial number has 158 random bits, so no two leaves of one authority share one;
//! - it can't sign another certificate.

mod authority;
mod error;
mod facts;
mod key;
mod leaf;
mod renewal;
mod signing_request;
mod usage;
mod verify;
mod x509;

pub use authority::Authority;
pub use error::Error;
pub use facts::{Difference, LeafFacts};
pub use key::{KeyAlgorithm, PrivateKey};
pub use leaf::{BACKDATE, Leaf, LeafRequest, MAX_COMMON_NAME_BYTES};
pub use renewal::{default_renew_before, renewal_time};
pub use usage::{UnknownUsage, Usage};
pub use verify::verify_server;
pub use x509::{Validity, certificates_from_pem, certificates_to_pem, fingerprint};
