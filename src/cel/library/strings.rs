//! cel-go's functions of strings, version 2. Places are counted in characters.

use super::arguments::first_text;
use super::{Table, cost, string_format};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::Value;
use crate::cel::value::display::go_value;

pub(super) fn table() -> Table {
    Table::default()
        .add("string.charAt(int) -> string", char_at)
        .named("string.indexOf(string) -> int", index_of, cost::deep_walk)
        .named("string.indexOf(string, int) -> int", index_of, cost::deep_walk)
        .named("string.lastIndexOf(string) -> int", last_index_of, cost::deep_walk)
        .named("string.lastIndexOf(string, int) -> int", last_index_of, cost::deep_walk)
        .named("string.lowerAscii() -> string", lower, cost::walk_first)
        .named("string.upperAscii() -> string", upper, cost::walk_first)
        .named("string.replace(string, string) -> string", replace, cost::walk_twice)
        .named("string.replace(string, string, int) -> string", replace, cost::walk_twice)
        .named("string.split(string) -> list(string)", split, cost::walk_twice)
        .named("string.split(string, int) -> list(string)", split, cost::walk_twice)
        .named("string.substring(int) -> string", substring, cost::walk_first)
        .named("string.substring(int, int) -> string", substring, cost::walk_first)
        .named("string.trim() -> string", trim, cost::walk_first)
        .priced("string.format(list(dyn)) -> string", string_format::format, cost::walk_first)
        .priced("strings.quote(string) -> string", quote, cost::walk_first)
        .named("list(string).join() -> string", join, cost::walk_result_twice)
        .named("list(string).join(string) -> string", join, cost::walk_result_twice)
}

fn out_of_range(index: i64) -> Fault {
    Fault::error(format!("index out of range: {index}"))
}

fn made<'a>(meter: &mut Meter, text: String) -> Result<Value<'a>, Fault> {
    meter.allocate(text.len())?;
    Ok(Value::string(text))
}

fn char_at<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::String(text), Value::Int(index)] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let place = usize::try_from(*index).map_err(|_| out_of_range(*index))?;
    match text.chars().nth(place) {
        Some(character) => made(meter, character.to_string()),
        None if text.chars().count() == place => Ok(Value::string("")),
        None => Err(out_of_range(*index)),
    }
}

/// Where a character begins, in bytes; the end, where there is none.
fn start_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// The number of the character that begins at a byte.
fn character_at(text: &str, byte: usize) -> i64 {
    text.get(..byte).map_or(0, |before| before.chars().count() as i64)
}

fn index_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, part, offset) = match arguments {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(offset)] => (text, part, *offset),
        _ => return Err(Fault::no_such_overload()),
    };
    if part.is_empty() {
        return Ok(Value::Int(offset));
    }
    let from = start_of(text, usize::try_from(offset).map_err(|_| out_of_range(offset))?);
    let found = text.get(from..).and_then(|rest| rest.find(&**part));
    Ok(Value::Int(found.map_or(-1, |at| character_at(text, from + at))))
}

fn last_index_of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, part, offset) = match arguments {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(offset)] => {
            (text, part, Some(*offset))
        }
        _ => return Err(Fault::no_such_overload()),
    };
    let length = text.chars().count() as i64;
    if part.is_empty() {
        return Ok(Value::Int(offset.unwrap_or(length)));
    }
    let offset = match offset {
        Some(offset) => offset,
        None if text.len() < part.len() => return Ok(Value::Int(-1)),
        None => length - 1,
    };
    let last = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    if offset >= length {
        return Ok(Value::Int(-1));
    }
    // One that begins there or before ends within this.
    let end = start_of(text, last + part.chars().count());
    let found = text.get(..end).and_then(|text| text.rfind(&**part));
    Ok(Value::Int(found.map_or(-1, |at| character_at(text, at))))
}

fn lower<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    made(meter, first_text(arguments)?.to_ascii_lowercase())
}

fn upper<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    made(meter, first_text(arguments)?.to_ascii_uppercase())
}

fn trim<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    made(meter, first_text(arguments)?.trim().to_owned())
}

fn replace<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, old, new, count) = match arguments {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, -1),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(count)] => {
            (text, old, new, *count)
        }
        _ => return Err(Fault::no_such_overload()),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let found = text.matches(&**old).take(count).count();
    meter.allocate(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(Value::string(text.replacen(&**old, new, count)))
}

fn split<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, separator, count) = match arguments {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(count)] => {
            (text, separator, *count)
        }
        _ => return Err(Fault::no_such_overload()),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut parts: Vec<Value<'a>> = Vec::new();
    let mut push = |part: &str| {
        meter.allocate(size_of::<Value<'_>>() + part.len())?;
        parts.push(Value::string(part));
        Ok(())
    };
    match count {
        0 => {}
        // By nothing: into characters, of which the last has what is left.
        _ if separator.is_empty() => {
            let mut rest: &str = text;
            let mut taken = 1;
            while let Some(character) = rest.chars().next() {
                let (part, after) = match taken < count {
                    true => rest.split_at(character.len_utf8()),
                    false => (rest, ""),
                };
                push(part)?;
                rest = after;
                taken += 1;
            }
        }
        _ => text.splitn(count, &**separator).try_for_each(&mut push)?,
    }
    Ok(Value::list(parts))
}

fn substring<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (text, start, end) = match arguments {
        [Value::String(text), Value::Int(start)] => (text, *start, None),
        [Value::String(text), Value::Int(start), Value::Int(end)] => (text, *start, Some(*end)),
        _ => return Err(Fault::no_such_overload()),
    };
    let length = text.chars().count() as i64;
    if let Some(end) = end
        && start > end
    {
        return Err(Fault::error(format!("invalid substring range. start: {start}, end: {end}")));
    }
    if !(0..=length).contains(&start) {
        return Err(out_of_range(start));
    }
    let end = end.unwrap_or(length);
    if !(0..=length).contains(&end) {
        return Err(out_of_range(end));
    }
    let part = text.chars().skip(start as usize).take((end - start) as usize).collect();
    made(meter, part)
}

fn join<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (list, separator) = match arguments {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, &**separator),
        _ => return Err(Fault::no_such_overload()),
    };
    let mut text = String::new();
    for (number, element) in list.iter().enumerate() {
        let Value::String(part) = &element else {
            return Err(Fault::error(format!("join: invalid input: {}", go_value(&element))));
        };
        meter.allocate(separator.len() + part.len())?;
        if number > 0 {
            text.push_str(separator);
        }
        text.push_str(part);
    }
    Ok(Value::string(text))
}

fn quote<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let text = first_text(arguments)?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    made(meter, quoted)
}
