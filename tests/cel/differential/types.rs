//! The types of what is generated.

use std::collections::BTreeMap;

/// A type, as the generator knows it: more than CEL does, who can't tell a container from a volume.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Type {
    /// `int`, `string`, `Quantity` …, `dyn`; or `quantityText` and the like: strings from which
    /// something can be made.
    Named(&'static str),
    /// Lists.
    List(Box<Type>),
    /// Maps.
    Map(Box<(Type, Type)>),
    /// Optionals.
    Optional(Box<Type>),
    /// An object of the API, known by its place, such as `object.spec.containers[]`.
    Object(String),
    /// A type that a template leaves open. Some letters stand for some types only.
    Parameter(char),
}

/// What the parameters of a template stand for.
pub type Bindings = BTreeMap<char, Type>;

impl Type {
    /// `string`.
    pub const STRING: Self = Self::Named("string");
    /// `bool`.
    pub const BOOL: Self = Self::Named("bool");
    /// `dyn`.
    pub const DYN: Self = Self::Named("dyn");

    /// `list(int)`, `map(K, list(V))` …, and how much of the text it takes.
    pub fn parse(text: &'static str) -> (Self, usize) {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let first = || {
            let (type_, length) = Self::parse(&rest[1..]);
            (Box::new(type_), end + length + 2)
        };
        match name {
            "list" => {
                let (element, length) = first();
                (Self::List(element), length)
            }
            "optional" => {
                let (inner, length) = first();
                (Self::Optional(inner), length)
            }
            "map" => {
                let (key, length) = first();
                let (value, more) = Self::parse(&text[length + 1..]);
                (Self::Map(Box::new((*key, value))), length + more + 2)
            }
            _ => match name.chars().next() {
                Some(letter) if name.len() == 1 => (Self::Parameter(letter), end),
                _ => (Self::Named(name), end),
            },
        }
    }

    /// The types that a letter stands for; of none, any.
    pub fn choices(letter: char) -> &'static [&'static str] {
        match letter {
            'K' => &["string", "int", "bool", "uint"],
            'N' | 'M' => &["int", "uint", "double"],
            'O' => &["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"],
            'S' => &["int", "uint", "double", "duration"],
            _ => &[],
        }
    }

    /// Makes the parameters of this type such that it is `wanted`, if that can be.
    pub fn unify(&self, wanted: &Self, bindings: &mut Bindings) -> bool {
        match (self, wanted) {
            (Self::Parameter(letter), _) => match bindings.get(letter) {
                Some(bound) => bound == wanted,
                None => {
                    let choices = Self::choices(*letter);
                    let fits = match wanted {
                        Self::Named(name) => choices.contains(name),
                        _ => false,
                    };
                    if fits || choices.is_empty() {
                        bindings.insert(*letter, wanted.clone());
                    }
                    fits || choices.is_empty()
                }
            },
            (Self::List(one), Self::List(other)) | (Self::Optional(one), Self::Optional(other)) => {
                one.unify(other, bindings)
            }
            (Self::Map(one), Self::Map(other)) => {
                one.0.unify(&other.0, bindings) && one.1.unify(&other.1, bindings)
            }
            _ => self == wanted,
        }
    }

    /// Whether what has this type can stand where `wanted` is.
    pub fn serves(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (_, Self::Named("dyn")) => true,
            (Self::Object(_), Self::Map(entry)) => entry.0 == Self::STRING && entry.1 == Self::DYN,
            (Self::List(one), Self::List(other)) | (Self::Optional(one), Self::Optional(other)) => {
                one.serves(other)
            }
            (Self::Map(one), Self::Map(other)) => one.0.serves(&other.0) && one.1.serves(&other.1),
            (Self::Named(text), Self::Named("string")) => text.ends_with("Text"),
            _ => self == wanted,
        }
    }

    /// Whether it is a string of which something can be made.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Named(name) if name.ends_with("Text"))
    }
}
