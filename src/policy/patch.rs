//! JSON patches (RFC 6902) and the pointers in them (RFC 6901), as far as policies and admission need them.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One operation of a JSON patch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchOp {
    /// Puts a value where none is, before an element of a list, or in the place of a member.
    /// What contains it must be there: an annotation needs a map of annotations.
    Add {
        /// Where.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Puts a value in the place of one that is there.
    Replace {
        /// Where.
        path: Pointer,
        /// What.
        value: Value,
    },
    /// Takes a value away that is there.
    Remove {
        /// Where.
        path: Pointer,
    },
}

impl PatchOp {
    /// An [`Add`](Self::Add) of `value` at `path`.
    pub fn add(path: Pointer, value: impl Into<Value>) -> Self {
        Self::Add { path, value: value.into() }
    }

    /// A [`Replace`](Self::Replace) of what is at `path` by `value`.
    pub fn replace(path: Pointer, value: impl Into<Value>) -> Self {
        Self::Replace { path, value: value.into() }
    }

    /// A [`Remove`](Self::Remove) of what is at `path`.
    pub fn remove(path: Pointer) -> Self {
        Self::Remove { path }
    }
}

/// A JSON pointer. It is built from keys as they are, so that none goes in unescaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The member of this name: `~` and `/` in it are written `~0` and `~1` (RFC 6901, 3).
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        // The tilde goes first, or the one of `~1` would be escaped again.
        Self(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// The element at this index, from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The place after the last element of a list (RFC 6902, 4.1).
    #[must_use]
    pub fn end(&self) -> Self {
        Self(format!("{}/-", self.0))
    }

    /// The pointer as RFC 6901 writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn apply(document: &mut Value, ops: &[PatchOp]) {
        let patch: json_patch::Patch =
            serde_json::from_value(serde_json::to_value(ops).unwrap()).unwrap();
        json_patch::patch(document, &patch).unwrap();
    }

    #[test]
    fn slash_and_tilde_in_a_key_are_escaped() {
        let path = Pointer::root().key("metadata").key("annotations").key("box.com/a~1");
        assert_eq!(path.as_str(), "/metadata/annotations/box.com~1a~01");
    }

    #[test]
    fn the_three_operations_do_what_rfc_6902_says() {
        let list = Pointer::root().key("list");
        let mut document = json!({"list": [1, 2], "gone": true});
        apply(
            &mut document,
            &[
                PatchOp::add(list.index(0), 0),
                PatchOp::add(list.end(), 9),
                PatchOp::replace(list.index(1), "one"),
                PatchOp::remove(Pointer::root().key("gone")),
            ],
        );
        assert_eq!(document, json!({"list": [0, "one", 2, 9]}));
    }

    proptest! {
        #[test]
        fn whatever_the_key_it_is_that_member_which_is_added(key in any::<String>()) {
            let mut document = json!({});
            apply(&mut document, &[PatchOp::add(Pointer::root().key(&key), 1)]);
            prop_assert_eq!(document, json!({key: 1}));
        }
    }
}
