//! CEL as the API server of Kubernetes 1.36 speaks it.

mod check;
mod error;
mod expression;
mod kubernetes;
mod library;
mod meter;
mod program;
mod question;
mod regex;
mod rules;
mod scope;
mod subject;
mod syntax;
mod types;
mod value;

pub use error::{CompileError, Fault, Mistake};
pub use expression::{Expression, Kind};
pub use meter::{EXPRESSION_LIMIT, MATCH_CONDITIONS_BUDGET, Meter, POLICY_BUDGET};
pub use program::Inputs;
pub use question::{Answer, OutcomeName, Question};
pub use rules::{
    NamedExpression, Outcome, Place, Refusal, RuleSources, Rules, ValidationSource, Verdict,
};
pub use scope::Scope;
pub use subject::{CompleteSubject, Subject};
pub use types::Type;
pub use value::{Json, Kubernetes, List, Map, Object, Text, Timestamp, Value};
