//! What is left of the standard library: sizes and parts of strings.

use super::arguments::two_texts;
use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::Value;

pub(super) fn table() -> Table {
    Table::default()
        .singleton("size(bytes) -> int", size)
        .singleton("bytes.size() -> int", size)
        .singleton("size(list(A)) -> int", size)
        .singleton("list(A).size() -> int", size)
        .singleton("size(map(A, B)) -> int", size)
        .singleton("map(A, B).size() -> int", size)
        .singleton("size(string) -> int", size)
        .singleton("string.size() -> int", size)
        .priced_singleton("string.contains(string) -> bool", contains, cost::product_of_walks)
        .priced_singleton("string.endsWith(string) -> bool", ends_with, cost::walk_first)
        .priced_singleton("string.startsWith(string) -> bool", starts_with, cost::walk_first)
}

fn size<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [value @ (Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_))] => {
            Ok(Value::Int(value.size() as i64))
        }
        [Value::Timestamp(_) | Value::Duration(_)] => Err(Fault::no_such_overload()),
        _ => Err(Fault::error("no such overload: size")),
    }
}

fn contains<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    two_texts(arguments).map(|(text, part)| Value::Bool(text.contains(part)))
}

fn ends_with<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    two_texts(arguments).map(|(text, part)| Value::Bool(text.ends_with(part)))
}

fn starts_with<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    two_texts(arguments).map(|(text, part)| Value::Bool(text.starts_with(part)))
}
