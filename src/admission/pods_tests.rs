use serde_json::{Value, json};

use super::super::review;
use super::*;
use crate::api::PodPolicy;
use crate::policy::pod::PodRules;
use crate::policy::snapshot::{KnownNamespace, KnownPodPolicy};

fn snapshot(specs: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.namespaces.insert("shop".into(), KnownNamespace::default());
    for (index, spec) in specs.iter().enumerate() {
        let policy = json!({"metadata": {"name": format!("p{index}")}, "spec": spec});
        let policy: PodPolicy = serde_json::from_value(policy).unwrap();
        let rules = Some(PodRules::compile(&policy).unwrap().into());
        let known =
            KnownPodPolicy { uid: String::new(), generation: None, is_refused: false, rules };
        snapshot.pod_policies.insert(format!("p{index}"), known);
    }
    snapshot
}

fn no_latest(on_violation: &str) -> Snapshot {
    snapshot(&[json!({"onViolation": on_violation, "validations": [{
        "expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "message": "name a version",
    }]})])
}

fn pod(image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn deployment(image: &str) -> Value {
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pod(image)["spec"]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "template": template}})
}

/// A review of an object; of an update where there is an old one.
fn review(object: &Value, old: Option<&Value>) -> Value {
    let kind = object["kind"].as_str().unwrap();
    let (group, version) =
        object["apiVersion"].as_str().unwrap().rsplit_once('/').unwrap_or(("", "v1"));
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u",
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": format!("{}s", kind.to_lowercase())},
        "name": "web", "namespace": "shop",
        "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
        "userInfo": {"username": "jane"},
        "object": object, "oldObject": old,
    }})
}

fn answer(review: &Value, snapshot: &Snapshot, path: &str) -> Value {
    let body = review.to_string();
    let request = review::parse(body.as_bytes()).unwrap();
    let answer = match path {
        "/mutate" => super::super::mutate(&request, snapshot, &Admitter("me".into())),
        _ => super::super::validate(&request, snapshot),
    };
    let answer: Value = serde_json::from_slice(&answer.unwrap().to_json("u")).unwrap();
    answer["response"].clone()
}

fn validated(object: &Value, old: Option<&Value>, snapshot: &Snapshot) -> Value {
    answer(&review(object, old), snapshot, "/validate")
}

/// The object after `/mutate`.
fn mutated(object: &Value, old: Option<&Value>, snapshot: &Snapshot) -> Value {
    let answer = answer(&review(object, old), snapshot, "/mutate");
    assert_eq!(answer["allowed"], true, "{answer}");
    let mut object = object.clone();
    if let Some(patch) = answer["patch"].as_str() {
        let patch: k8s_openapi::ByteString = serde_json::from_value(json!(patch)).unwrap();
        let patch: json_patch::Patch = serde_json::from_slice(&patch.0).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
    }
    object
}

#[test]
fn a_deployment_is_refused_where_it_is_applied_with_the_path_in_it() {
    let answer = validated(&deployment("a:latest"), None, &no_latest("Deny"));
    assert_eq!(answer["status"]["code"], 403);
    assert_eq!(answer["status"]["reason"], "Forbidden");
    assert_eq!(
        answer["status"]["message"],
        "spec.template.spec.containers[0].image: \"a:latest\": name a version (PodPolicy p0)."
    );
}

#[test]
fn the_reason_of_a_validation_is_that_of_the_refusal() {
    let rules =
        json!({"validations": [{"expression": "false", "message": "m", "reason": "Invalid"}]});
    let answer = validated(&pod("a:1"), None, &snapshot(&[rules]));
    assert_eq!(answer["status"]["code"], 422);
    assert_eq!(answer["status"]["reason"], "Invalid");
}

#[test]
fn what_is_let_through_is_warned_of_and_written_onto_the_object() {
    let snapshot = no_latest("Warn");
    let answer = validated(&pod("a:latest"), None, &snapshot);
    assert_eq!(
        answer["warnings"],
        json!([
            "spec.containers[0].image: \"a:latest\": name a version (PodPolicy p0): it was let through."
        ])
    );
    let stored = mutated(&pod("a:latest"), None, &snapshot);
    assert_eq!(stored["metadata"]["labels"]["box.com/findings"], "true");
    let findings = stored["metadata"]["annotations"]["box.com/findings"].as_str().unwrap();
    let findings: Vec<Finding> = serde_json::from_str(findings).unwrap();
    assert_eq!(findings[0].field, "spec.containers[0].image");
    assert_eq!(mutated(&stored, None, &snapshot), stored, "a second time changes nothing");
}

#[test]
fn an_update_is_refused_for_a_new_fault_only() {
    let snapshot = no_latest("Deny");
    for make in [deployment, pod] {
        let (bad, worse, good) = (make("a:latest"), make("b:latest"), make("a:1"));
        let mut scaled = bad.clone();
        scaled["spec"]["replicas"] = json!(5);
        scaled["metadata"]["labels"] = json!({"put-by": "a-controller"});
        let answer = validated(&scaled, Some(&bad), &snapshot);
        assert_eq!(answer["allowed"], true, "{answer}");
        assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(validated(&worse, Some(&bad), &snapshot)["allowed"], false);
        assert_eq!(validated(&bad, Some(&good), &snapshot)["allowed"], false);
        assert_eq!(validated(&good, Some(&bad), &snapshot)["allowed"], true);
    }
}

