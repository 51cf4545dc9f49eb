//! The texts of a policy's rules, and what is wrong with them.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;

use crate::cel::error::CompileError;

/// An expression that has a name: a variable, or a match condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NamedExpression {
    /// The name.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// The text of a validation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationSource {
    /// What has to hold.
    pub expression: String,
    /// What is said where it does not.
    pub message: Option<String>,
    /// What makes that from the object; it goes before `message`.
    pub message_expression: Option<String>,
}

/// The texts of a policy's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSources {
    /// Each can be used by those after it, and by the validations.
    pub variables: Vec<NamedExpression>,
    /// All have to hold for the policy to be applied at all.
    pub match_conditions: Vec<NamedExpression>,
    /// What has to hold.
    pub validations: Vec<ValidationSource>,
}

/// Which part of a policy; of several, by its index from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The expression of a variable.
    Variable(usize),
    /// The expression of a match condition.
    MatchCondition(usize),
    /// The expression of a validation.
    Validation(usize),
    /// The `messageExpression` of a validation.
    MessageExpression(usize),
    /// The `message` of a validation.
    Message(usize),
    /// The name of a variable.
    VariableName(usize),
    /// The name of a match condition.
    MatchConditionName(usize),
    /// The match conditions together.
    MatchConditions,
}

/// The field of a ValidatingAdmissionPolicy, as the API server names it where it refuses one.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(n) => write!(f, "spec.variables[{n}].expression"),
            Self::MatchCondition(n) => write!(f, "spec.matchConditions[{n}].expression"),
            Self::Validation(n) => write!(f, "spec.validations[{n}].expression"),
            Self::MessageExpression(n) => write!(f, "spec.validations[{n}].messageExpression"),
            Self::Message(n) => write!(f, "spec.validations[{n}].message"),
            Self::VariableName(n) => write!(f, "spec.variables[{n}].name"),
            Self::MatchConditionName(n) => write!(f, "spec.matchConditions[{n}].name"),
            Self::MatchConditions => f.write_str("spec.matchConditions"),
        }
    }
}

impl Place {
    /// Where the API server comes to it.
    fn order(self) -> (u8, usize, u8) {
        match self {
            Self::MatchConditions => (0, 0, 0),
            Self::MatchConditionName(n) => (0, n, 2),
            Self::MatchCondition(n) => (0, n, 1),
            Self::VariableName(n) => (1, n, 0),
            Self::Variable(n) => (1, n, 1),
            Self::Validation(n) => (2, n, 0),
            Self::MessageExpression(n) => (2, n, 1),
            Self::Message(n) => (2, n, 2),
        }
    }
}

/// Why a policy cannot be taken: all that is wrong with it, in the order in which the API server
/// comes to it. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    pub(super) fn new(mut refusals: Vec<Refusal>) -> Self {
        refusals.sort_by_key(|refusal| refusal.place.order());
        Self(refusals)
    }
}

impl Deref for Refusals {
    type Target = [Refusal];

    fn deref(&self) -> &[Refusal] {
        &self.0
    }
}

impl IntoIterator for Refusals {
    type Item = Refusal;
    type IntoIter = std::vec::IntoIter<Refusal>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// One after the other, each in a line of its own.
impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, refusal) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            refusal.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Refusals {}

/// A part of a policy that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which one.
    pub place: Place,
    /// What is wrong with it.
    pub error: CompileError,
}

/// The field, and what is wrong with it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.error)
    }
}
