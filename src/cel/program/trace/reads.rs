//! What of the object an expression reads.

use super::{Origin, Places, Tracer};
use crate::cel::program::attribute::at;
use crate::cel::program::{Attribute, FoldPlan, Plan, Qualifier, QualifierKey, Root, Slot};
use crate::cel::scope::Input;
use crate::cel::trace::{Path, Step, Trace, TraceKind};
use crate::cel::value::{Text, Value};

impl<'a> Tracer<'a, '_> {
    /// What a step reads: within the element that is looked at, if there is anything, and of that
    /// the first, as far down as it is read.
    pub(super) fn read(&mut self, plan: &'a Plan) -> Vec<Trace> {
        let mut paths = self.reads(plan);
        paths.retain(|path| !path.is_empty());
        if let Some(element) = &self.element
            && paths.iter().any(|path| path.starts_with(element))
        {
            paths.retain(|path| path.starts_with(element));
        }
        let mut paths = paths.into_iter();
        let Some(first) = paths.next() else { return Vec::new() };
        let path =
            paths.fold(first, |path, other| if other.is_within(&path) { other } else { path });
        vec![Trace { path, kind: TraceKind::Read }]
    }

    /// The first path that a step reads.
    pub(super) fn first_read(&mut self, plan: &'a Plan) -> Option<Path> {
        self.read(plan).pop().map(|trace| trace.path)
    }

    /// All paths that a step reads, in their order.
    fn reads(&mut self, plan: &'a Plan) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect(plan, &mut paths);
        paths
    }

    fn collect(&mut self, plan: &'a Plan, into: &mut Vec<Path>) {
        if !self.goes_on() {
            return;
        }
        match plan {
            Plan::Constant(_) => {}
            Plan::Attribute(attribute) => {
                let origin = self.origin(attribute);
                let is_all = origin.is_some() && !matches!(attribute.root, Root::Conditional(_));
                into.extend(origin.map(|origin| origin.path));
                match is_all {
                    true => self.collect_keys(attribute, into),
                    false => self.collect_root(attribute, into),
                }
            }
            Plan::Has(attribute, field) => match self.origin(attribute) {
                Some(Origin { path, is_exact: true }) => {
                    into.push(path.then(Step::Key(field.as_ref().to_owned())));
                    self.collect_keys(attribute, into);
                }
                _ => self.collect_root(attribute, into),
            },
            Plan::HasVariable(index) => self.collect_variable(*index, into),
            Plan::And(parts) | Plan::Or(parts) => {
                parts.iter().for_each(|part| self.collect(part, into));
            }
            Plan::Equal(sides)
            | Plan::NotEqual(sides)
            | Plan::OptionalOr(sides)
            | Plan::OptionalOrValue(sides) => {
                self.collect(&sides.0, into);
                self.collect(&sides.1, into);
            }
            Plan::Level(level) => self.collect(level, into),
            Plan::Call(call) => {
                if let ("@in", [key, map]) = (call.function.name, call.arguments.as_slice())
                    && let Some(path) = self.entry(key, map)
                {
                    self.collect(key, into);
                    into.push(path);
                    return;
                }
                call.arguments.iter().for_each(|argument| self.collect(argument, into));
            }
            Plan::Pattern(pattern) => {
                self.collect(&pattern.text, into);
                pattern.count.iter().for_each(|count| self.collect(count, into));
            }
            Plan::InSet(parts) => self.collect(&parts.0, into),
            Plan::List(elements) => {
                elements.iter().for_each(|(_, element)| self.collect(element, into));
            }
            Plan::Map(entries) => entries.iter().for_each(|(_, key, value)| {
                self.collect(key, into);
                self.collect(value, into);
            }),
            Plan::Fold(fold) => self.collect_fold(fold, into),
            Plan::OptionalMap(map) => {
                self.collect(&map.target, into);
                let value = self.value(&map.target);
                self.bind_optional(map, value.as_ref());
                self.collect(&map.body, into);
            }
            Plan::SortBy(sort) => self.collect(&sort.target, into),
        }
    }

    fn collect_fold(&mut self, fold: &'a FoldPlan, into: &mut Vec<Path>) {
        self.collect(&fold.range, into);
        self.unbind(fold);
        fold.condition.iter().for_each(|condition| self.collect(condition, into));
        self.collect(&fold.body, into);
    }

    fn collect_variable(&mut self, index: usize, into: &mut Vec<Path>) {
        into.extend(self.inside(index, |inner, root| inner.reads(root)).unwrap_or_default());
    }

    /// What is read where no place in the object is known for the value that is read.
    fn collect_root(&mut self, attribute: &'a Attribute, into: &mut Vec<Path>) {
        match &attribute.root {
            Root::Input(_) | Root::Slot(_) => {}
            Root::Variable(index) => self.collect_variable(*index, into),
            Root::Plan(plan) => self.collect(plan, into),
            Root::Conditional(parts) => {
                if let Some(branch) = self.branch(parts) {
                    self.collect(branch, into);
                }
                self.collect(&parts.0, into);
            }
        }
        self.collect_keys(attribute, into);
    }

    fn collect_keys(&mut self, attribute: &'a Attribute, into: &mut Vec<Path>) {
        for qualifier in &attribute.path {
            if let QualifierKey::Computed(plan) = &qualifier.key {
                self.collect(plan, into);
            }
        }
    }

    /// The branch of `?:` that is taken.
    pub(super) fn branch(&mut self, parts: &'a (Plan, Plan, Plan)) -> Option<&'a Plan> {
        self.truth(&parts.0).map(|holds| if holds { &parts.1 } else { &parts.2 })
    }

    /// The entry of a map of the object, be it there or not.
    fn entry(&mut self, key: &'a Plan, map: &'a Plan) -> Option<Path> {
        let (Some(Value::Map(_)), Some(Value::String(key))) = (self.value(map), self.value(key))
        else {
            return None;
        };
        Some(self.place(map)?.then(Step::Key((*key).to_owned())))
    }

    /// The place of a value that is a piece of the object.
    pub(super) fn place_of(&mut self, value: &Value<'_>) -> Option<Path> {
        if self.places.get().is_none() {
            let places = Places::new(self.machine.inputs.object);
            // What it takes to walk through the object.
            self.machine.meter.work(places.len() * 8);
            _ = self.places.set(places);
        }
        self.places.get()?.of(value)
    }

    /// The place in the object where the value of a step is, or would be.
    pub(super) fn place(&mut self, plan: &'a Plan) -> Option<Path> {
        if !self.goes_on() {
            return None;
        }
        match plan {
            Plan::Constant(_) => None,
            Plan::Attribute(attribute) => {
                self.origin(attribute).filter(|origin| origin.is_exact).map(|origin| origin.path)
            }
            Plan::OptionalOr(sides) | Plan::OptionalOrValue(sides) => {
                let found = self.value(plan).and_then(|value| self.place_of(&value));
                found.or_else(|| self.place(&sides.0))
            }
            Plan::OptionalMap(map) => {
                let value = self.value(&map.target);
                self.bind_optional(map, value.as_ref());
                self.place(&map.body)
            }
            Plan::Call(call) => match (call.function.name, call.arguments.as_slice()) {
                ("optional.of" | "optional.ofNonZeroValue" | "value" | "dyn", [argument]) => {
                    self.place(argument)
                }
                _ => self.value(plan).and_then(|value| self.place_of(&value)),
            },
            _ => None,
        }
    }

    /// Where the value at the end of a path comes from.
    fn origin(&mut self, attribute: &'a Attribute) -> Option<Origin> {
        let path = attribute.path.as_slice();
        let (root, base) = match &attribute.root {
            Root::Input(Input::Object) => return Some(self.exact(Path::default(), path)),
            Root::Input(_) => return None,
            Root::Slot(slot) => {
                let base = self.origins.get(*slot).cloned().flatten();
                if let Some(Origin { path: base, is_exact: true }) = base {
                    return Some(self.exact(base, path));
                }
                let value = match self.machine.slots.get(*slot) {
                    Some(Slot::Value(value)) => Some(value.clone()),
                    _ => None,
                };
                (value, base)
            }
            Root::Variable(index) => {
                let root = self.machine.variables.get(*index, self.machine.meter).ok();
                (root, None)
            }
            Root::Plan(plan) => (self.value(plan), None),
            Root::Conditional(parts) => {
                let branch = self.branch(parts)?;
                (self.value(branch), None)
            }
        };
        if let Some(path) = root.and_then(|root| self.follow(root, path)) {
            return Some(Origin { path, is_exact: true });
        }
        let place = match &attribute.root {
            Root::Variable(index) => self.inside(*index, |inner, root| inner.place(root)).flatten(),
            Root::Plan(plan) => self.place(plan),
            Root::Conditional(parts) => {
                let branch = self.branch(parts)?;
                self.place(branch)
            }
            _ => return base,
        };
        place.map(|place| self.exact(place, path))
    }

    /// Goes along a path until what is there is a piece of the object.
    fn follow(&mut self, mut value: Value<'a>, path: &'a [Qualifier]) -> Option<Path> {
        for (number, qualifier) in path.iter().enumerate() {
            if let Value::Optional(inner) = &value {
                value = (**inner.as_ref()?).clone();
            }
            if let Some(place) = self.place_of(&value) {
                return Some(self.exact(place, path.get(number..)?).path);
            }
            let key = self.key(qualifier)?;
            value = at(&value, &key, true).ok()??;
        }
        self.place_of(&value)
    }

    /// The place that a path leads to from another, or as far as its keys can be told.
    fn exact(&mut self, base: Path, path: &'a [Qualifier]) -> Origin {
        let mut place = base;
        for qualifier in path {
            match self.key(qualifier).as_ref().and_then(Self::step) {
                Some(step) => place = place.then(step),
                None => return Origin { path: place, is_exact: false },
            }
        }
        Origin { path: place, is_exact: true }
    }

    fn key(&mut self, qualifier: &'a Qualifier) -> Option<Value<'a>> {
        match &qualifier.key {
            QualifierKey::Field(field) => Some(Value::String(Text::Borrowed(field))),
            QualifierKey::Constant(key) => Some(key.borrowed()),
            QualifierKey::Computed(plan) => self.value(plan),
        }
    }

    /// The step to a key or an index.
    pub(super) fn step(key: &Value<'_>) -> Option<Step> {
        match key {
            Value::String(text) => Some(Step::Key((**text).to_owned())),
            Value::Int(index) => usize::try_from(*index).ok().map(Step::Index),
            Value::Uint(index) => usize::try_from(*index).ok().map(Step::Index),
            _ => None,
        }
    }
}
