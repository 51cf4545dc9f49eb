//! From a checked tree to a program.

use std::collections::BTreeMap;

use super::{
    Attribute, CallPlan, FoldPlan, OptionalMapPlan, Plan, Program, Qualifier, QualifierKey, Reads,
    Root, SortByPlan,
};
use crate::cel::check::{Checked, Resolution};
use crate::cel::error::Mistake;
use crate::cel::scope::{Input, Scope, input, type_name};
use crate::cel::syntax::{
    Call, Element, Entry, Fold, Kind, Node, OptionalMap, Position, SORT_BY_INPUT, SortBy,
};
use crate::cel::types::Type;
use crate::cel::value::{Key, Value};

/// How deep evaluation may go, through variables and all: what the large stack of
/// [`stack`](crate::cel::stack) has room for. What one expression can hold of nesting is far less.
pub(in crate::cel) const MAX_DEPTH: usize = 1_000;

/// Plans a checked tree; `depths` are those of the variables.
///
/// # Errors
/// Where a constant cannot be what it is used as.
pub(in crate::cel) fn plan(
    root: &Node,
    checked: &Checked,
    scope: &Scope,
    depths: &[usize],
) -> Result<Program, Vec<Mistake>> {
    let mut planner = Planner {
        checked,
        scope,
        depths,
        locals: Vec::new(),
        slots: 0,
        depth: 0,
        deepest: 0,
        can_overdraw: false,
        reads: Reads::default(),
        mistakes: Vec::new(),
    };
    let plan = planner.plan(root);
    if planner.deepest > MAX_DEPTH {
        let message = format!("evaluation would be nested more than {MAX_DEPTH} deep");
        planner.complain(Position { line: 0, column: 0 }, message);
    }
    if planner.mistakes.is_empty() {
        let Planner { slots, deepest: depth, can_overdraw, reads, .. } = planner;
        Ok(Program { root: plan, slots, depth, can_overdraw, reads })
    } else {
        Err(planner.mistakes)
    }
}

pub(super) struct Planner<'c> {
    pub(super) checked: &'c Checked,
    scope: &'c Scope,
    depths: &'c [usize],
    /// The variables of macros and their places, innermost last.
    locals: Vec<(String, usize)>,
    slots: usize,
    depth: usize,
    deepest: usize,
    pub(super) can_overdraw: bool,
    reads: Reads,
    mistakes: Vec<Mistake>,
}

