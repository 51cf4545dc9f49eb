//! Values that may be absent.

use super::arguments::{first, first_list};
use super::{Table, unreached};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::Value;
use crate::cel::value::display::go_value;

pub(super) fn table() -> Table {
    Table::default()
        .add("optional.none() -> optional(V)", |_, _| Ok(Value::Optional(None)))
        .add("optional.of(V) -> optional(V)", of)
        .add("optional.ofNonZeroValue(V) -> optional(V)", of_non_zero)
        .add("optional.unwrap(list(optional(V))) -> list(V)", unwrap)
        .add("list(optional(V)).unwrapOpt() -> list(V)", unwrap)
        .add("optional(V).hasValue() -> bool", has_value)
        .add("optional(V).value() -> V", value)
        // These evaluate their argument only where it is needed: steps of the program.
        .add("optional(V).or(optional(V)) -> optional(V)", unreached)
        .add("optional(V).orValue(V) -> V", unreached)
        .add("list(V).first() -> optional(V)", first_element)
        .add("list(V).last() -> optional(V)", last_element)
}

fn of<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    first(arguments).cloned().map(Value::some)
}

fn of_non_zero<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let value = first(arguments)?;
    let is_zero = match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(nanos) => *nanos == 0,
        Value::Timestamp(time) => time.is_zero(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Type(_) | Value::Optional(_) | Value::Kubernetes(_) => false,
    };
    Ok(if is_zero { Value::Optional(None) } else { Value::some(value.clone()) })
}

fn unwrap<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let list = first_list(arguments)?;
    meter.allocate(list.len() * size_of::<Value<'_>>())?;
    let mut present = Vec::new();
    for element in list.iter() {
        match element {
            // What was lost is told of when it is read out of the list.
            Value::Optional(Some(value)) => present.push((*value).clone()),
            Value::Optional(None) => {}
            other => {
                return Err(Fault::error(format!("value {} is not optional", go_value(&other))));
            }
        }
    }
    Ok(Value::list(present))
}

fn has_value<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(matches!(arguments, [Value::Optional(Some(_))])))
}

fn value<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Optional(Some(value))] => value.found(),
        _ => Err(Fault::error("optional.none() dereference")),
    }
}

fn end<'a>(
    arguments: &[Value<'a>],
    index: impl Fn(usize) -> Option<usize>,
) -> Result<Value<'a>, Fault> {
    let list = first_list(arguments)?;
    let element = index(list.len()).and_then(|index| list.get(index));
    Ok(element.map_or(Value::Optional(None), Value::some))
}

fn first_element<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    end(arguments, |_| Some(0))
}

fn last_element<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    end(arguments, |length| length.checked_sub(1))
}
