//! Why an expression is not what it should be: a second walk over the program, which asks of each
//! step which of its parts made it so, and where in the object that is.

mod items;
mod places;
mod reads;

use std::cell::OnceCell;

use super::evaluate::Machine;
use super::{FoldPlan, Inputs, Plan, Program, Root, Variables};
use crate::cel::meter::Meter;
use crate::cel::syntax::FoldKind;
use crate::cel::trace::{Path, Trace, TraceKind};
use crate::cel::value::Value;
use items::Item;
use places::Places;

/// How many places are told, at most.
const MOST: usize = 10;

impl Program {
    /// Where in the object it is that the expression, which is false, should be otherwise. What
    /// cannot be evaluated, or not within what `meter` allows, is left out.
    pub(in crate::cel) fn trace<'a>(
        &'a self,
        inputs: Inputs<'a>,
        variables: &dyn Variables<'a>,
        meter: &mut Meter,
    ) -> Vec<Trace> {
        let places = OnceCell::new();
        let machine = self.machine(inputs, variables, meter);
        let mut found = Tracer::new(machine, &places, None).explain(&self.root, true);
        found.sort_by_key(|trace| trace.kind);
        let mut told: Vec<Trace> = Vec::new();
        for trace in found {
            if told.len() < MOST && !told.iter().any(|other| other.path == trace.path) {
                told.push(trace);
            }
        }
        told
    }
}

/// Where a value comes from.
#[derive(Clone)]
struct Origin {
    path: Path,
    /// Whether it is the value at that path, so that a path into it goes on from there; otherwise
    /// it was made from that.
    is_exact: bool,
}

/// The state of the walk over one program.
struct Tracer<'a, 'e> {
    machine: Machine<'a, 'e>,
    /// Where the values of the variables of macros come from.
    origins: Vec<Option<Origin>>,
    places: &'e OnceCell<Places<'a>>,
    /// The innermost element that is looked at.
    element: Option<Path>,
}

impl<'a, 'e> Tracer<'a, 'e> {
    fn new(
        machine: Machine<'a, 'e>,
        places: &'e OnceCell<Places<'a>>,
        element: Option<Path>,
    ) -> Self {
        let origins = vec![None; machine.slots.len()];
        Self { machine, origins, places, element }
    }