#[test]
fn a_second_container_with_an_old_fault_is_a_new_fault() {
    let snapshot = no_latest("Deny");
    let mut two = pod("a:latest");
    let containers = two["spec"]["containers"].as_array_mut().unwrap();
    containers.insert(0, json!({"name": "second", "image": "a:latest"}));
    assert_eq!(validated(&two, Some(&pod("a:latest")), &snapshot)["allowed"], false);
}

#[test]
fn rules_of_a_transition_see_the_old_pod() {
    let rules = json!({"validations": [{
        "expression": "oldObject == null || oldObject.spec.containers[0].image == object.spec.containers[0].image",
        "message": "the image stays",
    }]});
    let snapshot = snapshot(&[rules]);
    assert_eq!(validated(&pod("a:1"), None, &snapshot)["allowed"], true);
    assert_eq!(validated(&pod("a:2"), Some(&pod("a:1")), &snapshot)["allowed"], false);
    assert_eq!(
        validated(&deployment("a:2"), Some(&deployment("a:1")), &snapshot)["allowed"],
        false
    );
}

#[test]
fn containers_that_come_by_kubectl_debug_are_judged() {
    let snapshot = snapshot(&[json!({"validations": [{
        "expression": "object.spec.?ephemeralContainers.orValue([]).all(c, !c.image.endsWith(':latest'))",
        "message": "name a version",
    }]})]);
    let mut debugged = pod("a:1");
    debugged["spec"]["ephemeralContainers"] = json!([{"name": "d", "image": "sh:latest"}]);
    let mut review = review(&debugged, Some(&pod("a:1")));
    review["request"]["subResource"] = json!("ephemeralcontainers");
    let answer = answer(&review, &snapshot, "/validate");
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("spec.ephemeralContainers[0].image: \"sh:latest\""), "{message}");
    assert_eq!(
        super::tests::answer(&review, &snapshot, "/mutate"),
        json!({"uid": "u", "allowed": true})
    );
}

#[test]
fn what_a_workload_or_a_node_makes_or_what_is_going_is_not_held_up() {
    let snapshot = no_latest("Deny");
    let mut replica_set = deployment("a:latest");
    replica_set["kind"] = json!("ReplicaSet");
    assert_eq!(validated(&replica_set, None, &snapshot)["allowed"], false);
    replica_set["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u", "controller": true}]);
    assert_eq!(validated(&replica_set, None, &snapshot), json!({"uid": "u", "allowed": true}));

    let mut of_node = review(&pod("a:latest"), None);
    of_node["request"]["userInfo"]["groups"] = json!(["system:nodes"]);
    assert_eq!(answer(&of_node, &snapshot, "/validate")["allowed"], true);

    let mut going = pod("a:1");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(validated(&pod("a:latest"), Some(&going), &snapshot)["allowed"], true);
    let mut forged = pod("a:latest");
    forged["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(validated(&forged, None, &snapshot)["allowed"], false);
}

#[test]
fn of_forged_findings_nothing_is_left() {
    let mut forged = pod("a:1");
    forged["metadata"]["annotations"] =
        json!({"box.com/findings": "[{}]", "box.com/admitted-by": "nobody"});
    forged["metadata"]["labels"] = json!({"box.com/findings": "true"});
    let stored = mutated(&forged, None, &no_latest("Warn"));
    assert_eq!(stored["metadata"]["annotations"], json!({"box.com/admitted-by": "me"}));
    assert_eq!(stored["metadata"]["labels"], json!({}));
}

#[test]
fn an_update_that_changes_nothing_stays_one_whichever_replica_sees_it() {
    let snapshot = no_latest("Warn");
    let mut stored = mutated(&deployment("a:latest"), None, &snapshot);
    stored["metadata"]["annotations"]["box.com/admitted-by"] = json!("another");
    assert_eq!(mutated(&stored, Some(&stored), &snapshot), stored);
}

#[test]
fn what_was_found_past_the_webhook_stays_so_until_it_is_mended() {
    let snapshot = no_latest("Warn");
    let mut stored = mutated(&pod("a:latest"), None, &snapshot);
    let annotation = &mut stored["metadata"]["annotations"]["box.com/findings"];
    let mut findings: Vec<Finding> = serde_json::from_str(annotation.as_str().unwrap()).unwrap();
    findings[0].past_webhook = true;
    *annotation = json!(serde_json::to_string(&findings).unwrap());
    assert_eq!(mutated(&stored, Some(&stored), &snapshot), stored);
}

#[test]
fn an_object_without_a_template_is_left_to_the_api_server() {
    let empty = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
    assert_eq!(validated(&empty, None, &no_latest("Deny")), json!({"uid": "u", "allowed": true}));
}
