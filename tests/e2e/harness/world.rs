//! A cluster with Portreeve in it.

use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

use super::leash::Leashed;
use super::{Cluster, Portreeve, Replica};

/// Removes what was installed into somebody's own cluster, when standard input ends.
const REMOVE: &str = r#"
read -r _
kubectl delete --ignore-not-found --wait=false \
  mutatingwebhookconfiguration/"$1" validatingwebhookconfiguration/"$1" namespace/"$2" >/dev/null
"#;

/// What the tests share.
pub struct World {
    /// The cluster.
    pub cluster: &'static Cluster,
    /// The Portreeve to which its webhooks point.
    pub portreeve: Portreeve,
    _removal: Option<Leashed>,
}

impl World {
    /// The one world of this process; made by the first who asks.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Option<World>> = OnceLock::new();
        let made = SHARED.get_or_init(|| std::panic::catch_unwind(Self::make).ok());
        made.as_ref().expect("Portreeve could not be started; the first test to fail says why")
    }

    fn make() -> Self {
        let cluster = Cluster::shared();
        let replica = match cluster.is_current() {
            false => Replica::default(),
            // Beside one that may be at work there.
            true => Replica {
                namespace: "portreeve-e2e".to_owned(),
                configuration: "portreeve-e2e".to_owned(),
                ..Replica::default()
            },
        };
        let removal = cluster.is_current().then(|| {
            let names = [&replica.configuration, &replica.namespace].map(OsString::from);
            Leashed::run(REMOVE, &names.each_ref().map(OsStr::new))
        });
        Self { cluster, portreeve: Portreeve::installed(cluster, replica), _removal: removal }
    }
}