impl Planner<'_> {
    fn complain(&mut self, at: Position, message: String) {
        self.mistakes.push(Mistake { line: at.line, column: at.column, message, hint: None });
    }

    /// A mistake that the API server finds when it makes the program; it names no place.
    /// It stops at the first of them.
    pub(super) fn fail(&mut self, why: impl std::fmt::Display) -> Plan {
        if self.mistakes.is_empty() {
            let message = format!("program instantiation failed: {why}");
            self.mistakes.push(Mistake { line: 0, column: 0, message, hint: None });
        }
        Plan::Constant(Value::Null)
    }

    /// A call for which the checker has found nothing: rather no program than a wrong one.
    pub(super) fn unresolved(&mut self, function: &str) -> Plan {
        self.fail(format!("no implementation of '{function}' was found"))
    }

    pub(super) fn plan(&mut self, node: &Node) -> Plan {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let plan = self.plan_kind(node);
        self.depth -= 1;
        plan
    }

    fn plan_kind(&mut self, node: &Node) -> Plan {
        match &node.kind {
            Kind::Literal(value, _) => Plan::Constant(value.clone()),
            Kind::Identifier(name) => self.plan_name(node, name),
            Kind::Select { operand, field } => self.plan_select(node, operand, field),
            Kind::Has { operand, field } => match self.variable_place(operand, field) {
                Some(index) => {
                    self.deepen(index);
                    Plan::HasVariable(index)
                }
                None => Plan::Has(Box::new(self.attribute(operand)), field.as_str().into()),
            },
            Kind::OptionalSelect { operand, field } => {
                if let Some(index) = self.variable_place(operand, field) {
                    return self.plan_optional_variable(index);
                }
                let key = QualifierKey::Field(field.as_str().into());
                self.qualified(operand, Qualifier { optional: true, is_declared: false, key })
            }
            Kind::Call(call) => self.plan_call(node, call),
            Kind::List(elements) => self.plan_list(elements),
            Kind::Map(entries) => self.plan_map(entries),
            Kind::Fold(fold) => self.plan_fold(fold),
            Kind::OptionalMap(map) => self.plan_optional_map(map),
            Kind::SortBy(sort) => self.plan_sort_by(node, sort),
        }
    }

    fn plan_name(&mut self, node: &Node, name: &str) -> Plan {
        let name = name.strip_prefix('.').unwrap_or(name);
        // What holds a type is taken for the name of one, be it a variable of a macro.
        if matches!(self.checked.type_of(node), Type::Type(_)) {
            return match type_name(name) {
                Some(type_) => Plan::Constant(Value::Type(type_.runtime_name())),
                None => self.fail(format!("reference to undefined type: {name}")),
            };
        }
        if let Some((_, slot)) = self.locals.iter().rfind(|(local, _)| local == name) {
            return attribute(Root::Slot(*slot));
        }
        if let Some(input) = input(name) {
            match input {
                Input::Object => {}
                Input::OldObject => self.reads.old_object = true,
                Input::Request => self.reads.request = true,
                Input::NamespaceObject => self.reads.namespace_object = true,
            }
            return attribute(Root::Input(input));
        }
        // The one name that is left: the API server gives a map that evaluates as it is read.
        let message = "variables can be read one by one only: variables.name";
        self.complain(node.at, message.to_owned());
        Plan::Constant(Value::Null)
    }

    fn plan_select(&mut self, node: &Node, operand: &Node, field: &str) -> Plan {
        if matches!(self.checked.type_of(node), Type::Type(_))
            && let Some(type_) = node.qualified_name().as_deref().and_then(type_name)
        {
            return Plan::Constant(Value::Type(type_.runtime_name()));
        }
        if let Some(index) = self.variable_place(operand, field) {
            self.deepen(index);
            return attribute(Root::Variable(index));
        }
        let key = QualifierKey::Field(field.into());
        let is_declared = matches!(self.checked.type_of(operand), Type::Object(_));
        self.qualified(operand, Qualifier { optional: false, is_declared, key })
    }

    /// The place of a policy's variable, where `variables.field` is that.
    fn variable_place(&self, operand: &Node, field: &str) -> Option<usize> {
        let Kind::Identifier(name) = &operand.kind else { return None };
        let is_local = self.locals.iter().any(|(local, _)| local == name);
        (name.trim_start_matches('.') == "variables" && !is_local)
            .then(|| self.scope.variable(field))
            .flatten()
    }

    /// Counts how deep the evaluation of a variable goes from here.
    fn deepen(&mut self, index: usize) {
        let depth = self.depth + self.depths.get(index).copied().unwrap_or(0);
        self.deepest = self.deepest.max(depth);
    }

    fn plan_optional_variable(&mut self, index: usize) -> Plan {
        self.deepen(index);
        match crate::cel::library::function("optional.of") {
            Some(function) => Plan::Call(Box::new(CallPlan {
                function,
                only: function.overloads.first(),
                arguments: vec![attribute(Root::Variable(index))],
            })),
            None => self.unresolved("optional.of"),
        }
    }

    /// A node as something that a path can go on from.
    fn attribute(&mut self, node: &Node) -> Attribute {
        match self.plan(node) {
            Plan::Attribute(attribute) => *attribute,
            other => Attribute { root: Root::Plan(other), path: Vec::new() },
        }
    }

    fn qualified(&mut self, operand: &Node, qualifier: Qualifier) -> Plan {
        let mut attribute = self.attribute(operand);
        attribute.path.push(qualifier);
        Plan::Attribute(Box::new(attribute))
    }

    pub(super) fn plan_index(&mut self, call: &Call, optional: bool) -> Plan {
        let [operand, index] = call.arguments.as_slice() else {
            return self.unresolved(&call.function);
        };
        let mut attribute = self.attribute(operand);
        let key = match self.plan(index) {
            Plan::Constant(Value::String(text)) => QualifierKey::Field((&*text).into()),
            Plan::Constant(
                value @ (Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_)),
            ) => QualifierKey::Constant(value),
            Plan::Constant(other) => {
                let name = other.go_type();
                return self.fail(format!("invalid qualifier type: {name}"));
            }
            other => QualifierKey::Computed(other),
        };
        attribute.path.push(Qualifier { optional, is_declared: false, key });
        Plan::Attribute(Box::new(attribute))
    }

    fn plan_list(&mut self, elements: &[Element]) -> Plan {
        let plans: Vec<(bool, Plan)> =
            elements.iter().map(|element| (element.optional, self.plan(&element.value))).collect();
        let constants: Option<Vec<Value<'static>>> = plans
            .iter()
            .map(|(optional, plan)| match plan {
                Plan::Constant(value) if !optional => Some(value.clone()),
                _ => None,
            })
            .collect();
        match constants {
            Some(values) => Plan::Constant(Value::list(values)),
            None => Plan::List(plans),
        }
    }

    fn plan_map(&mut self, entries: &[Entry]) -> Plan {
        let plans: Vec<(bool, Plan, Plan)> = entries
            .iter()
            .map(|entry| (entry.optional, self.plan(&entry.key), self.plan(&entry.value)))
            .collect();
        for (_, key, _) in &plans {
            if let Plan::Constant(key) = key
                && let Err(why) = Key::new(key)
            {
                return self.fail(why);
            }
        }
        let constants: Option<BTreeMap<Key<'static>, Value<'static>>> = plans
            .iter()
            .map(|entry| match entry {
                (false, Plan::Constant(key), Plan::Constant(value)) => {
                    Some((Key::new(key).ok()?, value.clone()))
                }
                _ => None,
            })
            .collect();
        match constants {
            Some(entries) => Plan::Constant(Value::map(entries)),
            None => Plan::Map(plans),
        }
    }

    fn bind(&mut self, name: &str) -> usize {
        let slot = self.slots;
        self.slots += 1;
        self.locals.push((name.to_owned(), slot));
        slot
    }

    fn plan_fold(&mut self, fold: &Fold) -> Plan {
        let range = self.plan(&fold.range);
        let outer = self.locals.len();
        let slot = self.bind(&fold.variable);
        let second = fold.second.as_ref().map(|name| self.bind(name));
        let condition = fold.condition.as_ref().map(|condition| self.plan(condition));
        let body = self.plan(&fold.body);
        self.locals.truncate(outer);
        let kind = fold.kind;
        Plan::Fold(Box::new(FoldPlan { kind, range, slot, second, condition, body }))
    }

    fn plan_optional_map(&mut self, map: &OptionalMap) -> Plan {
        let target = self.plan(&map.target);
        // The variable is read by the loop that cel-go makes of this, whether or not by the body.
        if let Type::Optional(value) = self.checked.type_of(&map.target)
            && matches!(**value, Type::Type(_))
            && type_name(&map.variable).is_none()
        {
            return self.fail(format!("reference to undefined type: {}", map.variable));
        }
        let slot = self.bind(&map.variable);
        let body = self.plan(&map.body);
        self.locals.pop();
        Plan::OptionalMap(Box::new(OptionalMapPlan { flat: map.flat, target, slot, body }))
    }

    fn plan_sort_by(&mut self, node: &Node, sort: &SortBy) -> Plan {
        let target = self.plan(&sort.target);
        let slot = self.bind(SORT_BY_INPUT);
        let keys = self.plan(&sort.keys);
        self.locals.pop();
        match self.checked.call_of(node) {
            Some(Resolution { function, only, .. }) => {
                Plan::SortBy(Box::new(SortByPlan { function, only, target, slot, keys }))
            }
            None => self.unresolved("sortBy"),
        }
    }
}

pub(super) fn attribute(root: Root) -> Plan {
    Plan::Attribute(Box::new(Attribute { root, path: Vec::new() }))
}
