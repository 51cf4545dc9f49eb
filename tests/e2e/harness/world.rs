//! A cluster with Portreeve in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::cert_manager;
use super::helm::rendered;
use super::kubectl::kubectl;
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
    _leash: Option<Leashed>,
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
        Self { cluster, portreeve: Portreeve::installed(cluster, replica), _leash: removal }
    }

    /// One with cert-manager in it, where Portreeve has no more rights than the chart gives it. None
    /// where that can't be had, which is said.
    pub fn with_cert_manager() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<World>> = OnceLock::new();
        if Cluster::leaves_out() {
            return None;
        }
        let made = SHARED
            .get_or_init(|| std::panic::catch_unwind(Self::make_with_cert_manager).ok().flatten());
        Some(
            made.as_ref()
                .expect("cert-manager could not be started; the first test to fail says why"),
        )
    }

    fn make_with_cert_manager() -> Option<Self> {
        // It is there until the process ends.
        let cluster: &'static Cluster = Box::leak(Box::new(Cluster::start()?));
        let cert_manager = cert_manager::start(cluster);
        let replica = Replica::default();
        let kubeconfig = confined(cluster, &replica.namespace);
        let replica = Replica { kubeconfig: Some(kubeconfig), ..replica };
        let portreeve = Portreeve::installed(cluster, replica);
        Some(Self { cluster, portreeve, _leash: Some(cert_manager) })
    }
}

/// A kubeconfig of the chart's ServiceAccount, with the rights that the chart gives to it.
fn confined(cluster: &Cluster, namespace: &str) -> PathBuf {
    kubectl(cluster, &format!("create namespace {namespace}"), "").ok();
    let account = rendered(cluster, namespace, &["serviceaccount.yaml", "rbac.yaml"], &[]);
    kubectl(cluster, "apply -f -", &account).ok();
    let create = format!("--namespace={namespace} create token portreeve --duration=24h");
    let token = kubectl(cluster, &create, "").ok();
    let path = cluster.directory().join("portreeve.kubeconfig");
    let own = cluster.kubeconfig().expect("the cluster is one of the tests' own");
    fs::copy(own, &path).expect("the kubeconfig can be copied");
    let user = "config view -o jsonpath={.users[0].name}";
    let user = kubectl(cluster, user, "").ok();
    let file = path.display();
    let set = format!("config set-credentials {user} --kubeconfig={file} --token={token}");
    kubectl(cluster, &set, "").ok();
    path
}
