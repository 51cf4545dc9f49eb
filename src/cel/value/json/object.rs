//! The objects of JSON.

use std::borrow::Cow;

use super::Json;

/// Larger maps are kept in the order of their keys, so that a lookup takes no time to speak of
/// however many labels somebody puts on an object.
const SORTED_FROM: usize = 16;

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

    /// The member `key`, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        let place = self.place(key).ok()?;
        self.members.get_mut(place).map(|(_, value)| value)
    }

    /// Puts a member there; what had its name is given back.
    pub fn insert(&mut self, key: Cow<'a, str>, value: Json<'a>) -> Option<Json<'a>> {
        match self.place(&key) {
            Ok(place) => self.members.get_mut(place).map(|(_, old)| std::mem::replace(old, value)),
            Err(place) => {
                self.members.insert(place, (key, value));
                if self.members.len() == SORTED_FROM {
                    self.members.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                None
            }
        }
    }

    /// Takes the member `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        // The others stay in their order, on which a larger object relies.
        self.place(key).ok().map(|place| self.members.remove(place).1)
    }

    /// Where the member `key` is, or else where it would have to be put.
    fn place(&self, key: &str) -> Result<usize, usize> {
        if self.members.len() < SORTED_FROM {
            return self.members.iter().position(|(name, _)| name == key).ok_or(self.members.len());
        }
        self.members.binary_search_by(|(name, _)| name.as_ref().cmp(key))
    }

    pub(super) fn into_owned(self) -> Object<'static> {
        let owned =
            |(key, value): (Cow<'a, str>, Json<'a>)| (key.into_owned().into(), value.into_owned());
        Object { members: self.members.into_iter().map(owned).collect() }
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
