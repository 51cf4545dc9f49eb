//! One policy after the other, from a seed.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::fields::Fields;
use super::generate::Generator;
use super::grammar::Grammar;
use super::random::Random;
use crate::oracle::Seen;

/// How many Pods a policy is asked about, or some fewer.
const REVIEWS: usize = 10;

/// Makes policies.
pub struct Maker {
    seed: u64,
    made: u64,
    grammar: Grammar,
    fields: Fields,
    reviews: Vec<String>,
}

impl Maker {
    /// One that makes policies about what was seen, from that with this number on.
    pub fn new(seed: u64, first: u64, seen: &BTreeMap<String, Seen>) -> Self {
        let reviews = seen.keys().cloned().collect();
        Self { seed, made: first, grammar: Grammar::new(), fields: Fields::of(seen), reviews }
    }

    /// The next one, and its number.
    pub fn make(&mut self) -> (u64, Draft) {
        let index = self.made;
        self.made += 1;
        let mut random = Random::new(self.seed, index);
        let chosen: BTreeSet<_> =
            (0..REVIEWS).map(|_| random.pick(&self.reviews).clone()).collect();
        let chosen = chosen.into_iter().collect();
        (index, Generator::new(random, chosen, &self.grammar, &self.fields).draft())
    }
}
