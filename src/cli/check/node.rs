//! A value with the place of each of its parts: what a finding points at.

mod reading;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::cel::Json;

pub(super) use reading::place_of;

/// A place in a text; lines and columns are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    /// Where a text begins.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The same, in a text with so many lines more before it.
    pub fn below(self, lines: u32) -> Self {
        Self { line: self.line.saturating_add(lines), ..self }
    }
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub place: Place,
    content: Content,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq)]
struct Member {
    key: String,
    /// Where the key stands: what a map is in has no line of its own.
    place: Place,
    value: Node,
}

impl Node {
    /// A value all of which stands at one place.
    pub fn at(place: Place, value: Value) -> Self {
        let content = match value {
            Value::Array(elements) => Content::List(
                elements.into_iter().map(|element| Self::at(place, element)).collect(),
            ),
            Value::Object(members) => Content::Map(
                members
                    .into_iter()
                    .map(|(key, value)| Member { key, place, value: Self::at(place, value) })
                    .collect(),
            ),
            scalar => Content::Scalar(scalar),
        };
        Self { place, content }
    }

    /// The value alone.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(elements) => elements.iter().map(Self::value).collect(),
            Content::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|member| (member.key.clone(), member.value.value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// How many values it is made of.
    pub fn count(&self) -> usize {
        1 + match &self.content {
            Content::Scalar(_) => 0,
            Content::List(elements) => elements.iter().map(Self::count).sum(),
            Content::Map(members) => members.iter().map(|member| member.value.count()).sum(),
        }
    }

    pub fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }

    /// What it is, for somebody who expected an object.
    pub fn description(&self) -> &'static str {
        match self.content {
            Content::Scalar(_) => "a single value",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    /// The member of this name, of a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(members) = &self.content else { return None };
        members.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// The member of this name, if it is a text and not an empty one.
    pub fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.content {
            Content::Scalar(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The elements of a list that it has under this name, taken out of it.
    pub fn take_list(&mut self, key: &str) -> Option<Vec<Self>> {
        let Content::Map(members) = &mut self.content else { return None };
        let member = members.iter_mut().find(|member| member.key == key)?;
        match &mut member.value.content {
            Content::List(elements) => Some(std::mem::take(elements)),
            _ => None,
        }
    }

    /// Where the field of this path stands, such as `spec.containers[0].image`; where there is no
    /// such field, the nearest of those that it would be in.
    pub fn place_of(&self, path: &str) -> Place {
        self.walk(self.place, path, None).1
    }

    /// The same of a path within the Pod that is at `prefix`, where it is a path of that Pod with
    /// what policies add to it: in its lists there may be more before an element than was written.
    pub fn place_in_pod(&self, prefix: &str, path: &str, pod: &Json<'_>) -> Place {
        match self.walk(self.place, prefix.trim_end_matches('.'), None) {
            (template, place, "") => template.walk(place, path, Some(pod)).1,
            (_, place, _) => place,
        }
    }

    /// Goes down a path as far as it leads: to what, where that stands, and what is left.
    fn walk<'n, 'p>(
        &'n self,
        place: Place,
        path: &'p str,
        judged: Option<&Json<'_>>,
    ) -> (&'n Self, Place, &'p str) {
        let (mut node, mut place, mut rest, mut judged) = (self, place, path, judged);
        while let Some(step) = node.step(rest, judged) {
            (node, place, rest, judged) = step;
        }
        (node, place, rest)
    }

    /// One step down a path. Of keys that the path could mean the longest is taken, since keys may
    /// have points in them.
    fn step<'n, 'p, 'j>(
        &'n self,
        path: &'p str,
        judged: Option<&'j Json<'j>>,
    ) -> Option<(&'n Self, Place, &'p str, Option<&'j Json<'j>>)> {
        match &self.content {
            Content::Scalar(_) => None,
            Content::List(elements) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let index = index.parse().ok()?;
                let (index, judged) = match judged {
                    Some(Json::List(judged)) => {
                        (written(elements, judged, index)?, judged.get(index))
                    }
                    _ => (index, None),
                };
                let element = elements.get(index)?;
                Some((element, element.place, rest, judged))
            }
            Content::Map(members) => {
                let found = members.iter().filter_map(|member| Some((member, member.after(path)?)));
                let (member, rest) = found.min_by_key(|(_, rest)| rest.len())?;
                let judged = judged.and_then(|judged| judged.get(&member.key));
                Some((&member.value, member.place, rest, judged))
            }
        }
    }
}

/// Which of the elements that were written is the one at `index` of those that were judged: one that
/// is the same, or else has the same name.
fn written(elements: &[Node], judged: &[Json<'_>], index: usize) -> Option<usize> {
    if elements.len() == judged.len() {
        return Some(index);
    }
    let wanted = judged.get(index)?;
    let before = judged.get(..index)?;
    let is_same = |element: &&Node| Json::from(&element.value()) == *wanted;
    if elements.iter().any(|element| is_same(&element)) {
        let nth = before.iter().filter(|other| *other == wanted).count();
        return nth_place(elements, is_same, nth);
    }
    let name = wanted.get("name")?.as_str()?;
    let named = |other: &&Json<'_>| other.get("name").and_then(Json::as_str) == Some(name);
    let nth = before.iter().filter(named).count();
    nth_place(elements, |element| element.text("name") == Some(name), nth)
}

fn nth_place(elements: &[Node], is_it: impl Fn(&&Node) -> bool, nth: usize) -> Option<usize> {
    let found = elements.iter().enumerate().filter(|(_, element)| is_it(element));
    found.map(|(place, _)| place).nth(nth)
}

impl Member {
    /// What is left of a path that begins with this member.
    fn after<'a>(&self, path: &'a str) -> Option<&'a str> {
        let key = self.key.as_str();
        let rest = match path.strip_prefix('[') {
            Some(quoted) => quoted.strip_prefix(&format!("{key:?}]"))?,
            None => path.strip_prefix('.').unwrap_or(path).strip_prefix(key)?,
        };
        let is_whole = !key.is_empty() && (rest.is_empty() || rest.starts_with(['.', '[']));
        is_whole.then_some(rest)
    }
}
