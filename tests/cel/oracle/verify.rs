//! Whether what was recorded as seen is what the validations see: the server itself compares.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Outcome, Policy, Question, Seen, Server};

/// How many comparisons are made in one expression.
const AT_ONCE: usize = 10;

/// Has the server compare every number, string, boolean, null and size of these with what it sees,
/// and gives how many it compared. Left out is what it makes up anew in each request.
///
/// # Errors
/// Where one is another, and where the server can't be asked.
pub async fn verify(server: &mut Server, seen: &BTreeMap<String, Seen>) -> Result<usize> {
    let nothing = |review: &String| question(review, vec!["true".to_owned()]);
    let again = server.ask(&seen.keys().map(nothing).collect::<Vec<_>>()).await?;
    let again: BTreeMap<_, _> = again.into_iter().flat_map(|asked| asked.seen).collect();
    let mut questions = Vec::new();
    let mut count = 0;
    for (review, one) in seen {
        let mut comparisons = Vec::new();
        let other = again.get(review);
        for (name, variable) in variables(one) {
            let other = other.and_then(|other| variables(other).remove(name));
            compare(&format!("dyn({name})"), variable, other, &mut comparisons);
        }
        count += comparisons.len();
        let chunks = comparisons.chunks(AT_ONCE).map(|chunk| question(review, chunk.to_vec()));
        questions.extend(chunks);
    }
    let asked = server.ask(&questions).await?;
    for (question, answers) in questions.iter().zip(asked.iter().flat_map(|asked| &asked.answers)) {
        let holds = answers.iter().all(|answer| answer.outcome == Outcome::Allow);
        ensure!(holds, "{:?} sees something else: {answers:?}", question.reviews);
    }
    Ok(count)
}

fn question(review: &str, comparisons: Vec<String>) -> Question {
    let policy = Policy { expression: comparisons.join("\n&& "), ..Policy::default() };
    Question { policy, reviews: vec![review.to_owned()] }
}

fn variables(seen: &Seen) -> BTreeMap<&'static str, &Value> {
    BTreeMap::from([
        ("object", &seen.object),
        ("oldObject", &seen.old_object),
        ("request", &seen.request),
        ("namespaceObject", &seen.namespace_object),
    ])
}

/// Expressions that hold if the value of `path` is this one.
fn compare(path: &str, one: &Value, other: Option<&Value>, expressions: &mut Vec<String>) {
    match one {
        Value::Object(map) => {
            expressions.push(format!("type({path}) == map && size({path}) == {}", map.len()));
            for (key, value) in map {
                let other = other.and_then(|other| other.get(key));
                compare(&format!("{path}[{}]", literal(key)), value, other, expressions);
            }
        }
        Value::Array(list) => {
            expressions.push(format!("type({path}) == list && size({path}) == {}", list.len()));
            for (index, value) in list.iter().enumerate() {
                let other = other.and_then(|other| other.get(index));
                compare(&format!("{path}[{index}]"), value, other, expressions);
            }
        }
        // Made up anew.
        _ if other.is_some_and(|other| other != one) => {}
        Value::String(text) => expressions.push(format!("{path} == {}", literal(text))),
        Value::Number(number) if number.is_f64() => {
            expressions.push(format!("type({path}) == double && {path} == {number:?}"));
        }
        Value::Number(number) => {
            expressions.push(format!("type({path}) == int && {path} == {number}"));
        }
        Value::Bool(_) | Value::Null => expressions.push(format!("{path} == {one}")),
    }
}

/// A string as CEL writes it.
pub fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => literal.extend(['\\', character]),
            ' '..='~' => literal.push(character),
            _ => literal.push_str(&format!("\\U{:08x}", u32::from(character))),
        }
    }
    literal.push('\'');
    literal
}
