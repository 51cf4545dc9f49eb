//! What policies add makes no Pod one that Kubernetes refuses.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;
use kube::core::{ApiResource, DynamicObject};
use portreeve::cel::Json;
use portreeve::policy::pod::inject::{Injection, inject};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::generate;
use crate::harness::Space;

/// How many Pods are asked about; the API server refuses some of them as they are.
const PODS: usize = 4000;

/// How many of these it has to take for the test to mean anything.
const LEAST_TAKEN: usize = 100;

#[tokio::test]
async fn whatever_is_injected_the_api_server_takes_the_pod_that_it_took_without() {
    let space = Space::bare().await;
    let resource = ApiResource::erase::<Pod>(&());
    let pods = Api::<DynamicObject>::namespaced_with(space.client.clone(), &space.name, &resource);
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let ask = async |pod: &Value| {
        let object: DynamicObject = serde_json::from_value(pod.clone()).unwrap();
        pods.create(&dry_run, &object).await.map(drop).map_err(|error| error.to_string())
    };
    let mut runner = TestRunner::deterministic();
    let (mut taken, mut changed) = (0, 0);
    for number in 0..PODS {
        let partial = generate::injection().new_tree(&mut runner).unwrap().current();
        let mut pod = generate::pod().new_tree(&mut runner).unwrap().current();
        let Ok(injection) = Injection::compile(&partial) else { continue };
        name(&mut pod, number);
        if ask(&pod).await.is_err() {
            continue;
        }
        taken += 1;
        let mut json = Json::from(&pod);
        let injected = inject(&mut json, &[("p", &injection)]);
        changed += usize::from(!injected.patch.is_empty());
        let after = Value::from(&json);
        if let Err(refusal) = ask(&after).await {
            panic!("{refusal}\nthe Pod: {pod}\nthe injection: {partial}\nbecame: {after}");
        }
    }
    assert!(taken >= LEAST_TAKEN && changed >= LEAST_TAKEN, "{taken} taken, {changed} changed");
}

/// What the generator leaves out, since no injection has to do with it.
fn name(pod: &mut Value, number: usize) {
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    if !pod["metadata"].is_object() {
        pod["metadata"] = json!({});
    }
    pod["metadata"]["name"] = json!(format!("pod-{number}"));
}
