//! What is merged into one container.

use crate::cel::{Json, Object};

use super::Entry;
use super::compare::{covers, elements, member};
use super::containers::List;
use super::guards;
use super::lists::{Keyed, PORTS, VOLUME_DEVICES, VOLUME_MOUNTS};
use super::place::Place;
use super::run::{Named, Refusal, Run};
use super::surroundings::Surroundings;

/// One container, while it is filled.
pub(super) struct Filling<'f, 'a, 's, 'r> {
    pub(super) container: &'f mut Object<'a>,
    pub(super) list: List,
    pub(super) spec: &'f Object<'s>,
    pub(super) around: &'f mut Surroundings,
    pub(super) run: &'f mut Run<'r>,
    pub(super) place: &'f Place<'f>,
}

impl Filling<'_, '_, '_, '_> {
    /// Whether the container is the one that the entry brings: one of its name that runs another
    /// image is another, and nothing is merged into it.
    pub(super) fn is_the_one(&mut self, entry: &Entry) -> bool {
        let (Some(wanted), Some(found)) = (&entry.image, self.container.get("image")) else {
            return true;
        };
        if *found == Json::Null || found.as_str() == Some(wanted) {
            return true;
        }
        let wanted = Json::String(wanted.clone().into());
        let title = Some(format!("container {}", entry.name));
        self.run.clash(&self.place.key("image"), title, found, &wanted);
        false
    }

    /// Merges a member.
    pub(super) fn merge(&mut self, key: &str, wanted: &Json<'static>) {
        let Self { container, spec, around, run, place, list } = self;
        let items = elements(Some(wanted));
        match key {
            "envFrom" => run.merge_env_from(container, items, place),
            "ports" => run.merge_keyed(container, &PORTS, items, place, &mut |_, port, there| {
                around.refuse_port(port, there, place).map(Refusal::Because)
            }),
            "volumeMounts" => {
                let here: &Object<'_> = container;
                let absent =
                    run.absent(here, &VOLUME_MOUNTS, items, place, &mut |run, mount, _| {
                        let because =
                            || around.refuse_mount(mount, here, place).map(Refusal::Because);
                        uses_clashed_volume(run, mount, &VOLUME_MOUNTS, place).or_else(because)
                    });
                run.append(container, key, absent, place, |mount| VOLUME_MOUNTS.title(mount));
            }
            "volumeDevices" => {
                let here: &Object<'_> = container;
                let mut refuse =
                    |run: &mut Run<'_>, device: &Json<'static>, there: &[&Json<'_>]| {
                        let because = around.refuse_device(device, there, here, place);
                        uses_clashed_volume(run, device, &VOLUME_DEVICES, place)
                            .or_else(|| because.map(Refusal::Because))
                    };
                let absent = run.absent(here, &VOLUME_DEVICES, items, place, &mut refuse);
                run.append(container, key, absent, place, |device| VOLUME_DEVICES.title(device));
            }
            "resources" => run.merge_resources(container, wanted, spec, place),
            "securityContext" => {
                let Json::Map(members) = wanted else { return };
                let path = place.to_string();
                let refuse = |member: (&str, &Json<'static>)| {
                    guards::of_container_security(member, wanted, container, spec, &path)
                };
                let present = container.get(key);
                let accepted = accepted(run, present, members, &place.key(key), refuse);
                if !accepted.is_empty() {
                    run.merge(container, key, &Json::Map(accepted), place);
                }
            }
            "lifecycle" | "restartPolicyRules" | "resizePolicy" | "livenessProbe"
            | "readinessProbe" | "startupProbe" => {
                let is_absent = matches!(container.get(key), None | Some(Json::Null));
                let path = place.to_string();
                let because = guards::of_container(key, container, *list, &path)
                    .filter(|_| is_absent)
                    .or_else(|| {
                        let is_there = |found| covers(found, wanted, key);
                        let is_wanted = !container.get(key).is_some_and(is_there);
                        guards::of_stop_signal(key, wanted, spec).filter(|_| is_wanted)
                    });
                match because {
                    Some(because) => {
                        run.refuse(&place.key(key), None, wanted, Refusal::Because(because));
                    }
                    None => run.merge(container, key, wanted, place),
                }
            }
            _ => run.merge(container, key, wanted, place),
        }
    }
}

/// Whether something in a container uses a volume that the policy meant to be another.
fn uses_clashed_volume(
    run: &mut Run<'_>,
    user: &Json<'_>,
    kind: &Keyed,
    place: &Place<'_>,
) -> Option<Refusal> {
    let name = member(user, "name")?.as_str()?;
    let what = || format!("{}: {}", place.key(kind.field), kind.key_of(user).unwrap_or_default());
    run.is_left_out(Named::Volume, name, what).then_some(Refusal::Told)
}

/// The members of a wanted map that are there or can be added; of the others it is told.
pub(super) fn accepted(
    run: &mut Run<'_>,
    present: Option<&Json<'_>>,
    wanted: &Object<'static>,
    place: &Place<'_>,
    refuse: impl Fn((&str, &Json<'static>)) -> Option<String>,
) -> Object<'static> {
    let mut accepted = Object::default();
    for (key, wanted) in wanted.iter() {
        let found = present.and_then(|present| member(present, key));
        let is_there = found.is_some_and(|found| covers(found, wanted, key));
        // Of a map, a part may be absent; of anything else, nothing is added where something is.
        let is_other = found.is_some_and(|found| !matches!(found, Json::Map(_)));
        match refuse((key, wanted)).filter(|_| !is_there && !is_other) {
            Some(because) => {
                run.refuse(&place.key(key), None, wanted, Refusal::Because(because));
            }
            None => drop(accepted.insert(key.to_owned().into(), wanted.clone())),
        }
    }
    accepted
}
