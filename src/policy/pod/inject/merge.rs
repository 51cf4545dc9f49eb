//! Injections merged into a Pod, again and again until nothing changes.
//!
//! Of each pass the order is: metadata, spec and volumes of all policies; then the containers that
//! policies bring; then what is merged into named containers; then what goes into every container.
//! So what a policy merges into a container does not depend on whether another policy has brought
//! that before or brings it now, and a Pod that has been through it comes out the same.

use crate::cel::{Json, Object};

use super::compare::{elements, member};
use super::containers::Containers;
use super::filling::{Filling, accepted};
use super::guards;
use super::host;
use super::lists::OF_SPEC;
use super::place::Place;
use super::run::{Refusal, Run};
use super::surroundings::Surroundings;
use super::{Entry, Injection};

type Injections<'i> = &'i [(&'i str, &'i Injection)];

/// One pass over all that is wanted.
pub(super) fn pass<'a, 'r>(
    pod: &mut Json<'a>,
    containers: &mut Containers<'a>,
    injections: &'r [(&'r str, &'r Injection)],
    run: &mut Run<'r>,
) {
    let Json::Map(pod) = pod else { return };
    let root = Place::Root;
    for (policy, injection) in injections {
        run.policy = policy;
        merge_metadata(run, pod, injection, &root);
    }
    let place = root.key("spec");
    let Some(Json::Map(spec)) = pod.get_mut("spec") else { return };
    for (policy, injection) in injections {
        run.policy = policy;
        for (key, wanted) in &injection.spec {
            merge_spec(run, spec, (key, wanted), containers, &place);
        }
    }
    let mut merge = Merge { spec, around: Surroundings::of(spec, containers), containers, run };
    merge.bring(injections);
    merge.fill(injections);
}

fn merge_metadata<'a>(
    run: &mut Run<'_>,
    pod: &mut Object<'a>,
    injection: &Injection,
    root: &Place<'_>,
) {
    if injection.labels.is_empty() && injection.annotations.is_empty() {
        return;
    }
    let place = root.key("metadata");
    run.fill(pod, "metadata", root, |run, metadata| {
        let labels = ("labels", "label");
        run.merge_texts(metadata, labels, &injection.labels, &place, &mut |_, _| None);
        let mut size = guards::size_of_annotations(metadata.get("annotations"));
        let mut refuse = |key: &str, wanted: &Json<'static>| {
            let with_it = size + key.len() + wanted.as_str().map_or(0, str::len);
            let because = guards::too_many_annotations(with_it);
            if because.is_none() {
                size = with_it;
            }
            because.map(Refusal::Because)
        };
        let annotations = ("annotations", "annotation");
        run.merge_texts(metadata, annotations, &injection.annotations, &place, &mut refuse);
    });
}

/// Merges one member of the spec.
fn merge_spec<'a>(
    run: &mut Run<'_>,
    spec: &mut Object<'a>,
    (key, wanted): (&str, &Json<'static>),
    containers: &Containers<'a>,
    place: &Place<'_>,
) {
    let is_absent = matches!(spec.get(key), None | Some(Json::Null));
    if let Some(kind) = OF_SPEC.iter().find(|kind| kind.field == key) {
        let because = guards::of_spec(key, wanted, spec, containers);
        return run.merge_keyed(spec, kind, elements(Some(wanted)), place, &mut |_, _, _| {
            because.clone().map(Refusal::Because)
        });
    }
    match (key, wanted) {
        ("tolerations", Json::List(wanted)) => run.merge_tolerations(spec, wanted, place),
        ("securityContext", Json::Map(members)) => {
            let accepted = accepted(run, spec.get(key), members, &place.key(key), |member| {
                guards::of_pod_security(member, wanted, spec, containers)
            });
            if !accepted.is_empty() {
                run.merge(spec, key, &Json::Map(accepted), place);
            }
        }
        ("nodeSelector", Json::Map(labels)) => {
            let labels: Vec<_> =
                labels.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
            run.merge_texts(spec, (key, "node selector"), &labels, place, &mut |_, _| None);
        }
        _ => match guards::of_spec(key, wanted, spec, containers).filter(|_| is_absent) {
            Some(because) => {
                run.refuse(&place.key(key), None, wanted, Refusal::Because(because));
            }
            None => run.merge(spec, key, wanted, place),
        },
    }
}

