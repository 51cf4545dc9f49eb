//! Maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::display::go_value;
use super::{Key, Object, Text, Value, compare};
use crate::cel::error::Fault;

/// A map.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// An object of the request.
    Json(&'a Object<'a>),
    /// One of the program.
    Constant(&'a BTreeMap<Key<'a>, Value<'a>>),
    /// One that the evaluation made.
    Shared(Arc<BTreeMap<Key<'a>, Value<'a>>>),
}

impl<'a> Map<'a> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(object) => object.len(),
            Self::Constant(entries) => entries.len(),
            Self::Shared(entries) => entries.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a key. A whole number finds its like of the other numeric types.
    pub(in crate::cel) fn get(&self, key: &Value<'a>) -> Option<Value<'a>> {
        match (self, key) {
            (Self::Json(object), Value::String(text)) => object.get(text).map(Value::from),
            (Self::Json(_), _) => None,
            _ => self.at(&Key::new(key).ok()?),
        }
    }

    /// As [`Map::get`].
    pub(in crate::cel) fn at(&self, key: &Key<'a>) -> Option<Value<'a>> {
        let find = |key: &Key<'a>| match self {
            Self::Json(object) => match key {
                Key::String(text) => object.get(text).map(Value::from),
                _ => None,
            },
            Self::Constant(entries) => entries.get(key).map(Value::borrowed),
            Self::Shared(entries) => entries.get(key).cloned(),
        };
        find(key).or_else(|| match *key {
            Key::Double(bits) => {
                let number = f64::from_bits(bits);
                compare::double_to_int(number)
                    .and_then(|int| find(&Key::Int(int)))
                    .or_else(|| find(&Key::Uint(compare::double_to_uint(number)?)))
            }
            Key::Int(int) => find(&Key::Uint(u64::try_from(int).ok()?)),
            Key::Uint(uint) => find(&Key::Int(i64::try_from(uint).ok()?)),
            _ => None,
        })
    }

    /// The value at a string.
    pub(in crate::cel) fn get_str(&self, key: &'a str) -> Option<Value<'a>> {
        match self {
            Self::Json(object) => object.get(key).map(Value::from),
            _ => self.get(&Value::String(Text::Borrowed(key))),
        }
    }

    /// The entries. cel-go gives them in no particular order; here it is always the same.
    pub fn iter(&self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> + '_ {
        self.entries().map(|(key, value)| (Value::from(&key), value))
    }

    /// As [`Map::iter`], with the keys as they are kept.
    pub(in crate::cel) fn entries(&self) -> Box<dyn Iterator<Item = (Key<'a>, Value<'a>)> + '_> {
        match self {
            Self::Json(object) => {
                let object: &'a Object<'a> = object;
                let entry = |(key, value)| (Key::String(Text::Borrowed(key)), Value::from(value));
                Box::new(object.iter().map(entry))
            }
            Self::Constant(entries) => {
                Box::new(entries.iter().map(|(key, value)| (key.clone(), value.borrowed())))
            }
            Self::Shared(entries) => {
                Box::new(entries.iter().map(|(key, value)| (key.clone(), value.clone())))
            }
        }
    }
}

/// The error of a key that is not there.
pub(in crate::cel) fn no_such_key(key: &Value<'_>) -> Fault {
    Fault::error(format!("no such key: {}", go_value(key)))
}
