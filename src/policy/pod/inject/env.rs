//! Environments: variables refer to those before them in their list, so their order has a meaning.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::cel::{Json, Object};
use crate::policy::patch::PatchOp;

use super::compare::{covers, member};
use super::lists::ENV;
use super::place::Place;
use super::run::Run;

impl Run<'_> {
    /// Merges variables into an environment. New ones come before the owner's, so that hers can
    /// refer to them, but after those of the list that they refer to themselves. `ours` are the
    /// names of the variables that were put there since the merge began.
    pub(super) fn merge_env<'a>(
        &mut self,
        container: &mut Object<'a>,
        wanted: &[Json<'static>],
        parent: &Place<'_>,
        ours: &mut HashSet<String>,
    ) {
        let place = parent.key("env");
        let present = match container.get("env") {
            None | Some(Json::Null) => &[],
            Some(Json::List(present)) => present.as_slice(),
            Some(_) => return,
        };
        // Of several of one name the last is the one that counts.
        let by_name: HashMap<&str, usize> = (0..)
            .zip(present)
            .filter_map(|(index, variable)| Some((member(variable, "name")?.as_str()?, index)))
            .collect();
        let mut absent = Vec::new();
        let mut slots: Option<Slots<'_>> = None;
        for wanted in wanted {
            let Some(name) = member(wanted, "name").and_then(Json::as_str) else { continue };
            match by_name.get(name).and_then(|index| Some((*index, present.get(*index)?))) {
                Some((_, found)) if is_wanted(found, wanted) => {}
                Some((index, found)) => {
                    let place = place.index(index);
                    if covers(found, wanted, "") {
                        // It has its value from elsewhere, where an empty one is wanted.
                        self.clash(&place, ENV.title(wanted), found, wanted);
                    } else {
                        self.clash_of(found, wanted, &place, &ENV);
                    }
                }
                None => {
                    let slots = slots.get_or_insert_with(|| Slots::new(present, &by_name, ours));
                    absent.push((slots.of(name, wanted), wanted));
                }
            }
        }
        drop(slots);
        if absent.is_empty() {
            return;
        }
        absent.sort_by_key(|(slot, _)| *slot);
        let names = absent.iter().filter_map(|(_, variable)| member(variable, "name")?.as_str());
        ours.extend(names.map(str::to_owned));
        if let Some(Json::List(present)) = container.get_mut("env") {
            self.insert(present, &absent, &place);
        } else {
            let variables = absent.into_iter().map(|(_, variable)| variable).collect();
            self.append(container, "env", variables, parent, |variable| ENV.title(variable));
        }
    }

    /// Puts each variable before that of the list which had its slot's index.
    fn insert<'a>(
        &mut self,
        list: &mut Vec<Json<'a>>,
        absent: &[(usize, &Json<'static>)],
        place: &Place<'_>,
    ) {
        let mut present = std::mem::take(list).into_iter();
        list.reserve(present.len() + absent.len());
        let mut taken = 0;
        for (slot, variable) in absent {
            list.extend(present.by_ref().take(slot.saturating_sub(taken)));
            taken = *slot;
            self.note(place, ENV.title(variable));
            let pointer = || place.index(list.len()).pointer();
            self.operation(|| PatchOp::add(pointer(), Value::from(*variable)));
            list.push((*variable).clone());
        }
        list.extend(present);
    }
}

/// Whether a variable has the wanted value, from the wanted source.
fn is_wanted(found: &Json<'_>, wanted: &Json<'_>) -> bool {
    let has_source = |variable| member(variable, "valueFrom").is_some();
    covers(found, wanted, "") && has_source(found) == has_source(wanted)
}

/// Where new variables go: before which index of the list.
struct Slots<'v> {
    by_name: HashMap<&'v str, usize>,
    /// For each index, the first from there on whose variable is not one of ours: of ours those
    /// that were there earlier come first.
    after_ours: Vec<usize>,
}

impl<'v> Slots<'v> {
    fn new(
        present: &[Json<'_>],
        by_name: &HashMap<&'v str, usize>,
        ours: &HashSet<String>,
    ) -> Self {
        let mut after_ours: Vec<usize> = (0..=present.len()).collect();
        for (index, variable) in present.iter().enumerate().rev() {
            let name = member(variable, "name").and_then(Json::as_str);
            if name.is_some_and(|name| ours.contains(name)) {
                after_ours[index] = after_ours[index + 1];
            }
        }
        // Slots, from here on: a variable of the list has the one behind it.
        let by_name = by_name.iter().map(|(name, index)| (*name, index + 1)).collect();
        Self { by_name, after_ours }
    }

    /// The slot of a new variable, which those after it may refer to.
    fn of<'w: 'v>(&mut self, name: &'w str, variable: &'w Json<'_>) -> usize {
        let value = member(variable, "value").and_then(Json::as_str).unwrap_or_default();
        let earliest =
            references(value).filter_map(|name| self.by_name.get(name)).max().copied().unwrap_or(0);
        let slot = self.after_ours.get(earliest).copied().unwrap_or(earliest);
        self.by_name.insert(name, slot);
        slot
    }
}

/// The variables that a value refers to by `$(NAME)`; `$$` is a dollar, and begins none.
fn references(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('$')?;
            let mut following = after.chars();
            if following.next()? != '(' {
                rest = following.as_str();
                continue;
            }
            let (name, after) = following.as_str().split_once(')')?;
            rest = after;
            return Some(name);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_kubernetes_reads_them() {
        for (value, expected) in [
            ("$(A)", &["A"] as &[&str]),
            ("x$(A)y$(B)", &["A", "B"]),
            ("$$(A)", &[]),
            ("$$$(A)", &["A"]),
            ("$A$(B)", &["B"]),
            ("$é$(B)", &["B"]),
            ("$(A", &[]),
            ("$", &[]),
            ("$()", &[""]),
            ("$($(A)", &["$(A"]),
        ] {
            assert_eq!(references(value).collect::<Vec<_>>(), expected, "{value}");
        }
    }
}
