//! The static types of expressions, and how they are written in errors.

use std::fmt;
use std::sync::Arc;

/// A static type, as cel-go's checker knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// The type of what has an error in it; it agrees with everything, so that one mistake is
    /// told once.
    Error,
    /// Known at run time only.
    Dyn,
    /// The type of `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`: 64 bits, signed.
    Int,
    /// `uint`: 64 bits, unsigned.
    Uint,
    /// `double`: IEEE 754.
    Double,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `google.protobuf.Timestamp`.
    Timestamp,
    /// `google.protobuf.Duration`.
    Duration,
    /// A list of elements of one type.
    List(Arc<Type>),
    /// A map: the types of its keys and its values.
    Map(Arc<(Type, Type)>),
    /// What may be absent: `optional_type`.
    Optional(Arc<Type>),
    /// A type of Kubernetes' libraries that cel-go calls opaque, such as `net.IP`.
    Opaque(&'static str),
    /// A type with a name, and perhaps fields, such as `kubernetes.Quantity`.
    Object(&'static str),
    /// The type of a type, such as that of `int`; without a parameter that of any type.
    Type(Option<Arc<Type>>),
    /// A parameter of a declaration, or one that stands for a type not yet known.
    Parameter(u32),
}

impl Type {
    /// A list of `element`.
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// A map of `key` to `value`.
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// A `value` that may be absent.
    pub fn optional(value: Type) -> Self {
        Self::Optional(Arc::new(value))
    }

    /// The name that a value of the type has at run time, as `type(x)` gives it.
    pub fn runtime_name(&self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Dyn | Self::Parameter(_) => "dyn",
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Opaque(name) | Self::Object(name) => name,
            Self::Type(_) => "type",
        }
    }

    /// The types that this one is made of.
    pub(super) fn parameters(&self) -> Vec<&Type> {
        match self {
            Self::List(element) | Self::Optional(element) | Self::Type(Some(element)) => {
                vec![element]
            }
            Self::Map(entry) => vec![&entry.0, &entry.1],
            _ => Vec::new(),
        }
    }

    /// Whether the two are the same, whatever their parameters are called.
    pub(super) fn is_equivalent(&self, other: &Type) -> bool {
        match (self, other) {
            (Self::Parameter(_), Self::Parameter(_)) => true,
            (Self::List(a), Self::List(b))
            | (Self::Optional(a), Self::Optional(b))
            | (Self::Type(Some(a)), Self::Type(Some(b))) => a.is_equivalent(b),
            (Self::Map(a), Self::Map(b)) => a.0.is_equivalent(&b.0) && a.1.is_equivalent(&b.1),
            _ => self == other,
        }
    }

    /// The type as checker errors write it, with `duration` and `timestamp` by their short names.
    pub(super) fn in_errors(&self) -> String {
        match self {
            Self::Duration => "duration".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Error => "!error!".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Parameter(number) => format!("_var{number}"),
            _ => match self.parameters().as_slice() {
                [] => self.runtime_name().to_owned(),
                some => {
                    let names: Vec<String> = some.iter().map(|p| p.in_errors()).collect();
                    format!("{}({})", self.runtime_name(), names.join(", "))
                }
            },
        }
    }
}

/// The type as the API server writes it where an expression has the wrong one
/// (`must evaluate to bool but got map(string, dyn)`).
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameters().as_slice() {
            [] => f.write_str(self.runtime_name()),
            [one] => write!(f, "{}({one})", self.runtime_name()),
            [key, value, ..] => write!(f, "{}({key}, {value})", self.runtime_name()),
        }
    }
}
