//! The values behind the functions that Kubernetes adds to CEL.
//!
//! Plain types with the parse rules, answers and error texts of the API server's own (Kubernetes
//! 1.36.3, `k8s.io/apiserver/pkg/cel/library`, which is built with Go 1.26.5): [`Quantity`],
//! [`Version`], [`Ip`], [`Cidr`], [`Url`] and [`NamedFormat`]. They know nothing of CEL. No input
//! panics; time and memory grow with the length of the input.

mod cidr;
mod format;
mod ip;
mod printable;
mod quantity;
mod quote;
mod semver;
mod url;

pub use cidr::Cidr;
pub use format::NamedFormat;
pub use ip::Ip;
pub use quantity::{Quantity, compare_quantities, is_whole_quantity};
pub use quote::quote;
pub use semver::Version;
pub use url::Url;

/// Why a string is not a value of the wanted type; displays as the API server words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

/// The text of CEL's error for arguments that no overload of a function takes.
pub const NO_SUCH_OVERLOAD: &str = "no such overload";

#[cfg(test)]
#[path = "properties_tests.rs"]
mod properties;
