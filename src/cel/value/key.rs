//! The keys of maps.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicU64};

use super::display::go_value;
use super::{Kubernetes, Text, Value};
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
    /// Anything else that Go can hash, known by its type and text.
    Other(Box<str>, Box<Value<'a>>),
}

impl<'a> Key<'a> {
    /// The key that a value makes.
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
            Value::Double(value) => Self::Double(value.to_bits()),
            Value::String(text) => Self::String(text.clone()),
            Value::Bytes(_) | Value::Kubernetes(Kubernetes::Semver(_) | Kubernetes::Format(_)) => {
                return Err(unhashable(value.go_type()));
            }
            // Lists, maps and optionals are found again by their place in memory only, so never.
            Value::List(_) | Value::Map(_) | Value::Optional(_) => {
                static NEXT: AtomicU64 = AtomicU64::new(0);
                let number = NEXT.fetch_add(1, atomic::Ordering::Relaxed);
                Self::Other(format!("#{number}").into(), Box::new(value.clone()))
            }
            other => {
                let text = format!("{} {}", other.type_name(), go_value(other));
                Self::Other(text.into(), Box::new(other.clone()))
            }
        })
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
        }
    }
}

impl<'a> From<&Key<'a>> for Value<'a> {
    fn from(key: &Key<'a>) -> Self {
        match key {
            Key::Bool(value) => Self::Bool(*value),
            Key::Int(value) => Self::Int(*value),
            Key::Uint(value) => Self::Uint(*value),
            Key::Double(bits) => Self::Double(f64::from_bits(*bits)),
            Key::String(text) => Self::String(text.clone()),
            Key::Other(_, value) => (**value).clone(),
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
