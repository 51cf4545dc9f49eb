//! What the tests stand on: a control plane, Portreeve, kubectl, and a namespace for each test.
//!
//! What is started here ends with the test process, however that ends: it hangs on a pipe that the
//! process holds (see [`leash`]).
//!
//! | variable | meaning |
//! |---|---|
//! | `PORTREEVE_TEST_CLUSTER=current` | use the cluster of the current kubeconfig, start none |
//! | `PORTREEVE_TEST_HOST` | the address under which that cluster reaches this machine (127.0.0.1) |

pub mod certificates;
pub mod cluster;
pub mod golden;
pub mod kubectl;
pub mod leash;
pub mod portreeve;
pub mod space;
pub mod wait;
pub mod world;

pub use cluster::Cluster;
pub use golden::golden;
pub use kubectl::Output;
pub use portreeve::{Portreeve, Replica};
pub use space::Space;
pub use wait::eventually;
pub use world::World;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A random word of eight lower-case letters, for a name that nothing else has.
pub fn unique() -> String {
    let mut rest = RandomState::new().build_hasher().finish();
    let letter = |_| {
        let letter = char::from(b'a' + u8::try_from(rest % 26).unwrap());
        rest /= 26;
        letter
    };
    (0..8).map(letter).collect()
}
