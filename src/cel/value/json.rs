//! JSON that borrows its text: what expressions read of a request, with nothing converted that no
//! rule asks for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Larger maps are kept in the order of their keys, so that a lookup takes no time to speak of
/// however many labels somebody puts on an object.
const SORTED_FROM: usize = 16;

/// A JSON value. Numbers are as Kubernetes decodes them: an integer that fits is an `int`, all
/// others are `double`.
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(u64)]
pub enum Json<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent that fits into 64 bits.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// A string; it borrows unless it has escapes.
    String(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object.
    Map(Object<'a>),
}

impl<'a> Json<'a> {
    /// Reads JSON text.
    ///
    /// # Errors
    /// Where it is none, or is nested more than 128 deep.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The member `key`, of an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Self::Map(object) => object.get(key),
            _ => None,
        }
    }

    /// The string, of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&serde_json::Value> for Json<'static> {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::String(Cow::Owned(text.clone())),
            serde_json::Value::Array(elements) => {
                Self::List(elements.iter().map(Self::from).collect())
            }
            serde_json::Value::Object(members) => Self::Map(
                members.iter().map(|(key, value)| (key.clone().into(), value.into())).collect(),
            ),
        }
    }
}

/// A JSON object.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    /// The member `key`; of several the last, as everywhere in Kubernetes.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        if self.members.len() < SORTED_FROM {
            return self.members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value);
        }
        let place = self.members.binary_search_by(|(name, _)| name.as_ref().cmp(key)).ok()?;
        self.members.get(place).map(|(_, value)| value)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members, in no order that means anything.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json<'a>)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Json<'a>)> for Object<'a> {
    fn from_iter<T: IntoIterator<Item = (Cow<'a, str>, Json<'a>)>>(members: T) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        if members.len() >= SORTED_FROM {
            // Stable and reversed, so that of equal keys the last is the one that stays.
            members.reverse();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.dedup_by(|(a, _), (b, _)| a == b);
        } else if may_have_twins(&members) {
            let mut at = members.len();
            while at > 1 {
                at -= 1;
                let (before, rest) = members.split_at(at);
                let is_twin = |(other, _): &(Cow<'a, str>, Json<'a>)| *other == rest[0].0;
                if let Some(twin) = before.iter().position(is_twin) {
                    members.remove(twin);
                }
            }
        }
        Self { members }
    }
}

/// Whether two of these may have one name: if not, no two have the same length and ends.
fn may_have_twins(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    let mut seen: u64 = 0;
    members.iter().any(|(name, _)| {
        let ends = match name.as_bytes() {
            [] => 0,
            [first, .., last] => first.wrapping_mul(7) ^ last,
            [only] => *only,
        };
        let bit = 1 << ((usize::from(ends) + name.len() * 13) % 64);
        let is_taken = seen & bit != 0;
        seen |= bit;
        is_taken
    })
}

impl PartialEq for Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Json::Double(value as f64), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Double(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(MemberName(key)) = access.next_key()? {
            members.push((key, access.next_value()?));
        }
        Ok(Json::Map(members.into_iter().collect()))
    }
}

/// A member's name, borrowed where that can be: serde's own `Cow` never borrows.
struct MemberName<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = MemberName<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(MemberName(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(MemberName(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ints_where_they_fit_and_doubles_elsewhere() {
        let json = Json::parse("[1, -9223372036854775808, 9223372036854775808, 1.0, 1e3]").unwrap();
        assert_eq!(
            json,
            Json::List(vec![
                Json::Int(1),
                Json::Int(i64::MIN),
                Json::Double(9223372036854775808.0),
                Json::Double(1.0),
                Json::Double(1000.0),
            ])
        );
    }

    #[test]
    fn of_a_member_that_is_there_twice_the_last_counts_in_small_and_in_large_objects() {
        for others in [0, 40] {
            let rest: String = (0..others).map(|n| format!(", \"k{n}\": {n}")).collect();
            let text = format!("{{\"a\": 1{rest}, \"a\": 2}}");
            let json = Json::parse(&text).unwrap();
            assert_eq!(json.get("a"), Some(&Json::Int(2)), "{text}");
            let Json::Map(object) = &json else { panic!("not an object") };
            assert_eq!(object.len(), others + 1, "{text}");
            assert_eq!(object.iter().filter(|(name, _)| *name == "a").count(), 1, "{text}");
        }
    }

    #[test]
    fn objects_are_equal_in_any_order() {
        let equal = |a, b| Json::parse(a).unwrap() == Json::parse(b).unwrap();
        assert!(equal(r#"{"a": 1, "b": [2]}"#, r#"{"b": [2], "a": 1}"#));
        assert!(!equal(r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "c": 2}"#));
        assert!(equal(r#"{"a": 0, "b": 1, "a": 2, "a": 3}"#, r#"{"b": 1, "a": 3}"#));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Json::List(list) = Json::parse(r#"["plain", "esc\u0061ped"]"#).unwrap() else {
            panic!("not a list")
        };
        assert!(matches!(&list[0], Json::String(Cow::Borrowed("plain"))));
        assert!(matches!(&list[1], Json::String(Cow::Owned(text)) if text == "escaped"));
    }

    #[test]
    fn nesting_without_end_is_an_error_and_no_overflow() {
        let text = "[".repeat(100_000);
        assert!(Json::parse(&text).is_err());
    }
}
