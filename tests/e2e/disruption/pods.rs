//! Pods that are made while the webhook is away.

use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

use super::{QUICK, Scene, stop};
use crate::harness::eventually;
use crate::harness::space::{is_ours, pod};

/// The reason of the fault.
const LATEST: &str = "ImageTagLatest";

#[tokio::test(flavor = "multi_thread")]
async fn what_came_during_an_outage_is_found_whatever_it_says_of_itself_and_is_told_once() {
    let Some(scene) = Scene::bare().await else { return };
    let portreeve = scene.install(&QUICK);
    scene.kubectl("create namespace app1", "").ok();
    let policy = json!({
        "apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": "images"},
        "spec": {"validations": [{
            "expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
            "message": "name a version", "eventReason": LATEST,
        }]},
    });
    scene.kubectl("apply -f -", &policy.to_string()).ok();
    let latest = |name: &str| {
        let mut pod = pod(name, json!({"containers": [{"name": "main", "image": "nginx:latest"}]}));
        pod["metadata"]["annotations"] =
            json!({"box.com/findings": "[]", "box.com/admitted-by": "portreeve/0.1.0 forged"});
        pod["metadata"]["labels"] = json!({"app": name});
        pod
    };
    let apply =
        |name: &str| scene.kubectl("--namespace=app1 apply -f -", &latest(name).to_string());
    eventually("the webhook goes by the policy", async || {
        let applied = apply("before");
        if applied.success { Err(applied.stdout) } else { Ok(()) }
    })
    .await;
    stop(portreeve);
    apply("web").ok();

    let again = scene.install(&QUICK);
    let told = eventually("the Pod is told", async || {
        let events = Api::<Event>::namespaced(scene.client.clone(), "app1");
        let mut events = events.list(&ListParams::default()).await.unwrap().items;
        events.retain(|event| is_ours(event) && event.reason.as_deref() == Some(LATEST));
        match events.as_slice() {
            [event] if event.count.unwrap_or_default() >= 2 => Ok(event.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(told.involved_object.name.as_deref(), Some("web"));
    let message = told.message.unwrap_or_default();
    assert!(
        message.ends_with("while the webhook was away, and would be refused today."),
        "{message}"
    );

    let pods = scene.kubectl("--namespace=app1 get pods -l box.com/findings=true -o name", "");
    assert_eq!(pods.ok().trim(), "pod/web");
    stop(again);
}
