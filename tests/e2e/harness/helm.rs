//! The chart, as helm makes manifests of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::built;
use super::{Cluster, unique};

/// The chart's directory.
pub fn chart() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/charts/portreeve"))
}

/// What helm makes of some of the chart's templates, with these settings, for a release `portreeve`
/// in the namespace.
pub fn rendered(
    cluster: &Cluster,
    namespace: &str,
    templates: &[&str],
    settings: &[&str],
) -> String {
    let helm = PathBuf::from(built("helm").unwrap_or_else(|problem| panic!("{problem}")));
    let mut command = Command::new(helm);
    command.args(["template", "portreeve"]).arg(chart()).args(["--namespace", namespace]);
    for template in templates {
        command.arg("--show-only").arg(format!("templates/{template}"));
    }
    for setting in settings {
        command.args(["--set", setting]);
    }
    // Helm must see neither the caller's cluster nor his settings.
    command.env_remove("KUBECONFIG");
    let own = cluster.directory().join(format!("helm-{}", unique()));
    for place in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(place, &own);
    }
    let output = command.output().expect("helm starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
