//! PodPolicies themselves: which are refused, and what becomes of those that got in all the same.

use portreeve::api::PodPolicy;
use serde_json::{Value, json};

use super::{image, no_latest, set_policy};
use crate::harness::space::events_of;
use crate::harness::{Space, eventually, golden};
use k8s_openapi::api::core::v1::Event;
use kube::Api;

fn policy(space: &Space, spec: Value) -> String {
    json!({"apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": space.name}, "spec": spec})
        .to_string()
}

#[tokio::test]
async fn a_policy_that_does_not_compile_is_refused_with_place_and_hint() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    let wrong = json!({
        "match": {"matchConditions": [{"name": "c", "expression": "object.kind == "}]},
        "variables": [{"name": "v", "expression": "objekt.spec"}],
        "validations": [
            {"expression": "object.spec.hostNetwork", "message": "m"},
            {"expression": "object.spec.containers.al(c, true)", "message": "m"},
        ],
    });
    let refused = space.kubectl_anywhere("apply -f -", &policy(&space, wrong)).refused();
    insta::assert_snapshot!(refused, @r#"
    The request is invalid: error when creating "STDIN": admission webhook "podpolicies.portreeve.box.com" denied the request: 4 things are wrong with this PodPolicy:
    - spec.match.matchConditions[0].expression: compilation failed: ERROR: <input>:1:15: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
     | object.kind ==
     | ..............^
    - spec.variables[0].expression: compilation failed: ERROR: <input>:1:1: undeclared reference to 'objekt' (in container '')
     | objekt.spec
     | ^
     | did you mean object?
    - spec.validations[0].expression: must evaluate to bool but got dyn; what is in the object may be of any type; compare it: … == true
    - spec.validations[1].expression: compilation failed: ERROR: <input>:1:26: undeclared reference to 'al' (in container '')
     | object.spec.containers.al(c, true)
     | .........................^
    ERROR: <input>:1:27: undeclared reference to 'c' (in container '')
     | object.spec.containers.al(c, true)
     | ..........................^
     | did you mean all?
    "#);
}

#[tokio::test]
async fn an_inject_that_is_no_pod_is_refused_with_the_field() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    let wrong = json!({"inject": {"spec": {
        "containers": [{"name": "*", "env": {"LOG_LEVEL": "info"}}],
        "volumes": [{"emptyDir": {}}],
    }}});
    let refused = space.kubectl_anywhere("apply -f -", &policy(&space, wrong)).refused();
    insta::assert_snapshot!(refused, @r#"
    The request is invalid: error when creating "STDIN": admission webhook "podpolicies.portreeve.box.com" denied the request: 2 things are wrong with this PodPolicy:
    - spec.inject.spec.containers[0].env: is a map, {"LOG_LEVEL":"info"}; expected is a list
    - spec.inject.spec.volumes[0].name: is missing
    "#);
}

#[tokio::test]
async fn a_policy_that_got_in_all_the_same_is_not_ready_and_stops_no_pod() {
    let space = Space::bare().await;
    let wrong = policy(
        &space,
        json!({"validations": [{"expression": "object.spec.hostNetwork", "message": "m"}]}),
    );
    let past = "create -f - --as=system:node:n --as-group=system:nodes --as-group=system:masters";
    space.kubectl_anywhere(past, &wrong).ok();
    let policies = Api::<PodPolicy>::all(space.client.clone());
    eventually("the policy is not ready", async || {
        let found = policies.get(&space.name).await.map_err(|error| error.to_string())?;
        let status = found.status.unwrap_or_default();
        let ready = status.conditions.first().cloned().ok_or("no condition")?;
        if ready.reason == "PodPolicyInvalid" && ready.message.contains("must evaluate to bool") {
            Ok(())
        } else {
            Err(format!("{ready:?}"))
        }
    })
    .await;
    let events = Api::<Event>::namespaced(space.client.clone(), "default");
    eventually("the policy has an Event", async || {
        let events = events_of(&events, "PodPolicy", &space.name).await;
        let told = events.iter().any(|event| event.reason.as_deref() == Some("PodPolicyInvalid"));
        if told { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
    space.apply(&image("web", "nginx:latest").to_string()).ok();

    // Its label can be changed, and mended it is in effect.
    space.kubectl_anywhere(&format!("label podpolicy {} a=b", space.name), "").ok();
    set_policy(&space, json!({"validations": [no_latest()]})).await;
    space.apply(&image("other", "nginx:latest").to_string()).refused();
}

#[tokio::test]
async fn its_status_says_how_many_objects_it_matches_and_what_stands_by_rule() {
    let space = Space::bare().await;
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    space.apply(&image("bad", "nginx:latest").to_string()).ok();
    space.apply(&image("good", "nginx:1.29").to_string()).ok();
    let policies = Api::<PodPolicy>::all(space.client.clone());
    let counted = async |matched: i64, findings: i64| {
        eventually(&format!("{matched} matched, {findings} findings"), async || {
            let found = policies.get(&space.name).await.map_err(|error| error.to_string())?;
            let status = found.status.unwrap_or_default();
            let counts = (status.matched, status.findings);
            if counts == (Some(matched), Some(findings)) {
                Ok(status)
            } else {
                Err(format!("{status:?}"))
            }
        })
        .await
    };
    let status = counted(2, 1).await;
    assert_eq!(status.findings_by_rule[0].rule, "validations[0]");
    assert_eq!(status.findings_by_rule[0].reason, "ImageTagLatest");
    assert_eq!(status.conditions[0].status, "True", "{status:?}");
    space.kubectl("delete pod bad --now").ok();
    counted(1, 0).await;
}
