//! Keys of the elements of lists.

use std::collections::HashMap;

use crate::cel::Json;

use super::super::compare::{elements, member};
use super::super::lists::Keyed;
use super::super::place::Place;
use super::super::structure::Report;

/// Checks that each element has its key, and has it alone.
pub(super) fn check_keys(
    report: &mut Report,
    kind: &Keyed,
    list: Option<&Json<'_>>,
    place: &Place<'_>,
) {
    let mut first = HashMap::new();
    for (index, element) in (0..).zip(elements(list)) {
        let place = place.index(index);
        let Json::Map(_) = element else { continue };
        for name in kind.keys() {
            // What is missing, the schema tells.
            if name != "protocol" && member(element, name).and_then(Json::as_str) == Some("") {
                report.fault(&place.key(name), "is empty");
            }
        }
        let Some(key) = kind.key_of(element) else { continue };
        if let Some(earlier) = first.get(&key) {
            let message = format!("{} {key} is there already, at [{earlier}]", kind.noun);
            report.fault(&place, message);
        } else {
            first.insert(key, index);
        }
    }
}

/// Checks that an element has exactly one of several members.
pub(super) fn check_one_of(
    report: &mut Report,
    of: &Json<'_>,
    members: &[&str],
    place: &Place<'_>,
) {
    let found: Vec<_> = members.iter().filter(|name| member(of, name).is_some()).collect();
    match found.as_slice() {
        [_] => {}
        [] => report.fault(place, format!("has none of {}", members.join(", "))),
        [one, other, ..] => {
            report.fault(place, format!("has both {one} and {other}, and may have one only"));
        }
    }
}
