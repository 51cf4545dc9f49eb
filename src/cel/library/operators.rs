//! The operators. cel-go asks the left operand whether it can do what is asked of it, and then
//! whether it can do so with the right one; what is wrong is worded accordingly.

use std::sync::Arc;

use super::arguments::two;
use super::{Table, cost, unreached};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::compare::{equal, is_ordered, order};
use crate::cel::value::{Key, List, Map, Value};

pub(super) fn table() -> Table {
    let mut table = Table::default()
        .singleton("_?_:_(bool, A, A) -> A", unreached)
        .singleton("_&&_(bool, bool) -> bool", unreached)
        .singleton("_||_(bool, bool) -> bool", unreached)
        .singleton("cel.@mapInsert(map(K, V), K, V) -> map(K, V)", unreached)
        .singleton("cel.@mapInsert(map(K, V), map(K, V)) -> map(K, V)", unreached)
        .singleton("_==_(A, A) -> bool", unreached)
        .singleton("_!=_(A, A) -> bool", unreached)
        .singleton("_[_](list(A), int) -> A", unreached)
        .singleton("_[_](map(A, B), A) -> B", unreached)
        .singleton("_[_](optional(list(V)), int) -> optional(V)", unreached)
        .singleton("_[_](optional(map(K, V)), K) -> optional(V)", unreached)
        .singleton("_[?_](list(V), int) -> optional(V)", unreached)
        .singleton("_[?_](optional(list(V)), int) -> optional(V)", unreached)
        .singleton("_[?_](map(K, V), K) -> optional(V)", unreached)
        .singleton("_[?_](optional(map(K, V)), K) -> optional(V)", unreached)
        .singleton("!_(bool) -> bool", not)
        .singleton("-_(double) -> double", negate)
        .singleton("-_(int) -> int", negate)
        .priced_singleton("@in(A, list(A)) -> bool", is_in_call, cost::size_of_second)
        .singleton("@in(A, map(A, B)) -> bool", is_in_call)
        .priced_singleton("_+_(bytes, bytes) -> bytes", plus, cost::walk_both)
        .singleton("_+_(double, double) -> double", plus)
        .singleton("_+_(duration, duration) -> duration", plus)
        .singleton("_+_(duration, timestamp) -> timestamp", plus)
        .singleton("_+_(timestamp, duration) -> timestamp", plus)
        .singleton("_+_(int, int) -> int", plus)
        .singleton("_+_(list(A), list(A)) -> list(A)", plus)
        .priced_singleton("_+_(string, string) -> string", plus, cost::walk_both)
        .singleton("_+_(uint, uint) -> uint", plus)
        .singleton("_-_(double, double) -> double", minus)
        .singleton("_-_(duration, duration) -> duration", minus)
        .singleton("_-_(int, int) -> int", minus)
        .singleton("_-_(timestamp, duration) -> timestamp", minus)
        .singleton("_-_(timestamp, timestamp) -> duration", minus)
        .singleton("_-_(uint, uint) -> uint", minus)
        .singleton("_*_(double, double) -> double", times)
        .singleton("_*_(int, int) -> int", times)
        .singleton("_*_(uint, uint) -> uint", times)
        .singleton("_/_(double, double) -> double", divided)
        .singleton("_/_(int, int) -> int", divided)
        .singleton("_/_(uint, uint) -> uint", divided)
        .singleton("_%_(int, int) -> int", modulo)
        .singleton("_%_(uint, uint) -> uint", modulo);
    for (name, run) in COMPARISONS {
        for signature in name {
            table = match signature.contains("string") || signature.contains("bytes") {
                true => table.priced_singleton(signature, run, cost::walk_shorter),
                false => table.singleton(signature, run),
            };
        }
    }
    table
}

