//! Validations that Pods do not pass, and where.

mod cases;

use super::*;
use crate::cel::rules::{NamedExpression, RuleSources, ValidationSource};
use crate::cel::trace::TraceKind;
use crate::cel::value::Json;
use cases::{Case, ELEMENTS, POD, READS, VARIABLES};

fn traces(expression: &str, object: &Json<'_>) -> Vec<Trace> {
    let named = |(name, expression): &(&str, &str)| NamedExpression {
        name: (*name).to_owned(),
        expression: (*expression).to_owned(),
    };
    let validation = ValidationSource { expression: expression.to_owned(), ..Default::default() };
    let rules = Rules::compile(&RuleSources {
        variables: VARIABLES.iter().map(named).collect(),
        validations: vec![validation],
        ..Default::default()
    })
    .unwrap_or_else(|refusals| panic!("{expression}: {refusals}"));
    let old = Json::parse(r#"{"spec": {"hostNetwork": false, "volumes": []}}"#).unwrap();
    let request = Json::parse(r#"{"operation": "UPDATE", "userInfo": {"username": "a"}}"#).unwrap();
    let inputs =
        Inputs { object, old_object: &old, request: &request, namespace_object: &Json::Null };
    assert_eq!(
        format!("{:?}", rules.evaluate(inputs)).split('(').nth(1),
        Some("[Deny"),
        "{expression} is not what does not hold"
    );
    rules.trace(0, inputs)
}

fn paths(traces: &[Trace]) -> Vec<String> {
    traces.iter().map(|trace| trace.path.to_string()).collect()
}

fn check(cases: &[Case], kind: TraceKind) {
    let pod = Json::parse(POD).unwrap();
    for (expression, expected) in cases {
        let found = traces(expression, &pod);
        assert_eq!(paths(&found), *expected, "{expression}");
        assert!(found.iter().all(|trace| trace.kind == kind), "{expression}: {found:?}");
    }
}

#[test]
fn of_elements_that_fail_the_place_in_the_object_is_told() {
    check(ELEMENTS, TraceKind::Element);
}

#[test]
fn of_all_else_what_was_read_is_told() {
    check(READS, TraceKind::Read);
}

#[test]
fn elements_go_before_what_was_read() {
    let found = traces(
        "object.spec.hostNetwork == false && object.spec.containers.all(c, c.name == 'app')",
        &Json::parse(POD).unwrap(),
    );
    assert_eq!(paths(&found), ["spec.containers[1].name", "spec.hostNetwork"]);
    assert_eq!([found[0].kind, found[1].kind], [TraceKind::Element, TraceKind::Read]);
}

#[test]
fn ten_places_are_told_and_no_more() {
    let container = r#"{"name": "a", "image": "b"}"#;
    let containers = vec![container; 5_000].join(", ");
    let pod = format!(r#"{{"spec": {{"containers": [{containers}]}}}}"#);
    let pod = Json::parse(&pod).unwrap();
    for expression in [
        "object.spec.containers.all(c, has(c.resources))",
        "!object.spec.containers.exists(c, object.spec.containers[0].name == c.name)",
    ] {
        let found = paths(&traces(expression, &pod));
        assert_eq!(found.len(), 10, "{expression}");
        assert!(found[9].starts_with("spec.containers[9]."), "{expression}: {found:?}");
    }
}

#[test]
fn of_text_that_is_there_twice_the_place_is_that_of_its_element() {
    let image = Json::parse(r#"{"image": "a:latest"}"#).unwrap();
    let fine = Json::parse(r#"{"image": "a:1"}"#).unwrap();
    let mut pod = Json::parse(r#"{"spec": {"containers": null}}"#).unwrap();
    *pod.get_mut("spec").and_then(|spec| spec.get_mut("containers")).unwrap() =
        Json::List(vec![image.clone(), fine, image]);
    let expression = "object.spec.containers.map(c, c.image).all(i, !i.endsWith(':latest'))";
    let found = paths(&traces(expression, &pod));
    assert_eq!(found, ["spec.containers[0].image", "spec.containers[2].image"]);
}

#[test]
fn a_validation_that_there_is_not_has_no_place() {
    let rules = Rules::compile(&RuleSources::default()).unwrap();
    let none = &Json::Null;
    let inputs = Inputs { object: none, old_object: none, request: none, namespace_object: none };
    assert_eq!(rules.trace(0, inputs), []);
    assert_eq!(rules.validation_count(), 0);
}

#[test]
fn what_the_rules_read_is_known() {
    let reads = |expression: &str, message: Option<&str>| {
        let rules = Rules::compile(&RuleSources {
            match_conditions: vec![NamedExpression {
                name: "a".to_owned(),
                expression: "object.kind == 'Pod'".to_owned(),
            }],
            validations: vec![ValidationSource {
                expression: expression.to_owned(),
                message: None,
                message_expression: message.map(str::to_owned),
            }],
            ..Default::default()
        });
        let reads = rules.unwrap().reads();
        (reads.old_object, reads.request, reads.namespace_object)
    };
    assert_eq!(reads("object.a == 1", None), (false, false, false));
    assert_eq!(reads("object.a == 1", Some("request.name")), (false, true, false));
    assert_eq!(reads("[1].all(x, oldObject == null)", None), (true, false, false));
    assert_eq!(reads("has(namespaceObject.metadata)", None), (false, false, true));
    assert_eq!(reads("object.request == 'oldObject'", None), (false, false, false));
}
