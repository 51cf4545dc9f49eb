//! Conversions between types.

use super::arguments::first;
use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::display::{go_double, go_plain_double};
use crate::cel::value::time::{duration_seconds, parse_duration};
use crate::cel::value::{Timestamp, Value};

pub(super) fn table() -> Table {
    Table::default()
        .add("bool(bool) -> bool", same)
        .add("bool(string) -> bool", bool_of)
        .add("bytes(bytes) -> bytes", same)
        .priced("bytes(string) -> bytes", bytes_of, cost::walk_first)
        .add("double(double) -> double", same)
        .add("double(int) -> double", double_of)
        .add("double(string) -> double", double_of)
        .add("double(uint) -> double", double_of)
        .add("duration(duration) -> duration", same)
        .add("duration(int) -> duration", duration_of)
        .add("duration(string) -> duration", duration_of)
        .add("dyn(A) -> dyn", same)
        .add("int(int) -> int", same)
        .add("int(double) -> int", int_of)
        .add("int(duration) -> int", int_of)
        .add("int(string) -> int", int_of)
        .add("int(timestamp) -> int", int_of)
        .add("int(uint) -> int", int_of)
        .add("string(string) -> string", same)
        .add("string(bool) -> string", string_of)
        .priced("string(bytes) -> string", string_of, cost::walk_first)
        .add("string(double) -> string", string_of)
        .add("string(duration) -> string", string_of)
        .add("string(int) -> string", string_of)
        .add("string(timestamp) -> string", string_of)
        .add("string(uint) -> string", string_of)
        .add("string(IP) -> string", string_of)
        .add("string(CIDR) -> string", string_of)
        .add("timestamp(timestamp) -> timestamp", same)
        .add("timestamp(int) -> timestamp", timestamp_of)
        .add("timestamp(string) -> timestamp", timestamp_of)
        .add("type(A) -> type(A)", type_of)
        .add("uint(uint) -> uint", same)
        .add("uint(double) -> uint", uint_of)
        .add("uint(int) -> uint", uint_of)
        .add("uint(string) -> uint", uint_of)
}

/// Whether a function converts its argument: of a constant that is done when compiling.
pub(in crate::cel) fn is_conversion(name: &str) -> bool {
    matches!(
        name,
        "bool"
            | "bytes"
            | "double"
            | "duration"
            | "dyn"
            | "int"
            | "string"
            | "timestamp"
            | "type"
            | "uint"
    )
}

/// cel-go's error where a text does not read as the type that is wanted.
fn failed(from: &Value<'_>, to: &str) -> Fault {
    Fault::error(format!("type conversion error from '{}' to '{to}'", from.type_name()))
}

fn same<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    first(arguments).cloned()
}

fn type_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Type(first(arguments)?.type_name()))
}

fn bool_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match first(arguments)? {
        Value::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(failed(&Value::String(text.clone()), "bool")),
        },
        other => Err(failed(other, "bool")),
    }
}

fn bytes_of<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match first(arguments)? {
        Value::String(text) => {
            meter.allocate(text.len())?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        other => Err(failed(other, "bytes")),
    }
}

fn double_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match first(arguments)? {
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Uint(value) => Ok(Value::Double(*value as f64)),
        value @ Value::String(text) => {
            parse_double(text).map(Value::Double).ok_or_else(|| failed(value, "double"))
        }
        other => Err(failed(other, "double")),
    }
}

