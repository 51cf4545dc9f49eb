//! The policies of `examples/policies`, by what the API server answered of them.

use std::fs;

use portreeve::api::PodPolicy;
use serde_json::Value;

use crate::oracle::examples::{self, Example};
use crate::oracle::{self, Answer, Outcome, answers};

/// The most that fits into a warning beside the path, the value and the policy's name.
const LONGEST_MESSAGE: usize = 200;

fn recorded() -> impl Fn(&Example, usize, &str) -> Answer {
    let answers = answers::read(&oracle::directory().join("answers")).unwrap();
    move |example, validation, pod| {
        let id = example.id(validation, pod);
        answers.get(&id).unwrap_or_else(|| panic!("{id}: make cel-record was not run")).clone()
    }
}

#[test]
fn every_good_pod_passes_all_rules_of_its_example() {
    let answer = recorded();
    for example in examples::read().unwrap() {
        for index in 0..example.policies.len() {
            for pod in example.pods.keys().filter(|pod| pod.starts_with("good-")) {
                let answer = answer(&example, index, pod);
                assert_eq!(answer, Answer::silent(Outcome::Allow), "{}", example.id(index, pod));
            }
        }
    }
}

#[test]
fn every_bad_pod_fails_a_rule_and_every_rule_is_failed_by_one() {
    let answer = recorded();
    for example in examples::read().unwrap() {
        let rules = 0..example.policies.len();
        let bad: Vec<_> = example.pods.keys().filter(|pod| pod.starts_with("bad-")).collect();
        let denies = |index, pod: &str| answer(&example, index, pod).outcome == Outcome::Deny;
        for pod in &bad {
            assert!(rules.clone().any(|rule| denies(rule, pod)), "{}: {pod}", example.name);
        }
        for rule in rules {
            assert!(bad.iter().any(|pod| denies(rule, pod)), "{}", example.id(rule, "bad-*"));
        }
    }
}

#[test]
fn what_an_owner_is_told_is_one_line_that_fits_into_a_warning() {
    let answer = recorded();
    for example in examples::read().unwrap() {
        for (index, policy) in example.policies.iter().enumerate() {
            for pod in example.pods.keys() {
                let Answer { outcome, message } = answer(&example, index, pod);
                let id = example.id(index, pod);
                assert!(matches!(outcome, Outcome::Allow | Outcome::Deny), "{id}: {message}");
                let is_own = !message.starts_with("failed expression: ");
                assert!(is_own && message.chars().count() <= LONGEST_MESSAGE, "{id}: {message}");
                assert!(!message.contains('\n') && !message.ends_with('.'), "{id}: {message}");
            }
            let has_words = policy.message.is_some() || policy.message_expression.is_some();
            assert!(has_words, "{}", example.id(index, "*"));
        }
    }
}

#[test]
fn an_example_has_no_field_that_the_kind_does_not_have() {
    for example in examples::read().unwrap() {
        let path = examples::directory().join(&example.name).join("policy.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let written: Value = serde_saphyr::from_str(&text).unwrap();
        let policy: PodPolicy = serde_saphyr::from_str(&text).unwrap();
        let understood = serde_json::to_value(policy).unwrap();
        assert_within(&written, &understood, &example.name);
    }
}

/// That all of `part` stands in `whole` too.
fn assert_within(part: &Value, whole: &Value, place: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (key, value) in part {
                let place = format!("{place}.{key}");
                let other = whole.get(key).unwrap_or_else(|| panic!("{place} is unknown"));
                assert_within(value, other, &place);
            }
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert_eq!(part.len(), whole.len(), "{place}");
            for (index, (value, other)) in part.iter().zip(whole).enumerate() {
                assert_within(value, other, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(part, whole, "{place}"),
    }
}
