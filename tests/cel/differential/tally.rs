//! How many pairs came out how.

use std::collections::BTreeMap;
use std::fmt;

use super::comparison::{Comparison, Relation};
use crate::oracle::Outcome;

/// How many pairs of a policy and a Pod came out how.
#[derive(Default)]
pub struct Tally {
    relations: BTreeMap<Outcome, BTreeMap<Relation, usize>>,
    refusals: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts a pair.
    pub fn count(&mut self, answers: &Comparison, relation: Relation) {
        let outcome = answers.theirs.outcome;
        *self.relations.entry(outcome).or_default().entry(relation).or_default() += 1;
        if relation == Relation::WeRefuse {
            // Without the place and the text of the expression.
            let first = answers.ours.message.lines().next().unwrap_or_default();
            let reason = first.replace(|c: char| c.is_ascii_digit(), "");
            *self.refusals.entry(reason).or_default() += 1;
        }
    }

    /// How many pairs there are, in all.
    pub fn pairs(&self) -> usize {
        self.relations.values().flat_map(BTreeMap::values).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RELATIONS: [(Relation, &str); 4] = [
            (Relation::Equal, "equal"),
            (Relation::Differ, "differ"),
            (Relation::WeRefuse, "refused by us"),
            (Relation::Fickle, "fickle"),
        ];
        write!(f, "{:12}{:>16}", "server says", "pairs")?;
        for (_, name) in RELATIONS {
            write!(f, "{name:>16}")?;
        }
        let mut sums = BTreeMap::<Relation, usize>::new();
        for (outcome, counts) in &self.relations {
            let name = format!("{outcome:?}").to_lowercase();
            write!(f, "\n{name:12}{:>16}", counts.values().sum::<usize>())?;
            for (relation, _) in RELATIONS {
                let count = counts.get(&relation).copied().unwrap_or_default();
                *sums.entry(relation).or_default() += count;
                write!(f, "{count:>16}")?;
            }
        }
        write!(f, "\n{:12}{:>16}", "all", self.pairs())?;
        for (relation, _) in RELATIONS {
            write!(f, "{:>16}", sums.get(&relation).copied().unwrap_or_default())?;
        }
        writeln!(f)?;
        for (reason, count) in &self.refusals {
            writeln!(f, "refused by us {count:>7}: {reason}")?;
        }
        Ok(())
    }
}
