//! What calls cost, by the sizes of their arguments.

use crate::cel::value::Value;

/// What a walk through text costs for each character.
const TRAVERSAL: f64 = 0.1;
/// What a pattern costs for each of its characters.
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

/// A walk through a text, and making one as long.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::library::Price;

    const SIZES: [usize; 4] = [0, 1, 10, 11];

    fn text<'a>(size: usize) -> Value<'a> {
        Value::string("é".repeat(size))
    }

    fn list_of<'a>(size: usize, element: Value<'a>) -> Value<'a> {
        Value::list(vec![element; size])
    }

    fn prices(price: Price, arguments: impl Fn(usize) -> Vec<Value<'static>>) -> [u64; 4] {
        SIZES.map(|size| price(&arguments(size), Some(&text(size))))
    }

    #[test]
    fn prices_round_up_at_ten_characters() {
        let both = |size| vec![text(size), text(size)];
        let table: [(&str, Price, [u64; 4]); 14] = [
            ("walk_first", walk_first, [0, 1, 1, 2]),
            ("walk_twice", walk_twice, [0, 1, 2, 3]),
            ("walk_result_twice", walk_result_twice, [0, 1, 2, 3]),
            ("walk_both", walk_both, [0, 1, 2, 3]),
            ("walk_shorter", walk_shorter, [0, 1, 1, 2]),
            ("product_of_walks", product_of_walks, [0, 1, 1, 4]),
            ("pattern", pattern, [0, 1, 6, 6]),
            ("size_of_second", size_of_second, [0, 1, 10, 11]),
            ("list_of_result", list_of_result, [11, 12, 21, 22]),
            ("contains_ip", contains_ip, [0, 1, 2, 3]),
            ("contains_ip_text", contains_ip_text, [0, 2, 3, 5]),
            ("contains_cidr", contains_cidr, [1, 3, 4, 6]),
            ("contains_cidr_text", contains_cidr_text, [1, 4, 5, 8]),
            ("unit", unit, [1, 1, 1, 1]),
        ];
        for (name, price, expected) in table {
            assert_eq!(prices(price, both), expected, "{name}");
        }
    }

    #[test]
    fn lists_are_priced_by_their_elements() {
        let numbers = |size| list_of(size, Value::Int(1));
        let both = |size| vec![numbers(size), numbers(size)];
        assert_eq!(prices(sets, both), [1, 2, 101, 122]);
        assert_eq!(prices(sets_both_ways, both), [1, 3, 201, 243]);
        assert_eq!(prices(compare_elements, both), [11, 13, 211, 253]);
        assert_eq!(prices(compare_keys, both), [11, 13, 211, 253]);
        let texts = |size| vec![list_of(size, text(1))];
        assert_eq!(prices(compare_elements, texts), [11, 13, 221, 265]);
    }

    #[test]
    fn flattening_is_priced_by_its_depth() {
        let list = |size| list_of(size, Value::Int(1));
        let to = |depth| move |size| vec![list(size), Value::Int(depth)];
        assert_eq!(prices(flattening, |size| vec![list(size)]), [11, 12, 21, 22]);
        assert_eq!(prices(flattening, to(0)), [11, 11, 11, 11]);
        assert_eq!(prices(flattening, to(2)), [11, 13, 31, 33]);
        assert_eq!(prices(flattening, to(-1)), [11, 11, 11, 11]);
    }

    #[test]
    fn a_deep_walk_counts_bytes_and_rounds_down() {
        let ascii = |size: usize| Value::string("x".repeat(size));
        assert_eq!(prices(deep_walk, |size| vec![ascii(size)]), [0, 0, 1, 1]);
        assert_eq!(prices(deep_walk, |size| vec![text(size)]), [0, 0, 2, 2]);
        assert_eq!(prices(deep_walk, |size| vec![list_of(size, ascii(10))]), [0, 1, 10, 11]);
        assert_eq!(prices(deep_walk, |size| vec![list_of(size, Value::Null)]), [0, 1, 10, 11]);
        assert_eq!(deep_walk(&[], None), 0);
    }

    #[test]
    fn what_is_not_there_counts_as_one() {
        assert_eq!(walk_first(&[], None), 1);
        assert_eq!(walk_result_twice(&[], None), 1);
        assert_eq!(list_of_result(&[], None), 12);
        assert_eq!(compare_elements(&[Value::Null], None), 1);
    }

    #[test]
    fn the_shorter_of_two_is_counted() {
        assert_eq!(shorter(&text(11), &text(10)), 10);
        assert_eq!(shorter(&text(11), &Value::Int(7)), 1);
        assert_eq!(shorter(&Value::Int(7), &text(0)), 0);
        assert_eq!(shorter(&list_of(3, Value::Null), &list_of(2, Value::Null)), 2);
    }
}
