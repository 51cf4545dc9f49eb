//! What the server and Portreeve answer, side by side.

use super::draft::Draft;
use crate::oracle::{Answer, Outcome, Question, Seen};
use crate::ours;

/// The two answers to one question.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The server's.
    pub theirs: Answer,
    /// Portreeve's.
    pub ours: Answer,
}

/// How two answers stand to each other.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Relation {
    /// Outcome and message are the same; of what both refuse, the message may be another.
    Equal,
    /// Portreeve refuses what the server takes.
    WeRefuse,
    /// Anything else.
    Differ,
    /// The server answers the same question now so, now so, as where it depends on the order of a
    /// map's keys; or it did not get to an answer.
    Fickle,
}

impl Comparison {
    /// Asks Portreeve.
    ///
    /// # Errors
    /// Where the question can't be put.
    pub fn of(draft: &Draft, theirs: &Answer, seen: &Seen) -> serde_json::Result<Self> {
        Ok(Self { theirs: theirs.clone(), ours: ours::ask(&draft.policy(), seen)? })
    }

    /// Whether the two messages are of the same characters, as where a map's entries are printed in
    /// Go's order, which is another each time.
    pub fn differ_by_order_alone(&self) -> bool {
        let sorted = |text: &str| {
            let mut characters: Vec<char> = text.chars().collect();
            characters.sort_unstable();
            characters
        };
        self.theirs.outcome == self.ours.outcome
            && sorted(&self.theirs.message) == sorted(&self.ours.message)
    }

    /// How they stand to each other.
    pub fn relation(&self) -> Relation {
        match (self.theirs.outcome, self.ours.outcome) {
            (Outcome::Refused, Outcome::Refused) => Relation::Equal,
            (_, Outcome::Refused) => Relation::WeRefuse,
            _ if self.theirs == self.ours => Relation::Equal,
            (Outcome::Error, _) if self.theirs.message.starts_with("the API server ") => {
                Relation::Fickle
            }
            _ => Relation::Differ,
        }
    }
}

impl Draft {
    /// The question that the server is asked.
    pub fn question(&self) -> Question {
        Question { policy: self.policy(), reviews: self.reviews.clone() }
    }
}
