//! `string.format`: clauses as C has them, and numbers with a comma between thousands. The checker
//! takes formats apart with the same parser, as far as they are literals.

use super::convert::text_of;
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::display::{go_quote, go_value};
use crate::cel::value::{List, Value};

/// What a clause asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cel) enum Clause {
    String,
    Decimal,
    Fixed(usize),
    Scientific(usize),
    Binary,
    Hex { upper: bool },
    Octal,
}

const DEFAULT_PRECISION: usize = 6;

/// A piece of a format: text as it is, or the place of an argument.
pub(in crate::cel) enum Piece<'f> {
    Text(&'f str),
    Argument(usize, Result<Clause, String>),
}

/// Takes a format apart; ends with an error where it can't go on.
pub(in crate::cel) struct Pieces<'f> {
    format: &'f str,
    arguments: usize,
    taken: usize,
}

impl<'f> Iterator for Pieces<'f> {
    type Item = Result<Piece<'f>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.format.is_empty() {
            return None;
        }
        let next = self.next_piece();
        if next.is_err() {
            self.format = "";
        }
        Some(next)
    }
}

impl<'f> Pieces<'f> {
    /// Of a format that is given so many arguments.
    pub(in crate::cel) fn new(format: &'f str, arguments: usize) -> Self {
        Self { format, arguments, taken: 0 }
    }

    fn next_piece(&mut self) -> Result<Piece<'f>, String> {
        let Some(rest) = self.format.strip_prefix('%') else {
            let end = self.format.find('%').unwrap_or(self.format.len());
            let (text, rest) = self.format.split_at(end);
            self.format = rest;
            return Ok(Piece::Text(text));
        };
        if let Some(rest) = rest.strip_prefix('%') {
            self.format = rest;
            return Ok(Piece::Text("%"));
        }
        if rest.is_empty() {
            return Err("unexpected end of string".to_owned());
        }
        if self.taken >= self.arguments {
            return Err(format!("index {} out of range", self.taken));
        }
        let index = self.taken;
        self.taken += 1;
        let clause = match parse_clause(rest) {
            Ok((clause, rest)) => {
                self.format = rest;
                Ok(clause)
            }
            Err(why) => {
                self.format = "";
                Err(format!("could not parse formatting clause: {why}"))
            }
        };
        Ok(Piece::Argument(index, clause))
    }
}

fn parse_clause(text: &str) -> Result<(Clause, &str), String> {
    let (precision, rest) =
        parse_precision(text).map_err(|why| format!("error while parsing precision: {why}"))?;
    // cel-go reads a byte, and takes it for a character.
    let letter = rest.bytes().next().map_or('\0', char::from);
    let clause = match letter {
        's' => Clause::String,
        'd' => Clause::Decimal,
        'f' => Clause::Fixed(precision.unwrap_or(DEFAULT_PRECISION)),
        'e' => Clause::Scientific(precision.unwrap_or(DEFAULT_PRECISION)),
        'b' => Clause::Binary,
        'x' => Clause::Hex { upper: false },
        'X' => Clause::Hex { upper: true },
        'o' => Clause::Octal,
        _ => return Err(format!("unrecognized formatting clause \"{letter}\"")),
    };
    Ok((clause, rest.get(1..).unwrap_or("")))
}

fn parse_precision(text: &str) -> Result<(Option<usize>, &str), String> {
    let Some(rest) = text.strip_prefix('.') else { return Ok((None, text)) };
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .ok_or("could not find end of precision specifier")?;
    let (digits, rest) = rest.split_at(end);
    let why = match digits.parse::<i64>() {
        Ok(precision) => return Ok((Some(precision as usize), rest)),
        Err(_) if digits.is_empty() => "invalid syntax",
        Err(_) => "value out of range",
    };
    let digits = go_quote(digits);
    Err(format!(
        "error while converting precision to integer: strconv.Atoi: parsing {digits}: {why}"
    ))
}

pub(super) fn format<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::String(format), Value::List(values)] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let mut text = String::new();
    for piece in Pieces::new(format, values.len()) {
        match piece.map_err(Fault::error)? {
            Piece::Text(piece) => {
                meter.allocate(piece.len())?;
                text.push_str(piece);
            }
            Piece::Argument(index, clause) => {
                let clause = clause.map_err(Fault::error)?;
                let value = values.get(index).unwrap_or(Value::Null);
                let part = format_value(meter, clause, &value)?;
                meter.allocate(part.len())?;
                text.push_str(&part);
            }
        }
    }
    Ok(Value::string(text))
}

