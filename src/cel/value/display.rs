//! Values as text: in error messages, as Go's `%v` writes them, and for people at a desk.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::time::{duration_seconds, go_duration};
use super::{Json, List, Value};
pub(in crate::cel) use crate::cel::kubernetes::quote as go_quote;

/// The text of a double as Go's `%g` writes it: the shortest that reads back the same.
pub(in crate::cel) fn go_double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = shortest(number);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The shortest decimal that reads back as `number`; of two that are as short and as near, the even
/// one, which is not what Rust's own formatting takes.
fn shortest(number: f64) -> String {
    let text = format!("{number:e}");
    let digits = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{number:.*e}", digits.saturating_sub(1));
    if rounded.parse() == Ok(number) { rounded } else { text }
}

/// `strconv.FormatFloat(number, 'f', -1, 64)`: the shortest without an exponent.
pub(in crate::cel) fn go_plain_double(number: f64) -> String {
    if number.is_finite() { format!("{number}") } else { go_double(number) }
}

/// What Go's `%v` writes for a value, as error texts have it.
pub(in crate::cel) fn go_value(value: &Value<'_>) -> String {
    let mut text = String::new();
    write_go(&mut text, value);
    text
}

/// Error texts are cut somewhere; nobody reads a megabyte of a map in one.
const MAX_TEXT: usize = 65_536;

fn write_go(text: &mut String, value: &Value<'_>) {
    if text.len() > MAX_TEXT {
        return;
    }
    match value {
        Value::Null => text.push('0'),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => _ = write!(text, "{value}"),
        Value::Uint(value) => _ = write!(text, "{value}"),
        Value::Double(value) => text.push_str(&go_double(*value)),
        Value::String(value) => text.push_str(value),
        Value::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
            _ = write!(text, "[{}]", numbers.join(" "));
        }
        Value::Duration(nanos) => text.push_str(&go_duration(*nanos)),
        Value::Timestamp(time) => text.push_str(&time.go_string()),
        Value::Type(name) => text.push_str(name),
        Value::Optional(None) => text.push_str("optional.none()"),
        Value::Optional(Some(value)) => {
            text.push_str("optional(");
            write_go(text, value);
            text.push(')');
        }
        Value::List(list) => {
            text.push('[');
            let mut separator = "";
            let mut write = |element: &dyn Fn(&mut String)| {
                text.push_str(std::mem::replace(&mut separator, ", "));
                element(text);
            };
            match list {
                List::Json(elements) => {
                    elements.iter().for_each(|json| write(&|text| write_native(text, json)));
                }
                other => other.iter().for_each(|value| write(&|text| write_go(text, &value))),
            }
            text.push(']');
        }
        Value::Map(map) => {
            text.push('{');
            for (number, (key, value)) in map.iter().enumerate() {
                if number > 0 {
                    text.push_str(", ");
                }
                write_go(text, &key);
                text.push_str(": ");
                write_go(text, &value);
            }
            text.push('}');
        }
        Value::Kubernetes(value) => text.push_str(&value.text()),
    }
}

/// What Go's `%v` writes for what a list of the request has in it: cel-go makes no values of that.
fn write_native(text: &mut String, json: &Json<'_>) {
    if text.len() > MAX_TEXT {
        return;
    }
    match json {
        Json::Null => text.push_str("<nil>"),
        Json::List(elements) => {
            text.push('[');
            for (number, element) in elements.iter().enumerate() {
                if number > 0 {
                    text.push(' ');
                }
                write_native(text, element);
            }
            text.push(']');
        }
        Json::Map(object) => {
            text.push_str("map[");
            for (number, (key, value)) in BTreeMap::from_iter(object.iter()).iter().enumerate() {
                if number > 0 {
                    text.push(' ');
                }
                text.push_str(key);
                text.push(':');
                write_native(text, value);
            }
            text.push(']');
        }
        plain => write_go(text, &Value::from(plain)),
    }
}

/// A value as one would write it in an expression: what `portreeve cel` prints.
pub(in crate::cel) fn literal(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => {
            let text = go_double(*value);
            match text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
                true => format!("{text}.0"),
                false if value.is_finite() => text,
                false => format!("double({})", go_quote(&text)),
            }
        }
        Value::String(text) => go_quote(&**text),
        Value::Bytes(bytes) => {
            let text: String = bytes
                .iter()
                .flat_map(|byte| std::ascii::escape_default(*byte))
                .map(char::from)
                .collect();
            format!("b\"{text}\"")
        }
        Value::Duration(nanos) => {
            format!("duration(\"{}s\")", go_plain_double(duration_seconds(*nanos)))
        }
        Value::Timestamp(time) => format!("timestamp(\"{}\")", time.rfc3339()),
        Value::Optional(Some(value)) => format!("optional.of({})", literal(value)),
        Value::List(list) => {
            let elements: Vec<String> = list.iter().map(|element| literal(&element)).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Map(map) => {
            let mut entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", literal(&key), literal(&value)))
                .collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Kubernetes(value) => value.literal(),
        _ => go_value(value),
    }
}

/// A value as JSON, where JSON can say it; anything else by its text.
pub(in crate::cel) fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null | Value::Optional(None) => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Double(value) => serde_json::Number::from_f64(*value)
            .map_or_else(|| go_double(*value).into(), serde_json::Value::Number),
        Value::String(text) => text.to_string().into(),
        Value::Optional(Some(value)) => json(value),
        Value::List(list) => list.iter().map(|element| json(&element)).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (go_value(&key), json(&value))).collect(),
        Value::Timestamp(time) => time.rfc3339().into(),
        Value::Duration(nanos) => format!("{}s", go_plain_double(duration_seconds(*nanos))).into(),
        Value::Bytes(_) => literal(value).into(),
        Value::Type(name) => (*name).into(),
        Value::Kubernetes(value) => value.text().into(),
    }
}
