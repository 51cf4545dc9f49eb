//! What an evaluation has cost, and how much it may.

use super::error::Fault;
use super::value::Value;

/// What one expression may cost; the API server's `PerCallLimit`.
pub const EXPRESSION_LIMIT: u64 = 1_000_000;

/// What a policy may cost on one object, variables included; the API server's
/// `RuntimeCELCostBudget`.
pub const POLICY_BUDGET: u64 = 10_000_000;

/// What the match conditions of a policy may cost together; the API server's
/// `RuntimeCELCostBudgetMatchConditions`.
pub const MATCH_CONDITIONS_BUDGET: u64 = 2_500_000;

/// How many bytes an evaluation may make, those of the variables that it reads included. The API
/// server has no such bound: there, `a + a` of values that it knows no type of costs 1, however long
/// they are.
const MEMORY_LIMIT: usize = 64 << 20;

/// Of less than this, in bytes, it is not looked what of it is still there.
const SMALL: usize = 64 << 10;

/// How much a policy may do on one object that costs nothing, in steps of about ten nanoseconds: an
/// element that is compared, sixteen bytes of text that are looked at, a byte of a pattern that is
/// compiled. The API server has no such bound either: there, a pattern that is no literal is
/// compiled at no cost, and so is a search through a list that it knows no type of.
const WORK_LIMIT: u64 = 50_000_000;

/// Adds up the cost of one expression, in the units of cel-go's cost tracker, and what costs nothing
/// there and takes time and memory all the same.
#[derive(Debug)]
pub struct Meter {
    cost: u64,
    limit: u64,
    memory: usize,
    work: u64,
}

impl Meter {
    /// One that stops at `limit`.
    pub fn new(limit: u64) -> Self {
        Self { cost: 0, limit, memory: 0, work: 0 }
    }

    /// One for another expression of the same evaluation: its cost is its own, and of what was
    /// made, so many bytes are still there.
    pub(super) fn beside(&self, limit: u64, memory: usize) -> Self {
        Self { cost: 0, limit, memory, work: self.work }
    }

    /// Goes on from where one for another expression has got to, which leaves so many bytes.
    pub(super) fn go_on_from(&mut self, other: &Self, kept: usize) {
        self.memory = self.memory.saturating_add(kept);
        self.work = other.work;
    }

    /// How many bytes of those that were made since `before` are in a value.
    pub(super) fn kept(&self, value: &Value<'_>, before: &Self) -> usize {
        let made = self.memory.saturating_sub(before.memory);
        if made < SMALL { made } else { value.made_bytes(made) }
    }

    /// What it has cost so far.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Adds a cost.
    ///
    /// # Errors
    /// When that is more than the limit, or too much was done that costs nothing.
    pub(super) fn charge(&mut self, cost: u64) -> Result<(), Fault> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit || self.is_worn_out() { Err(Fault::OverBudget) } else { Ok(()) }
    }

    /// Whether a cost that is to come is still within the limit; asked before what is made would
    /// be large.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn foresee(&self, cost: u64) -> Result<(), Fault> {
        if self.cost.saturating_add(cost) > self.limit { Err(Fault::OverBudget) } else { Ok(()) }
    }

    /// Counts bytes that are about to be made.
    ///
    /// # Errors
    /// When all together are more than 64 MiB.
    pub(super) fn allocate(&mut self, bytes: usize) -> Result<(), Fault> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > MEMORY_LIMIT { Err(Fault::OverBudget) } else { Ok(()) }
    }

    /// How many bytes were made so far.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Counts steps that cost nothing. The next charge fails when there were too many.
    pub(super) fn work(&mut self, steps: usize) {
        self.work = self.work.saturating_add(steps as u64);
    }

    /// Whether there were too many of such steps.
    pub(super) fn is_worn_out(&self) -> bool {
        self.work > WORK_LIMIT
    }

    /// Counts what it takes to look at a text from end to end.
    pub(super) fn read(&mut self, text: &str) {
        self.work(text.len() / 16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_as_much_as_the_limit_is_within_it() {
        let mut meter = Meter::new(10);
        assert_eq!(meter.charge(10), Ok(()));
        assert_eq!(meter.charge(1), Err(Fault::OverBudget));
        assert_eq!(meter.charge(u64::MAX), Err(Fault::OverBudget));
        assert_eq!(meter.cost(), u64::MAX);
    }

    #[test]
    fn what_is_foreseen_is_not_charged() {
        let meter = Meter::new(10);
        assert_eq!(meter.foresee(10), Ok(()));
        assert_eq!(meter.foresee(11), Err(Fault::OverBudget));
        assert_eq!(meter.cost(), 0);
    }

    #[test]
    fn memory_and_work_are_counted_across_the_expressions_of_an_evaluation() {
        let mut first = Meter::new(10);
        assert_eq!(first.allocate(MEMORY_LIMIT), Ok(()));
        first.work(WORK_LIMIT as usize);
        assert_eq!(first.charge(1), Ok(()));
        let mut second = first.beside(10, first.memory());
        assert_eq!(second.cost(), 0);
        assert_eq!(second.allocate(1), Err(Fault::OverBudget));
        second.work(1);
        assert_eq!(second.charge(0), Err(Fault::OverBudget));
        first.go_on_from(&second, 0);
        assert_eq!(first.charge(0), Err(Fault::OverBudget));
    }
}
