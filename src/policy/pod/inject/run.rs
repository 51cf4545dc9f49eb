//! What a merge has changed and what it could not, as it goes along.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use crate::cel::{Json, Object};
use crate::policy::patch::PatchOp;

use super::compare::{covers, difference, is_default};
use super::place::Place;
use super::{Addition, Clash};

/// Maps of which no part is merged into another's: what is in one half of them rules out the other.
const INDIVISIBLE: [&str; 9] = [
    "appArmorProfile",
    "livenessProbe",
    "postStart",
    "preStop",
    "readinessProbe",
    "schedulingGroup",
    "seccompProfile",
    "startupProbe",
    "windowsOptions",
];

/// Something that other parts of a policy name: a volume, by its mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Volume,
    ResourceClaim,
}

/// The merge of injections into one Pod.
#[derive(Default)]
pub(super) struct Run<'r> {
    pub(super) patch: Vec<PatchOp>,
    pub(super) clashes: Vec<Clash>,
    pub(super) added: Vec<Addition>,
    /// The policy whose injection is merged.
    pub(super) policy: &'r str,
    /// Whether what is changed is within a container that is added whole in the end.
    pub(super) within_new: bool,
    /// Whether what is changed is within a map that is added whole.
    within_whole: bool,
    /// Whether anything has changed.
    pub(super) changed: bool,
    /// The clashes of what other parts of the same policy name.
    clashed: HashMap<(&'r str, Named, String), usize>,
    /// Values that are wanted and are what their absence means, by their places: a later policy may
    /// not want another there.
    left_absent: HashMap<String, Json<'static>>,
}

/// Why a value is not added though nothing is in its place.
pub(super) enum Refusal {
    /// What stands in its way: a place and its value.
    Because(String),
    /// It has been told with the clash of what it names.
    Told,
}

impl<'r> Run<'r> {
    /// Begins again with what there is now: only the clashes that are left count.
    pub(super) fn again(&mut self) {
        self.clashes.clear();
        self.clashed.clear();
        self.left_absent.clear();
        self.changed = false;
    }

    /// Notes that a value has been put where none was.
    pub(super) fn note(&mut self, place: &Place<'_>, key: Option<String>) {
        self.changed = true;
        if !self.within_new {
            let (policy, path) = (self.policy.to_owned(), place.to_string());
            self.added.push(Addition { policy, path, key });
        }
    }

    /// Makes an operation, unless it is within what is added whole.
    pub(super) fn operation(&mut self, make: impl FnOnce() -> PatchOp) {
        if !self.within_new && !self.within_whole {
            self.patch.push(make());
        }
    }

    /// Tells of a value that is another than the one wanted.
    pub(super) fn clash(
        &mut self,
        place: &Place<'_>,
        key: Option<String>,
        found: &Json<'_>,
        wanted: &Json<'_>,
    ) -> usize {
        self.clashes.push(Clash {
            policy: self.policy.to_owned(),
            path: place.to_string(),
            key,
            found: text(found),
            wanted: text(wanted),
            because: None,
            left_out: Vec::new(),
        });
        self.clashes.len() - 1
    }

    /// Tells of a value that would not be valid beside another.
    pub(super) fn refuse(
        &mut self,
        place: &Place<'_>,
        key: Option<String>,
        wanted: &Json<'_>,
        refusal: Refusal,
    ) {
        if let Refusal::Because(because) = refusal {
            let at = self.clash(place, key, &Json::Null, wanted);
            if let Some(clash) = self.clashes.get_mut(at) {
                clash.because = Some(because);
            }
        }
    }

    /// Remembers the clash of what other parts of the policy name.
    pub(super) fn remember(&mut self, named: Named, name: &str, clash: usize) {
        self.clashed.insert((self.policy, named, name.to_owned()), clash);
    }

    /// Whether the policy meant another thing of this name than the Pod has. Then what would use it
    /// is left out, and that is told with the clash.
    pub(super) fn is_left_out(
        &mut self,
        named: Named,
        name: &str,
        what: impl FnOnce() -> String,
    ) -> bool {
        let Some(at) = self.clashed.get(&(self.policy, named, name.to_owned())) else {
            return false;
        };
        if let Some(clash) = self.clashes.get_mut(*at) {
            clash.left_out.push(what());
        }
        true
    }

    /// Fills a map that is a member of another. Where there is none, it is put there whole.
    pub(super) fn fill<'a>(
        &mut self,
        object: &mut Object<'a>,
        key: &str,
        parent: &Place<'_>,
        fill: impl FnOnce(&mut Self, &mut Object<'a>),
    ) {
        match object.get_mut(key) {
            Some(Json::Map(present)) => fill(self, present),
            None | Some(Json::Null) => {
                let mut whole = Object::default();
                let outer = std::mem::replace(&mut self.within_whole, true);
                fill(self, &mut whole);
                self.within_whole = outer;
                if !whole.is_empty() {
                    let whole = Json::Map(whole);
                    self.operation(|| PatchOp::add(parent.key(key).pointer(), Value::from(&whole)));
                    object.insert(Cow::Owned(key.to_owned()), whole);
                }
            }
            Some(_) => {}
        }
    }

