//! Signatures as text: `list(A).indexOf(A) -> int`.

use super::{Overload, Price, Run};
use crate::cel::types::Type;

/// Reads a signature of one of the tables: the function's name and the overload.
///
/// # Errors
/// Which part of it can't be read. A test reads all tables, so this happens to nobody else.
pub(super) fn parse(
    signature: &'static str,
    run: Run,
    price: Option<Price>,
) -> Result<(&'static str, Overload), String> {
    let unreadable = |part: &str| format!("{signature}: {part:?} can't be read");
    let (call, result) = signature.split_once(" -> ").ok_or_else(|| unreadable(signature))?;
    let (head, arguments) = call_open(call)
        .and_then(|open| call.split_at_checked(open))
        .and_then(|(head, rest)| Some((head, rest.strip_prefix('(')?.strip_suffix(')')?)))
        .ok_or_else(|| unreadable(call))?;
    let (target, name) = split_target(head).ok_or_else(|| unreadable(head))?;
    let mut highest = 0;
    let mut read = |text: &str| parse_type(text, &mut highest).ok_or_else(|| unreadable(text));
    let mut parameters = Vec::new();
    for text in target.into_iter().chain(split_list(arguments)) {
        parameters.push(read(text)?);
    }
    let result = read(result)?;
    let overload = Overload {
        member: target.is_some(),
        parameters,
        result,
        type_parameters: highest,
        run,
        price,
    };
    Ok((name, overload))
}

/// Where the parentheses of the call itself begin: those that close last.
fn call_open(call: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in call.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' if depth == 1 => return Some(at),
            '(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What a function's name can begin with, before a dot, that is no type.
const NAMESPACES: [&str; 7] = ["cel", "format", "ip", "lists", "optional", "sets", "strings"];

/// A member function has a type before its last dot; `sets.contains` and `optional.none` have a
/// namespace there.
fn split_target(head: &'static str) -> Option<(Option<&'static str>, &'static str)> {
    match head.rsplit_once('.') {
        Some((target, name)) if is_type(target) => Some((Some(target), name)),
        Some((namespace, _)) if !NAMESPACES.contains(&namespace) => None,
        _ => Some((None, head)),
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

fn parse_type(text: &str, highest: &mut u32) -> Option<Type> {
    if let Some(number) = parameter(text) {
        *highest = (*highest).max(number + 1);
        return Some(Type::Parameter(number));
    }
    let named = PRIMITIVES.iter().chain(&NAMED).find(|(name, _)| *name == text);
    if let Some((_, type_)) = named {
        return Some(type_.clone());
    }
    let (name, inner) = text.strip_suffix(')')?.split_once('(')?;
    let inner: Option<Vec<Type>> =
        split_list(inner).into_iter().map(|text| parse_type(text, highest)).collect();
    match (name, inner?.as_slice()) {
        ("list", [element]) => Some(Type::list(element.clone())),
        ("optional", [value]) => Some(Type::optional(value.clone())),
        ("map", [key, value]) => Some(Type::map(key.clone(), value.clone())),
        ("type", [of]) => Some(Type::Type(Some(of.clone().into()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::error::Fault;
    use crate::cel::library::TABLES;

    fn read(signature: &'static str) -> Result<(&'static str, Overload), String> {
        parse(signature, |_, _| Err(Fault::no_such_overload()), None)
    }

    #[test]
    fn every_signature_of_every_table_can_be_read() {
        let wrong: Vec<String> = TABLES
            .iter()
            .flat_map(|table| table().functions)
            .filter_map(|declared| declared.err())
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn a_signature_is_a_name_parameters_and_a_result() {
        let (name, overload) = read("map(A, list(B)).f(optional(B), type(A)) -> int").unwrap();
        let (a, b) = (Type::Parameter(0), Type::Parameter(1));
        assert_eq!(name, "f");
        assert!(overload.member);
        assert_eq!(
            overload.parameters,
            [
                Type::map(a.clone(), Type::list(b.clone())),
                Type::optional(b),
                Type::Type(Some(a.into())),
            ]
        );
        assert_eq!(overload.result, Type::Int);
        assert_eq!(overload.type_parameters, 2);
    }

    #[test]
    fn a_namespace_is_part_of_the_name() {
        let (name, overload) = read("optional.none() -> optional(V)").unwrap();
        assert_eq!(name, "optional.none");
        assert!(!overload.member);
        assert!(overload.parameters.is_empty());
    }

    #[test]
    fn what_is_mistyped_is_told() {
        for (signature, part) in [
            ("f(int)", "f(int)"),
            ("f(int) > int", "f(int) > int"),
            ("f(int -> int", "f(int"),
            ("f -> int", "f"),
            ("f(integer) -> int", "integer"),
            ("f(int) -> integer", "integer"),
            ("f(list(integer)) -> int", "list(integer)"),
            ("f(list()) -> int", "list()"),
            ("f(map(int)) -> int", "map(int)"),
            ("f(array(int)) -> int", "array(int)"),
            ("array(int).f() -> int", "array(int)"),
            ("text.f() -> int", "text.f"),
        ] {
            let expected = format!("{signature}: {part:?} can't be read");
            assert_eq!(read(signature).err(), Some(expected), "{signature}");
        }
    }
}
