//! Equality and order of values, across the numeric types too.

use std::cmp::Ordering;

use super::{List, Map, Value};
use crate::cel::error::Fault;
use crate::cel::meter::Meter;

/// The whole number that a double is, if it is one.
pub(in crate::cel) fn double_to_int(number: f64) -> Option<i64> {
    // 2^63 is the first that does not fit; its negative is left out as cel-go does.
    let fits = number.abs() < 9_223_372_036_854_775_808.0 && number.trunc() == number;
    fits.then_some(number as i64)
}

/// The unsigned whole number that a double is, if it is one.
pub(in crate::cel) fn double_to_uint(number: f64) -> Option<u64> {
    let fits = (0.0..18_446_744_073_709_551_616.0).contains(&number) && number.trunc() == number;
    fits.then_some(number as u64)
}

/// Whether two values are certainly equal.
pub(in crate::cel) fn equal(meter: &mut Meter, left: &Value<'_>, right: &Value<'_>) -> bool {
    equality(meter, left, right) == Some(true)
}

/// Whether two values are equal. Values of unlike types are unequal, but for numbers. `None` is
/// cel-go's "no such overload": a value of Kubernetes' libraries does not compare itself with
/// anything else.
///
/// `meter` counts what is compared, which its cost does not depend on.
pub(in crate::cel) fn equality(
    meter: &mut Meter,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Option<bool> {
    meter.work(1);
    if meter.is_worn_out() {
        // What is said does not matter: the next charge fails.
        return Some(false);
    }
    Some(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => {
            let is_as_long = a.len() == b.len();
            if is_as_long {
                meter.read(a);
            }
            is_as_long && **a == **b
        }
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => return equality(meter, a, b),
        (Value::List(a), Value::List(b)) => lists_equal(meter, a, b),
        (Value::Map(a), Value::Map(b)) => maps_equal(meter, a, b),
        (Value::Kubernetes(_), Value::Null) => false,
        (Value::Kubernetes(a), Value::Kubernetes(b)) => return a.equals(b),
        (Value::Kubernetes(_), _) => return None,
        _ => numbers(left, right) == Some(Some(Ordering::Equal)),
    })
}

// In lists and maps, cel-go takes what cannot be compared for equal.

fn lists_equal(meter: &mut Meter, a: &List<'_>, b: &List<'_>) -> bool {
    a.len() == b.len()
        && a.iter().zip(b.iter()).all(|(a, b)| equality(meter, &a, &b) != Some(false))
}

fn maps_equal<'a>(meter: &mut Meter, a: &Map<'a>, b: &Map<'a>) -> bool {
    let mut is_like =
        |value: &Value<'a>, other: Value<'a>| equality(meter, value, &other) != Some(false);
    a.len() == b.len()
        && a.iter().all(|(key, value)| b.get(&key).is_some_and(|other| is_like(&value, other)))
}

/// The order of two numbers: `None` where one is no number, `Some(None)` where one is NaN.
fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Uint(a), Value::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Double(a), Value::Int(b)) => double_with_int(*a, *b),
        (Value::Int(a), Value::Double(b)) => double_with_int(*b, *a).map(Ordering::reverse),
        (Value::Double(a), Value::Uint(b)) => double_with_uint(*a, *b),
        (Value::Uint(a), Value::Double(b)) => double_with_uint(*b, *a).map(Ordering::reverse),
        _ => return None,
    })
}

/// cel-go compares in floating point, once the double is within the range of integers.
fn double_with_int(double: f64, int: i64) -> Option<Ordering> {
    if double < i64::MIN as f64 {
        return Some(Ordering::Less);
    }
    if double > i64::MAX as f64 {
        return Some(Ordering::Greater);
    }
    double.partial_cmp(&(int as f64))
}

fn double_with_uint(double: f64, uint: u64) -> Option<Ordering> {
    if double < 0.0 {
        return Some(Ordering::Less);
    }
    if double > u64::MAX as f64 {
        return Some(Ordering::Greater);
    }
    double.partial_cmp(&(uint as f64))
}

/// Whether values of this type have an order.
pub(in crate::cel) fn is_ordered(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::Duration(_)
            | Value::Timestamp(_)
    )
}

/// The order of two values.
///
/// # Errors
/// Where they have none: unlike types, and NaN.
pub(in crate::cel) fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, Fault> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Ok((**a).cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Ok(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Ok(a.cmp(b)),
        // A NaN on the left is told of before the other type is looked at.
        (Value::Double(number), _) if number.is_nan() => {
            Err(Fault::error("NaN values cannot be ordered"))
        }
        _ => match numbers(left, right) {
            Some(Some(order)) => Ok(order),
            Some(None) => Err(Fault::error("NaN values cannot be ordered")),
            None => Err(Fault::no_such_overload()),
        },
    }
}
