//! Kubernetes' own functions of lists.

use std::cmp::Ordering;

use super::arguments::first_list;
use super::operators::add;
use super::{Run, Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::Value;
use crate::cel::value::compare::{equal, is_ordered, order};

/// The overloads for lists of each type that has an order.
macro_rules! ordered {
    ($table:expr, $name:literal, bool, $run:expr) => {
        ordered!($table, $run, $name, " -> bool")
    };
    ($table:expr, $run:expr, $name:literal, $result:literal) => {
        $table
            .named(concat!("list(int).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(uint).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(double).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(bool).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(duration).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(timestamp).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(string).", $name, "()", $result), $run, cost::deep_walk)
            .named(concat!("list(bytes).", $name, "()", $result), $run, cost::deep_walk)
    };
}

pub(super) fn table() -> Table {
    let mut table = ordered!(Table::default(), "isSorted", bool, is_sorted)
        .named("list(int).sum() -> int", |meter, list| sum(meter, list, Value::Int(0)), DEEP)
        .named("list(uint).sum() -> uint", |meter, list| sum(meter, list, Value::Uint(0)), DEEP)
        .named(
            "list(double).sum() -> double",
            |meter, list| sum(meter, list, Value::Double(0.0)),
            DEEP,
        )
        .named(
            "list(duration).sum() -> duration",
            |meter, list| sum(meter, list, Value::Duration(0)),
            DEEP,
        )
        .named("list(A).indexOf(A) -> int", index_of, DEEP)
        .named("list(A).lastIndexOf(A) -> int", last_index_of, DEEP);
    for (max, min) in EXTREMES {
        table = table.named(max, maximum as Run, DEEP).named(min, minimum as Run, DEEP);
    }
    table
}

const DEEP: super::Price = cost::deep_walk;

const EXTREMES: [(&str, &str); 8] = [
    ("list(int).max() -> int", "list(int).min() -> int"),
    ("list(uint).max() -> uint", "list(uint).min() -> uint"),
    ("list(double).max() -> double", "list(double).min() -> double"),
    ("list(bool).max() -> bool", "list(bool).min() -> bool"),
    ("list(duration).max() -> duration", "list(duration).min() -> duration"),
    ("list(timestamp).max() -> timestamp", "list(timestamp).min() -> timestamp"),
    ("list(string).max() -> string", "list(string).min() -> string"),
    ("list(bytes).max() -> bytes", "list(bytes).min() -> bytes"),
];

fn is_sorted<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let mut before: Option<Value<'_>> = None;
    for element in first_list(arguments)?.iter() {
        if !is_ordered(&element) {
            return Err(Fault::no_such_overload());
        }
        // Elements that cannot be compared count as in order, as in Kubernetes.
        if before.is_some_and(|before| order(&before, &element) == Ok(Ordering::Greater)) {
            return Ok(Value::Bool(false));
        }
        before = Some(element);
    }
    Ok(Value::Bool(true))
}

fn sum<'a>(
    meter: &mut Meter,
    arguments: &[Value<'a>],
    zero: Value<'a>,
) -> Result<Value<'a>, Fault> {
    let mut total = zero;
    for element in first_list(arguments)?.iter() {
        total = add(meter, &total, &element)?;
    }
    Ok(total)
}

fn extreme<'a>(
    arguments: &[Value<'a>],
    name: &str,
    replaced_when: Ordering,
) -> Result<Value<'a>, Fault> {
    let mut best: Option<Value<'a>> = None;
    for element in first_list(arguments)?.iter() {
        if !is_ordered(&element) {
            return Err(Fault::no_such_overload());
        }
        match &best {
            Some(best) if order(best, &element) != Ok(replaced_when) => {}
            _ => best = Some(element),
        }
    }
    best.ok_or_else(|| Fault::error(format!("{name} called on empty list")))
}

fn maximum<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    extreme(arguments, "max", Ordering::Less)
}

fn minimum<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    extreme(arguments, "min", Ordering::Greater)
}

fn position<'a>(
    meter: &mut Meter,
    arguments: &[Value<'a>],
    mut places: impl Iterator<Item = usize>,
) -> Result<Value<'a>, Fault> {
    let element = arguments.get(1).ok_or_else(Fault::no_such_overload)?;
    let list = first_list(arguments)?;
    let place =
        places.find(|at| list.get(*at).is_some_and(|member| equal(meter, &member, element)));
    Ok(Value::Int(place.map_or(-1, |place| place as i64)))
}

fn index_of<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    position(meter, arguments, 0..first_list(arguments)?.len())
}

fn last_index_of<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    position(meter, arguments, (0..first_list(arguments)?.len()).rev())
}
