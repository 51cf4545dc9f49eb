//! The values that expressions compute with. They borrow from the request and from the program
//! wherever they can.

pub(super) mod compare;
pub(super) mod display;
mod json;
mod key;
mod kubernetes;
mod map;
pub(super) mod time;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

pub use json::{Json, Object};
pub use key::Key;
pub use kubernetes::Kubernetes;
pub use map::Map;
pub(super) use map::no_such_key;
pub use time::Timestamp;

use super::error::Fault;

/// A value. Clones are cheap: what is large is shared.
// With a tag of a whole word, a value is moved in whole words; with one of a byte it is moved in
// pieces across words, for which the processor waits each time.
#[derive(Clone, Debug)]
#[repr(u64)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A `double`.
    Double(f64),
    /// A `string`.
    String(Text<'a>),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// A span of time, in nanoseconds.
    Duration(i64),
    /// A point in time.
    Timestamp(Timestamp),
    /// A type, by the name that it has at run time.
    Type(&'static str),
    /// A value that may be absent.
    Optional(Option<Arc<Value<'a>>>),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A value of one of Kubernetes' libraries.
    Kubernetes(Kubernetes),
}

impl<'a> Value<'a> {
    /// A string of one's own.
    pub(super) fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Shared(text.into()))
    }

    /// A list of one's own.
    pub(super) fn list(elements: Vec<Value<'a>>) -> Self {
        Self::List(List::Shared(Arc::new(elements)))
    }

    /// A map of one's own.
    pub(super) fn map(entries: BTreeMap<Key<'a>, Value<'a>>) -> Self {
        Self::Map(Map::Shared(Arc::new(entries)))
    }

    /// An optional that has a value.
    pub(super) fn some(value: Value<'a>) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// This value, when it comes out of an optional.
    ///
    /// # Errors
    /// Where it was lost in there.
    pub(super) fn found(&self) -> Result<Self, Fault> {
        match self {
            Self::Kubernetes(lost @ Kubernetes::Lost(_)) => Err(lost.error()),
            value => Ok(value.clone()),
        }
    }

    /// What was lost in this optional.
    pub(super) fn lost(&self) -> Option<&Kubernetes> {
        match self {
            Self::Kubernetes(lost @ Kubernetes::Lost(_)) => Some(lost),
            Self::Optional(Some(value)) => value.lost(),
            _ => None,
        }
    }

    /// This value, borrowing what a clone would share: for constants, which many threads read.
    pub(super) fn borrowed(&'a self) -> Self {
        match self {
            Self::String(text) => Self::String(Text::Borrowed(text)),
            Self::List(List::Shared(elements)) => Self::List(List::Constant(elements)),
            Self::Map(Map::Shared(entries)) => Self::Map(Map::Constant(entries)),
            other => other.clone(),
        }
    }

    /// The name of the value's type at run time.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Kubernetes(value) => value.type_name(),
        }
    }

    /// The name of the Go type that cel-go has for the value, as some of its errors tell it.
    pub(super) fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "types.Null",
            Self::Bool(_) => "types.Bool",
            Self::Int(_) => "types.Int",
            Self::Uint(_) => "types.Uint",
            Self::Double(_) => "types.Double",
            Self::String(_) => "types.String",
            Self::Bytes(_) => "types.Bytes",
            Self::Duration(_) => "types.Duration",
            Self::Timestamp(_) => "types.Timestamp",
            Self::Type(_) => "*types.Type",
            Self::Optional(_) => "*types.Optional",
            Self::List(_) => "*types.baseList",
            Self::Map(_) => "*types.baseMap",
            Self::Kubernetes(value) => value.go_type(),
        }
    }

    /// The value as one would write it in an expression.
    pub fn literal(&self) -> String {
        display::literal(self)
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        display::json(self)
    }

    /// How many bytes an evaluation has made of the value; no more than `most`.
    pub(super) fn made_bytes(&self, most: usize) -> usize {
        let mut rest = most;
        self.take_made_bytes(&mut rest);
        most - rest
    }

    fn take_made_bytes(&self, rest: &mut usize) {
        if *rest == 0 {
            return;
        }
        *rest = rest.saturating_sub(size_of::<Self>());
        match self {
            Self::String(Text::Shared(text)) => *rest = rest.saturating_sub(text.len()),
            Self::Bytes(bytes) => *rest = rest.saturating_sub(bytes.len()),
            Self::Optional(Some(value)) => value.take_made_bytes(rest),
            Self::List(List::Shared(list)) => list.iter().for_each(|e| e.take_made_bytes(rest)),
            Self::Map(Map::Shared(map)) => map.iter().for_each(|(key, value)| {
                Value::from(key).take_made_bytes(rest);
                value.take_made_bytes(rest);
            }),
            _ => {}
        }
    }

    /// What cel-go's cost tracker takes for the size of a value: characters, bytes, elements,
    /// entries, and 1 for all else.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::String(text) => text.chars().count() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::List(list) => list.len() as u64,
            Self::Map(map) => map.len() as u64,
            Self::Optional(Some(value)) => value.size(),
            Self::Kubernetes(value) => value.size(),
            _ => 1,
        }
    }
}

impl<'a> From<&'a Json<'a>> for Value<'a> {
    fn from(json: &'a Json<'a>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Int(value) => Self::Int(*value),
            Json::Double(value) => Self::Double(*value),
            Json::String(text) => Self::String(Text::Borrowed(text)),
            Json::List(elements) => Self::List(List::Json(elements)),
            Json::Map(object) => Self::Map(Map::Json(object)),
        }
    }
}

/// Text: a piece of the request or of the program, or shared.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// A piece of what is evaluated.
    Borrowed(&'a str),
    /// Made by the evaluation.
    Shared(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// A list.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// One of the request.
    Json(&'a [Json<'a>]),
    /// One of the program, which is known by its place.
    Constant(&'a Vec<Value<'a>>),
    /// One that the evaluation made.
    Shared(Arc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(elements) => elements.len(),
            Self::Constant(elements) => elements.len(),
            Self::Shared(elements) => elements.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Json(elements) => elements.get(index).map(Value::from),
            Self::Constant(elements) => elements.get(index).map(Value::borrowed),
            Self::Shared(elements) => elements.get(index).cloned(),
        }
    }

    /// The elements in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}
