//! A difference: whether it is one, and how little it takes.

use anyhow::{Context as _, Result};

use super::comparison::{Comparison, Relation};
use super::draft::Draft;
use crate::oracle::Server;

/// How often a question is asked again to see whether it is always answered alike.
const AGAIN: usize = 12;

/// How many shorter questions are tried at once, and how often.
const ATTEMPTS: usize = 60;
const ROUNDS: usize = 12;

/// What is answered otherwise than by the server.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Its number.
    pub index: u64,
    /// What was asked, of one review.
    pub draft: Draft,
    /// What was answered.
    pub answers: Comparison,
}

impl Difference {
    /// Whether the server, when it is asked again and again, says now this and now that, of which
    /// ours is one; there may be too many orders of a map's entries to see ours among them.
    ///
    /// # Errors
    /// Where the server can't be asked.
    pub async fn is_fickle(&self, server: &mut Server) -> Result<bool> {
        if self.answers.differ_by_order_alone() {
            return Ok(true);
        }
        let copies = vec![self.draft.clone(); AGAIN];
        let mut answers = ask(server, &copies).await?;
        answers.push(self.answers.clone());
        let varies = answers.iter().any(|other| other.theirs != self.answers.theirs);
        let meet = |one: &Comparison| answers.iter().any(|other| other.ours == one.theirs);
        Ok(varies && answers.iter().any(meet))
    }

    /// The same with less in it.
    ///
    /// # Errors
    /// Where the server can't be asked.
    pub async fn reduce(mut self, server: &mut Server) -> Result<Self> {
        for _ in 0..ROUNDS {
            let length = self.draft.length();
            let mut shorter = self.draft.reductions();
            shorter.retain(|draft| draft.length() < length);
            shorter.truncate(ATTEMPTS);
            let answers = ask(server, &shorter).await?;
            let mut tried = shorter.into_iter().zip(answers);
            match tried.find(|(_, answers)| answers.relation() == Relation::Differ) {
                Some((draft, answers)) => (self.draft, self.answers) = (draft, answers),
                None => break,
            }
        }
        Ok(self)
    }

    /// As the corpus has it, with the answers.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn yaml(&self, seed: u64) -> Result<String> {
        let mut case = serde_json::to_value(self.draft.policy())?;
        case["pod"] = self.draft.reviews.first().cloned().into();
        let Comparison { theirs, ours } = &self.answers;
        Ok(format!(
            "  # server: {:?} {:?}\n  # ours:   {:?} {:?}\n  seed-{seed}-{}: {case}\n",
            theirs.outcome, theirs.message, ours.outcome, ours.message, self.index
        ))
    }
}

/// The first answer to each.
async fn ask(server: &mut Server, drafts: &[Draft]) -> Result<Vec<Comparison>> {
    let questions: Vec<_> = drafts.iter().map(Draft::question).collect();
    let mut comparisons = Vec::new();
    for asked in server.ask(&questions).await? {
        for theirs in &asked.answers {
            let draft = &drafts[comparisons.len()];
            let review = draft.reviews.first().context("a question about nothing")?;
            let seen = asked.seen.get(review).context("nothing was seen")?;
            comparisons.push(Comparison::of(draft, theirs.first().context("no answer")?, seen)?);
        }
    }
    Ok(comparisons)
}
