//! The variables of a policy while it is evaluated.

use std::cell::{Cell, RefCell};

use super::Rules;
use crate::cel::error::Fault;
use crate::cel::expression::Expression;
use crate::cel::meter::{EXPRESSION_LIMIT, Meter};
use crate::cel::program::{Inputs, Program, Variables};
use crate::cel::value::Value;
use crate::cel::value::display::go_quote;

/// Variables, each evaluated when it is first read, and only once.
pub(super) struct Lazy<'a> {
    rules: &'a Rules,
    inputs: Inputs<'a>,
    values: RefCell<Vec<Option<Result<Value<'a>, Fault>>>>,
    /// What those have cost that were evaluated since this was last taken.
    pub(super) spent: Cell<u64>,
    /// The bytes that their values take.
    pub(super) memory: Cell<usize>,
}

impl<'a> Lazy<'a> {
    pub(super) fn new(rules: &'a Rules, inputs: Inputs<'a>) -> Self {
        let values = RefCell::new(vec![None; rules.variables.len()]);
        Self { rules, inputs, values, spent: Cell::new(0), memory: Cell::new(0) }
    }
}

impl<'a> Variables<'a> for Lazy<'a> {
    fn get(&self, index: usize, reader: &mut Meter) -> Result<Value<'a>, Fault> {
        if let Some(Some(known)) = self.values.borrow().get(index) {
            return known.clone();
        }
        let (Some(expression), Some(name)) =
            (self.rules.variables.get(index), self.rules.variable_names.get(index))
        else {
            return Err(Fault::no_such_overload());
        };
        let mut meter = reader.beside(EXPRESSION_LIMIT, reader.memory());
        let value = expression.evaluate_here(self.inputs, self, &mut meter).map_err(|fault| {
            let name = go_quote(name);
            Fault::error(format!("composited variable {name} fails to evaluate: {fault}"))
        });
        self.spent.set(self.spent.get().saturating_add(meter.cost()));
        let kept = value.as_ref().map_or(0, |value| meter.kept(value, reader));
        self.memory.set(self.memory.get().saturating_add(kept));
        reader.go_on_from(&meter, kept);
        if let Some(slot) = self.values.borrow_mut().get_mut(index) {
            *slot = Some(value.clone());
        }
        value
    }

    fn program(&self, index: usize) -> Option<&'a Program> {
        self.rules.variables.get(index).map(Expression::program)
    }
}
