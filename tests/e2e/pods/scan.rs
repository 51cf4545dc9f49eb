//! What came past the webhook, and what is told of it.

use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{apply_past_the_webhook, await_pods, deployment, image, no_latest, set_policy};
use crate::harness::space::lines;
use crate::harness::{Space, eventually, golden};

#[tokio::test]
async fn a_pod_that_came_past_the_webhook_is_found_and_told_whatever_it_says_of_itself() {
    let space = Space::bare().await;
    set_policy(&space, json!({"validations": [no_latest()]})).await;
    let _golden = golden(&space.name);
    let mut forged = image("web", "nginx:latest");
    forged["metadata"]["annotations"] =
        json!({"box.com/findings": "[]", "box.com/admitted-by": "portreeve/0.1.0 forged"});
    apply_past_the_webhook(&space, &forged);
    let told = space.await_event("Pod", "web", "ImageTagLatest", 2).await;
    insta::assert_snapshot!(told.message.unwrap(), @r#"spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE): it is stored, since it came before this rule or while the webhook was away, and would be refused today."#);
    eventually("the Pod carries what was found", async || {
        let pod: Pod = space.get("web").await;
        let labels = pod.metadata.labels.unwrap_or_default();
        if labels.get("box.com/findings").is_some_and(|value| value == "true") {
            Ok(())
        } else {
            Err(labels)
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_there_before_a_policy_is_told_and_what_no_longer_holds_is_taken_off() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    space.apply(&image("web", "nginx:latest").to_string()).ok();
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    let told = space.await_event("Pod", "web", "ImageTagLatest", 2).await;
    insta::assert_snapshot!(told.message.unwrap(), @r#"spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE): it came before this rule or while the webhook was away."#);

    space.kubectl("set image pod/web main=nginx:1.29").ok();
    space.await_event("Pod", "web", "PodPolicyResolved", 1).await;
    let pod: Pod = space.get("web").await;
    assert!(!pod.metadata.annotations.unwrap().contains_key("box.com/findings"));
}

#[tokio::test]
async fn a_pod_that_waits_is_told_again_and_one_that_is_ready_is_not_nagged() {
    let space = Space::bare().await;
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    for name in ["ready", "waits"] {
        space.apply(&image(name, "nginx:latest").to_string()).ok();
        space.await_event("Pod", name, "ImageTagLatest", 2).await;
    }
    let status =
        r#"{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}"#;
    let line = format!("patch pod ready --subresource=status --type=merge -p {status}");
    space.kubectl(&line).ok();
    let count =
        async |name: &str| space.await_event("Pod", name, "ImageTagLatest", 1).await.count.unwrap();
    // Twice three renewals: whatever was on its way has come, and then nothing more does.
    let waits = count("waits").await;
    space.await_event("Pod", "waits", "ImageTagLatest", waits + 3).await;
    let ready = count("ready").await;
    space.await_event("Pod", "waits", "ImageTagLatest", waits + 6).await;
    assert_eq!(count("ready").await, ready);
}

#[tokio::test]
async fn the_end_of_a_policy_is_the_end_of_its_findings() {
    let space = Space::bare().await;
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    space.apply(&image("web", "nginx:latest").to_string()).ok();
    space.await_event("Pod", "web", "ImageTagLatest", 1).await;
    space.kubectl_anywhere(&format!("delete podpolicy {}", space.name), "").ok();
    space.await_event("Pod", "web", "PodPolicyResolved", 1).await;
    eventually("the findings are taken off", async || {
        let pod: Pod = space.get("web").await;
        let annotations = pod.metadata.annotations.unwrap_or_default();
        if annotations.contains_key("box.com/findings") { Err(annotations) } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn the_owner_of_pods_has_one_event_that_counts_them_and_hears_when_it_is_mended() {
    let space = Space::bare().await;
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    let _golden = golden(&space.name);
    insta::assert_snapshot!(space.apply(&deployment("app1", "nginx:latest", 3).to_string()).screen(), @r#"
    Warning: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE): it was let through.
    deployment.apps/app1 created
    "#);
    let told = space.await_event("Deployment", "app1", "ImageTagLatest", 3).await;
    assert_eq!(told.count, Some(3));
    insta::assert_snapshot!(told.message.unwrap(), @r#"spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE): it was let through."#);
    for pod in await_pods(&space, "app1", 3).await {
        let name = pod.metadata.name.unwrap();
        space.await_event("Pod", &name, "ImageTagLatest", 1).await;
        assert_eq!(space.warnings_of_pod(&name).await.len(), 1);
    }
    let of_replica_sets = space.kubectl(
        "get events --field-selector=involvedObject.kind=ReplicaSet,source=controlplane -o name",
    );
    assert_eq!(of_replica_sets.ok(), "");
    space.kubectl("set image deployment/app1 main=nginx:1.29").ok();
    space.await_event("Deployment", "app1", "PodPolicyResolved", 1).await;
    let events = space.events("Deployment", "app1").await;
    let ours: Vec<String> =
        lines(&events).into_iter().filter(|line| line.contains("ImageTagLatest")).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
}

#[tokio::test]
async fn a_policy_chooses_the_type_of_its_events_or_that_there_are_none() {
    let (normal, none) = (Space::bare().await, Space::bare().await);
    for (space, events) in [(&normal, "Normal"), (&none, "None")] {
        let spec = json!({"onViolation": "Warn", "events": events, "validations": [no_latest()]});
        set_policy(space, spec).await;
        let said = space.apply(&image("web", "nginx:latest").to_string()).screen();
        assert!(said.contains("Warning: spec.containers[0].image"), "{said}");
    }
    let told = normal.await_event("Pod", "web", "ImageTagLatest", 1).await;
    assert_eq!(told.type_.as_deref(), Some("Normal"));
    // Once something is told of a later Pod, this one would have been.
    let labelled = json!({
        "expression": "object.metadata.?labels[?'told'].orValue('no') == 'no'",
        "message": "never",
        "eventReason": "Labelled",
    });
    set_policy(&none, json!({"onViolation": "Warn", "validations": [labelled]})).await;
    let mut later = image("later", "nginx:latest");
    later["metadata"]["labels"] = json!({"told": "yes"});
    none.apply(&later.to_string()).ok();
    none.await_event("Pod", "later", "Labelled", 1).await;
    assert_eq!(lines(&none.events("Pod", "web").await), [""; 0]);
}
