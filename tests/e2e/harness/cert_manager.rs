//! cert-manager: its kinds, and those of its controllers that the tests need.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::cluster::built;
use super::kubectl::kubectl;
use super::leash::Leashed;
use super::{Cluster, unique};

/// Where the CAs of ClusterIssuers lie.
pub const NAMESPACE: &str = "cert-manager";

/// Runs the controllers, which end when standard input does.
const RUN: &str = r#"exec "$1" "$2" >"$3" 2>&1"#;

/// Defines the kinds.
pub fn define_kinds(cluster: &Cluster) {
    let kinds = built("cert-manager").unwrap_or_else(|problem| panic!("{problem}")) + "/crds";
    kubectl(cluster, &format!("apply --server-side -f {kinds}"), "").ok();
    kubectl(cluster, &format!("wait --for=condition=Established --timeout=60s -f {kinds}"), "")
        .ok();
}

/// Defines the kinds and runs the controllers, until what is given back is dropped.
pub fn start(cluster: &Cluster) -> Leashed {
    define_kinds(cluster);
    kubectl(cluster, &format!("create namespace {NAMESPACE}"), "").ok();
    let program = built("cert-manager").unwrap_or_else(|problem| panic!("{problem}"));
    let program = PathBuf::from(program).join("cert-manager");
    let log = cluster.directory().join(format!("cert-manager-{}.log", unique()));
    let kubeconfig = cluster.kubeconfig().expect("the cluster is one of the tests' own");
    let arguments: [&OsStr; 3] = [program.as_ref(), kubeconfig.as_ref(), log.as_ref()];
    Leashed::run(RUN, &arguments)
}
