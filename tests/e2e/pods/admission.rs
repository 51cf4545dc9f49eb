//! What is refused, and what is only warned of.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{apply_past_the_webhook, deployment, image, no_latest, set_policy};
use crate::harness::space::pod;
use crate::harness::{Space, golden};

async fn denying() -> Space {
    let space = Space::bare().await;
    set_policy(&space, json!({"validations": [no_latest()]})).await;
    space
}

/// An object of a kind whose Pods have this image.
fn workload(api_version: &str, kind: &str, image: &str) -> Value {
    let spec = |restart: &str| json!({"restartPolicy": restart, "containers": [{"name": "main", "image": image}]});
    let template =
        |restart: &str| json!({"metadata": {"labels": {"app": "a"}}, "spec": spec(restart)});
    let selector = json!({"matchLabels": {"app": "a"}});
    let spec = match kind {
        "Pod" => spec("Always"),
        "Job" => json!({"template": template("Never")}),
        "CronJob" => {
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template("Never")}}})
        }
        "ReplicationController" => {
            json!({"selector": {"app": "a"}, "template": template("Always")})
        }
        "StatefulSet" => {
            json!({"serviceName": "a", "selector": selector, "template": template("Always")})
        }
        _ => json!({"selector": selector, "template": template("Always")}),
    };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})
}

#[tokio::test]
async fn every_kind_that_makes_pods_is_refused_where_it_is_applied() {
    let space = denying().await;
    let _golden = golden(&space.name);
    let mut said = String::new();
    for (api_version, kind) in [
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "ReplicationController"),
    ] {
        let refused =
            space.apply(&workload(api_version, kind, "nginx:latest").to_string()).refused();
        let (_, text) = refused.split_once("denied the request: ").expect(&refused);
        said.push_str(&format!("{kind}: {text}"));
        space.apply(&workload(api_version, kind, "nginx:1.29").to_string()).ok();
    }
    insta::assert_snapshot!(said, @r#"
    Pod: spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    Deployment: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    StatefulSet: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    DaemonSet: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    ReplicaSet: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    Job: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    CronJob: spec.jobTemplate.spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    ReplicationController: spec.template.spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    "#);
}

