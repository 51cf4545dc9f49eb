//! Lists whose elements have a key, as Kubernetes merges them, and lists that are sets.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use crate::cel::{Json, Object};
use crate::policy::patch::PatchOp;

use super::compare::{covers, difference, elements, is_same, member, scalar};
use super::place::Place;
use super::run::{Named, Refusal, Run};

/// A list whose elements are told apart by a key.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The list.
    pub(super) field: &'static str,
    /// What one of its elements is called.
    pub(super) noun: &'static str,
    /// The members that are its key, with what they are where they are absent.
    keys: &'static [(&'static str, Option<&'static str>)],
    /// What other parts of a policy name it as.
    named: Option<Named>,
}

const fn keyed(
    field: &'static str,
    noun: &'static str,
    keys: &'static [(&'static str, Option<&'static str>)],
) -> Keyed {
    Keyed { field, noun, keys, named: None }
}

const NAME: &[(&str, Option<&str>)] = &[("name", None)];

/// The keyed lists of a Pod's spec, but for its containers.
pub(super) const OF_SPEC: [Keyed; 7] = [
    Keyed { named: Some(Named::Volume), ..keyed("volumes", "volume", NAME) },
    Keyed { named: Some(Named::ResourceClaim), ..keyed("resourceClaims", "resource claim", NAME) },
    keyed("imagePullSecrets", "image pull secret", NAME),
    keyed("hostAliases", "host alias", &[("ip", None)]),
    keyed(
        "topologySpreadConstraints",
        "topology spread constraint",
        &[("topologyKey", None), ("whenUnsatisfiable", None)],
    ),
    keyed("readinessGates", "readiness gate", &[("conditionType", None)]),
    keyed("schedulingGates", "scheduling gate", NAME),
];

/// The keyed lists of a container.
pub(super) const OF_CONTAINER: [Keyed; 4] = [ENV, VOLUME_MOUNTS, VOLUME_DEVICES, PORTS];

pub(super) const ENV: Keyed = keyed("env", "env", NAME);
pub(super) const VOLUME_MOUNTS: Keyed = keyed("volumeMounts", "mount", &[("mountPath", None)]);
pub(super) const VOLUME_DEVICES: Keyed = keyed("volumeDevices", "device", &[("devicePath", None)]);
pub(super) const PORTS: Keyed =
    keyed("ports", "port", &[("containerPort", None), ("protocol", Some("TCP"))]);
pub(super) const CLAIMS: Keyed = keyed("claims", "claim", NAME);

impl Keyed {
    /// The members that are the key of an element.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|(name, _)| *name)
    }

    /// The key of an element, as one text; nothing where a part of it is missing.
    pub(super) fn key_of<'j>(&self, element: &'j Json<'_>) -> Option<Cow<'j, str>> {
        let part = |(name, absent): &(&str, Option<&'static str>)| match member(element, name) {
            Some(value) => scalar(value),
            None => absent.map(Cow::Borrowed),
        };
        match self.keys {
            [only] => part(only),
            several => {
                let parts: Option<Vec<_>> = several.iter().map(part).collect();
                parts.map(|parts| Cow::Owned(parts.join("/")))
            }
        }
    }

    /// What an element is called, for people: `volume certs`.
    pub(super) fn title(&self, element: &Json<'_>) -> Option<String> {
        self.key_of(element).map(|key| format!("{} {key}", self.noun))
    }
}

/// Of an element that is not there: whether it can be added.
pub(super) type Refuse<'f, 'r> =
    &'f mut dyn FnMut(&mut Run<'r>, &Json<'static>, &[&Json<'_>]) -> Option<Refusal>;

impl<'r> Run<'r> {
    /// Merges a keyed list: an element of the Pod's stays as it is, and is equal or a clash; the
    /// others are appended, unless `refuse` has a reason not to. It is given what the list has.
    pub(super) fn merge_keyed<'a>(
        &mut self,
        object: &mut Object<'a>,
        kind: &Keyed,
        wanted: &[Json<'static>],
        parent: &Place<'_>,
        refuse: Refuse<'_, 'r>,
    ) {
        let absent = self.absent(object, kind, wanted, parent, refuse);
        self.append(object, kind.field, absent, parent, |element| kind.title(element));
    }

