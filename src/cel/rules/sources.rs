//! The texts of a policy's rules, and what is wrong with them.

use std::fmt;

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
