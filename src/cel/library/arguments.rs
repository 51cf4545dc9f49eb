//! Taking arguments for what an overload declares them to be. The types are checked before, mostly;
//! what gets past that is no such overload.

use crate::cel::error::Fault;
use crate::cel::value::{List, Value};

/// The first argument, whatever it is.
pub(super) fn first<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v Value<'a>, Fault> {
    arguments.first().ok_or_else(Fault::no_such_overload)
}

/// The first argument, which is text.
pub(super) fn first_text<'v>(arguments: &'v [Value<'_>]) -> Result<&'v str, Fault> {
    match arguments.first() {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Fault::no_such_overload()),
    }
}

/// The first argument, which is a list.
pub(super) fn first_list<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v List<'a>, Fault> {
    match arguments.first() {
        Some(Value::List(list)) => Ok(list),
        _ => Err(Fault::no_such_overload()),
    }
}

/// The arguments where there are two of them.
pub(super) fn two<'v, 'a>(
    arguments: &'v [Value<'a>],
) -> Result<(&'v Value<'a>, &'v Value<'a>), Fault> {
    match arguments {
        [left, right] => Ok((left, right)),
        _ => Err(Fault::no_such_overload()),
    }
}

/// Two texts.
pub(super) fn two_texts<'v>(arguments: &'v [Value<'_>]) -> Result<(&'v str, &'v str), Fault> {
    match arguments {
        [Value::String(text), Value::String(part)] => Ok((text, part)),
        _ => Err(Fault::no_such_overload()),
    }
}

/// Two lists.
pub(super) fn two_lists<'v, 'a>(
    arguments: &'v [Value<'a>],
) -> Result<(&'v List<'a>, &'v List<'a>), Fault> {
    match arguments {
        [Value::List(a), Value::List(b)] => Ok((a, b)),
        _ => Err(Fault::no_such_overload()),
    }
}
