//! Pods, and the workloads that make them: what is added, refused, let through and told.

mod accepted;
mod admission;
mod exemptions;
mod injection;
mod policies;
mod scan;
mod storm;
mod wild;

/// Pods and injections, as the unit tests of injection make them.
#[path = "../../../src/policy/pod/inject/tests/generate.rs"]
mod generate;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

use crate::harness::space::pod;
use crate::harness::{Space, eventually, unique};

/// A rule that no image may be tagged latest.
fn no_latest() -> Value {
    json!({
        "expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "message": "the tag latest changes under you: name a version, such as nginx:1.29",
        "eventReason": "ImageTagLatest",
    })
}

/// Applies the PodPolicy of this namespace, which is about no other, and waits until the webhook
/// goes by it. It gets one validation more, which is about Pods of a label that only the probe has.
async fn set_policy(space: &Space, mut spec: Value) {
    let probe = format!("probe-{}", unique());
    let matching = json!({"matchLabels": {"kubernetes.io/metadata.name": space.name}});
    spec["match"]["namespaceSelector"] = matching;
    let validations = spec.as_object_mut().unwrap().entry("validations").or_insert(json!([]));
    validations.as_array_mut().unwrap().push(json!({
        "expression": format!("object.metadata.?labels[?'probe'].orValue('') != '{probe}'"),
        "message": probe,
        "onViolation": "Deny",
    }));
    let policy = json!({
        "apiVersion": "box.com/v1", "kind": "PodPolicy",
        "metadata": {"name": space.name}, "spec": spec,
    });
    space.kubectl_anywhere("apply -f -", &policy.to_string()).ok();
    let mut asking = pod(&probe, json!({}));
    asking["metadata"]["labels"] = json!({"probe": probe});
    let asking: Pod = serde_json::from_value(asking).unwrap();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    eventually("the webhook goes by the PodPolicy", async || {
        match space.api::<Pod>().create(&dry_run, &asking).await {
            Err(kube::Error::Api(refusal)) if refusal.message.contains(&probe) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// A Pod with one container of this image.
fn image(name: &str, image: &str) -> Value {
    pod(name, json!({"containers": [{"name": "main", "image": image}]}))
}

/// A Deployment of this many Pods of this image, with the label `app` of its name.
fn deployment(name: &str, image: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            // No Pod ever gets ready here, and a rolling update would wait for it.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    })
}

/// Waits until there are at least this many Pods of a label `app`.
async fn await_pods(space: &Space, app: &str, count: usize) -> Vec<Pod> {
    let of_app = ListParams::default().labels(&format!("app={app}"));
    eventually(&format!("{app} has {count} Pods"), async || {
        let found = space.api::<Pod>().list(&of_app).await.map_err(|error| error.to_string())?;
        if found.items.len() >= count {
            Ok(found.items)
        } else {
            Err(found.items.len().to_string())
        }
    })
    .await
}

/// Applies a manifest as somebody whom the webhook is not asked about, as if it were away.
fn apply_past_the_webhook(space: &Space, manifest: &Value) {
    let line = "create -f - --as=system:node:n --as-group=system:nodes --as-group=system:masters";
    space.kubectl_with(line, &manifest.to_string()).ok();
}
