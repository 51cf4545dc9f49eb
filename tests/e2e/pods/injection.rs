//! What policies add to Pods, and what they don't.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{apply_past_the_webhook, await_pods, deployment, image, set_policy};
use crate::harness::space::lines;
use crate::harness::{Space, golden};

/// The policy of the demo, but for the namespaces that it is about.
fn of_the_demo() -> Value {
    let text = include_str!("../../../examples/article/pods.yaml");
    let policy: Value = serde_saphyr::from_str(text).unwrap();
    policy["spec"].clone()
}

/// Names of a list of containers.
fn names(containers: &[k8s_openapi::api::core::v1::Container]) -> Vec<&str> {
    containers.iter().map(|container| container.name.as_str()).collect()
}

#[tokio::test]
async fn the_articles_applications_get_a_variable_an_init_container_and_a_sidecar() {
    let space = Space::with_policy("Warn").await;
    set_policy(&space, of_the_demo()).await;
    let text = include_str!("../../../examples/article/app2.yaml");
    let (_namespace, rest) = text.split_once("\n---\n").unwrap();
    space.apply(&rest.replace("namespace: app2", &format!("namespace: {}", space.name))).ok();
    let pod = await_pods(&space, "app2", 1).await.remove(0);
    assert_eq!(pod.metadata.labels.unwrap()["example.com/logs"], "shipped");
    let spec = pod.spec.unwrap();
    let init = spec.init_containers.unwrap();
    assert_eq!(names(&init), ["log-folder", "log-shipper"]);
    assert_eq!(init[1].restart_policy.as_deref(), Some("Always"));
    let main = &spec.containers[0];
    let level = &main.env.as_ref().unwrap()[0];
    assert_eq!((level.name.as_str(), level.value.as_deref()), ("LOG_LEVEL", Some("info")));
    let paths: Vec<_> =
        main.volume_mounts.iter().flatten().map(|mount| mount.mount_path.as_str()).collect();
    assert_eq!(paths[0], "/etc/tls");
    assert!(paths.contains(&"/var/log/app"), "{paths:?}");
}

#[tokio::test]
async fn a_clash_is_told_at_apply_of_the_workload_and_on_its_pod_and_the_owner_wins() {
    let space = Space::bare().await;
    set_policy(&space, of_the_demo()).await;
    let _golden = golden(&space.name);
    let mut web = deployment("app1", "nginx:1.29", 1);
    web["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "LOG_LEVEL", "value": "debug"}]);
    insta::assert_snapshot!(space.apply(&web.to_string()).screen(), @r#"
    Warning: spec.template.spec.containers[0].env[0].value (env LOG_LEVEL) is "debug", where PodPolicy NAMESPACE would put "info". If that is yours, leave it out to have that of PodPolicy NAMESPACE: it was let through, and what is there stays.
    deployment.apps/app1 created
    "#);
    let pod = await_pods(&space, "app1", 1).await.remove(0);
    let name = pod.metadata.name.unwrap();
    let env = pod.spec.unwrap().containers[0].env.clone().unwrap();
    assert_eq!((env.len(), env[0].value.as_deref()), (1, Some("debug")));
    let told = space.await_event("Pod", &name, "PodPolicyInjectionClash", 1).await;
    insta::assert_snapshot!(told.message.unwrap(), @r#"spec.containers[0].env[0].value (env LOG_LEVEL) is "debug", where PodPolicy NAMESPACE would put "info". If that is yours, leave it out to have that of PodPolicy NAMESPACE: it was let through, and what is there stays."#);
    let told = space.await_event("Deployment", "app1", "PodPolicyInjectionClash", 1).await;
    insta::assert_snapshot!(told.message.unwrap(), @r#"spec.template.spec.containers[0].env[0].value (env LOG_LEVEL) is "debug", where PodPolicy NAMESPACE would put "info". If that is yours, leave it out to have that of PodPolicy NAMESPACE: it was let through, and what is there stays."#);
}

#[tokio::test]
async fn being_asked_twice_in_one_request_changes_nothing_more() {
    let space = Space::bare().await;
    set_policy(&space, of_the_demo()).await;
    space.apply(&image("once", "nginx:1.29").to_string()).ok();
    // The same webhook once more, and a policy of the cluster's own between that adds a container.
    let twice = mutating_again(&space);
    space.kubectl_anywhere("apply -f -", &twice.to_string()).ok();
    let again = crate::harness::eventually("both are asked", async || {
        space.kubectl("delete pod twice --ignore-not-found --now").ok();
        space.apply(&image("twice", "nginx:1.29").to_string()).ok();
        let pod: Pod = space.get("twice").await;
        let has_both = pod.spec.as_ref().unwrap().containers.len() == 2;
        if has_both { Ok(pod) } else { Err("the container is missing") }
    })
    .await;
    let made = [
        format!("mutatingwebhookconfiguration/again-{}", space.name),
        format!("mutatingadmissionpolicy/again-{}", space.name),
        format!("mutatingadmissionpolicybinding/again-{}", space.name),
    ];
    space.kubectl_anywhere(&format!("delete {}", made.join(" ")), "").ok();
    let once: Pod = space.get("once").await;
    let (once, again) = (once.spec.unwrap(), again.spec.unwrap());
    let (init_once, init_again) = (once.init_containers.unwrap(), again.init_containers.unwrap());
    assert_eq!(names(&init_once), names(&init_again));
    assert_eq!(once.containers[0].env, again.containers[0].env);
    // What came in between has what every container gets.
    assert_eq!(again.containers[1].name, "added");
    assert_eq!(once.containers[0].env, again.containers[1].env);
}

/// The mutating webhook of Portreeve under another name, and a policy of the cluster's own.
fn mutating_again(space: &Space) -> Value {
    let name = format!("again-{}", space.name);
    let line = "get mutatingwebhookconfiguration portreeve -o json";
    let installed: Value = serde_json::from_str(&space.kubectl_anywhere(line, "").ok()).unwrap();
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": space.name}});
    let mut webhook = installed["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|webhook| webhook["name"] == "pods.portreeve.box.com")
        .unwrap()
        .clone();
    webhook["name"] = json!("again.example.com");
    webhook["namespaceSelector"] = selector.clone();
    let add = "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'added', image: 'added:1'}]}}";
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [webhook]},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name}, "spec": {
                "failurePolicy": "Fail", "reinvocationPolicy": "IfNeeded",
                "matchConstraints": {"namespaceSelector": selector, "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]},
                "matchConditions": [{"name": "once", "expression": "object.spec.containers.all(c, c.name != 'added')"}],
                "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": add}}],
            }},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name}, "spec": {"policyName": name}},
    ]})
}

