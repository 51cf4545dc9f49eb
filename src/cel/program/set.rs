//! Sets of constants.

use std::collections::HashSet;

use crate::cel::meter::Meter;
use crate::cel::value::Value;
use crate::cel::value::compare::equal;

/// From how many texts on a set of them is hashed.
const HASHED_FROM: usize = 16;

/// Constants, of which it is asked whether a value is among them.
#[derive(Debug)]
pub(super) struct Set {
    values: Vec<Value<'static>>,
    /// The texts, where there are many.
    texts: Option<HashSet<Box<str>>>,
}

impl Set {
    /// A set of constants; those of other than the simple types cel-go walks through instead.
    pub(super) fn new(values: Vec<Value<'static>>) -> Option<Self> {
        let is_simple = |value: &Value<'_>| {
            matches!(
                value,
                Value::Bool(_)
                    | Value::Int(_)
                    | Value::Uint(_)
                    | Value::Double(_)
                    | Value::String(_)
            )
        };
        if !values.iter().all(is_simple) {
            return None;
        }
        let texts: HashSet<Box<str>> = values
            .iter()
            .filter_map(|value| match value {
                Value::String(text) => Some((&**text).into()),
                _ => None,
            })
            .collect();
        let texts = (texts.len() >= HASHED_FROM).then_some(texts);
        Some(Self { values, texts })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn contains(&self, meter: &mut Meter, value: &Value<'_>) -> bool {
        match (&self.texts, value) {
            (Some(texts), Value::String(text)) => texts.contains(&**text),
            _ => self.values.iter().any(|member| equal(meter, member, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_have_the_same_members() {
        for count in [1, HASHED_FROM - 1, HASHED_FROM, 100] {
            let texts = (0..count).map(|number| Value::string(format!("t{number}")));
            let set = Set::new(texts.chain([Value::Int(7)]).collect()).unwrap();
            let mut meter = Meter::new(0);
            assert!(set.contains(&mut meter, &Value::string("t0")));
            assert!(set.contains(&mut meter, &Value::Double(7.0)));
            assert!(set.contains(&mut meter, &Value::Uint(7)));
            assert!(!set.contains(&mut meter, &Value::string("7")));
            assert!(!set.contains(&mut meter, &Value::Null));
        }
    }

    #[test]
    fn lists_are_in_no_set() {
        assert!(Set::new(vec![Value::list(Vec::new())]).is_none());
        assert!(Set::new(Vec::new()).unwrap().is_empty());
    }
}
