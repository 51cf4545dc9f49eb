//! When a value of a Pod is the one that a policy wants.

use std::borrow::Cow;

use crate::cel::{Json, compare_quantities};

use super::place::Place;

/// Fields below which each text and number is a quantity.
const QUANTITIES: [&str; 5] = ["limits", "requests", "overhead", "sizeLimit", "divisor"];

/// Booleans that the API server leaves out where they are false.
const FALSE_LEFT_OUT: [&str; 7] =
    ["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly"];

/// Whether a value is what its absence means: the API server leaves such a one out, so that it
/// would be added again and again.
pub(super) fn is_default(key: &str, value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(false) => FALSE_LEFT_OUT.contains(&key),
        Json::String(text) => text.is_empty(),
        Json::Int(0) => key == "initialDelaySeconds",
        _ => false,
    }
}

/// Whether all that is wanted is there. What is there besides, which the API server or someone else
/// has added, does not matter; but a list has the same length.
pub(super) fn covers(present: &Json<'_>, wanted: &Json<'_>, field: &str) -> bool {
    covers_in(present, wanted, QUANTITIES.contains(&field))
}

fn covers_in(present: &Json<'_>, wanted: &Json<'_>, quantity: bool) -> bool {
    match (present, wanted) {
        (Json::Map(present), Json::Map(wanted)) => {
            wanted.iter().all(|(key, wanted)| match present.get(key) {
                None | Some(Json::Null) => is_default(key, wanted),
                Some(present) => covers_in(present, wanted, quantity || QUANTITIES.contains(&key)),
            })
        }
        (Json::List(present), Json::List(wanted)) => {
            present.len() == wanted.len()
                && present
                    .iter()
                    .zip(wanted)
                    .all(|(present, wanted)| covers_in(present, wanted, quantity))
        }
        _ if present == wanted => true,
        _ if quantity => same_quantity(present, wanted),
        _ => false,
    }
}

/// Whether two values mean the same: neither has anything that the other lacks.
pub(super) fn is_same(left: &Json<'_>, right: &Json<'_>) -> bool {
    covers(left, right, "") && covers(right, left, "")
}

/// The one place where a value is not what is wanted, as deep as there is but one: what is found
/// there, and what is wanted, are told.
pub(super) fn difference<T>(
    present: &Json<'_>,
    wanted: &Json<'_>,
    place: &Place<'_>,
    tell: &mut dyn FnMut(&Place<'_>, &Json<'_>, &Json<'_>) -> T,
) -> T {
    if let (Json::Map(here), Json::Map(there)) = (present, wanted) {
        let mut different = there.iter().filter_map(|(key, wanted)| match here.get(key) {
            None | Some(Json::Null) => (!is_default(key, wanted)).then_some((key, None, wanted)),
            Some(present) => {
                (!covers(present, wanted, key)).then_some((key, Some(present), wanted))
            }
        });
        if let (Some((key, Some(present), wanted)), None) = (different.next(), different.next()) {
            return difference(present, wanted, &place.key(key), tell);
        }
    }
    tell(place, present, wanted)
}

fn same_quantity(left: &Json<'_>, right: &Json<'_>) -> bool {
    order(left, right).is_some_and(std::cmp::Ordering::is_eq)
}

/// How two quantities compare; nothing where either is none.
pub(super) fn order(left: &Json<'_>, right: &Json<'_>) -> Option<std::cmp::Ordering> {
    compare_quantities(&scalar(left)?, &scalar(right)?)
}

/// The text of a string or a number.
pub(super) fn scalar<'j>(value: &'j Json<'_>) -> Option<Cow<'j, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Int(number) => Some(Cow::Owned(number.to_string())),
        Json::Double(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// A member that is there and not null.
pub(super) fn member<'j, 'a>(value: &'j Json<'a>, key: &str) -> Option<&'j Json<'a>> {
    value.get(key).filter(|value| !matches!(value, Json::Null))
}

/// The elements of a list; none of what is no list.
pub(super) fn elements<'j, 'a>(value: Option<&'j Json<'a>>) -> &'j [Json<'a>] {
    match value {
        Some(Json::List(elements)) => elements,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_covered(present: &str, wanted: &str) -> bool {
        covers(&Json::parse(present).unwrap(), &Json::parse(wanted).unwrap(), "")
    }

    #[test]
    fn what_was_added_by_someone_else_does_not_matter() {
        assert!(is_covered(r#"{"a": 1, "b": 2}"#, r#"{"a": 1}"#));
        assert!(is_covered(r#"[{"a": 1, "b": 2}]"#, r#"[{"a": 1}]"#));
        assert!(!is_covered(r#"{"b": 2}"#, r#"{"a": 1}"#));
        assert!(!is_covered("[1, 2]", "[1]"));
    }

    #[test]
    fn quantities_are_compared_as_numbers_and_other_texts_as_they_are() {
        assert!(is_covered(r#"{"limits": {"cpu": "1"}}"#, r#"{"limits": {"cpu": "1000m"}}"#));
        assert!(is_covered(r#"{"limits": {"cpu": 1}}"#, r#"{"limits": {"cpu": "1"}}"#));
        assert!(is_covered(r#"{"sizeLimit": "1Gi"}"#, r#"{"sizeLimit": "1024Mi"}"#));
        assert!(!is_covered(r#"{"value": "1"}"#, r#"{"value": "1000m"}"#));
    }

    #[test]
    fn what_the_api_server_leaves_out_is_there() {
        assert!(is_covered(
            "{}",
            r#"{"readOnly": false, "subPath": "", "initialDelaySeconds": 0}"#
        ));
        assert!(!is_covered("{}", r#"{"runAsNonRoot": false}"#));
        assert!(!is_covered("{}", r#"{"emptyDir": {}}"#));
    }

    #[test]
    fn one_difference_is_told_where_it_is_and_several_where_they_part() {
        let told = |present: &str, wanted: &str| {
            let (present, wanted) = (Json::parse(present).unwrap(), Json::parse(wanted).unwrap());
            difference(&present, &wanted, &Place::Root.key("x"), &mut |place, _, _| {
                place.to_string()
            })
        };
        assert_eq!(told(r#"{"a": {"b": 1}, "c": 1}"#, r#"{"a": {"b": 2}, "c": 1}"#), "x.a.b");
        assert_eq!(told(r#"{"a": 1, "c": 1}"#, r#"{"a": 2, "c": 2}"#), "x");
        assert_eq!(told(r#"{"a": 1}"#, r#"{"b": 2}"#), "x");
    }
}
