//! Signatures as text: `list(A).indexOf(A) -> int`.

use super::{Overload, Price, Run};
use crate::cel::types::Type;

/// Reads a signature of one of the tables: the function's name and the overload.
///
/// The tables are constants, and a test reads them all; what could not be read would be `dyn`.
pub(super) fn parse(
    signature: &'static str,
    run: Run,
    price: Option<Price>,
) -> (&'static str, Overload) {
    let (call, result) = signature.split_once(" -> ").unwrap_or((signature, "dyn"));
    let open = call_open(call);
    let (head, arguments) = call.split_at_checked(open).unwrap_or((call, "()"));
    let arguments = arguments.strip_prefix('(').and_then(|a| a.strip_suffix(')')).unwrap_or("");
    let (target, name) = split_target(head);
    let mut highest = 0;
    let mut parameters = Vec::new();
    let texts = target.into_iter().chain(split_list(arguments));
    for text in texts {
        parameters.push(parse_type(text, &mut highest));
    }
    let result = parse_type(result, &mut highest);
    let overload = Overload {
        member: target.is_some(),
        parameters,
        result,
        type_parameters: highest,
        run,
        price,
    };
    (name, overload)
}

/// Where the parentheses of the call itself begin: those that close last.
fn call_open(call: &str) -> usize {
    let mut depth = 0;
    for (at, character) in call.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' if depth == 1 => return at,
            '(' => depth -= 1,
            _ => {}
        }
    }
    call.len()
}

/// A member function has a type before its last dot; `sets.contains` and `optional.none` have a
/// name there.
fn split_target(head: &'static str) -> (Option<&'static str>, &'static str) {
    match head.rsplit_once('.') {
        Some((target, name)) if is_type(target) => (Some(target), name),
        _ => (None, head),
    }
}

fn is_type(text: &str) -> bool {
    text.ends_with(')')
        || PRIMITIVES.iter().any(|(name, _)| *name == text)
        || NAMED.iter().any(|(name, _)| *name == text)
        || parameter(text).is_some()
}

fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or("").trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text.get(start..).unwrap_or("").trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

const PRIMITIVES: [(&str, Type); 10] = [
    ("dyn", Type::Dyn),
    ("null", Type::Null),
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("uint", Type::Uint),
    ("double", Type::Double),
    ("string", Type::String),
    ("bytes", Type::Bytes),
    ("timestamp", Type::Timestamp),
    ("duration", Type::Duration),
];

const NAMED: [(&str, Type); 6] = [
    ("IP", Type::Opaque("net.IP")),
    ("CIDR", Type::Opaque("net.CIDR")),
    ("Quantity", Type::Object("kubernetes.Quantity")),
    ("Semver", Type::Object("kubernetes.Semver")),
    ("URL", Type::Object("kubernetes.URL")),
    ("Format", Type::Object("kubernetes.NamedFormat")),
];

/// `A` is 0, `B` is 1, …
fn parameter(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(u32::from(letter - b'A')),
        _ => None,
    }
}

fn parse_type(text: &str, highest: &mut u32) -> Type {
    if let Some(number) = parameter(text) {
        *highest = (*highest).max(number + 1);
        return Type::Parameter(number);
    }
    let named = PRIMITIVES.iter().chain(&NAMED).find(|(name, _)| *name == text);
    if let Some((_, type_)) = named {
        return type_.clone();
    }
    let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return Type::Dyn;
    };
    let mut inner = split_list(inner).into_iter().map(|text| parse_type(text, highest));
    let first = inner.next().unwrap_or(Type::Dyn);
    match name {
        "list" => Type::list(first),
        "optional" => Type::optional(first),
        "map" => Type::map(first, inner.next().unwrap_or(Type::Dyn)),
        "type" => Type::Type(Some(first.into())),
        _ => Type::Dyn,
    }
}
