//! cel-go's functions of lists, version 3.

use std::cmp::Ordering;

use super::arguments::first_list;
use super::{Table, cost};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::compare::{equal, is_ordered, order};
use crate::cel::value::{List, Value};

pub(super) fn table() -> Table {
    let mut table = Table::default()
        .priced("list(T).slice(int, int) -> list(T)", slice, cost::list_of_result)
        .priced_singleton("list(list(T)).flatten() -> list(T)", flatten, cost::flattening)
        .priced_singleton("list(dyn).flatten(int) -> list(dyn)", flatten, cost::flattening)
        .priced("lists.range(int) -> list(int)", range, cost::list_of_result)
        .priced("list(T).reverse() -> list(T)", reverse, cost::list_of_result)
        .priced_singleton("list(T).distinct() -> list(T)", distinct, cost::compare_elements);
    for (sort, by_keys) in ORDERED {
        table = table
            .priced_singleton(sort, sort_elements, cost::compare_elements)
            .priced_singleton(by_keys, sort_by_keys, cost::compare_keys);
    }
    table
}

macro_rules! sorts {
    ($($type:literal),+) => {
        [$((
            concat!("list(", $type, ").sort() -> list(", $type, ")"),
            concat!("list(T).@sortByAssociatedKeys(list(", $type, ")) -> list(T)"),
        )),+]
    };
}

const ORDERED: [(&str, &str); 8] =
    sorts!("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes");

/// What Go says where a value is taken for a list but is not one: the first method it lacks.
pub(super) fn not_a_list(go_type: &str, can_add: bool) -> String {
    let missing = if can_add { "Contains" } else { "Add" };
    format!("interface conversion: {go_type} is not traits.Lister: missing method {missing}")
}

/// Makes room for a list of so many elements.
fn room<'a>(meter: &mut Meter, count: usize) -> Result<Vec<Value<'a>>, Fault> {
    meter.allocate(count.saturating_mul(size_of::<Value<'_>>()))?;
    Ok(Vec::with_capacity(count))
}

fn slice<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::List(list), Value::Int(start), Value::Int(end)] = arguments else {
        return Err(Fault::no_such_overload());
    };
    let cannot = |why: String| Fault::error(format!("cannot slice({start}, {end}), {why}"));
    let (Ok(from), Ok(to)) = (usize::try_from(*start), usize::try_from(*end)) else {
        return Err(cannot("negative indexes not supported".to_owned()));
    };
    if from > to {
        return Err(cannot("start index must be less than or equal to end index".to_owned()));
    }
    if list.len() < to {
        return Err(cannot(format!("list is length {}", list.len())));
    }
    let mut part = room(meter, to - from)?;
    part.extend((from..to).filter_map(|index| list.get(index)));
    Ok(Value::list(part))
}

/// The API server's failure where it takes a value for an int but it is not one.
pub(in crate::cel) fn not_an_int(go_type: &str) -> String {
    format!("interface conversion: ref.Val is {go_type}, not types.Int")
}

fn flatten<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let (list, depth) = match arguments {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, *depth),
        [other, rest @ ..] => {
            if let [level] = rest
                && !matches!(level, Value::Int(_))
            {
                return Err(Fault::Aborted(not_an_int(level.go_type()).into()));
            }
            let name = match other {
                Value::Map(_) => "map(dyn, dyn)",
                other => other.type_name(),
            };
            let level = if rest.is_empty() { "" } else { "int" };
            return Err(Fault::error(format!("no such overload: {name}.flatten({level})")));
        }
        _ => return Err(Fault::no_such_overload()),
    };
    if depth < 0 {
        // The API server takes it off the cost, which wraps around below zero.
        let off = (list.len() as u64).saturating_mul(depth.unsigned_abs());
        if off > meter.cost() + cost::flattening(arguments, None) {
            meter.charge(u64::MAX)?;
        }
        return Err(Fault::error("level must be non-negative"));
    }
    // Without recursion: lists can be nested as deep as JSON is.
    let mut flat = Vec::new();
    let mut open: Vec<(List<'a>, usize)> = vec![(list.clone(), 0)];
    while let Some((list, index)) = open.last_mut() {
        let Some(element) = list.get(*index) else {
            open.pop();
            continue;
        };
        *index += 1;
        match element {
            Value::List(inner) if depth >= open.len() as i64 => open.push((inner, 0)),
            element => {
                meter.allocate(size_of::<Value<'_>>())?;
                flat.push(element);
            }
        }
    }
    Ok(Value::list(flat))
}

fn range<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let [Value::Int(count)] = arguments else { return Err(Fault::no_such_overload()) };
    let count = (*count).max(0);
    meter.foresee(count as u64)?;
    let mut list = room(meter, count as usize)?;
    list.extend((0..count).map(Value::Int));
    Ok(Value::list(list))
}

