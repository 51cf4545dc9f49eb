//! What macros go through, each element with the place that it comes from, through whatever puts
//! lists together, takes some of their elements or makes others of them.

use super::{Origin, Tracer};
use crate::cel::program::{FoldPlan, OptionalMapPlan, Plan, Root, Slot};
use crate::cel::syntax::FoldKind;
use crate::cel::trace::{Step, Trace};
use crate::cel::value::{List, Value};

/// What an item takes, with its path.
const ITEM_BYTES: usize = 256;

/// An element of a list, or an entry of a map.
#[derive(Clone)]
pub(super) struct Item<'a> {
    /// The key, of an entry.
    key: Option<Value<'a>>,
    value: Value<'a>,
    pub(super) origin: Option<Origin>,
}

impl<'a> Tracer<'a, '_> {
    /// Sets the variables of a macro.
    pub(super) fn bind(&mut self, fold: &FoldPlan, index: usize, item: &Item<'a>) {
        let (first, second) = match (&item.key, fold.second) {
            (Some(key), _) => (key.clone(), item.value.clone()),
            (None, Some(_)) => (Value::Int(index as i64), item.value.clone()),
            (None, None) => (item.value.clone(), Value::Null),
        };
        self.set(fold.slot, Slot::Value(first), item.origin.clone());
        if let Some(slot) = fold.second {
            self.set(slot, Slot::Value(second), item.origin.clone());
        }
    }

    /// Leaves the variables of a macro without a value, so that no element is taken for another.
    pub(super) fn unbind(&mut self, fold: &FoldPlan) {
        for slot in [fold.slot].into_iter().chain(fold.second) {
            self.set(slot, Slot::Empty, None);
        }
    }

    /// Sets the variable of a macro to what is in an optional, if there is anything.
    pub(super) fn bind_optional(&mut self, map: &'a OptionalMapPlan, value: Option<&Value<'a>>) {
        let path = self.place(&map.target);
        let value = value.map_or(Slot::Empty, |value| Slot::Value(value.clone()));
        self.set(map.slot, value, path.map(|path| Origin { path, is_exact: true }));
    }

    fn set(&mut self, slot: usize, value: Slot<'a>, origin: Option<Origin>) {
        self.machine.set(slot, value);
        if let Some(place) = self.origins.get_mut(slot) {
            *place = origin;
        }
    }

    /// What a macro goes through, as far as that can be told.
    pub(super) fn items(&mut self, range: &'a Plan) -> Vec<Item<'a>> {
        if !self.goes_on() {
            return Vec::new();
        }
        match range {
            Plan::Fold(fold) if fold.kind == FoldKind::List => self.made_items(fold),
            Plan::Call(call) if call.function.name == "_+_" => {
                call.arguments.iter().flat_map(|list| self.items(list)).collect()
            }
            Plan::List(elements) => {
                let items = elements.iter().filter_map(|(is_optional, element)| {
                    let value = match self.value(element)? {
                        Value::Optional(value) if *is_optional => (*value?).clone(),
                        value => value,
                    };
                    Some(self.item(value, element))
                });
                items.collect()
            }
            Plan::OptionalOrValue(sides) => match self.value(&sides.0) {
                Some(Value::Optional(Some(value))) => self.items_of(&value),
                Some(_) => self.items(&sides.1),
                None => Vec::new(),
            },
            Plan::Attribute(attribute) if attribute.path.is_empty() => match &attribute.root {
                Root::Variable(index) => {
                    self.inside(*index, |inner, root| inner.items(root)).unwrap_or_default()
                }
                Root::Conditional(parts) => match self.branch(parts) {
                    Some(branch) => self.items(branch),
                    None => Vec::new(),
                },
                _ => self.items_of_plan(range),
            },
            _ => self.items_of_plan(range),
        }
    }

    /// What `map` and its like make, and `filter` takes.
    fn made_items(&mut self, fold: &'a FoldPlan) -> Vec<Item<'a>> {
        let mut made = Vec::new();
        for (index, item) in self.items(&fold.range).into_iter().enumerate() {
            self.bind(fold, index, &item);
            if let Some(condition) = &fold.condition
                && self.truth(condition) != Some(true)
            {
                continue;
            }
            let Some(value) = self.value(&fold.body) else { break };
            made.push(self.item(value, &fold.body));
        }
        self.unbind(fold);
        made
    }

    /// The value of a step, with the place that it comes from.
    fn item(&mut self, value: Value<'a>, plan: &'a Plan) -> Item<'a> {
        let path = self.place_of(&value).or_else(|| self.place(plan));
        let origin = match path {
            Some(path) => Some(Origin { path, is_exact: true }),
            None => self.first_read(plan).map(|path| Origin { path, is_exact: false }),
        };
        Item { key: None, value, origin }
    }

    fn items_of_plan(&mut self, plan: &'a Plan) -> Vec<Item<'a>> {
        self.value(plan).map(|value| self.items_of(&value)).unwrap_or_default()
    }

    /// The elements of a value, which are pieces of the object or are not.
    fn items_of(&mut self, value: &Value<'a>) -> Vec<Item<'a>> {
        let size = match value {
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            _ => 0,
        };
        if self.machine.meter.allocate(size * ITEM_BYTES).is_err() {
            return Vec::new();
        }
        let base = self.place_of(value);
        let exact = |path| Some(Origin { path, is_exact: true });
        match value {
            Value::List(list) => {
                let is_piece = matches!(list, List::Json(_));
                let items = list.iter().enumerate().map(|(index, value)| {
                    let path = match &base {
                        Some(base) if is_piece => Some(base.clone().then(Step::Index(index))),
                        _ => self.place_of(&value),
                    };
                    Item { key: None, value, origin: path.and_then(exact) }
                });
                items.collect()
            }
            Value::Map(map) => {
                let items = map.iter().map(|(key, value)| {
                    let path = match (&base, Self::step(&key)) {
                        (Some(base), Some(step)) => Some(base.clone().then(step)),
                        _ => self.place_of(&key).or_else(|| self.place_of(&value)),
                    };
                    Item { key: Some(key), value, origin: path.and_then(exact) }
                });
                items.collect()
            }
            _ => Vec::new(),
        }
    }

    /// The elements that a `filter` has taken and should not have.
    pub(super) fn members(&mut self, list: &'a Plan) -> Vec<Trace> {
        match list {
            _ if !self.goes_on() => Vec::new(),
            Plan::Fold(fold) if fold.kind == FoldKind::List => match &fold.condition {
                Some(condition) => self.elements(fold, condition, false),
                None => self.members(&fold.range),
            },
            Plan::Call(call) if call.function.name == "_+_" => {
                call.arguments.iter().flat_map(|list| self.members(list)).collect()
            }
            Plan::Attribute(attribute) if attribute.path.is_empty() => match &attribute.root {
                Root::Variable(index) => {
                    self.inside(*index, |inner, root| inner.members(root)).unwrap_or_default()
                }
                Root::Conditional(parts) => match self.branch(parts) {
                    Some(branch) => self.members(branch),
                    None => Vec::new(),
                },
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}