    /// Asks something about the expression of a variable of the policy.
    fn inside<T>(
        &mut self,
        variable: usize,
        ask: impl FnOnce(&mut Tracer<'a, '_>, &'a Plan) -> T,
    ) -> Option<T> {
        let program = self.machine.variables.program(variable)?;
        let Machine { inputs, variables, ref mut meter, .. } = self.machine;
        let machine = program.machine(inputs, variables, meter);
        let mut inner = Tracer::new(machine, self.places, self.element.clone());
        Some(ask(&mut inner, &program.root))
    }

    /// Pays for a step; whether there is anything left to go on with.
    fn goes_on(&mut self) -> bool {
        self.machine.meter.charge(1).is_ok()
    }

    fn value(&mut self, plan: &'a Plan) -> Option<Value<'a>> {
        self.machine.evaluate(plan).ok()
    }

    fn truth(&mut self, plan: &'a Plan) -> Option<bool> {
        match self.value(plan) {
            Some(Value::Bool(value)) => Some(value),
            _ => None,
        }
    }

    /// Where it is that a step, which is not what is `wanted`, should be otherwise.
    fn explain(&mut self, plan: &'a Plan, wanted: bool) -> Vec<Trace> {
        if !self.goes_on() {
            return Vec::new();
        }
        if let Some(list) = should_be_empty(plan, wanted) {
            let members = self.members(list);
            if !members.is_empty() {
                return members;
            }
        }
        let found = match plan {
            Plan::And(terms) if wanted => return self.deciding(terms, true),
            Plan::Or(terms) if !wanted => return self.deciding(terms, false),
            Plan::And(terms) | Plan::Or(terms) => {
                let found = terms.iter().flat_map(|term| self.explain(term, wanted)).collect();
                return most_precise(found);
            }
            Plan::Call(call) if let ("!_", [term]) = (call.function.name, &*call.arguments) => {
                return self.explain(term, !wanted);
            }
            // A comparison with a bool is as good as what is compared.
            Plan::Equal(sides) if let Some((term, value)) = compared_with_bool(sides) => {
                return self.explain(term, value == wanted);
            }
            Plan::NotEqual(sides) if let Some((term, value)) = compared_with_bool(sides) => {
                return self.explain(term, value != wanted);
            }
            Plan::Attribute(attribute) if attribute.path.is_empty() => match &attribute.root {
                Root::Variable(index) => {
                    let explain = |inner: &mut Tracer<'a, '_>, root| inner.explain(root, wanted);
                    return self.inside(*index, explain).unwrap_or_default();
                }
                Root::Conditional(parts) => return self.conditional(parts, wanted),
                _ => Vec::new(),
            },
            Plan::Fold(fold) => match (fold.kind, wanted) {
                (FoldKind::All, true) | (FoldKind::Exists, false) => {
                    self.elements(fold, &fold.body, wanted)
                }
                _ => Vec::new(),
            },
            Plan::OptionalOrValue(sides) => match &sides.0 {
                Plan::OptionalMap(map) if !map.flat => match self.value(&map.target) {
                    Some(Value::Optional(Some(value))) => {
                        self.bind_optional(map, Some(&value));
                        return self.explain(&map.body, wanted);
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        if found.is_empty() { self.read(plan) } else { found }
    }

    /// The terms that decided an && or an ||, each of which is not what is `wanted`: or those that
    /// fail, where none did.
    fn deciding(&mut self, terms: &'a [Plan], wanted: bool) -> Vec<Trace> {
        let truths: Vec<Option<bool>> = terms.iter().map(|term| self.truth(term)).collect();
        let decided = if truths.contains(&Some(!wanted)) { Some(!wanted) } else { None };
        let mut found = Vec::new();
        for (term, truth) in terms.iter().zip(truths) {
            if truth != decided {
                continue;
            }
            let traces = self.explain(term, wanted);
            found.extend(match term {
                Plan::Has(..) if wanted => self.farther(traces, terms),
                _ => traces,
            });
            if found.len() >= MOST {
                break;
            }
        }
        found
    }

    /// What is missing, as far down as other terms ask for it: of `has(a.b) && has(a.b.c)` that is
    /// `a.b.c`.
    fn farther(&mut self, found: Vec<Trace>, terms: &'a [Plan]) -> Vec<Trace> {
        let mut all = found.clone();
        for term in terms {
            let is_demand = match term {
                Plan::Or(_) | Plan::Attribute(_) => false,
                Plan::Call(call) => call.function.name != "!_",
                _ => true,
            };
            if !is_demand {
                continue;
            }
            let farther = self.first_read(term).into_iter();
            all.extend(farther.flat_map(|path| {
                let start = found.iter().find(|trace| path.is_within(&trace.path));
                start.map(|trace| Trace { path: path.clone(), kind: trace.kind })
            }));
        }
        most_precise(all)
    }

    /// The branch that was taken, or the condition, where nothing that was read would help there.
    fn conditional(&mut self, parts: &'a (Plan, Plan, Plan), wanted: bool) -> Vec<Trace> {
        let (condition, yes, no) = parts;
        let Some(taken) = self.truth(condition) else { return self.read(condition) };
        let found = self.explain(if taken { yes } else { no }, wanted);
        if !found.is_empty() {
            return found;
        }
        let found = self.explain(condition, !taken);
        if taken { found } else { self.farther(found, std::slice::from_ref(yes)) }
    }

    /// The elements for which a predicate is not what is `wanted`. One that fails is no better
    /// where it has to hold, and does not matter where it must not.
    fn elements(&mut self, fold: &'a FoldPlan, predicate: &'a Plan, wanted: bool) -> Vec<Trace> {
        let mut found = Vec::new();
        for (index, item) in self.items(&fold.range).into_iter().enumerate() {
            if found.len() >= MOST || !self.goes_on() {
                break;
            }
            self.bind(fold, index, &item);
            let truth = self.truth(predicate);
            if truth != Some(wanted) && (wanted || truth.is_some()) {
                found.extend(self.within(&item, predicate, wanted));
            }
        }
        self.unbind(fold);
        found
    }

    /// Where within an element its predicate should be otherwise; no place elsewhere is as good as
    /// that of the element itself.
    fn within(&mut self, item: &Item<'a>, predicate: &'a Plan, wanted: bool) -> Vec<Trace> {
        let Some(Origin { path: place, .. }) = &item.origin else {
            return self.explain(predicate, wanted);
        };
        let outer = self.element.replace(place.clone());
        let mut found = self.explain(predicate, wanted);
        let has_read = !found.is_empty();
        found.retain(|trace| trace.path.starts_with(place));
        if has_read && found.is_empty() {
            found = self.read(predicate);
            found.retain(|trace| trace.path.starts_with(place));
        }
        self.element = outer;
        if found.is_empty() {
            found.push(Trace { path: place.clone(), kind: TraceKind::Element });
        }
        found.into_iter().map(|trace| Trace { kind: TraceKind::Element, ..trace }).collect()
    }
}

/// Those that do not lead to less than others do.
fn most_precise(found: Vec<Trace>) -> Vec<Trace> {
    let is_less = |trace: &&Trace| !found.iter().any(|other| other.path.is_within(&trace.path));
    found.iter().filter(is_less).cloned().collect()
}

/// What is compared with a constant, and with which.
fn compared_with_bool(sides: &(Plan, Plan)) -> Option<(&Plan, bool)> {
    match sides {
        (term, Plan::Constant(Value::Bool(value))) | (Plan::Constant(Value::Bool(value)), term) => {
            Some((term, *value))
        }
        _ => None,
    }
}

/// The list that has something in it, where a step says that it has nothing, or the other way
/// round.
fn should_be_empty(plan: &Plan, wanted: bool) -> Option<&Plan> {
    let (is_wanted, list, bound) = match plan {
        Plan::Equal(sides) => (true, &sides.0, &sides.1),
        Plan::NotEqual(sides) => (false, &sides.0, &sides.1),
        Plan::Call(call) => match (call.function.name, call.arguments.as_slice()) {
            ("_<_", [size, bound @ Plan::Constant(Value::Int(1))]) => (true, size, bound),
            ("_<=_", [size, bound @ Plan::Constant(Value::Int(0))]) => (true, size, bound),
            ("_>_", [size, bound @ Plan::Constant(Value::Int(0))]) => (false, size, bound),
            ("_>=_", [size, bound @ Plan::Constant(Value::Int(1))]) => (false, size, bound),
            _ => return None,
        },
        _ => return None,
    };
    if is_wanted != wanted {
        return None;
    }
    match (list, bound) {
        (list, Plan::Constant(Value::List(none))) if none.is_empty() => Some(list),
        (Plan::Call(call), Plan::Constant(Value::Int(number))) if call.function.name == "size" => {
            let is_compared_with_zero = *number == 0 || matches!(plan, Plan::Call(_));
            call.arguments.first().filter(|_| is_compared_with_zero)
        }
        _ => None,
    }
}
