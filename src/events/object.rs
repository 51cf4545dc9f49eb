//! What the queue remembers about one object.

use std::collections::HashSet;

use tokio::time::Instant;

use super::{
    budget::{Bucket, Budget},
    held_back::HeldBack,
};

/// Reasons remembered of one object. Reasons are words of a program, a handful; a caller that
/// makes them up gets no more first occurrences than this.
const MAX_REASONS: usize = 64;

#[derive(Debug)]
pub(super) struct ObjectState {
    pub bucket: Bucket,
    /// Distinct Events of the object that wait or are in flight.
    pub waiting: usize,
    pub held_back: HeldBack,
    reasons: HashSet<String>,
}

impl ObjectState {
    pub fn new(budget: Budget) -> Self {
        Self {
            bucket: Bucket::full(budget),
            waiting: 0,
            held_back: HeldBack::default(),
            reasons: HashSet::new(),
        }
    }

    /// Whether `reason` was never told of the object, as far as is remembered.
    pub fn is_first(&self, reason: &str) -> bool {
        self.reasons.len() < MAX_REASONS && !self.reasons.contains(reason)
    }

    pub fn told(&mut self, reason: &str) {
        if self.is_first(reason) {
            self.reasons.insert(reason.to_owned());
        }
    }

    /// Whether it may be forgotten: nothing waits and the budget is whole again, so that a reason
    /// wrongly taken for new passes no limit that would have held it.
    pub fn is_at_rest(&self, now: Instant) -> bool {
        self.waiting == 0 && self.bucket.is_full(now)
    }
}