fn format_value(meter: &mut Meter, clause: Clause, value: &Value<'_>) -> Result<String, Fault> {
    let wrong = || Fault::error(refused(clause, value.type_name()));
    match (clause, value) {
        (Clause::String, value) => {
            string(value).map_err(|why| Fault::error(format!("error during formatting: {why}")))
        }
        (Clause::Decimal, Value::Int(number)) => Ok(number.to_string()),
        (Clause::Decimal, Value::Uint(number)) => Ok(number.to_string()),
        (Clause::Fixed(precision), value) => match floating(value) {
            Some(number) if number.is_finite() && is_too_large(precision) => Ok(NO_VERB.to_owned()),
            Some(number) => Ok(fixed(number, precision)),
            None => Err(wrong()),
        },
        (Clause::Scientific(width), value) => {
            let number = floating(value).ok_or_else(wrong)?;
            // What cel-go passes on as the precision is a width there.
            if is_too_large(width) {
                return Ok(NO_VERB.to_owned());
            }
            let text = scientific(number);
            // Go keeps sixteen bits of it.
            let padding = (width & 0xffff).saturating_sub(text.chars().count());
            meter.foresee(padding as u64)?;
            meter.allocate(padding)?;
            Ok(" ".repeat(padding) + &text)
        }
        (Clause::Binary, Value::Int(number)) => Ok(signed(*number, |n| format!("{n:b}"))),
        (Clause::Binary, Value::Uint(number)) => Ok(format!("{number:b}")),
        (Clause::Binary, Value::Bool(value)) => Ok(u8::from(*value).to_string()),
        (Clause::Octal, Value::Int(number)) => Ok(signed(*number, |n| format!("{n:o}"))),
        (Clause::Octal, Value::Uint(number)) => Ok(format!("{number:o}")),
        (Clause::Hex { upper }, value) => {
            let text = match value {
                Value::Int(number) => signed(*number, |n| format!("{n:x}")),
                Value::Uint(number) => format!("{number:x}"),
                Value::String(text) => hex(text.as_bytes()),
                Value::Bytes(bytes) => hex(bytes),
                _ => return Err(wrong()),
            };
            Ok(if upper { text.to_ascii_uppercase() } else { text })
        }
        _ => Err(wrong()),
    }
}

/// The error where a clause is given a value of a type that it does not take.
pub(in crate::cel) fn refused(clause: Clause, given: &str) -> String {
    format!("error during formatting: {}, was given {given}", only(clause))
}

/// Which values a clause takes, as its error says it.
fn only(clause: Clause) -> &'static str {
    match clause {
        Clause::String => {
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, \
             types, durations, and timestamps"
        }
        Clause::Decimal => "decimal clause can only be used on integers",
        Clause::Fixed(_) => "fixed-point clause can only be used on doubles",
        Clause::Scientific(_) => "scientific clause can only be used on doubles",
        Clause::Binary => "only integers and bools can be formatted as binary",
        Clause::Hex { .. } => "only integers, byte buffers, and strings can be formatted as hex",
        Clause::Octal => "octal clause can only be used on integers",
    }
}

fn signed(number: i64, format: impl Fn(u64) -> String) -> String {
    let digits = format(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A double, or the three names of what is no number.
fn floating(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// What Go makes of a format with a precision that it does not read to its end.
const NO_VERB: &str = "%!(NOVERB)";

/// Go reads no digit more of a number beyond a million.
fn is_too_large(precision: usize) -> bool {
    precision / 10 > 1_000_000
}

fn special(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        return Some("NaN");
    }
    number.is_infinite().then_some(if number > 0.0 { "\u{221e}" } else { "-\u{221e}" })
}

/// With a comma between thousands. Only the low byte of the precision counts, as in Go.
fn fixed(number: f64, precision: usize) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let precision = precision & 0xff;
    let text = format!("{:.precision$}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::with_capacity(text.len() * 4 / 3 + 2);
    if number < 0.0 {
        grouped.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// `1.234568×10⁰⁶`
fn scientific(number: f64) -> String {
    if let Some(text) = special(number) {
        return text.to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let text = format!("{:.6e}", number.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let minus = if exponent < 0 { "\u{207b}" } else { "" };
    let exponent: String =
        format!("{:02}", exponent.abs()).chars().filter_map(superscript).collect();
    format!("{sign}{digits}\u{d7}10{minus}{exponent}")
}

fn superscript(digit: char) -> Option<char> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    DIGITS.get(digit.to_digit(10)? as usize).copied()
}

fn string(value: &Value<'_>) -> Result<String, String> {
    match value {
        Value::List(list) => list_text(list),
        Value::Map(_) => nested(value),
        Value::Null => Ok("null".to_owned()),
        Value::Optional(_) | Value::Kubernetes(_) => {
            Err(format!("{}, was given {}", only(Clause::String), value.type_name()))
        }
        _ => text_of(value).map_err(|why| {
            format!("could not convert argument {} to string", go_quote(why.to_string()))
        }),
    }
}

fn list_text(list: &List<'_>) -> Result<String, String> {
    let elements: Result<Vec<String>, String> = list.iter().map(|e| nested(&e)).collect();
    Ok(format!("[{}]", elements?.join(", ")))
}

/// A value within a list or a map: as one would write it in an expression, nearly.
fn nested(value: &Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::Double(number) if number.is_finite() => format!("{number:.6}"),
        Value::Double(number) => go_quote(go_value(&Value::Double(*number))),
        Value::Timestamp(time) => format!("timestamp({})", go_quote(time.rfc3339())),
        Value::Duration(_) => format!("duration({})", go_quote(&string(value)?)),
        Value::String(text) => go_quote(&**text),
        Value::Bytes(_) => format!("b{}", go_quote(&string(value)?)),
        Value::List(list) => list_text(list)?,
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let key = match &key {
                    Value::String(text) => go_quote(&**text),
                    Value::Bool(_) | Value::Int(_) | Value::Uint(_) => go_value(&key),
                    _ => {
                        let name = key.type_name();
                        return Err(format!("no formatting function for map key of type {name}"));
                    }
                };
                entries.push((key, nested(&value)?));
            }
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let entries: Vec<String> =
                entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Optional(_) | Value::Kubernetes(_) => {
            return Err(format!("no formatting function for {}", value.type_name()));
        }
        _ => string(value)?,
    })
}
