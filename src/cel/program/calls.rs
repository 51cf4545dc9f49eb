//! Plans of calls: of some, part of the work is done when they are planned, as in cel-go
//! (`interpreter/decorators.go`).

use super::plan::{Planner, attribute};
use super::set::Set;
use super::{CallPlan, PatternPlan, Plan, Root};
use crate::cel::check::Resolution;
use crate::cel::library::convert::is_conversion;
use crate::cel::library::{Function, Overload, Pattern};
use crate::cel::meter::{EXPRESSION_LIMIT, Meter};
use crate::cel::syntax::{Call, Kind, Node};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Planner<'_> {
    pub(super) fn plan_call(&mut self, node: &Node, call: &Call) -> Plan {
        match call.function.as_str() {
            "_&&_" => return Plan::And(self.plan_chain(call, "_&&_")),
            "_||_" => return Plan::Or(self.plan_chain(call, "_||_")),
            "_?_:_" => {
                if let [condition, yes, no] = call.arguments.as_slice() {
                    let parts = (self.plan(condition), self.plan(yes), self.plan(no));
                    return attribute(Root::Conditional(Box::new(parts)));
                }
            }
            "_==_" => return self.plan_two(call, Plan::Equal),
            "_!=_" => return self.plan_two(call, Plan::NotEqual),
            "_[_]" => return self.plan_index(call, false),
            "_[?_]" => return self.plan_index(call, true),
            _ => {}
        }
        let Some(Resolution { function, only, is_qualified }) = self.checked.call_of(node) else {
            return self.unresolved(&call.function);
        };
        match function.name {
            "or" => return self.plan_two(call, Plan::OptionalOr),
            "orValue" => return self.plan_two(call, Plan::OptionalOrValue),
            _ => {}
        }
        let target = call.target.iter().map(AsRef::as_ref).filter(|_| !is_qualified);
        let mut arguments: Vec<Plan> =
            target.chain(&call.arguments).map(|argument| self.plan(argument)).collect();
        match (function.name, arguments.as_mut_slice()) {
            ("flatten", [_, level]) => {
                // A level below zero takes something off the cost, which may end anywhere by that.
                self.can_overdraw = true;
                take(level, |level| Plan::Level(Box::new(level)));
            }
            ("@in", [element, Plan::Constant(Value::List(list))]) if takes_list(only) => {
                match Set::new(list.iter().collect()) {
                    Some(set) if set.is_empty() => return Plan::Constant(Value::Bool(false)),
                    Some(set) => return Plan::InSet(Box::new((taken(element), set))),
                    None => {}
                }
            }
            (name, [Plan::Constant(value)]) if is_conversion(name) => {
                return self.convert(function, only, value);
            }
            (name, [text, Plan::Constant(Value::String(pattern)), count @ ..]) => {
                match Pattern::new(name, pattern) {
                    Ok(None) => {}
                    Err(why) => return self.fail(why),
                    Ok(Some(pattern)) => {
                        let is_priced = only.is_some_and(|only| only.member);
                        let (text, count) = (taken(text), count.first_mut().map(taken));
                        let plan = PatternPlan { pattern, text, count, is_priced };
                        return Plan::Pattern(Box::new(plan));
                    }
                }
            }
            _ => {}
        }
        Plan::Call(Box::new(CallPlan { function, only, arguments }))
    }

    /// A chain of && or ||, flat: the parser makes balanced trees of them.
    fn plan_chain(&mut self, call: &Call, operator: &str) -> Vec<Plan> {
        let mut terms = Vec::new();
        let mut open: Vec<&Node> = call.arguments.iter().rev().collect();
        while let Some(node) = open.pop() {
            match &node.kind {
                Kind::Call(inner) if inner.function == operator => {
                    open.extend(inner.arguments.iter().rev());
                }
                _ => terms.push(self.plan(node)),
            }
        }
        terms
    }

    fn plan_two(&mut self, call: &Call, made: fn(Box<(Plan, Plan)>) -> Plan) -> Plan {
        let mut sides = call.target.iter().map(AsRef::as_ref).chain(&call.arguments);
        match (sides.next(), sides.next()) {
            (Some(left), Some(right)) => {
                let left = self.plan(left);
                made(Box::new((left, self.plan(right))))
            }
            _ => self.unresolved(&call.function),
        }
    }

    /// A conversion of a constant is a constant.
    fn convert(
        &mut self,
        function: &'static Function,
        only: Option<&'static Overload>,
        value: &Value<'static>,
    ) -> Plan {
        let mut meter = Meter::new(EXPRESSION_LIMIT);
        match function.call(only, &mut meter, std::slice::from_ref(value)) {
            Ok(value) => Plan::Constant(value),
            Err(why) => self.fail(why),
        }
    }
}

/// Whether a list is all that the second parameter can be.
fn takes_list(only: Option<&Overload>) -> bool {
    only.is_some_and(|only| matches!(only.parameters.get(1), Some(Type::List(_))))
}

fn taken(plan: &mut Plan) -> Plan {
    std::mem::replace(plan, Plan::Constant(Value::Null))
}

fn take(place: &mut Plan, made: impl FnOnce(Plan) -> Plan) {
    *place = made(taken(place));
}
