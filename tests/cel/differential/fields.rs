//! What there is in the Pods, and what of it can be read how.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::random::Random;
use super::types::Type;
use crate::oracle::Seen;

/// The fields of all reviews.
pub struct Fields {
    /// By the review, and by what they are fields of: a variable of CEL, or the type of an object.
    reviews: BTreeMap<String, BTreeMap<String, Vec<Field>>>,
    /// In how many reviews there is one of this path.
    counts: BTreeMap<String, usize>,
}

/// Something that can be read.
#[derive(Clone, Debug)]
pub struct Field {
    /// The way to it.
    pub path: Vec<Step>,
    /// What it is.
    pub type_: Type,
    /// Its value as it is written, where that is short.
    pub value: Option<String>,
}

/// A step of the way to a field.
#[derive(Clone, Debug)]
pub enum Step {
    /// A key.
    Key(String),
    /// A place in a list.
    Index(usize),
}

impl Fields {
    /// Of what validations see.
    pub fn of(seen: &BTreeMap<String, Seen>) -> Self {
        let mut reviews = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for (name, seen) in seen {
            let mut walk = Walk::default();
            for (root, value) in [
                ("object", &seen.object),
                ("oldObject", &seen.old_object),
                ("request", &seen.request),
                ("namespaceObject", &seen.namespace_object),
            ] {
                walk.visit(value, root, "", &[(root.to_owned(), Vec::new())]);
            }
            for path in walk.paths {
                *counts.entry(path).or_default() += 1;
            }
            reviews.insert(name.clone(), walk.fields);
        }
        Self { reviews, counts }
    }

    /// One of the fields of `root` that a review has, if it has one that is `wanted`; rather one
    /// that others have too.
    pub fn pick(
        &self,
        review: &str,
        root: &str,
        wanted: &Type,
        random: &mut Random,
    ) -> Option<&Field> {
        let fields = self.reviews.get(review)?.get(root)?;
        let fit: Vec<_> = fields.iter().filter(|field| field.type_.serves(wanted)).collect();
        if fit.is_empty() {
            return None;
        }
        let (one, other) = (*random.pick(&fit), *random.pick(&fit));
        let count = |field: &Field| self.counts.get(&key(root, &field.path)).copied();
        Some(if count(one) < count(other) && random.percent(60) { other } else { one })
    }
}

fn key(root: &str, path: &[Step]) -> String {
    format!("{root} {path:?}")
}

#[derive(Default)]
struct Walk {
    fields: BTreeMap<String, Vec<Field>>,
    paths: BTreeSet<String>,
}

impl Walk {
    /// `place` is where the value stands, without the indices of lists; `name` the last key of it;
    /// `ways` how to come there from what.
    fn visit(&mut self, value: &Value, place: &str, name: &str, ways: &[(String, Vec<Step>)]) {
        let type_ = type_of(value, place, name);
        for (root, path) in ways {
            self.paths.insert(key(root, path));
            let field = Field { path: path.clone(), type_: type_.clone(), value: written(value) };
            self.fields.entry(root.clone()).or_default().push(field);
        }
        let further = |step: Step| -> Vec<_> {
            let further = |(root, path): &(String, Vec<Step>)| {
                (root.clone(), path.iter().cloned().chain([step.clone()]).collect())
            };
            ways.iter().map(further).collect()
        };
        match value {
            Value::Array(list) => {
                let place = format!("{place}[]");
                for (index, element) in list.iter().enumerate() {
                    let mut ways = further(Step::Index(index));
                    if element.is_object() {
                        ways.push((place.clone(), Vec::new()));
                    }
                    self.visit(element, &place, name, &ways);
                }
            }
            Value::Object(map) => {
                // What the server keeps account of is long, and of little interest.
                for (key, value) in map.iter().filter(|(key, _)| *key != "fieldsV1") {
                    let ways = further(Step::Key(key.clone()));
                    self.visit(value, &format!("{place}.{key}"), key, &ways);
                }
            }
            _ => {}
        }
    }
}

fn type_of(value: &Value, place: &str, name: &str) -> Type {
    match value {
        Value::Null => Type::Named("null"),
        Value::Bool(_) => Type::BOOL,
        Value::Number(number) if number.is_f64() => Type::Named("double"),
        Value::Number(_) => Type::Named("int"),
        Value::String(text) => Type::Named(kind_of(name, text)),
        Value::Array(list) => {
            let place = format!("{place}[]");
            let mut types = list.iter().map(|element| type_of(element, &place, ""));
            let first = types.next().unwrap_or(Type::DYN);
            let all_alike = types.all(|other| other == first);
            Type::List(Box::new(if all_alike { first } else { Type::DYN }))
        }
        Value::Object(map) => {
            let of_strings = ["labels", "annotations", "nodeSelector", "limits", "requests"];
            match of_strings.contains(&name) || map.is_empty() {
                true => Type::Map(Box::new((Type::STRING, Type::STRING))),
                false => Type::Object(place.to_owned()),
            }
        }
    }
}

/// What can be made of a string, by the name of its field.
fn kind_of(name: &str, text: &str) -> &'static str {
    let kinds = [
        (&["cpu", "memory", "storage", "quantity", "sizeLimit", "gpu"][..], "quantityText"),
        (&["Timestamp", "time", "built", "expires", "date-only"], "timestampText"),
        (&["ttl"], "durationText"),
        (&["semver", "release"], "semverText"),
        (&["cidr"], "cidrText"),
        (&["ipv", "ip", "loopback"], "ipText"),
        (&["url", "relative"], "urlText"),
        (&["regex"], "regexText"),
        (&["uuid", "dns-", "base64"], "nameText"),
        (&["int", "float", "octal", "hex", "exponent", "huge", "max", "min"], "numberText"),
    ];
    let is = |names: &[&str]| names.iter().any(|other| name == *other || name.starts_with(other));
    match kinds.iter().find(|(names, _)| is(names)) {
        Some((_, kind)) if text.len() < 100 => kind,
        _ => "string",
    }
}

/// A value as it is written, if it is short and plain.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.len() < 40 => Some(crate::oracle::verify::literal(text)),
        Value::Bool(_) | Value::Null => Some(value.to_string()),
        Value::Number(number) if !number.is_f64() => Some(value.to_string()),
        _ => None,
    }
}
