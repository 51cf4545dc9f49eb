//! Evaluation: a walk over the program. What a step costs is what cel-go's cost tracker adds for
//! it (`interpreter/runtimecost.go`).

use std::collections::BTreeMap;

use super::attribute::read_again;
use super::{CallPlan, Inputs, OptionalMapPlan, PatternPlan, Plan, Slot, SortByPlan, Variables};
use crate::cel::error::Fault;
use crate::cel::library::{equality_cost, not_an_int, pattern_cost};
use crate::cel::meter::Meter;
use crate::cel::value::compare::equality;
use crate::cel::value::display::go_value;
use crate::cel::value::{Key, Kubernetes, Value};

/// What making a list or a map costs.
pub(super) const LIST_COST: u64 = 10;
const MAP_COST: u64 = 30;

/// The state of one evaluation.
pub(super) struct Machine<'a, 'e> {
    pub inputs: Inputs<'a>,
    pub variables: &'e dyn Variables<'a>,
    pub slots: Vec<Slot<'a>>,
    pub meter: &'e mut Meter,
}

/// The value of a step, or why it has none.
pub(super) type Outcome<'a> = Result<Value<'a>, Fault>;

impl<'a> Machine<'a, '_> {
    pub(super) fn evaluate(&mut self, plan: &'a Plan) -> Outcome<'a> {
        match plan {
            Plan::Constant(value) => Ok(value.borrowed()),
            Plan::Attribute(attribute) => self.attribute(attribute),
            Plan::Has(attribute, field) => self.has(attribute, field),
            Plan::HasVariable(index) => {
                self.variables.get(*index, self.meter)?;
                self.meter.charge(1)?;
                Ok(Value::Bool(true))
            }
            Plan::And(terms) => self.logic(terms, false),
            Plan::Or(terms) => self.logic(terms, true),
            Plan::Equal(sides) => self.equality(sides)?.map(Value::Bool),
            // What cannot be compared is unequal all the same.
            Plan::NotEqual(sides) => Ok(Value::Bool(self.equality(sides)? != Ok(true))),
            Plan::Call(call) => self.call(call),
            Plan::Level(level) => self.evaluate(level).map_err(|fault| match fault {
                Fault::Error(_) => Fault::Aborted(not_an_int("*types.Err").into()),
                fault => fault,
            }),
            Plan::Pattern(pattern) => self.pattern(pattern),
            Plan::InSet(parts) => {
                let value = self.evaluate(&parts.0)?;
                Ok(Value::Bool(parts.1.contains(self.meter, &value)))
            }
            Plan::List(elements) => self.list(elements),
            Plan::Map(entries) => self.map(entries),
            Plan::Fold(fold) => self.fold(fold),
            Plan::OptionalMap(map) => self.optional_map(map),
            Plan::SortBy(sort) => self.sort_by(sort),
            Plan::OptionalOr(sides) => match self.evaluate(&sides.0)? {
                Value::Optional(None) => self.evaluate(&sides.1),
                other => Ok(other),
            },
            Plan::OptionalOrValue(sides) => match self.evaluate(&sides.0)? {
                Value::Optional(None) => self.evaluate(&sides.1),
                Value::Optional(Some(value)) => value.found(),
                other => Ok(other),
            },
        }
    }

    /// && and ||: the value that `decides` does so whatever errors there are beside it.
    fn logic(&mut self, terms: &'a [Plan], decides: bool) -> Outcome<'a> {
        let mut first_error = None;
        for term in terms {
            let error = match self.evaluate(term) {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => continue,
                Ok(_) => Fault::no_such_overload(),
                Err(fault) if fault.is_final() => return Err(fault),
                Err(error) => error,
            };
            first_error.get_or_insert(error);
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Value::Bool(!decides)),
        }
    }

    /// A step that fails costs what its like would have cost.
    fn or_pay(&mut self, outcome: Outcome<'a>, cost: u64) -> Outcome<'a> {
        if matches!(outcome, Err(Fault::Error(_))) {
            self.meter.charge(cost)?;
        }
        outcome
    }

    /// Both of two steps; of two errors that of the left.
    fn both(&mut self, left: &'a Plan, right: &'a Plan) -> Result<(Value<'a>, Value<'a>), Fault> {
        let left = self.evaluate(left);
        if let Err(fault) = &left
            && fault.is_final()
        {
            return Err(fault.clone());
        }
        let right = self.evaluate(right);
        match (left, right) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (_, Err(fault)) if fault.is_final() => Err(fault),
            (Err(error), _) | (_, Err(error)) => {
                self.meter.charge(1)?;
                Err(error)
            }
        }
    }

    /// Whether two steps give the same, or why that can't be told.
    fn equality(&mut self, sides: &'a (Plan, Plan)) -> Result<Result<bool, Fault>, Fault> {
        let (left, right) = self.both(&sides.0, &sides.1)?;
        self.meter.charge(equality_cost(&left, &right))?;
        Ok(equality(self.meter, &left, &right).ok_or_else(|| {
            // A value that is in no optional does not look into one.
            let is_optional = matches!(left, Value::Optional(_));
            let lost = left.lost().or_else(|| right.lost().filter(|_| is_optional));
            lost.map_or_else(Fault::no_such_overload, Kubernetes::error)
        }))
    }

    fn call(&mut self, call: &'a CallPlan) -> Outcome<'a> {
        let CallPlan { function, only, arguments } = call;
        match arguments.as_slice() {
            [] => self.apply(call, &[]),
            [argument] => {
                let value = self.evaluate(argument);
                let value = self.or_pay(value, 1);
                let value = value.map_err(|fault| function.failed(*only, fault))?;
                self.apply(call, &[value])
            }
            [left, right] => {
                let (left, right) = self.both(left, right)?;
                self.apply(call, &[left, right])
            }
            more => {
                let values: Result<Vec<_>, _> =
                    more.iter().map(|argument| self.evaluate(argument)).collect();
                let values = values?;
                let result = function.call(*only, self.meter, &values);
                self.pay(call, &values, result)
            }
        }
    }

    fn apply(&mut self, call: &'a CallPlan, values: &[Value<'a>]) -> Outcome<'a> {
        let result = call.function.call(call.only, self.meter, values);
        self.pay(call, values, result)
    }

    fn pay(&mut self, call: &CallPlan, values: &[Value<'a>], result: Outcome<'a>) -> Outcome<'a> {
        let price = call.function.price(call.only, values, result.as_ref().ok());
        self.meter.charge(price)?;
        result
    }

    fn pattern(&mut self, plan: &'a PatternPlan) -> Outcome<'a> {
        let text = self.evaluate(&plan.text);
        let text = self.or_pay(text, 1)?;
        let count = plan.count.as_ref().map(|count| self.evaluate(count)).transpose()?;
        let price = match plan.is_priced {
            true => pattern_cost(text.size(), plan.pattern.length),
            false => 1,
        };
        self.meter.charge(price)?;
        plan.pattern.apply(self.meter, &text, count.as_ref())
    }

    fn list(&mut self, elements: &'a [(bool, Plan)]) -> Outcome<'a> {
        let mut values = Vec::with_capacity(elements.len());
        for (optional, plan) in elements {
            let value = self.evaluate(plan);
            match (optional, self.or_pay(value, LIST_COST)?) {
                (false, value) => values.push(value),
                (true, Value::Optional(Some(value))) => values.push(value.found()?),
                (true, Value::Optional(None)) => {}
                (true, other) => {
                    return Err(Fault::error(format!(
                        "cannot initialize optional list element from non-optional value {}",
                        go_value(&other)
                    )));
                }
            }
        }
        self.meter.charge(LIST_COST)?;
        self.meter.allocate(values.len() * size_of::<Value<'_>>())?;
        Ok(Value::list(values))
    }

    fn map(&mut self, entries: &'a [(bool, Plan, Plan)]) -> Outcome<'a> {
        let mut map = BTreeMap::new();
        for (optional, key, value) in entries {
            let key_value = self.evaluate(key);
            let key_value = self.or_pay(key_value, MAP_COST)?;
            let value = self.evaluate(value);
            let value = self.or_pay(value, MAP_COST)?;
            let key = match key {
                Plan::Attribute(name) if name.is_slot() => Key::new(&key_value)?,
                _ => Key::of_own(&key_value)?,
            };
            match (optional, value) {
                (false, value) => _ = map.insert(key, value),
                (true, Value::Optional(Some(value))) => {
                    map.insert(key, value.found()?);
                }
                (true, Value::Optional(None)) => _ = map.remove(&key),
                (true, other) => {
                    return Err(Fault::error(format!(
                        "cannot initialize optional entry '{}' from non-optional value {}",
                        go_value(&key_value),
                        go_value(&other)
                    )));
                }
            }
        }
        self.meter.charge(MAP_COST)?;
        self.meter.allocate(map.len() * size_of::<Value<'_>>() * 2)?;
        Ok(Value::map(map))
    }

    fn optional_map(&mut self, plan: &'a OptionalMapPlan) -> Outcome<'a> {
        let before = self.meter.cost();
        let target = self.evaluate(&plan.target)?;
        let cost = self.meter.cost() - before;
        // hasValue
        self.meter.charge(1)?;
        let value = match target {
            Value::Optional(Some(value)) => (*value).clone(),
            Value::Optional(None) => {
                // optional.none
                self.meter.charge(1)?;
                return Ok(Value::Optional(None));
            }
            other => {
                let name = other.type_name();
                return Err(Fault::error(format!("no such overload: hasValue({name})")));
            }
        };
        // cel-go evaluates the target once more, and takes its value, when the variable is read.
        self.set(plan.slot, Slot::Unpaid(value, cost + 1));
        let body = self.evaluate(&plan.body);
        if plan.flat {
            return Ok(read_again(body?));
        }
        let body = self.or_pay(body, 1)?;
        // optional.of
        self.meter.charge(1)?;
        Ok(read_again(Value::some(body)))
    }

    fn sort_by(&mut self, plan: &'a SortByPlan) -> Outcome<'a> {
        let target = self.evaluate(&plan.target);
        let target = target.map_err(|fault| plan.function.failed(plan.only, fault))?;
        self.meter.charge(1)?;
        self.set(plan.slot, Slot::Value(target.clone()));
        let keys = self.evaluate(&plan.keys);
        let keys = self.or_pay(keys, 1);
        let keys = keys.map_err(|fault| plan.function.failed(plan.only, fault))?;
        let arguments = [target, keys];
        self.meter.foresee(plan.function.price(plan.only, &arguments, None))?;
        let result = plan.function.call(plan.only, self.meter, &arguments);
        let price = plan.function.price(plan.only, &arguments, result.as_ref().ok());
        self.meter.charge(price)?;
        result
    }

    pub(super) fn set(&mut self, slot: usize, value: Slot<'a>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }
}