/// The signatures of a comparison: values of one type, and all numbers with one another.
macro_rules! comparison {
    ($operator:literal) => {
        [
            concat!($operator, "(bool, bool) -> bool"),
            concat!($operator, "(int, int) -> bool"),
            concat!($operator, "(int, double) -> bool"),
            concat!($operator, "(int, uint) -> bool"),
            concat!($operator, "(uint, uint) -> bool"),
            concat!($operator, "(uint, double) -> bool"),
            concat!($operator, "(uint, int) -> bool"),
            concat!($operator, "(double, double) -> bool"),
            concat!($operator, "(double, int) -> bool"),
            concat!($operator, "(double, uint) -> bool"),
            concat!($operator, "(string, string) -> bool"),
            concat!($operator, "(bytes, bytes) -> bool"),
            concat!($operator, "(timestamp, timestamp) -> bool"),
            concat!($operator, "(duration, duration) -> bool"),
        ]
    };
}

const COMPARISONS: [([&str; 14], super::Run); 4] = [
    (comparison!("_<_"), less),
    (comparison!("_<=_"), less_or_equal),
    (comparison!("_>_"), greater),
    (comparison!("_>=_"), greater_or_equal),
];

/// The left operand can't do `operator` with anything.
fn cannot(operator: &'static str, left: &Value<'_>) -> Fault {
    match left {
        // These answer for themselves in cel-go, and name no operator.
        Value::String(_) | Value::Timestamp(_) | Value::Duration(_) => Fault::no_such_overload(),
        _ => Fault::error(format!("no such overload: {operator}")),
    }
}

fn int_overflow() -> Fault {
    Fault::error("integer overflow")
}

fn uint_overflow() -> Fault {
    Fault::error("unsigned integer overflow")
}

fn not<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Bool(value)] => Ok(Value::Bool(!value)),
        _ => Err(Fault::no_such_overload()),
    }
}

fn negate<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Int(value)] => value.checked_neg().map(Value::Int).ok_or_else(int_overflow),
        [Value::Double(value)] => Ok(Value::Double(-value)),
        [Value::Duration(nanos)] => {
            nanos.checked_neg().map(Value::Duration).ok_or_else(int_overflow)
        }
        [Value::Bool(_)] => Err(Fault::no_such_overload()),
        [other] => Err(cannot("-_", other)),
        _ => Err(Fault::no_such_overload()),
    }
}

fn is_in_call<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (element, container) = two(arguments)?;
    is_in(meter, element, container).map(Value::Bool)
}

/// Whether a list has an element, or a map a key.
pub(super) fn is_in(
    meter: &mut Meter,
    element: &Value<'_>,
    container: &Value<'_>,
) -> Result<bool, Fault> {
    match container {
        Value::List(list) => Ok(list.iter().any(|member| equal(meter, element, &member))),
        Value::Map(Map::Json(object)) => {
            Ok(matches!(element, Value::String(key) if object.get(key).is_some()))
        }
        // An empty one is not asked.
        Value::Map(map) if map.is_empty() => Ok(false),
        Value::Map(map) => Ok(map.at(&Key::new(element)?).is_some()),
        _ => Err(Fault::no_such_overload()),
    }
}

fn plus<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (left, right) = two(arguments)?;
    add(meter, left, right)
}

/// The sum of two numbers or spans of time, or the concatenation of two texts or lists.
pub(in crate::cel) fn add<'a>(
    meter: &mut Meter,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Value<'a>, Fault> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b).ok_or_else(int_overflow)?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(a.checked_add(*b).ok_or_else(uint_overflow)?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a + b),
        (Value::String(a), Value::String(b)) => {
            meter.allocate(a.len() + b.len())?;
            Value::string([&**a, &**b].concat())
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.allocate(a.len() + b.len())?;
            Value::Bytes([&**a, &**b].concat().into())
        }
        (Value::List(a), Value::List(b)) => return concatenate(meter, a, b),
        (Value::Duration(a), Value::Duration(b)) => {
            Value::Duration(a.checked_add(*b).ok_or_else(int_overflow)?)
        }
        (Value::Duration(span), Value::Timestamp(time))
        | (Value::Timestamp(time), Value::Duration(span)) => Value::Timestamp(time.plus(*span)?),
        (
            Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::List(_)
            | Value::Duration(_)
            | Value::Timestamp(_),
            _,
        ) => return Err(Fault::no_such_overload()),
        (other, _) => return Err(cannot("_+_", other)),
    })
}