/// The containers, and what they must agree with.
struct Merge<'m, 'a, 'r> {
    spec: &'m Object<'a>,
    containers: &'m mut Containers<'a>,
    around: Surroundings,
    run: &'m mut Run<'r>,
}

impl<'r> Merge<'_, '_, 'r> {
    /// Adds the containers that policies bring, as far as others must know of them.
    fn bring(&mut self, injections: Injections<'r>) {
        let mut names = self.containers.names();
        let ephemeral = elements(self.spec.get("ephemeralContainers"));
        for (policy, injection) in injections {
            self.run.policy = policy;
            for entry in injection.entries.iter().filter(|entry| entry.brings()) {
                let found = match names.get(entry.name.as_str()) {
                    Some((list, _)) if *list == entry.list => continue,
                    Some((list, index)) => {
                        let path = format!("spec.{list}[{index}]");
                        self.containers.get(*list, *index).map(|found| (path, found))
                    }
                    None => ephemeral
                        .iter()
                        .position(|one| {
                            member(one, "name").and_then(Json::as_str) == Some(&entry.name)
                        })
                        .and_then(|index| {
                            let path = format!("spec.ephemeralContainers[{index}]");
                            Some((path, ephemeral.get(index)?))
                        }),
                };
                if let Some((path, _)) = found {
                    let (root, field) = (Place::Root.key("spec"), entry.list.field());
                    let title = Some(format!("container {}", entry.name));
                    let because = Refusal::Because(format!("{path}.name is {:?}", entry.name));
                    self.run.refuse(&root.key(field), title, &entry.whole(), because);
                    continue;
                }
                let (root, field) = (Place::Root.key("spec"), entry.list.field());
                let title = Some(format!("container {}", entry.name));
                let options = entry.windows_options();
                if let Some(because) = host::of_new_process(options, self.spec, self.containers) {
                    let because = Refusal::Because(because);
                    self.run.refuse(&root.key(field), title, &entry.whole(), because);
                } else if let Some(index) = self.containers.push(entry.list, entry.essence()) {
                    names.insert(entry.name.clone(), (entry.list, index));
                    self.run.note(&root.key(field).index(index), title);
                }
            }
        }
    }

    /// Merges what is wanted of the containers: first of those that are named, then of all.
    fn fill(&mut self, injections: Injections<'r>) {
        let names = self.containers.names();
        for (policy, injection) in injections {
            self.run.policy = policy;
            for entry in injection.entries.iter().filter(|entry| !entry.is_for_all()) {
                if let Some((list, index)) = names.get(entry.name.as_str())
                    && *list == entry.list
                {
                    self.fill_one(entry, *index);
                }
            }
        }
        for (policy, injection) in injections {
            self.run.policy = policy;
            for entry in injection.entries.iter().filter(|entry| entry.is_for_all()) {
                for index in 0..self.containers.count(entry.list) {
                    self.fill_one(entry, index);
                }
            }
        }
    }

    /// Merges an entry into one container.
    fn fill_one(&mut self, entry: &Entry, index: usize) {
        let root = Place::Root.key("spec");
        let list = root.key(entry.list.field());
        let place = list.index(index);
        let is_new = self.containers.is_new(entry.list, index);
        let mut ours = self.containers.variables.remove(&(entry.list, index)).unwrap_or_default();
        let run = &mut *self.run;
        if let Some(container) = self.containers.get_mut(entry.list, index) {
            run.within_new = is_new;
            let mut filling = Filling {
                container,
                list: entry.list,
                spec: self.spec,
                around: &mut self.around,
                run,
                place: &place,
            };
            if filling.is_the_one(entry) {
                for (key, wanted) in &entry.fields {
                    if key == "env" {
                        let wanted = elements(Some(wanted));
                        filling.run.merge_env(filling.container, wanted, &place, &mut ours);
                    } else {
                        filling.merge(key, wanted);
                    }
                }
            }
            self.run.within_new = false;
        }
        if !ours.is_empty() {
            self.containers.variables.insert((entry.list, index), ours);
        }
    }
}
