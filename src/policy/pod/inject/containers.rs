//! The containers of a Pod while injections are merged into them, and what the whole Pod has that
//! they must agree with.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use crate::cel::{Json, Object};
use crate::policy::patch::PatchOp;

use super::compare::{elements, member};
use super::place::Place;
use super::run::Run;
use super::surroundings::{host_port, number, protocol};

/// One of the two lists of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum List {
    Main,
    Init,
}

impl List {
    pub(super) const BOTH: [Self; 2] = [Self::Main, Self::Init];

    /// The field of the spec.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Main => "containers",
            Self::Init => "initContainers",
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field())
    }
}

/// One list, taken out of the Pod.
#[derive(Default)]
struct Taken<'a> {
    /// None where the Pod has something else in its place.
    items: Option<Vec<Json<'a>>>,
    /// How many it had before anything was added.
    before: usize,
    /// Whether there was a list at all.
    was_there: bool,
}

/// Both lists, taken out of the Pod while it is read.
#[derive(Default)]
pub(super) struct Containers<'a> {
    main: Taken<'a>,
    init: Taken<'a>,
    /// The variables put into each container.
    pub(super) variables: HashMap<(List, usize), HashSet<String>>,
}

impl<'a> Containers<'a> {
    /// Takes them out of the spec of a Pod.
    pub(super) fn take(spec: &mut Object<'a>) -> Self {
        let mut take = |list: List| match spec.get_mut(list.field()) {
            None | Some(Json::Null) => Taken { items: Some(Vec::new()), ..Taken::default() },
            Some(Json::List(items)) => {
                let items = std::mem::take(items);
                Taken { before: items.len(), items: Some(items), was_there: true }
            }
            Some(_) => Taken::default(),
        };
        let (main, init) = (take(List::Main), take(List::Init));
        Self { main, init, variables: HashMap::new() }
    }

    /// Puts them back, and makes the operations of those that are new.
    pub(super) fn put_back(self, spec: &mut Object<'a>, run: &mut Run<'_>, place: &Place<'_>) {
        for (list, taken) in [(List::Main, self.main), (List::Init, self.init)] {
            let Some(items) = taken.items else { continue };
            let place = place.key(list.field());
            let new = items.get(taken.before..).unwrap_or_default();
            if taken.was_there {
                for item in new {
                    run.operation(|| PatchOp::add(place.pointer().end(), Value::from(item)));
                }
            } else if new.is_empty() {
                continue;
            } else {
                let whole: Vec<Value> = new.iter().map(Value::from).collect();
                run.operation(|| PatchOp::add(place.pointer(), whole));
            }
            spec.insert(Cow::Borrowed(list.field()), Json::List(items));
        }
    }

    fn of(&self, list: List) -> &Taken<'a> {
        match list {
            List::Main => &self.main,
            List::Init => &self.init,
        }
    }

    fn of_mut(&mut self, list: List) -> &mut Taken<'a> {
        match list {
            List::Main => &mut self.main,
            List::Init => &mut self.init,
        }
    }

    /// How many there are of a list.
    pub(super) fn count(&self, list: List) -> usize {
        self.of(list).items.as_ref().map_or(0, Vec::len)
    }

    /// Whether one was put there since the merge began.
    pub(super) fn is_new(&self, list: List, index: usize) -> bool {
        index >= self.of(list).before
    }

    /// One of them, to be changed.
    pub(super) fn get_mut(&mut self, list: List, index: usize) -> Option<&mut Object<'a>> {
        match self.of_mut(list).items.as_mut()?.get_mut(index)? {
            Json::Map(container) => Some(container),
            _ => None,
        }
    }

    /// One of them.
    pub(super) fn get(&self, list: List, index: usize) -> Option<&Json<'a>> {
        self.of(list).items.as_ref()?.get(index)
    }

    /// Appends one; says where it is, if the list is one.
    pub(super) fn push(&mut self, list: List, container: Object<'a>) -> Option<usize> {
        let items = self.of_mut(list).items.as_mut()?;
        items.push(Json::Map(container));
        Some(items.len() - 1)
    }

    /// All of them, with their places.
    pub(super) fn all(&self) -> impl Iterator<Item = (List, usize, &Json<'a>)> {
        List::BOTH.into_iter().flat_map(|list| {
            let items = self.of(list).items.as_deref().unwrap_or_default();
            (0..).zip(items).map(move |(index, item)| (list, index, item))
        })
    }

    /// Where each name is.
    pub(super) fn names(&self) -> HashMap<String, (List, usize)> {
        let mut names = HashMap::new();
        for (list, index, container) in self.all() {
            if let Some(name) = member(container, "name").and_then(Json::as_str) {
                names.entry(name.to_owned()).or_insert((list, index));
            }
        }
        names
    }

    /// Why the Pod can't be in the network of its host: there each port is one of the host.
    pub(super) fn unfit_for_host_network(&self) -> Option<String> {
        let mut taken: HashMap<(String, i64), String> = HashMap::new();
        for (list, index, container) in self.all() {
            for (at, port) in (0..).zip(elements(container.get("ports"))) {
                let Some(number) = number(port, "containerPort") else { continue };
                let path = format!("spec.{list}[{index}].ports[{at}]");
                if host_port(port, false).is_some_and(|other| other != number) {
                    return Some(format!("{path}.hostPort is not its containerPort"));
                }
                // Whatever their addresses: one of each would be enough to tell them apart, and
                // nobody writes them.
                if let Some(other) = taken.get(&(protocol(port), number)) {
                    return Some(format!("{other} and {path} are the same port"));
                }
                taken.insert((protocol(port), number), path);
            }
        }
        None
    }
}
