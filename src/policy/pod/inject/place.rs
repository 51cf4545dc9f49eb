//! A place in an object, written only where something is told of it.

use std::fmt;

use crate::policy::patch::Pointer;

/// A place in an object: the places that lead to it, on the stack of whoever walks there.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl<'p> Place<'p> {
    /// The member of this name.
    pub(super) fn key(&'p self, name: &'p str) -> Place<'p> {
        Place::Key(self, name)
    }

    /// The element at this index.
    pub(super) fn index(&'p self, index: usize) -> Place<'p> {
        Place::Index(self, index)
    }

    /// The place as RFC 6901 writes it.
    pub(super) fn pointer(&self) -> Pointer {
        match self {
            Self::Root => Pointer::root(),
            Self::Key(parent, name) => parent.pointer().key(name),
            Self::Index(parent, index) => parent.pointer().index(*index),
        }
    }
}

/// As `kubectl` writes fields: `spec.containers[0].name`, and `metadata.labels["a/b"]`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, name) => f.write_str(name),
            Self::Key(parent, name) if is_word(name) => write!(f, "{parent}.{name}"),
            Self::Key(parent, name) => write!(f, "{parent}[{name:?}]"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_for_people_and_for_patches() {
        let root = Place::Root;
        let labels = root.key("metadata");
        let labels = labels.key("labels");
        let label = labels.key("a/b~c");
        assert_eq!(label.to_string(), "metadata.labels[\"a/b~c\"]");
        assert_eq!(label.pointer().as_str(), "/metadata/labels/a~1b~0c");
        let list = root.key("list");
        let item = list.index(3);
        assert_eq!(item.key("name").to_string(), "list[3].name");
    }
}