#[tokio::test]
async fn the_secret_of_a_pki_is_mounted_where_an_annotation_asks_for_it() {
    let space = Space::with_policy("Warn").await;
    space.apply_pki("app1-pki", json!({"serviceName": "app1", "secretName": "app1-tls"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    let mut web = image("web", "nginx:1.29");
    web["metadata"]["annotations"] = json!({"box.com/pki": "app1-pki", "box.com/pki-mount-path": "/etc/tls", "box.com/pki-mode": "0400"});
    web["spec"]["initContainers"] = json!([{"name": "first", "image": "busybox:1.37"}]);
    let applied = space.apply(&web.to_string());
    assert_eq!(applied.screen(), "pod/web created\n");
    let spec = space.get::<Pod>("web").await.spec.unwrap();
    let volumes = spec.volumes.unwrap();
    let secret = volumes.iter().find_map(|volume| volume.secret.as_ref()).unwrap();
    assert_eq!(
        (secret.secret_name.as_deref(), secret.default_mode),
        (Some("app1-tls"), Some(0o400))
    );
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let mounts = container.volume_mounts.as_ref().unwrap();
        let mount = mounts.iter().find(|mount| mount.mount_path == "/etc/tls").unwrap();
        assert_eq!(mount.read_only, Some(true), "{}", container.name);
    }
}

#[tokio::test]
async fn a_pod_that_came_past_the_webhook_hears_what_it_lacks() {
    let space = Space::bare().await;
    set_policy(&space, of_the_demo()).await;
    let _golden = golden(&space.name);
    apply_past_the_webhook(&space, &image("web", "nginx:1.29"));
    let told = space.await_event("Pod", "web", "PodPolicyNotInjected", 1).await;
    assert_eq!(told.type_.as_deref(), Some("Warning"));
    let message = told.message.unwrap();
    assert!(
        message.contains("is not there, and PodPolicy NAMESPACE adds it")
            || message.contains(&space.name),
        "{message}"
    );
    assert!(message.contains("Make the Pod anew"), "{message}");
    assert_eq!(lines(&space.warnings_of_pod("web").await).len(), 1);
}