#[tokio::test]
async fn all_that_is_wrong_comes_at_once_and_a_dry_run_says_the_same() {
    let space = Space::bare().await;
    let limit = json!({
        "expression": "object.spec.containers.all(c, has(c.resources.limits) && has(c.resources.limits.memory))",
        "messageExpression": "'set a memory limit, such as ' + string(256) + 'Mi'",
        "onViolation": "Warn",
    });
    set_policy(&space, json!({"validations": [no_latest(), limit]})).await;
    let _golden = golden(&space.name);
    let two = pod(
        "web",
        json!({"containers": [
            {"name": "main", "image": "nginx:latest"},
            {"name": "side", "image": "log:latest", "resources": {"limits": {"memory": "1Gi"}}},
        ]}),
    )
    .to_string();
    let refused = space.apply(&two).refused();
    insta::assert_snapshot!(refused, @r#"
    Error from server (Forbidden): error when creating "STDIN": admission webhook "pods.portreeve.box.com" denied the request: 3 things are wrong with this Pod:
    - spec.containers[0].image: "nginx:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    - spec.containers[1].image: "log:latest": the tag latest changes under you: name a version, such as nginx:1.29 (PodPolicy NAMESPACE).
    - spec.containers[0].resources.limits.memory: set a memory limit, such as 256Mi (PodPolicy NAMESPACE). (That alone would be let through.)
    "#);
    assert_eq!(space.kubectl_with("apply --dry-run=server -f -", &two).refused(), refused);
    let warned = space.apply(&two.replace(":latest", ":1")).screen();
    insta::assert_snapshot!(warned, @"
    Warning: spec.containers[0].resources.limits.memory: set a memory limit, such as 256Mi (PodPolicy NAMESPACE): it was let through.
    pod/web created
    ");
}

#[tokio::test]
async fn the_image_of_a_running_pod_and_a_container_to_debug_it_are_judged_too() {
    let space = Space::bare().await;
    let every = json!({
        "expression": "(object.spec.containers + object.spec.?ephemeralContainers.orValue([])).all(c, !c.image.endsWith(':latest'))",
        "message": "name a version",
    });
    let kept = json!({
        "expression": "oldObject == null || object.spec.containers[0].image != 'nginx:0'",
        "message": "never back to nginx:0",
    });
    set_policy(&space, json!({"validations": [every, kept]})).await;
    let _golden = golden(&space.name);
    space.apply(&image("web", "nginx:1.29").to_string()).ok();
    insta::assert_snapshot!(space.kubectl("set image pod/web main=nginx:latest").refused(), @r#"error: failed to patch image update to pod template: admission webhook "pods.portreeve.box.com" denied the request: spec.containers[0].image: "nginx:latest": name a version (PodPolicy NAMESPACE)."#);
    insta::assert_snapshot!(space.kubectl("set image pod/web main=nginx:0").refused(), @r#"error: failed to patch image update to pod template: admission webhook "pods.portreeve.box.com" denied the request: spec.containers[0].image: "nginx:0": never back to nginx:0 (PodPolicy NAMESPACE)."#);
    space.kubectl("set image pod/web main=nginx:1.30").ok();
    let debug = space.kubectl("debug web --image=busybox:latest --container=d -- true").refused();
    insta::assert_snapshot!(debug, @r#"Error from server (Forbidden): admission webhook "pods.portreeve.box.com" denied the request: spec.ephemeralContainers[0].image: "busybox:latest": name a version (PodPolicy NAMESPACE)."#);
    space.kubectl("debug web --image=busybox:1.37 --container=d -- true").ok();
    let stored: Pod = space.get("web").await;
    assert_eq!(stored.spec.unwrap().ephemeral_containers.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_workload_had_already_keeps_no_one_from_changing_something_else() {
    let space = denying().await;
    apply_past_the_webhook(&space, &deployment("web", "nginx:latest", 0));
    for line in [
        "scale deployment web --replicas=0",
        "annotate deployment web a=b",
        "label deployment web a=b",
        "rollout restart deployment web",
        "set env deployment/web A=b",
    ] {
        let done = space.kubectl(line);
        assert!(done.success, "{line}: {}", done.screen());
    }
    let warned = space.kubectl("set env deployment/web A=c").screen();
    assert!(
        warned.contains("Warning: spec.template.spec.containers[0].image: \"nginx:latest\""),
        "{warned}"
    );
    let worse = space.kubectl("set image deployment/web main=other:latest").refused();
    assert!(worse.contains("\"other:latest\""), "{worse}");
    space.kubectl("set image deployment/web main=nginx:1.29").ok();
    space.kubectl("set image deployment/web main=nginx:latest").refused();
    let stored: Deployment = space.get("web").await;
    assert!(!stored.metadata.labels.unwrap_or_default().contains_key("box.com/findings"));
}

#[tokio::test]
async fn an_expression_that_cannot_be_evaluated_stops_nobody_unless_the_policy_says_so() {
    let space = Space::bare().await;
    let rule = json!({"expression": "object.spec.hostNetwork == true", "message": "m"});
    set_policy(&space, json!({"validations": [rule]})).await;
    let _golden = golden(&space.name);
    insta::assert_snapshot!(space.apply(&image("web", "nginx:1.29").to_string()).screen(), @"
    Warning: PodPolicy NAMESPACE can't judge this Pod: validations[0]: no such key: hostNetwork. Tell who runs the cluster, who can mend the policy: it was let through, and that rule was not checked.
    pod/web created
    ");
    set_policy(&space, json!({"failurePolicy": "Fail", "validations": [rule]})).await;
    insta::assert_snapshot!(space.apply(&image("other", "nginx:1.29").to_string()).refused(), @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pods.portreeve.box.com" denied the request: PodPolicy NAMESPACE can't judge this Pod: validations[0]: no such key: hostNetwork. Tell who runs the cluster, who can mend the policy."#);
}

#[tokio::test]
async fn an_expression_without_end_is_stopped_by_its_budget() {
    let space = Space::bare().await;
    let list = "object.spec.containers[0].args";
    let rule = json!({"expression": format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c != 'x')))"), "message": "m"});
    set_policy(&space, json!({"validations": [rule]})).await;
    let args: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    let long =
        pod("web", json!({"containers": [{"name": "main", "image": "nginx:1.29", "args": args}]}));
    let said = space.apply(&long.to_string()).screen();
    assert!(
        said.contains("validations[0]: operation cancelled: actual cost limit exceeded"),
        "{said}"
    );
    assert!(said.contains("pod/web created"), "{said}");
}

#[tokio::test]
async fn whoever_reads_the_secret_of_a_failing_pki_is_warned_at_apply() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.apply_pki("app1-pki", json!({"serviceName": "appp1"})).ok();
    space.await_reason("app1-pki", "PkiServiceNameError").await;
    let mut reading = deployment("app1", "nginx:1.29", 0);
    reading["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "certificate", "secret": {"secretName": "app1-pki"}}]);
    insta::assert_snapshot!(space.apply(&reading.to_string()).screen(), @r#"
    Warning: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    deployment.apps/app1 created
    "#);
    let mut asking = image("web", "nginx:1.29");
    asking["metadata"]["annotations"] = json!({"box.com/pki": "app2-pki"});
    insta::assert_snapshot!(space.apply(&asking.to_string()).screen(), @r#"
    Warning: metadata.annotations["box.com/pki"]: no Pki app2-pki in namespace NAMESPACE: there are [app1-pki]; did you mean "app1-pki"? Name another, or make that one; then make the Pod anew: it was let through, and no certificate is mounted.
    pod/web created
    "#);
}
