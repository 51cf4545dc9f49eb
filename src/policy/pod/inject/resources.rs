//! Resources of containers: no request may be more than its limit.

use std::cmp::Ordering;

use crate::cel::{Json, Object};

use super::compare::{covers, elements, member, order};
use super::lists::CLAIMS;
use super::place::Place;
use super::run::{Named, Refusal, Run, text};

impl Run<'_> {
    /// Merges the resources of a container. `spec` is that of its Pod.
    pub(super) fn merge_resources<'a>(
        &mut self,
        container: &mut Object<'a>,
        wanted: &Json<'static>,
        spec: &Object<'_>,
        parent: &Place<'_>,
    ) {
        let place = parent.key("resources");
        self.fill(container, "resources", parent, |run, resources| {
            // A request is measured by the limit, so that comes first.
            for (key, other, too_much) in
                [("limits", "requests", Ordering::Less), ("requests", "limits", Ordering::Greater)]
            {
                if let Some(Json::Map(amounts)) = member(wanted, key) {
                    let kind = (key, other, too_much);
                    run.merge_amounts(resources, kind, amounts, spec, &place);
                }
            }
            if let Some(Json::List(claims)) = member(wanted, "claims") {
                run.merge_claims(resources, claims, spec, &place);
            }
        });
    }

    /// Merges limits or requests, of which none may be less or more than the other.
    fn merge_amounts<'a>(
        &mut self,
        resources: &mut Object<'a>,
        (key, other, too_much): (&str, &str, Ordering),
        wanted: &Object<'static>,
        spec: &Object<'_>,
        parent: &Place<'_>,
    ) {
        let place = parent.key(key);
        let mut absent = Vec::new();
        for (name, wanted) in wanted.iter() {
            match resources.get(key) {
                None | Some(Json::Null) => {}
                Some(Json::Map(present)) => match present.get(name) {
                    None | Some(Json::Null) => {}
                    Some(found) if covers(found, wanted, key) => continue,
                    Some(found) => {
                        self.clash(&place.key(name), None, found, wanted);
                        continue;
                    }
                },
                Some(_) => return,
            }
            let counterpart = resources.get(other).and_then(|amounts| member(amounts, name));
            let obstacle = match counterpart {
                Some(found) => {
                    let ordering = order(wanted, found);
                    let is_wrong = ordering == Some(too_much)
                        || (!can_be_overcommitted(name) && ordering != Some(Ordering::Equal));
                    let path = parent.key(other);
                    is_wrong.then(|| format!("{} is {}", path.key(name), text(found)))
                }
                None if key == "requests" && !can_be_overcommitted(name) => {
                    Some(format!("{} is absent", parent.key(other).key(name)))
                }
                None => of_the_pod(spec, name),
            };
            match obstacle {
                None => absent.push((name, wanted)),
                Some(because) => {
                    self.refuse(&place.key(name), None, wanted, Refusal::Because(because));
                }
            }
        }
        if absent.is_empty() {
            return;
        }
        if let Some(Json::Map(present)) = resources.get_mut(key) {
            for (name, wanted) in absent {
                self.put(present, name, wanted.clone(), &place);
            }
        } else {
            let whole =
                absent.into_iter().map(|(name, wanted)| (name.to_owned().into(), wanted.clone()));
            self.put(resources, key, Json::Map(whole.collect()), parent);
        }
    }

    fn merge_claims<'a>(
        &mut self,
        resources: &mut Object<'a>,
        wanted: &[Json<'static>],
        spec: &Object<'_>,
        place: &Place<'_>,
    ) {
        self.merge_keyed(resources, &CLAIMS, wanted, place, &mut |run, claim, _| {
            let name = member(claim, "name").and_then(Json::as_str).unwrap_or_default();
            if run.is_left_out(Named::ResourceClaim, name, || format!("{place}.claims: {name}")) {
                return Some(Refusal::Told);
            }
            let claims = elements(spec.get("resourceClaims"));
            let is_there = claims
                .iter()
                .any(|claim| member(claim, "name").and_then(Json::as_str) == Some(name));
            let because = || Refusal::Because(format!("spec.resourceClaims has no {name}"));
            (!is_there).then(because)
        });
    }
}

/// Whether a node may promise more of a resource than it has; else request and limit are equal.
pub(super) fn can_be_overcommitted(name: &str) -> bool {
    let is_native = !name.contains('/') || name.contains("kubernetes.io/");
    is_native && !name.starts_with("hugepages-")
}

/// Why nothing is added to a container of a resource of which the whole Pod has an amount: it
/// would have to be shared out anew.
fn of_the_pod(spec: &Object<'_>, name: &str) -> Option<String> {
    let resources = spec.get("resources")?;
    ["limits", "requests"].into_iter().find_map(|key| {
        let amount = member(member(resources, key)?, name)?;
        Some(format!("spec.resources.{key}.{name} is {}", text(amount)))
    })
}
