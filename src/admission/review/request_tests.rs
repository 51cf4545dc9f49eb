use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn review() -> Value {
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
            "subResource": "scale",
            "requestKind": {"group": "", "version": "v1beta1", "kind": "Deployment"},
            "name": "web",
            "namespace": "shop",
            "operation": "UPDATE",
            "userInfo": {
                "username": "jane",
                "uid": "42",
                "groups": ["dev", "system:authenticated"],
                "extra": {"scopes": ["a", "b"]},
            },
            "object": {"spec": {"replicas": 2}},
            "oldObject": {"spec": {"replicas": 1}},
            "dryRun": true,
            "options": {"kind": "UpdateOptions"},
        },
    })
}

/// The review with one field of its request replaced, or taken away by null.
fn review_with(field: &str, value: Value) -> Vec<u8> {
    let mut review = review();
    let request = review["request"].as_object_mut().unwrap();
    match value {
        Value::Null => request.remove(field),
        value => request.insert(field.to_owned(), value),
    };
    review.to_string().into_bytes()
}

fn fault(body: impl AsRef<[u8]>) -> ReviewError {
    parse(body.as_ref()).unwrap_err()
}

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

#[test]
fn every_field_is_read_and_the_objects_are_left_as_they_are() {
    let body = review().to_string();
    let request = parse(body.as_bytes()).unwrap();
    assert_eq!(request.uid, UID);
    assert_eq!(request.kind.to_string(), "apps/v1 Deployment");
    assert_eq!(request.resource.resource, "deployments");
    assert_eq!(request.sub_resource.as_deref(), Some("scale"));
    assert_eq!(request.request_kind.unwrap().to_string(), "v1beta1 Deployment");
    assert_eq!(request.request_resource, None);
    assert_eq!(request.name.as_deref(), Some("web"));
    assert_eq!(request.namespace.as_deref(), Some("shop"));
    assert_eq!(request.operation, Operation::Update);
    assert_eq!(request.user.username, "jane");
    assert_eq!(request.user.uid, "42");
    assert_eq!(request.user.groups, ["dev", "system:authenticated"]);
    assert_eq!(request.user.extra["scopes"], ["a", "b"]);
    assert_eq!(request.object.unwrap().get(), r#"{"spec":{"replicas":2}}"#);
    assert_eq!(request.old_object.unwrap().get(), r#"{"spec":{"replicas":1}}"#);
    assert!(request.dry_run);
    assert!(request.options.is_some());
}

#[test]
fn texts_borrow_from_the_body() {
    let body = review().to_string();
    let request = parse(body.as_bytes()).unwrap();
    assert!(matches!(request.uid, Cow::Borrowed(_)));
    assert!(matches!(request.kind.kind, Cow::Borrowed(_)));
    assert!(matches!(request.name, Some(Cow::Borrowed(_))));
    assert!(matches!(request.user.groups[0], Cow::Borrowed(_)));
}

#[test]
fn what_the_api_server_leaves_out_or_sends_empty_is_none() {
    let body = json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u",
            "kind": {"version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "",
            "operation": "DELETE",
            "userInfo": {"groups": null, "extra": null},
            "object": null,
            "oldObject": {},
            "options": null,
        },
    })
    .to_string();
    let request = parse(body.as_bytes()).unwrap();
    assert_eq!(request.kind.to_string(), "v1 Pod");
    assert_eq!(request.name, None);
    assert_eq!(request.namespace, None);
    assert_eq!(request.sub_resource, None);
    assert_eq!(request.user, UserInfo::default());
    assert!(request.object.is_none());
    assert!(request.options.is_none());
    assert!(!request.dry_run);
}

#[test]
fn an_empty_body_is_called_empty() {
    assert_eq!(fault(""), ReviewError::Empty);
    assert_eq!(fault(" \n"), ReviewError::Empty);
}

