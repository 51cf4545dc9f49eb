//! What calls cost, by the sizes of their arguments.

use crate::cel::value::Value;

/// The share of a character that a walk through text costs.
const TRAVERSAL: f64 = 0.1;
/// The share of a character of a pattern.
const PATTERN: f64 = 0.25;
/// What making a list costs.
pub(in crate::cel) const LIST: u64 = 10;

fn size(arguments: &[Value<'_>], index: usize) -> u64 {
    arguments.get(index).map_or(1, Value::size)
}

/// A walk through `size` characters.
pub(in crate::cel) fn traversal(size: u64) -> u64 {
    (size as f64 * TRAVERSAL).ceil() as u64
}

/// A search of a pattern of `pattern` characters in a text of `text`.
pub(in crate::cel) fn pattern_cost(text: u64, pattern: u64) -> u64 {
    let text = ((1.0 + text as f64) * TRAVERSAL).ceil() as u64;
    text * (pattern as f64 * PATTERN).ceil() as u64
}

pub(super) fn walk_first(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    traversal(size(arguments, 0))
}

/// A walk, and making as much again.
pub(super) fn walk_twice(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    (size(arguments, 0) as f64 * 2.0 * TRAVERSAL).ceil() as u64
}

pub(super) fn walk_result_twice(_: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
    (result.map_or(1, Value::size) as f64 * 2.0 * TRAVERSAL).ceil() as u64
}

pub(super) fn walk_both(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    traversal(size(arguments, 0).saturating_add(size(arguments, 1)))
}

pub(super) fn walk_shorter(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    match arguments {
        [left, right] => traversal(shorter(left, right)),
        _ => traversal(1),
    }
}

/// The size of the smaller of two values. Of a text, no more is looked at than the other has.
pub(super) fn shorter(left: &Value<'_>, right: &Value<'_>) -> u64 {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            left.chars().zip(right.chars()).count() as u64
        }
        (Value::String(text), other) | (other, Value::String(text)) => {
            let size = other.size();
            text.chars().take(usize::try_from(size).unwrap_or(usize::MAX)).count() as u64
        }
        (left, right) => left.size().min(right.size()),
    }
}

pub(super) fn product_of_walks(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    traversal(size(arguments, 0)) * traversal(size(arguments, 1))
}

pub(super) fn pattern(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    pattern_cost(size(arguments, 0), size(arguments, 1))
}

pub(super) fn size_of_second(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    size(arguments, 1)
}

/// A walk through a value with all that is in it.
pub(super) fn deep_walk(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    fn walk(value: &Value<'_>) -> u64 {
        match value {
            Value::String(text) => (text.len() as f64 * TRAVERSAL) as u64,
            Value::Bytes(bytes) => (bytes.len() as f64 * TRAVERSAL) as u64,
            Value::List(list) => list.iter().map(|element| walk(&element)).sum(),
            Value::Map(map) => map.iter().map(|(key, value)| walk(&key) + walk(&value)).sum(),
            _ => 1,
        }
    }
    arguments.first().map_or(0, walk)
}

/// What making a list costs, at `factor` for each of `count` elements.
fn making(factor: f64, count: u64) -> u64 {
    ((count as f64 * factor) as u64).saturating_add(1 + LIST)
}

pub(super) fn list_of_result(_: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
    making(1.0, result.map_or(1, Value::size))
}

pub(super) fn flattening(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    let depth = match arguments.get(1) {
        Some(Value::Int(depth)) => *depth as f64,
        _ => 1.0,
    };
    making(depth.max(0.0), size(arguments, 0))
}

/// Comparing each element with each.
fn comparing(list: Option<&Value<'_>>) -> u64 {
    let Some(Value::List(list)) = list else { return 1 };
    let count = list.len() as u64;
    let is_text = matches!(list.get(0), Some(Value::String(_) | Value::Bytes(_)));
    let factor = if is_text { 2.0 + TRAVERSAL } else { 2.0 };
    making(factor, count.saturating_mul(count))
}

pub(super) fn compare_elements(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    comparing(arguments.first())
}

pub(super) fn compare_keys(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    comparing(arguments.get(1))
}

pub(super) fn sets(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    size(arguments, 0).saturating_mul(size(arguments, 1)).saturating_add(1)
}

pub(super) fn sets_both_ways(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    size(arguments, 0).saturating_mul(size(arguments, 1)).saturating_mul(2).saturating_add(1)
}

pub(super) fn contains_ip(arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    traversal(size(arguments, 0) * 2)
}

pub(super) fn contains_ip_text(arguments: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
    contains_ip(arguments, result) + traversal(size(arguments, 1))
}

pub(super) fn contains_cidr(arguments: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
    contains_ip(arguments, result) + traversal(size(arguments, 0)) + 1
}

pub(super) fn contains_cidr_text(arguments: &[Value<'_>], result: Option<&Value<'_>>) -> u64 {
    contains_cidr(arguments, result) + traversal(size(arguments, 1))
}

pub(super) fn unit(_: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    1
}
