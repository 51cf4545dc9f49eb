use std::sync::Arc;

use serde_json::{Value, json};

use super::super::review;
use super::*;
use crate::policy::pki::PkiRules;
use crate::policy::snapshot::{KnownPod, KnownPolicy, KnownSecret};

fn snapshot(on_violation: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.namespaces.insert("app1".into(), Default::default());
    let policy = serde_json::from_value(json!({
        "metadata": {"name": "apps"},
        "spec": {
            "namespaceSelector": {}, "allowedNames": ["app1", "app2"], "onViolation": on_violation,
            "issuer": {"ca": {"secretName": "ca"}},
        },
    }));
    let rules = PkiRules::compile(&policy.unwrap()).unwrap();
    let known = KnownPolicy { uid: "apps".into(), rules: Some(Arc::new(rules)) };
    snapshot.pki_policies.insert("apps".into(), known);
    snapshot
}

fn pki(spec: Value) -> Value {
    json!({"apiVersion": "box.com/v1", "kind": "Pki", "metadata": {"name": "app1-pki", "namespace": "app1"}, "spec": spec})
}

fn review(operation: &str, object: Option<Value>, old: Option<Value>) -> Vec<u8> {
    let request = json!({
        "uid": "u", "operation": operation, "namespace": "app1", "name": "app1-pki",
        "kind": {"group": "box.com", "version": "v1", "kind": "Pki"},
        "resource": {"group": "box.com", "version": "v1", "resource": "pkis"},
        "userInfo": {"username": "owner"}, "object": object, "oldObject": old,
    });
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    review.to_string().into_bytes()
}

fn both(
    on_violation: &str,
    operation: &str,
    object: Option<Value>,
    old: Option<Value>,
) -> (Answer, Answer) {
    let body = review(operation, object, old);
    let request = review::parse(&body).unwrap();
    let snapshot = snapshot(on_violation);
    let admitter = Admitter("replica-0".into());
    (mutate(&request, &snapshot, &admitter), validate(&request, &snapshot))
}

#[test]
fn a_fault_under_warn_is_let_through_with_finding_and_warning() {
    let (mutated, validated) =
        both("Warn", "CREATE", Some(pki(json!({"serviceName": "appp1"}))), None);
    assert!(mutated.allowed && mutated.warnings.is_empty());
    let patch = json!(mutated.patch).to_string();
    assert!(patch.contains("PkiServiceNameError") && patch.contains("box.com/findings"), "{patch}");
    assert!(validated.allowed && validated.patch.is_empty());
    assert_eq!(
        validated.warnings,
        ["ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you \
          mean \"app1\"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret \
          app1-pki is not made until then."]
    );
}

#[test]
fn a_fault_under_deny_is_refused_by_both() {
    let (mutated, validated) =
        both("Deny", "CREATE", Some(pki(json!({"serviceName": "appp1"}))), None);
    for answer in [mutated, validated] {
        assert!(!answer.allowed);
        let status = answer.status.unwrap();
        assert_eq!((status.code, status.reason.as_ref()), (403, "Forbidden"));
        assert_eq!(
            status.message,
            "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did \
             you mean \"app1\"? Set spec.serviceName of Pki app1-pki."
        );
    }
}

#[test]
fn what_the_schema_forbids_is_refused_under_warn_too_with_all_else_that_is_wrong() {
    let spec = json!({"serviceName": "appp1", "duration": 90, "dnsNames": ["A.example"]});
    let (mutated, _) = both("Warn", "CREATE", Some(pki(spec)), None);
    let message = mutated.status.unwrap().message;
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 4, "{message}");
    assert_eq!(lines[0], "3 things are wrong with this Pki:");
    assert!(lines[1].contains("spec.duration: 90 in pki: app1-pki is a number, not a string. Set spec.duration of Pki app1-pki to a string, in quotes"));
}

#[test]
fn an_update_is_not_refused_for_what_the_old_object_had() {
    let old = pki(json!({"serviceName": "appp1"}));
    let mut relabelled = old.clone();
    relabelled["metadata"]["labels"] = json!({"team": "x"});
    let (mutated, validated) = both("Deny", "UPDATE", Some(relabelled), Some(old.clone()));
    assert!(mutated.allowed && validated.allowed);
    assert_eq!(validated.warnings.len(), 1);
    let other = pki(json!({"serviceName": "appp2"}));
    let (mutated, _) = both("Deny", "UPDATE", Some(other), Some(old));
    assert!(!mutated.allowed, "another wrong value is another fault");
}

#[test]
fn the_secret_of_an_issued_pki_stays() {
    let mut old = pki(json!({"serviceName": "app1", "secretName": "a"}));
    old["status"] = json!({"revision": 1});
    let mut new = old.clone();
    new["spec"]["secretName"] = json!("b");
    let (mutated, _) = both("Warn", "UPDATE", Some(new.clone()), Some(old.clone()));
    let message = mutated.status.unwrap().message;
    assert!(message.contains("Set spec.secretName of Pki app1-pki back to a"), "{message}");
    old["status"] = json!({});
    let (mutated, _) = both("Warn", "UPDATE", Some(new), Some(old));
    assert!(mutated.allowed, "before it is issued it can change");
}

#[test]
fn a_pki_that_goes_is_let_go() {
    let mut old = pki(json!({"serviceName": "appp1"}));
    old["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    old["metadata"]["finalizers"] = json!(["a/b"]);
    let mut new = old.clone();
    new["metadata"]["finalizers"] = json!([]);
    let (mutated, validated) = both("Deny", "UPDATE", Some(new), Some(old));
    assert!(mutated.allowed && validated.allowed && validated.warnings.is_empty());
}

#[test]
fn an_object_of_any_shape_is_answered() {
    for object in
        [json!({}), json!({"metadata": 5, "spec": []}), json!({"spec": {"serviceName": {}}})]
    {
        let (mutated, _) = both("Warn", "CREATE", Some(object.clone()), None);
        assert!(!mutated.allowed, "{object}");
    }
}

#[test]
fn the_deletion_of_a_pki_names_the_pods_that_mount_its_secret() {
    let mut snapshot = snapshot("Deny");
    let mut old = pki(json!({"serviceName": "app1"}));
    old["metadata"]["uid"] = json!("pki-uid");
    let secret = KnownSecret { pki_uid: Some("pki-uid".into()), resource_version: "1".into() };
    snapshot.secrets.entry("app1".into()).or_default().insert("app1-pki".into(), secret);
    for pod in ["a", "b", "c", "d"] {
        let known = KnownPod { uid: pod.into(), secrets: vec!["app1-pki".into()] };
        snapshot.pods.entry("app1".into()).or_default().insert(pod.into(), known);
    }
    let body = review("DELETE", None, Some(old));
    let answer = validate(&review::parse(&body).unwrap(), &snapshot);
    assert!(answer.allowed);
    assert_eq!(
        answer.warnings,
        [
            "Secret app1-pki goes with Pki app1-pki, and 4 Pods mount it: a, b, c and 1 more. No new \
          Pod that mounts it can start"
        ]
    );
}
