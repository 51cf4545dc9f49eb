//! What can be told of literals before anything is evaluated; cel-go's validators
//! (`cel/validator.go`, `ext/formatting.go`).

use super::Checked;
use super::formats::{FormatArgument, check_format};
use crate::cel::error::Mistake;
use crate::cel::regex::{Error, Regex};
use crate::cel::syntax::{Call, Element, Entry, Kind, Node, Position};
use crate::cel::types::Type;
use crate::cel::value::time::parse_duration;
use crate::cel::value::{Timestamp, Value};

/// All mistakes in the literals of a tree whose types are right.
pub(super) fn check(root: &Node, checked: &Checked) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    visit(root, checked, false, &mut mistakes);
    mistakes
}

fn complain(mistakes: &mut Vec<Mistake>, at: Position, message: String) {
    mistakes.push(Mistake { line: at.line, column: at.column, message, hint: None });
}

/// `in_format`: within the arguments of `format`, lists may be of mixed types.
fn visit(node: &Node, checked: &Checked, in_format: bool, mistakes: &mut Vec<Mistake>) {
    let mut in_format = in_format;
    match &node.kind {
        Kind::Call(call) => {
            check_argument(call, mistakes);
            in_format |= call.function == "format";
            if call.function == "format" {
                check_format_call(node, call, checked, mistakes);
            }
        }
        Kind::List(elements) if !in_format => check_list(elements, checked, mistakes),
        Kind::Map(entries) if !in_format => check_map(entries, checked, mistakes),
        _ => {}
    }
    for child in node.children() {
        visit(child, checked, in_format, mistakes);
    }
}

/// The first argument in parentheses, of the three functions that are looked at. Of the global
/// `matches` that is the text and not the pattern; cel-go looks at it all the same.
fn check_argument(call: &Call, mistakes: &mut Vec<Mistake>) {
    let Some(Node { kind: Kind::Literal(value, _), at, .. }) = call.arguments.first() else {
        return;
    };
    if let ("matches", Value::String(pattern)) = (call.function.as_str(), value) {
        match Regex::new(pattern) {
            Ok(_) => {}
            Err(Error::Syntax { .. }) => {
                complain(mistakes, *at, "invalid matches argument".to_owned())
            }
            // A limit that is ours alone.
            Err(error) => complain(mistakes, *at, error.to_string()),
        }
        return;
    }
    let is_valid = match (call.function.as_str(), value) {
        ("duration", Value::String(text)) => parse_duration(text).is_some(),
        ("duration", Value::Int(_)) | ("duration" | "timestamp", Value::Null) => false,
        ("timestamp", Value::String(text)) => matches!(Timestamp::parse(text), Ok(Some(_))),
        ("timestamp", Value::Int(seconds)) => Timestamp::from_seconds(*seconds).is_ok(),
        _ => true,
    };
    if !is_valid {
        complain(mistakes, *at, format!("invalid {} argument", call.function));
    }
}

fn unwrapped(optional: bool, type_: &Type) -> &Type {
    match type_ {
        Type::Optional(inner) if optional => inner,
        other => other,
    }
}

fn mismatch(mistakes: &mut Vec<Mistake>, node: &Node, expected: &Type, found: &Type) {
    let (expected, found) = (expected.in_errors(), found.in_errors());
    complain(mistakes, node.at, format!("expected type '{expected}' but found '{found}'"));
}

/// The API server itself fails where `?` stands before what is not known to be an optional.
fn check_optional(optional: bool, node: &Node, checked: &Checked, mistakes: &mut Vec<Mistake>) {
    let type_ = checked.type_of(node);
    if optional && !matches!(type_, Type::Optional(_)) {
        mismatch(mistakes, node, &Type::optional(type_.clone()), type_);
    }
}

fn check_list(elements: &[Element], checked: &Checked, mistakes: &mut Vec<Mistake>) {
    for element in elements {
        check_optional(element.optional, &element.value, checked, mistakes);
    }
    let type_of =
        |element: &Element| unwrapped(element.optional, checked.type_of(&element.value)).clone();
    let Some(first) = elements.first().map(type_of) else { return };
    for element in elements {
        let type_ = type_of(element);
        if !first.is_equivalent(&type_) {
            mismatch(mistakes, &element.value, &first, &type_);
            return;
        }
    }
}

fn check_map(entries: &[Entry], checked: &Checked, mistakes: &mut Vec<Mistake>) {
    let types_of = |entry: &Entry| {
        let value = unwrapped(entry.optional, checked.type_of(&entry.value)).clone();
        (checked.type_of(&entry.key).clone(), value)
    };
    let Some((key, value)) = entries.first().map(types_of) else { return };
    for entry in entries {
        check_optional(entry.optional, &entry.value, checked, mistakes);
    }
    for entry in entries {
        let (key_type, value_type) = types_of(entry);
        if !key.is_equivalent(&key_type) {
            mismatch(mistakes, &entry.key, &key, &key_type);
        }
        if !value.is_equivalent(&value_type) {
            mismatch(mistakes, &entry.value, &value, &value_type);
        }
    }
}

fn check_format_call(node: &Node, call: &Call, checked: &Checked, mistakes: &mut Vec<Mistake>) {
    let Some(Node { kind: Kind::Literal(Value::String(format), _), .. }) = call.target.as_deref()
    else {
        return;
    };
    let [Node { kind: Kind::List(elements), .. }] = call.arguments.as_slice() else { return };
    let arguments: Vec<_> =
        elements.iter().map(|element| format_argument(&element.value, checked)).collect();
    if let Err((place, message)) = check_format(format, &arguments) {
        complain(mistakes, place.unwrap_or(node.at), message);
    }
}

fn format_argument<'c>(node: &Node, checked: &'c Checked) -> FormatArgument<'c> {
    let parts = match &node.kind {
        Kind::List(_) | Kind::Map(_) => node.children(),
        _ => Vec::new(),
    };
    FormatArgument {
        type_: checked.type_of(node),
        at: node.at,
        parts: parts.into_iter().map(|part| format_argument(part, checked)).collect(),
    }
}