    /// The elements of a wanted list that are not there and can be added.
    pub(super) fn absent<'w>(
        &mut self,
        object: &Object<'_>,
        kind: &Keyed,
        wanted: &'w [Json<'static>],
        parent: &Place<'_>,
        refuse: Refuse<'_, 'r>,
    ) -> Vec<&'w Json<'static>> {
        let place = parent.key(kind.field);
        let present = match object.get(kind.field) {
            None | Some(Json::Null) => &[],
            Some(Json::List(present)) => present.as_slice(),
            Some(_) => return Vec::new(),
        };
        let mut by_key = HashMap::with_capacity(present.len());
        for (index, element) in present.iter().enumerate() {
            if let Some(key) = kind.key_of(element) {
                by_key.entry(key).or_insert((index, element));
            }
        }
        let mut there: Option<Vec<&Json<'_>>> = None;
        let mut absent = Vec::new();
        for wanted in wanted {
            let Some(key) = kind.key_of(wanted) else { continue };
            if let Some((index, found)) = by_key.get(&key) {
                if !covers(found, wanted, "") {
                    let at = self.clash_of(found, wanted, &place.index(*index), kind);
                    if let Some(named) = kind.named {
                        self.remember(named, &key, at);
                    }
                }
                continue;
            }
            let there = there.get_or_insert_with(|| present.iter().collect());
            match refuse(self, wanted, there) {
                None => {
                    there.push(wanted);
                    absent.push(wanted);
                }
                Some(refusal) => self.refuse(&place, kind.title(wanted), wanted, refusal),
            }
        }
        absent
    }

    /// Tells of an element that is another than the one wanted.
    pub(super) fn clash_of(
        &mut self,
        found: &Json<'_>,
        wanted: &Json<'static>,
        place: &Place<'_>,
        kind: &Keyed,
    ) -> usize {
        difference(found, wanted, place, &mut |place, found, part| {
            self.clash(place, kind.title(wanted), found, part)
        })
    }

    /// Merges the tolerations: one is added that none of the Pod's covers.
    pub(super) fn merge_tolerations<'a>(
        &mut self,
        object: &mut Object<'a>,
        wanted: &[Json<'static>],
        parent: &Place<'_>,
    ) {
        let present = elements(object.get("tolerations"));
        let is_covered = |wanted: &&Json<'static>| present.iter().any(|one| tolerates(one, wanted));
        let absent = wanted.iter().filter(|wanted| !is_covered(wanted)).collect();
        self.append(object, "tolerations", absent, parent, |element| {
            let key = member(element, "key").and_then(Json::as_str).unwrap_or("of all taints");
            Some(format!("toleration {key}"))
        });
    }

    /// Merges the sources of whole environments. They go before the owner's: of two sources that
    /// have one variable, the last wins.
    pub(super) fn merge_env_from<'a>(
        &mut self,
        object: &mut Object<'a>,
        wanted: &[Json<'static>],
        parent: &Place<'_>,
    ) {
        let present = elements(object.get("envFrom"));
        let is_there = |wanted: &&Json<'static>| present.iter().any(|one| is_same(one, wanted));
        let absent: Vec<_> = wanted.iter().filter(|wanted| !is_there(wanted)).collect();
        if !matches!(object.get("envFrom"), Some(Json::List(_))) {
            return self.append(object, "envFrom", absent, parent, |_| None);
        }
        let place = parent.key("envFrom");
        let Some(Json::List(list)) = object.get_mut("envFrom") else { return };
        for (index, element) in absent.iter().enumerate() {
            self.note(&place, None);
            let pointer = || place.index(index).pointer();
            self.operation(|| PatchOp::add(pointer(), Value::from(*element)));
        }
        list.splice(0..0, absent.into_iter().cloned());
    }

    /// Appends elements to a list, or puts a list of them where none is.
    pub(super) fn append<'a>(
        &mut self,
        object: &mut Object<'a>,
        field: &str,
        absent: Vec<&Json<'static>>,
        parent: &Place<'_>,
        title: impl Fn(&Json<'_>) -> Option<String>,
    ) {
        let place = parent.key(field);
        let has = match object.get(field) {
            None | Some(Json::Null) => 0,
            Some(Json::List(present)) => present.len(),
            Some(_) => return,
        };
        if absent.is_empty() {
            return;
        }
        for (index, element) in absent.iter().enumerate() {
            // In an environment, others may yet come before it.
            match field {
                "env" | "envFrom" => self.note(&place, title(element)),
                _ => self.note(&place.index(has + index), title(element)),
            }
        }
        if let Some(Json::List(present)) = object.get_mut(field) {
            for element in absent {
                self.operation(|| PatchOp::add(place.pointer().end(), Value::from(element)));
                present.push(element.clone());
            }
        } else {
            let whole = Json::List(absent.into_iter().cloned().collect());
            self.operation(|| PatchOp::add(place.pointer(), Value::from(&whole)));
            object.insert(Cow::Owned(field.to_owned()), whole);
        }
    }
}

