//! What an evaluation has cost, and how much it may.

use super::error::Fault;

/// What one expression may cost; the API server's `PerCallLimit`.
pub const EXPRESSION_LIMIT: u64 = 1_000_000;

/// What a policy may cost on one object, variables included; the API server's
/// `RuntimeCELCostBudget`.
pub const POLICY_BUDGET: u64 = 10_000_000;

/// What the match conditions of a policy may cost together; the API server's
/// `RuntimeCELCostBudgetMatchConditions`.
pub const MATCH_CONDITIONS_BUDGET: u64 = 2_500_000;

/// How many bytes one expression may make. The API server has no such bound: there, `a + a` of
/// values that it knows no type of costs 1, however long they are.
const MEMORY_LIMIT: usize = 64 << 20;

/// Adds up the cost of one expression, in the units of cel-go's cost tracker.
#[derive(Debug)]
pub struct Meter {
    cost: u64,
    limit: u64,
    memory: usize,
}

impl Meter {
    /// One that stops at `limit`.
    pub fn new(limit: u64) -> Self {
        Self { cost: 0, limit, memory: 0 }
    }

    /// What it has cost so far.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Adds a cost.
    ///
    /// # Errors
    /// When that is more than the limit.
    pub(super) fn charge(&mut self, cost: u64) -> Result<(), Fault> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit { Err(Fault::OverBudget) } else { Ok(()) }
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
}
