//! Environments, and the order in which their variables stand.

use serde_json::{Value, json};

use super::*;

fn variables(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// The names of the variables that come of it, in their order.
fn order(hers: &[(&str, &str)], ours: &[(&str, &str)]) -> String {
    let outcome =
        one(pod(json!({"env": variables(hers)})), into_app(json!({"env": variables(ours)})));
    names(&outcome)
}

fn names(outcome: &Outcome) -> String {
    let env = outcome.spec()["containers"][0]["env"].as_array().unwrap();
    env.iter().map(|variable| variable["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn new_variables_come_before_hers_unless_they_refer_to_one_of_them() {
    for (hers, ours, expected) in [
        (&[("A", "1")] as &[_], &[("X", "1"), ("Y", "2")] as &[_], "X Y A"),
        (&[("A", "$(X)")], &[("X", "1")], "X A"),
        (&[("A", "1"), ("B", "2")], &[("X", "$(A)"), ("Y", "1")], "Y A X B"),
        (
            &[("A", "1"), ("B", "2")],
            &[("X", "$(A)"), ("Y", "$(A)"), ("Z", "$(B)$(A)")],
            "A X Y B Z",
        ),
        (&[("A", "1")], &[("X", "$$(A)")], "X A"),
        (&[("A", "1")], &[("X", "$(A)"), ("Y", "$(X)")], "A X Y"),
        (&[("A", "1"), ("B", "2")], &[("Y", "$(X)"), ("X", "$(B)")], "Y A B X"),
        (&[("A", "1"), ("B", "2"), ("A", "3")], &[("X", "$(A)")], "A B A X"),
        (&[("A", "1")], &[("X", "$(NOT_HERE)")], "X A"),
    ] {
        assert_eq!(order(hers, ours), expected, "{hers:?} {ours:?}");
    }
}

#[test]
fn variables_of_later_policies_come_after_those_of_earlier_ones() {
    let env = |pairs: &[(&str, &str)]| into_app(json!({"env": variables(pairs)}));
    let outcome = two(
        pod(json!({"env": variables(&[("A", "1")])})),
        env(&[("P", "1"), ("R", "$(A)")]),
        env(&[("Q", "$(P)"), ("S", "$(A)"), ("T", "1")]),
    );
    assert_eq!(names(&outcome), "P Q T A R S");
}

#[test]
fn a_clash_is_told_where_the_variable_is_in_the_end() {
    let env = |pairs: &[(&str, &str)]| into_app(json!({"env": variables(pairs)}));
    let outcome = two(
        pod(json!({"env": variables(&[("A", "1"), ("A", "2")])})),
        env(&[("A", "3")]),
        env(&[("X", "1")]),
    );
    assert_eq!(outcome.clashes(), [r#"p: spec.containers[0].env[2].value (env A): "2", not "3""#]);
}

#[test]
fn a_variable_with_another_source_is_a_clash_as_a_whole() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let hers = json!([{"name": "A", "value": "1"}, {"name": "B", "valueFrom": secret}, {"name": "C"},
        {"name": "D", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}]);
    let ours = json!([{"name": "A", "valueFrom": secret}, {"name": "B", "value": ""}, {"name": "C", "value": ""},
        {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]);
    let outcome = one(pod(json!({"env": hers})), into_app(json!({"env": ours})));
    assert_eq!(
        outcome.clashes(),
        [
            r#"p: spec.containers[0].env[0] (env A): {"name":"A","value":"1"}, not {"name":"A","valueFrom":{"secretKeyRef":{"key":"k","name":"s"}}}"#,
            r#"p: spec.containers[0].env[1] (env B): {"name":"B","valueFrom":{"secretKeyRef":{"key":"k","name":"s"}}}, not {"name":"B","value":""}"#,
        ]
    );
    assert_eq!(outcome.operations(), 0);
}

#[test]
fn sources_of_environments_come_before_hers_so_that_hers_win() {
    let from = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({"configMapRef": {"name": name}})).collect()
    };
    let outcome = two(
        pod(json!({"envFrom": from(&["hers"])})),
        into_app(json!({"envFrom": from(&["a", "b", "hers"])})),
        into_app(json!({"envFrom": [{"configMapRef": {"name": "hers"}, "prefix": "X_"}]})),
    );
    let env_from = &outcome.spec()["containers"][0]["envFrom"];
    assert_eq!(env_from[0]["prefix"], "X_");
    assert_eq!(Value::Array(env_from.as_array().unwrap()[1..].to_vec()), from(&["a", "b", "hers"]));
}