    /// Puts a member where none is.
    pub(super) fn put<'a>(
        &mut self,
        object: &mut Object<'a>,
        key: &str,
        value: Json<'a>,
        parent: &Place<'_>,
    ) {
        let place = parent.key(key);
        self.note(&place, None);
        self.operation(|| PatchOp::add(place.pointer(), Value::from(&value)));
        object.insert(Cow::Owned(key.to_owned()), value);
    }

    /// Merges a member: what is absent is put there, maps are merged, all else is equal or a clash.
    pub(super) fn merge<'a>(
        &mut self,
        object: &mut Object<'a>,
        key: &str,
        wanted: &Json<'static>,
        parent: &Place<'_>,
    ) {
        let place = parent.key(key);
        match (object.get_mut(key), wanted) {
            (None | Some(Json::Null), _) if is_default(key, wanted) => {
                self.left_absent.insert(place.to_string(), wanted.clone());
            }
            (None | Some(Json::Null), _) => match self.wanted_absent(&place) {
                Some(default) => drop(self.clash(&place, None, &default, wanted)),
                None => self.put(object, key, wanted.clone(), parent),
            },
            (Some(present), _) if covers(present, wanted, key) => {}
            (Some(Json::Map(present)), Json::Map(wanted)) if key == "overhead" => {
                self.merge_quantities(present, wanted, &place);
            }
            (Some(Json::Map(present)), Json::Map(wanted)) if !INDIVISIBLE.contains(&key) => {
                for (key, wanted) in wanted.iter() {
                    self.merge(present, key, wanted, &place);
                }
            }
            (Some(present), _) => {
                difference(present, wanted, &place, &mut |place, found, wanted| {
                    self.clash(place, None, found, wanted);
                });
            }
        }
    }

    /// What an earlier policy wants where nothing is.
    fn wanted_absent(&self, place: &Place<'_>) -> Option<Json<'static>> {
        if self.left_absent.is_empty() {
            return None;
        }
        self.left_absent.get(&place.to_string()).cloned()
    }

    /// Merges a map of quantities.
    fn merge_quantities<'a>(
        &mut self,
        present: &mut Object<'a>,
        wanted: &Object<'static>,
        place: &Place<'_>,
    ) {
        for (name, wanted) in wanted.iter() {
            match present.get(name) {
                None | Some(Json::Null) => self.put(present, name, wanted.clone(), place),
                Some(found) if covers(found, wanted, "overhead") => {}
                Some(found) => drop(self.clash(&place.key(name), None, found, wanted)),
            }
        }
    }

    /// Merges a map of texts that people name: labels, annotations, selectors. An empty text is a
    /// value too. Of each that is absent `refuse` says whether it can be added.
    pub(super) fn merge_texts<'a>(
        &mut self,
        object: &mut Object<'a>,
        (key, noun): (&str, &str),
        wanted: &[(String, Json<'static>)],
        parent: &Place<'_>,
        refuse: &mut dyn FnMut(&str, &Json<'static>) -> Option<Refusal>,
    ) {
        if wanted.is_empty() {
            return;
        }
        let place = parent.key(key);
        let named = |name: &str| Some(format!("{noun} {name}"));
        let mut absent = Vec::new();
        for (name, wanted) in wanted {
            match object.get(key) {
                None | Some(Json::Null) => {}
                Some(Json::Map(present)) => match present.get(name) {
                    None | Some(Json::Null) => {}
                    Some(found) if found == wanted => continue,
                    Some(found) => {
                        self.clash(&place.key(name), named(name), found, wanted);
                        continue;
                    }
                },
                Some(_) => return,
            }
            match refuse(name, wanted) {
                None => absent.push((name, wanted)),
                Some(refusal) => self.refuse(&place.key(name), named(name), wanted, refusal),
            }
        }
        if absent.is_empty() {
            return;
        }
        for (name, _) in &absent {
            self.note(&place.key(name), named(name));
        }
        if let Some(Json::Map(present)) = object.get_mut(key) {
            for (name, wanted) in absent {
                let pointer = || place.key(name).pointer();
                self.operation(|| PatchOp::add(pointer(), Value::from(wanted)));
                present.insert(Cow::Owned(name.clone()), wanted.clone());
            }
        } else {
            let whole =
                absent.into_iter().map(|(name, wanted)| (name.clone().into(), wanted.clone()));
            let whole = Json::Map(whole.collect());
            self.operation(|| PatchOp::add(place.pointer(), Value::from(&whole)));
            object.insert(Cow::Owned(key.to_owned()), whole);
        }
    }
}

/// A value as JSON text.
pub(super) fn text(value: &Json<'_>) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
