//! Whom a policy is not about. None of it can an owner grant herself.

use serde_json::json;

use super::{image, no_latest, set_policy};
use crate::harness::Space;

#[tokio::test]
async fn a_namespace_is_exempt_by_its_label_and_a_user_by_a_match_condition() {
    let space = Space::bare().await;
    set_policy(&space, json!({
        "match": {"matchConditions": [{"name": "not-ci", "expression": "!('ci-bots' in request.userInfo.groups)"}]},
        "validations": [no_latest()],
    }))
    .await;
    let latest = image("web", "nginx:latest").to_string();
    space.apply(&latest).refused();
    let as_bot = "create -f - --as=bot --as-group=ci-bots --as-group=system:masters";
    space.kubectl_with(as_bot, &latest).ok();

    let by_label = json!({
        "apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": space.name},
        "spec": {
            "match": {"namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": space.name},
                "matchExpressions": [{"key": "example.com/exempt", "operator": "DoesNotExist"}],
            }},
            "validations": [no_latest()],
        },
    });
    space.kubectl_anywhere("apply -f -", &by_label.to_string()).ok();
    space
        .kubectl_anywhere(&format!("label namespace {} example.com/exempt=yes", space.name), "")
        .ok();
    let other = image("other", "nginx:latest").to_string();
    crate::harness::eventually("the namespace is exempt", async || {
        let applied = space.apply(&other);
        if applied.success { Ok(()) } else { Err(applied.stderr) }
    })
    .await;
}

#[tokio::test]
async fn the_clusters_own_namespaces_are_never_held_up() {
    let space = Space::bare().await;
    let everywhere = json!({
        "apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": space.name},
        "spec": {
            "match": {"objectSelector": {"matchLabels": {"held": space.name}}},
            "validations": [{"expression": "false", "message": "never"}],
        },
    });
    space.kubectl_anywhere("apply -f -", &everywhere.to_string()).ok();
    let mut held = image(&space.name, "nginx:1.29");
    held["metadata"]["labels"] = json!({"held": space.name});
    crate::harness::eventually("the policy is in effect", async || {
        let applied = space.kubectl_with("create --dry-run=server -f -", &held.to_string());
        if applied.success { Err(applied.stdout) } else { Ok(()) }
    })
    .await;
    for namespace in ["kube-system", "portreeve"] {
        let line = format!("--namespace={namespace} create --dry-run=server -f -");
        space.kubectl_anywhere(&line, &held.to_string()).ok();
    }
    space.kubectl_anywhere(&format!("delete podpolicy {}", space.name), "").ok();
}
