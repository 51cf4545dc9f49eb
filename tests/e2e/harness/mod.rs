//! What the tests stand on: a control plane, Portreeve, kubectl, and a namespace for each test.
//!
//! What is started here ends with the test process, however that ends: it hangs on a pipe that the
//! process holds (see [`leash`]).
//!
//! | variable | meaning |
//! |---|---|
//! | `PORTREEVE_TEST_CLUSTER=current` | use the cluster of the current kubeconfig, start none |
//! | `PORTREEVE_TEST_HOST` | the address under which that cluster reaches this machine (127.0.0.1) |

pub mod cert_manager;
pub mod certificates;
pub mod cluster;
pub mod golden;
pub mod helm;
pub mod kubectl;
pub mod leash;
pub mod portreeve;
pub mod space;
pub mod stand_in;
pub mod unique;
pub mod wait;
pub mod world;

pub use cluster::Cluster;
pub use golden::golden;
pub use kubectl::Output;
pub use portreeve::{Portreeve, Replica};
pub use space::Space;
pub use unique::unique;
pub use wait::eventually;
pub use world::World;
