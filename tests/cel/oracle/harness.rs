//! The part of the e2e tests' harness that runs a control plane. The rest of it is about Portreeve.

#[path = "../../e2e/harness/cluster.rs"]
pub mod cluster;
#[path = "../../e2e/harness/kubectl.rs"]
pub mod kubectl;
#[path = "../../e2e/harness/leash.rs"]
pub mod leash;
#[path = "../../e2e/harness/unique.rs"]
pub mod unique;

pub use cluster::Cluster;
pub use unique::unique;
