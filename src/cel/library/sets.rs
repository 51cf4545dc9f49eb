//! Lists as sets.

use super::arguments::two_lists;
use super::operators::is_in;
use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::{List, Value};

pub(super) fn table() -> Table {
    Table::default()
        .priced("sets.contains(list(T), list(T)) -> bool", contains, cost::sets)
        .priced("sets.equivalent(list(T), list(T)) -> bool", equivalent, cost::sets_both_ways)
        .priced("sets.intersects(list(T), list(T)) -> bool", intersects, cost::sets)
}

/// The two lists, unless to compare each element with each is too much.
fn comparable<'v, 'a>(
    meter: &Meter,
    arguments: &'v [Value<'a>],
) -> Result<(&'v List<'a>, &'v List<'a>), Fault> {
    let lists = two_lists(arguments)?;
    meter.foresee(cost::sets(arguments, None))?;
    Ok(lists)
}

fn holds_all(meter: &mut Meter, list: &List<'_>, part: &List<'_>) -> bool {
    let list = Value::List(list.clone());
    part.iter().all(|element| is_in(meter, &element, &list) == Ok(true))
}

fn contains<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (list, part) = comparable(meter, arguments)?;
    Ok(Value::Bool(holds_all(meter, list, part)))
}

fn equivalent<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (a, b) = comparable(meter, arguments)?;
    Ok(Value::Bool(holds_all(meter, a, b) && holds_all(meter, b, a)))
}

fn intersects<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (a, b) = comparable(meter, arguments)?;
    let b = Value::List(b.clone());
    Ok(Value::Bool(a.iter().any(|element| is_in(meter, &element, &b) == Ok(true))))
}