/// Go's `strconv.ParseFloat`: decimals, hexadecimals with an exponent, underscores between digits,
/// and names of what is no number.
fn parse_double(text: &str) -> Option<f64> {
    if text.contains('_') {
        let parts: Vec<&str> = text.split('_').collect();
        let is_between = parts.windows(2).all(|pair| {
            let [before, after] = pair else { return false };
            let after_prefix = matches!(before.trim_start_matches(['+', '-']), "0x" | "0X");
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit());
            (digit(before.chars().next_back()) || after_prefix) && digit(after.chars().next())
        });
        return is_between.then(|| parse_double(&parts.concat())).flatten();
    }
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let magnitude = if digits.eq_ignore_ascii_case("inf") || digits.eq_ignore_ascii_case("infinity")
    {
        f64::INFINITY
    } else if text.eq_ignore_ascii_case("nan") {
        f64::NAN
    } else if let Some(hexadecimal) =
        digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))
    {
        parse_hexadecimal(hexadecimal)?
    } else {
        let starts_well = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        // Out of range is an error in Go, and infinity in Rust.
        starts_well.then(|| digits.parse::<f64>().ok()).flatten().filter(|n| n.is_finite())?
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 =
        exponent.parse().unwrap_or(if exponent.starts_with('-') { -100_000 } else { 100_000 });
    // 15 hexadecimal digits are more than a double holds; a bit for the rest rounds right.
    let mut number: u128 = 0;
    let mut shift: i64 = 0;
    let mut rest = false;
    for (digit, is_fraction) in
        whole.chars().map(|c| (c, false)).chain(fraction.chars().map(|c| (c, true)))
    {
        let digit = u128::from(digit.to_digit(16)?);
        if number < 1 << 100 {
            number = number * 16 + digit;
            shift -= if is_fraction { 4 } else { 0 };
        } else {
            rest |= digit != 0;
            shift += if is_fraction { 0 } else { 4 };
        }
    }
    let value = (number | u128::from(rest)) as f64;
    let power = i32::try_from((exponent.clamp(-100_000, 100_000) + shift).clamp(-20_000, 20_000));
    let power = power.ok()?;
    // In two steps, as 2^-1074 itself is no normal number.
    let half = power / 2;
    let result = value * 2.0_f64.powi(half) * 2.0_f64.powi(power - half);
    result.is_finite().then_some(result)
}

fn duration_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match first(arguments)? {
        value @ Value::String(text) => parse_duration(text)
            .map(Value::Duration)
            .ok_or_else(|| failed(value, "google.protobuf.Duration")),
        // That of an int is declared, but cel-go has no implementation of it.
        other => Err(failed(other, "google.protobuf.Duration")),
    }
}

fn timestamp_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match first(arguments)? {
        Value::Int(seconds) => Timestamp::from_seconds(*seconds).map(Value::Timestamp),
        value @ Value::String(text) => Timestamp::parse(text)?
            .map(Value::Timestamp)
            .ok_or_else(|| failed(value, "google.protobuf.Timestamp")),
        other => Err(failed(other, "google.protobuf.Timestamp")),
    }
}

fn int_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let overflow = || Fault::error("integer overflow");
    match first(arguments)? {
        Value::Uint(value) => i64::try_from(*value).map(Value::Int).map_err(|_| overflow()),
        Value::Double(value) => {
            // Both ends are left out: 2^63 does not fit, and its negative cel-go refuses too.
            let limit = 9_223_372_036_854_775_808.0;
            let fits = *value > -limit && *value < limit;
            fits.then_some(Value::Int(*value as i64)).ok_or_else(overflow)
        }
        Value::Duration(nanos) => Ok(Value::Int(*nanos)),
        Value::Timestamp(time) => Ok(Value::Int(time.seconds())),
        value @ Value::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = all.then(|| text.parse().ok()).flatten();
            number.map(Value::Int).ok_or_else(|| failed(value, "int"))
        }
        other => Err(failed(other, "int")),
    }
}

fn uint_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let overflow = || Fault::error("unsigned integer overflow");
    match first(arguments)? {
        Value::Int(value) => u64::try_from(*value).map(Value::Uint).map_err(|_| overflow()),
        Value::Double(value) => {
            let fits = *value >= 0.0 && *value < 18_446_744_073_709_551_616.0;
            fits.then_some(Value::Uint(*value as u64)).ok_or_else(overflow)
        }
        value @ Value::String(text) => {
            let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = all.then(|| text.parse().ok()).flatten();
            number.map(Value::Uint).ok_or_else(|| failed(value, "uint"))
        }
        other => Err(failed(other, "uint")),
    }
}

fn string_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    text_of(first(arguments)?).map(Value::string)
}

/// The text of a value, of those that `string()` takes.
pub(super) fn text_of(value: &Value<'_>) -> Result<String, Fault> {
    Ok(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => go_double(*value),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec())
            .map_err(|_| Fault::error("invalid UTF-8 in bytes, cannot convert to string"))?,
        Value::Duration(nanos) => format!("{}s", go_plain_double(duration_seconds(*nanos))),
        Value::Timestamp(time) => time.rfc3339(),
        Value::Type(name) => (*name).to_owned(),
        Value::Kubernetes(value) => value.text(),
        other => return Err(failed(other, "string")),
    })
}
