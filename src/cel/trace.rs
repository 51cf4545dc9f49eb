//! Where in an object a validation does not hold.

use std::fmt;

use super::value::display::go_quote;

/// A place in an object where a validation does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The place; nothing needs to be there.
    pub path: Path,
    /// How it was found.
    pub kind: TraceKind,
}

/// How a place was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceKind {
    /// It is an element that fails, of those for which something has to hold, or is in such an
    /// element.
    Element,
    /// It is no more than what the expression read.
    Read,
}

/// A path into an object, in the words of Kubernetes: `spec.containers[0].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// To the member of an object.
    Key(String),
    /// To the element of a list, counted from 0.
    Index(usize),
}

impl Path {
    /// The steps from the object down.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it leads to the object itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it leads to what `other` leads to, or into that.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The path that goes on with `step`.
    pub(super) fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Whether it leads into what `other` leads to.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.starts_with(other)
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<T: IntoIterator<Item = Step>>(steps: T) -> Self {
        Self(steps.into_iter().collect())
    }
}

/// Keys that are no identifiers are quoted: `metadata.labels["app.kubernetes.io/name"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if !is_identifier(key) => write!(f, "[{}]", go_quote(key))?,
                Step::Key(key) if number == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

fn is_identifier(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_kubernetes_writes_it() {
        let key = |key: &str| Step::Key(key.to_owned());
        for (steps, text) in [
            (vec![], ""),
            (vec![key("spec"), key("containers"), Step::Index(0)], "spec.containers[0]"),
            (vec![key("metadata"), key("labels"), key("app")], "metadata.labels.app"),
            (
                vec![key("metadata"), key("labels"), key("app.kubernetes.io/name")],
                "metadata.labels[\"app.kubernetes.io/name\"]",
            ),
            (vec![key("data"), key("a\"b"), key("x")], "data[\"a\\\"b\"].x"),
            (vec![key("a-b"), key("")], "[\"a-b\"][\"\"]"),
        ] {
            assert_eq!(Path::from_iter(steps).to_string(), text);
        }
    }
}