fn reverse<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let list = first_list(arguments)?;
    let mut reversed = room(meter, list.len())?;
    reversed.extend(list.iter().rev());
    Ok(Value::list(reversed))
}

fn distinct<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    let list = match arguments {
        [Value::List(list)] => list,
        [other] => {
            let can_add = !matches!(
                other,
                Value::Null
                    | Value::Bool(_)
                    | Value::Map(_)
                    | Value::Type(_)
                    | Value::Optional(_)
                    | Value::Kubernetes(_)
            );
            return Err(Fault::Aborted(not_a_list(other.go_type(), can_add).into()));
        }
        _ => return Err(Fault::no_such_overload()),
    };
    meter.foresee(cost::compare_elements(arguments, None))?;
    let mut unique: Vec<Value<'a>> = room(meter, list.len())?;
    for element in list.iter() {
        if !unique.iter().any(|other| equal(meter, &element, other)) {
            unique.push(element);
        }
    }
    Ok(Value::list(unique))
}

fn sort_elements<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::List(list)] => sorted(meter, list, list),
        [Value::String(_) | Value::Timestamp(_) | Value::Duration(_)] => {
            Err(Fault::no_such_overload())
        }
        _ => Err(Fault::error("no such overload: sort")),
    }
}

fn sort_by_keys<'a>(meter: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::List(list), Value::List(keys)] => sorted(meter, list, keys),
        [Value::String(_) | Value::Timestamp(_) | Value::Duration(_), _] => {
            Err(Fault::no_such_overload())
        }
        _ => Err(Fault::error("no such overload: @sortByAssociatedKeys")),
    }
}

fn sorted<'a>(meter: &mut Meter, list: &List<'a>, keys: &List<'a>) -> Result<Value<'a>, Fault> {
    if list.len() != keys.len() {
        return Err(Fault::error(format!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys \
             list, but got {} and {} elements respectively",
            list.len(),
            keys.len()
        )));
    }
    let Some(first) = keys.get(0) else { return Ok(Value::List(list.clone())) };
    if !is_ordered(&first) {
        return Err(Fault::error("list elements must be comparable"));
    }
    let mut pairs: Vec<(Value<'a>, Value<'a>)> = keys.iter().zip(list.iter()).collect();
    meter.allocate(pairs.len() * size_of::<(Value<'_>, Value<'_>)>())?;
    // Of one element nothing is compared, so nothing is told of its type.
    if pairs.len() > 1 && pairs.iter().any(|(key, _)| key.type_name() != first.type_name()) {
        return Err(Fault::error("list elements must have the same type"));
    }
    let is_nan = |value: &Value<'_>| matches!(value, Value::Double(number) if number.is_nan());
    if pairs.iter().any(|(key, _)| is_nan(key)) {
        // It has no order, and stays where Go's insertion sort of short lists leaves it.
        meter.foresee((pairs.len() as u64).saturating_mul(pairs.len() as u64))?;
        for end in 1..pairs.len() {
            let mut place = end;
            while place > 0 && order(&pairs[place].0, &pairs[place - 1].0) == Ok(Ordering::Less) {
                pairs.swap(place, place - 1);
                place -= 1;
            }
        }
    } else {
        pairs.sort_by(|(a, _), (b, _)| order(a, b).unwrap_or(Ordering::Equal));
    }
    Ok(Value::list(pairs.into_iter().map(|(_, element)| element).collect()))
}