/// Whether one toleration tolerates all that another does, and for as long.
fn tolerates(one: &Json<'_>, other: &Json<'_>) -> bool {
    if is_same(one, other) {
        return true;
    }
    let part = |of: &'_ Json<'_>, name: &str| -> String {
        member(of, name).and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    let same = |name: &str| part(one, name) == part(other, name);
    let operator = |of: &Json<'_>| match part(of, "operator") {
        none if none.is_empty() => "Equal".to_owned(),
        operator => operator,
    };
    let (key, effect) = (part(one, "key"), part(one, "effect"));
    let exists = operator(one) == "Exists";
    let of_its_taint = (key.is_empty() && exists)
        || (same("key") && (exists || operator(one) == operator(other) && same("value")));
    let as_long = match (member(one, "tolerationSeconds"), member(other, "tolerationSeconds")) {
        (None, _) => true,
        (Some(Json::Int(one)), Some(Json::Int(other))) => one >= other,
        _ => false,
    };
    of_its_taint && as_long && (effect.is_empty() || same("effect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_covers_those_that_tolerate_less() {
        let covers = |one: &str, other: &str| {
            tolerates(&Json::parse(one).unwrap(), &Json::parse(other).unwrap())
        };
        let gpu = r#"{"key": "gpu", "value": "a", "effect": "NoSchedule"}"#;
        assert!(covers(r#"{"operator": "Exists"}"#, gpu));
        assert!(covers(r#"{"key": "gpu", "operator": "Exists"}"#, gpu));
        assert!(covers(r#"{"key": "gpu", "value": "a", "operator": "Equal"}"#, gpu));
        assert!(!covers(r#"{"key": "gpu", "value": "b"}"#, gpu));
        assert!(!covers(gpu, r#"{"key": "gpu", "operator": "Exists"}"#));
        assert!(!covers(r#"{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}"#, gpu));
        let seconds = |n: u32| {
            format!(
                r#"{{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": {n}}}"#
            )
        };
        assert!(covers(&seconds(300), &seconds(30)));
        assert!(!covers(&seconds(30), &seconds(300)));
    }

    #[test]
    fn the_key_of_a_port_has_its_protocol() {
        let key =
            |text: &'static str| PORTS.key_of(&Json::parse(text).unwrap()).map(Cow::into_owned);
        assert_eq!(key(r#"{"containerPort": 80}"#).as_deref(), Some("80/TCP"));
        assert_eq!(key(r#"{"containerPort": 80, "protocol": "UDP"}"#).as_deref(), Some("80/UDP"));
        assert_eq!(key(r#"{"protocol": "UDP"}"#), None);
    }
}
