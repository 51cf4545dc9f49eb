//! The keys of maps.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU64};

use super::display::go_value;
use super::{Kubernetes, List, Map, Text, Value};
use crate::cel::error::Fault;

/// A key of a map. Whole numbers of different types are different keys, which only a lookup
/// takes for one another, as in cel-go.
#[derive(Clone, Debug)]
pub enum Key<'a> {
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A `double`, by its bits.
    Double(u64),
    /// A `string`.
    String(Text<'a>),
    /// Anything else that Go can hash, known by its type and text, or by its place in memory.
    Other(Box<str>, Box<Value<'a>>),
    /// A value that is never found again, by the order in which it became a key.
    UnlikeAny(u64, Box<Value<'a>>),
}

impl<'a> Key<'a> {
    /// The key that a value makes, or is found by.
    ///
    /// # Errors
    /// Where it cannot be one: there the API server fails.
    pub(in crate::cel) fn new(value: &Value<'a>) -> Result<Self, Fault> {
        let unhashable =
            |name| Fault::Aborted(format!("runtime error: hash of unhashable type {name}").into());
        Ok(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Uint(value) => Self::Uint(*value),
            // -0.0 and 0.0 are one key in Go, and NaN is never found.
            Value::Double(value) if *value == 0.0 => Self::Double(0),
            Value::Double(number) if number.is_nan() => Self::unlike_any(value),
            Value::Double(value) => Self::Double(value.to_bits()),
            Value::String(text) => Self::String(text.clone()),
            Value::Bytes(_) | Value::Kubernetes(Kubernetes::Semver(_) | Kubernetes::Format(_)) => {
                return Err(unhashable(value.go_type()));
            }
            // It is made anew whenever it is read.
            Value::Optional(Some(_)) => Self::unlike_any(value),
            other => {
                let identity = match address(other) {
                    Some(address) => format!("{address:p}"),
                    None => format!("{} {}", other.type_name(), go_value(other)),
                };
                Self::Other(identity.into(), Box::new(other.clone()))
            }
        })
    }

    /// The key that a value makes which no variable holds. cel-go has just made it, where it is a
    /// list or a map of the request, so that it is no other's equal.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub(in crate::cel) fn of_own(value: &Value<'a>) -> Result<Self, Fault> {
        match value {
            Value::List(List::Json(_)) | Value::Map(Map::Json(_)) => Ok(Self::unlike_any(value)),
            other => Self::new(other),
        }
    }

    fn unlike_any(value: &Value<'a>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, atomic::Ordering::Relaxed);
        Self::UnlikeAny(number, Box::new(value.clone()))
    }

    fn order(&self) -> (u8, u64, &str) {
        match self {
            Self::Bool(value) => (0, u64::from(*value), ""),
            // Flipping the sign bit orders two's complement as unsigned numbers.
            Self::Int(value) => (1, (*value as u64) ^ (1 << 63), ""),
            Self::Uint(value) => (2, *value, ""),
            Self::Double(bits) => (3, *bits, ""),
            Self::String(text) => (4, 0, text),
            Self::Other(text, _) => (5, 0, text),
            Self::UnlikeAny(number, _) => (6, *number, ""),
        }
    }
}

/// Where a value is that Go compares by its place in memory alone.
fn address(value: &Value<'_>) -> Option<*const ()> {
    Some(match value {
        Value::List(List::Json(elements)) => (&raw const **elements).cast(),
        Value::List(List::Constant(elements)) => (&raw const **elements).cast(),
        Value::List(List::Shared(elements)) => Arc::as_ptr(elements).cast(),
        Value::Map(Map::Json(object)) => (&raw const **object).cast(),
        Value::Map(Map::Constant(entries)) => (&raw const **entries).cast(),
        Value::Map(Map::Shared(entries)) => Arc::as_ptr(entries).cast(),
        Value::Kubernetes(Kubernetes::Quantity(quantity)) => Arc::as_ptr(quantity).cast(),
        Value::Kubernetes(Kubernetes::Url(url)) => Arc::as_ptr(url).cast(),
        _ => return None,
    })
}

impl<'a> From<&Key<'a>> for Value<'a> {
    fn from(key: &Key<'a>) -> Self {
        match key {
            Key::Bool(value) => Self::Bool(*value),
            Key::Int(value) => Self::Int(*value),
            Key::Uint(value) => Self::Uint(*value),
            Key::Double(bits) => Self::Double(f64::from_bits(*bits)),
            Key::String(text) => Self::String(text.clone()),
            Key::Other(_, value) | Key::UnlikeAny(_, value) => (**value).clone(),
        }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Key<'_> {}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}
