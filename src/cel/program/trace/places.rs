//! Where in the object values are: what they borrow of it is found by its address.

use std::collections::HashMap;

use crate::cel::trace::{Path, Step};
use crate::cel::value::{Json, List, Map, Text, Value};

/// What is at an address: an object and its first part may have the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Address {
    Map(*const ()),
    List(*const ()),
    Text(*const ()),
}

/// The places of all that is in an object.
pub(super) struct Places<'a> {
    nodes: Vec<(usize, NodeStep<'a>)>,
    /// Nodes by their addresses; `None` where there are several of one address: copies of one text.
    found: HashMap<Address, Option<usize>>,
}

#[derive(Clone, Copy)]
enum NodeStep<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Places<'a> {
    pub(super) fn new(object: &'a Json<'a>) -> Self {
        let mut places = Self { nodes: Vec::new(), found: HashMap::new() };
        let mut open = vec![(0, NodeStep::Root, object)];
        while let Some((parent, step, json)) = open.pop() {
            let node = places.nodes.len();
            places.nodes.push((parent, step));
            if let NodeStep::Key(key) = step {
                places.keep(of_text(key), node);
            }
            places.keep(address(&Value::from(json)), node);
            match json {
                Json::List(list) => {
                    let elements = list.iter().enumerate();
                    open.extend(elements.map(|(n, element)| (node, NodeStep::Index(n), element)));
                }
                Json::Map(map) => {
                    open.extend(map.iter().map(|(key, value)| (node, NodeStep::Key(key), value)));
                }
                _ => {}
            }
        }
        places
    }

    fn keep(&mut self, address: Option<Address>, node: usize) {
        if let Some(address) = address {
            self.found.entry(address).and_modify(|known| *known = None).or_insert(Some(node));
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The place of a value that is a piece of the object.
    pub(super) fn of(&self, value: &Value<'_>) -> Option<Path> {
        let mut node = (*self.found.get(&address(value)?)?)?;
        let mut steps = Vec::new();
        while let Some((parent, step)) = self.nodes.get(node) {
            match step {
                NodeStep::Root => break,
                NodeStep::Key(key) => steps.push(Step::Key((*key).to_owned())),
                NodeStep::Index(index) => steps.push(Step::Index(*index)),
            }
            node = *parent;
        }
        Some(steps.into_iter().rev().collect())
    }
}

/// What is empty has no address of its own, but for objects.
fn address(value: &Value<'_>) -> Option<Address> {
    match value {
        Value::Map(Map::Json(object)) => Some(Address::Map((&raw const **object).cast())),
        Value::List(List::Json(elements)) if !elements.is_empty() => {
            Some(Address::List(elements.as_ptr().cast()))
        }
        Value::String(Text::Borrowed(text)) => of_text(text),
        Value::Optional(Some(value)) => address(value),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Address> {
    (!text.is_empty()).then(|| Address::Text(text.as_ptr().cast()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_borrowed_of_an_object_is_found_in_it() {
        let object = Json::parse(r#"{"a": [{"b": "x"}, [1], "x"], "c": {}, "e": ""}"#).unwrap();
        let places = Places::new(&object);
        let place = |json: &Json<'_>| places.of(&Value::from(json)).map(|path| path.to_string());
        let Some(Json::List(list)) = object.get("a") else { panic!("not a list") };
        assert_eq!(place(&object).as_deref(), Some(""));
        assert_eq!(place(object.get("a").unwrap()).as_deref(), Some("a"));
        assert_eq!(place(&list[0]).as_deref(), Some("a[0]"));
        assert_eq!(place(list[0].get("b").unwrap()).as_deref(), Some("a[0].b"));
        assert_eq!(place(&list[1]).as_deref(), Some("a[1]"));
        assert_eq!(place(&list[2]).as_deref(), Some("a[2]"));
        assert_eq!(place(object.get("c").unwrap()).as_deref(), Some("c"));
        assert_eq!(place(object.get("e").unwrap()), None);
        assert_eq!(place(&object.clone()), None);
    }

    #[test]
    fn copies_of_one_text_are_not_taken_for_one_another() {
        let text = Json::parse("\"x\"").unwrap();
        let object = Json::List(vec![text.clone(), text]);
        let Json::List(list) = &object else { panic!("not a list") };
        assert_eq!(Places::new(&object).of(&Value::from(&list[0])), None);
    }
}