fn concatenate<'a>(meter: &mut Meter, a: &List<'a>, b: &List<'a>) -> Result<Value<'a>, Fault> {
    if a.is_empty() {
        return Ok(Value::List(b.clone()));
    }
    if b.is_empty() {
        return Ok(Value::List(a.clone()));
    }
    meter.allocate((a.len() + b.len()) * size_of::<Value<'_>>())?;
    Ok(Value::list(a.iter().chain(b.iter()).collect()))
}

fn minus<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(match two(arguments)? {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_sub(*b).ok_or_else(int_overflow)?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(a.checked_sub(*b).ok_or_else(uint_overflow)?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a - b),
        (Value::Duration(a), Value::Duration(b)) => {
            Value::Duration(a.checked_sub(*b).ok_or_else(int_overflow)?)
        }
        (Value::Timestamp(time), Value::Duration(span)) => {
            Value::Timestamp(time.plus(span.checked_neg().ok_or_else(int_overflow)?)?)
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => Value::Duration(a.since(*b)?),
        (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => {
            return Err(Fault::no_such_overload());
        }
        (other, _) => return Err(cannot("_-_", other)),
    })
}

fn times<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(match two(arguments)? {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_mul(*b).ok_or_else(int_overflow)?),
        (Value::Uint(a), Value::Uint(b)) => {
            Value::Uint(a.checked_mul(*b).ok_or_else(uint_overflow)?)
        }
        (Value::Double(a), Value::Double(b)) => Value::Double(a * b),
        (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => {
            return Err(Fault::no_such_overload());
        }
        (other, _) => return Err(cannot("_*_", other)),
    })
}

fn divided<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let by_zero = || Fault::error("division by zero");
    Ok(match two(arguments)? {
        (Value::Int(_), Value::Int(0)) => return Err(by_zero()),
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_div(*b).ok_or_else(int_overflow)?),
        (Value::Uint(a), Value::Uint(b)) => Value::Uint(a.checked_div(*b).ok_or_else(by_zero)?),
        (Value::Double(a), Value::Double(b)) => Value::Double(a / b),
        (Value::Int(_) | Value::Uint(_) | Value::Double(_), _) => {
            return Err(Fault::no_such_overload());
        }
        (other, _) => return Err(cannot("_/_", other)),
    })
}

fn modulo<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let by_zero = || Fault::error("modulus by zero");
    Ok(match two(arguments)? {
        (Value::Int(_), Value::Int(0)) => return Err(by_zero()),
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_rem(*b).ok_or_else(int_overflow)?),
        (Value::Uint(a), Value::Uint(b)) => Value::Uint(a.checked_rem(*b).ok_or_else(by_zero)?),
        (Value::Int(_) | Value::Uint(_), _) => return Err(Fault::no_such_overload()),
        (other, _) => return Err(cannot("_%_", other)),
    })
}

fn compared(operator: &'static str, arguments: &[Value<'_>]) -> Result<std::cmp::Ordering, Fault> {
    let (left, right) = two(arguments)?;
    if !is_ordered(left) {
        return Err(cannot(operator, left));
    }
    order(left, right)
}

fn less<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(compared("_<_", arguments)?.is_lt()))
}

fn less_or_equal<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(compared("_<=_", arguments)?.is_le()))
}

fn greater<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(compared("_>_", arguments)?.is_gt()))
}

fn greater_or_equal<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Ok(Value::Bool(compared("_>=_", arguments)?.is_ge()))
}

/// What it costs to compare two values: the shorter of them is walked through.
pub(in crate::cel) fn equality_cost(left: &Value<'_>, right: &Value<'_>) -> u64 {
    match left {
        Value::Kubernetes(_) => 1,
        _ => super::traversal(cost::shorter(left, right)),
    }
}

/// Puts an entry into the map that `transformMap` makes.
///
/// # Errors
/// Where the key is there already.
pub(in crate::cel) fn insert<'a>(
    map: &mut Arc<std::collections::BTreeMap<Key<'a>, Value<'a>>>,
    key: Key<'a>,
    value: Value<'a>,
) -> Result<(), Fault> {
    if Map::Shared(Arc::clone(map)).at(&key).is_some() {
        let key = crate::cel::value::display::go_value(&Value::from(&key));
        return Err(Fault::error(format!("insert failed: key {key} already exists")));
    }
    Arc::make_mut(map).insert(key, value);
    Ok(())
}
