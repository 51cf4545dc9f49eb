//! The chart says what the program says.

use std::process::Command;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde::Serialize;
use serde_json::{Value, json};

use crate::harness::helm::{chart, rendered};
use crate::harness::{Cluster, unique};

/// What a program prints that must succeed.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_charts_kinds_are_those_of_the_program() {
    let program = env!("CARGO_BIN_EXE_portreeve");
    let printed = printed(Command::new(program).arg("crds"));
    let mut stale = Vec::new();
    for crd in printed.split("---\n").filter(|crd| !crd.is_empty()) {
        let name = crd.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap();
        let file = chart().join("crds").join(format!("{name}.yaml"));
        if std::fs::read_to_string(&file).ok().as_deref() != Some(crd) {
            stale.push(format!("{name}.yaml"));
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}; run portreeve crds --output charts/portreeve/crds"
    );
    let files = std::fs::read_dir(chart().join("crds")).unwrap().count();
    assert_eq!(files, 3, "charts/portreeve/crds has a file that is no kind of the program's");
}

#[tokio::test]
async fn the_charts_webhooks_are_those_that_install_makes() {
    let name = format!("chart-{}", unique());
    let cluster = Cluster::shared();
    let configuration = format!("webhookConfigurationName={name}");
    let text = rendered(cluster, &name, &["webhooks.yaml"], &[&configuration]);
    let rendered: Vec<Value> = serde_saphyr::from_multiple(&text).expect("helm prints YAML");
    let mut install = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    install.arg("install").args(cluster.portreeve_arguments()).args([
        "--service=portreeve",
        "--service-account=portreeve",
        &format!("--namespace={name}"),
        &format!("--webhook-configuration={name}"),
    ]);
    printed(&mut install);
    let client = cluster.client().await;
    let mutating = Api::<MutatingWebhookConfiguration>::all(client.clone());
    let validating = Api::<ValidatingWebhookConfiguration>::all(client.clone());
    let installed = (mutating.get(&name).await.unwrap(), validating.get(&name).await.unwrap());
    // They point to nobody: away with all of it before anything is compared.
    Api::<Namespace>::all(client).delete(&name, &DeleteParams::default()).await.unwrap();
    mutating.delete(&name, &DeleteParams::default()).await.unwrap();
    validating.delete(&name, &DeleteParams::default()).await.unwrap();

    for (kind, installed) in [
        ("MutatingWebhookConfiguration", told(&installed.0.webhooks)),
        ("ValidatingWebhookConfiguration", told(&installed.1.webhooks)),
    ] {
        let of_kind = rendered.iter().find(|object| object["kind"] == kind);
        let of_chart = &of_kind.expect("the chart has it")["webhooks"];
        assert_eq!(&installed, of_chart, "{kind}");
    }
}

/// The webhooks of a configuration without what the API server fills in where nothing is said.
fn told(webhooks: &Option<Vec<impl Serialize>>) -> Value {
    let mut webhooks = serde_json::to_value(webhooks).unwrap();
    for webhook in webhooks.as_array_mut().unwrap() {
        let filled_in = webhook.as_object_mut().unwrap().remove("objectSelector");
        assert_eq!(filled_in, Some(json!({})));
    }
    webhooks
}