#[test]
fn a_body_that_is_no_json_is_told_with_its_place() {
    let error = fault("{\n  \"kind\": oops}");
    assert!(matches!(error, ReviewError::NotJson { line: 2, column: 11, .. }), "{error:?}");
    assert_eq!(error.to_string(), "the body is not JSON: expected value at line 2 column 11");
    let cut_short = &review().to_string()[..100];
    assert!(matches!(fault(cut_short), ReviewError::NotJson { .. }));
    assert!(matches!(fault(b"{\"kind\": \"\xff\"}"), ReviewError::NotJson { .. }));
}

#[test]
fn json_of_another_kind_is_named() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "request": 1}).to_string();
    assert_eq!(
        fault(pod).to_string(),
        "the body has apiVersion \"v1\" and kind \"Pod\": \
         AdmissionReview of admission.k8s.io/v1 is expected"
    );
    for other in ["5", "[]", "\"text\"", "{}", "null"] {
        assert!(matches!(fault(other), ReviewError::NotAReview { .. }), "{other}");
    }
}

#[test]
fn an_error_repeats_no_more_than_a_little_of_a_foreign_value() {
    let other = json!({"apiVersion": "v1", "kind": "é".repeat(10_000)}).to_string();
    assert!(fault(other).to_string().chars().count() < 256);
}

#[test]
fn a_review_of_v1beta1_is_told_which_version_is_spoken() {
    let mut old = review();
    old["apiVersion"] = json!("admission.k8s.io/v1beta1");
    let error = fault(old.to_string());
    assert_eq!(error.uid(), None);
    assert_eq!(
        error.to_string(),
        "the AdmissionReview is of admission.k8s.io/v1beta1, and only admission.k8s.io/v1 is \
         spoken: set admissionReviewVersions: [\"v1\"] in the webhook's configuration"
    );
}

#[test]
fn a_review_without_request_or_uid_has_no_one_to_answer() {
    let mut empty = review();
    empty["request"] = Value::Null;
    assert_eq!(fault(empty.to_string()), ReviewError::NoRequest);
    assert_eq!(fault(review_with("uid", json!(""))), ReviewError::NoUid);
    assert_eq!(fault(review_with("uid", Value::Null)), ReviewError::NoUid);
}

#[test]
fn where_the_uid_is_known_a_refusal_carries_it() {
    for (body, sentence) in [
        (
            review_with("kind", Value::Null),
            "the AdmissionReview is malformed: missing field `kind`",
        ),
        (review_with("name", json!(7)), "the AdmissionReview is malformed: invalid type: integer"),
        (
            review_with("operation", json!("PATCH")),
            "the request's operation is \"PATCH\": CREATE, UPDATE, DELETE or CONNECT is expected",
        ),
        (review_with("object", Value::Null), "the request has no object, which UPDATE must have"),
        (review_with("object", json!([])), "the request's object is not a JSON object"),
        (review_with("oldObject", json!("x")), "the request's oldObject is not a JSON object"),
    ] {
        let error = fault(body);
        assert!(error.to_string().starts_with(sentence), "{error}");
        assert_eq!(error.uid(), Some(UID), "{error}");
        let answer: Value = serde_json::from_slice(&error.answer().to_json(UID)).unwrap();
        assert_eq!(answer["response"]["uid"], UID);
        assert_eq!(answer["response"]["allowed"], false);
        assert_eq!(answer["response"]["status"]["code"], 400);
        assert_eq!(answer["response"]["status"]["message"], error.to_string());
    }
}

#[test]
fn an_object_nested_deeper_than_the_stack_is_left_unread() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let body = review().to_string().replacen(r#"{"spec":{"replicas":2}}"#, &deep, 1);
    assert_eq!(parse(body.as_bytes()).unwrap().object.unwrap().get(), deep);
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body);
    }

    #[test]
    fn no_damage_to_a_review_makes_it_panic(at in any::<prop::sample::Index>(), byte: u8) {
        let mut body = review().to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        if let Err(error) = parse(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
