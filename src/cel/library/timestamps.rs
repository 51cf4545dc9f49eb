//! The parts of points in time and of spans.

use super::Table;
use crate::cel::error::Fault;
use crate::cel::meter::Meter;
use crate::cel::value::Value;
use crate::cel::value::time::{Calendar, duration_seconds};

/// The two overloads of a part: in UTC, and in a zone that is named.
macro_rules! parts {
    ($table:expr, $($name:literal => $part:expr),+ $(,)?) => {
        $table$(
            .add(concat!("timestamp.", $name, "() -> int"), |_, arguments| part(arguments, $part))
            .add(concat!("timestamp.", $name, "(string) -> int"), |_, arguments| {
                part(arguments, $part)
            })
        )+
    };
}

pub(super) fn table() -> Table {
    parts! {
        Table::default(),
        "getFullYear" => |time| time.year,
        // Months, days of the year and of the month are counted from 0, but for getDate.
        "getMonth" => |time| time.month - 1,
        "getDayOfYear" => |time| time.day_of_year - 1,
        "getDayOfMonth" => |time| time.day - 1,
        "getDate" => |time| time.day,
        "getDayOfWeek" => |time| time.day_of_week,
        "getHours" => |time| time.hours,
        "getMinutes" => |time| time.minutes,
        "getSeconds" => |time| time.seconds,
        "getMilliseconds" => |time| time.milliseconds,
    }
    .add("duration.getHours() -> int", |_, arguments| span(arguments, 3_600.0))
    .add("duration.getMinutes() -> int", |_, arguments| span(arguments, 60.0))
    .add("duration.getSeconds() -> int", |_, arguments| span(arguments, 1.0))
    .add("duration.getMilliseconds() -> int", milliseconds)
}

fn part<'a>(arguments: &[Value<'a>], part: impl Fn(&Calendar) -> i64) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Timestamp(time)] => Ok(Value::Int(part(&time.calendar("UTC")?))),
        [Value::Timestamp(time), Value::String(zone)] => {
            Ok(Value::Int(part(&time.calendar(zone)?)))
        }
        _ => Err(Fault::no_such_overload()),
    }
}

fn span<'a>(arguments: &[Value<'a>], unit: f64) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Duration(nanos)] => Ok(Value::Int((duration_seconds(*nanos) / unit) as i64)),
        _ => Err(Fault::no_such_overload()),
    }
}

fn milliseconds<'a>(_: &mut Meter, arguments: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    match arguments {
        [Value::Duration(nanos)] => Ok(Value::Int(nanos / 1_000_000)),
        _ => Err(Fault::no_such_overload()),
    }
}
