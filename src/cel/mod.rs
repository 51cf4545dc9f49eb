//! CEL as the API server of Kubernetes 1.36 speaks it: what a ValidatingAdmissionPolicy accepts,
//! computes, costs and says. [`Rules`] are the expressions of a policy, [`Expression`] is one of
//! them, [`Question`] asks both by JSON. The room knows nothing of Portreeve, nor of Kubernetes'
//! API beyond the shape of an admission request.
//!
//! From text to answer: `syntax` parses, `check` finds types and overloads, `program` turns the
//! tree into steps and evaluates them on `value`s, which borrow from the request, under a [`Meter`].
//! Where in an object a rule does not hold, `program` tells too ([`Rules::trace`]), by a second walk.
//! `library` has the functions, with `kubernetes` and `regex` for what is behind some of them.
//!
//! Of the `cel` crate the parser is taken, with its syntax tree: its grammar is cel-go's, for the
//! same parser generator, so that an expression means the same and a syntax error reads the same.
//! It has no bound and recurses, so it runs on a thread of its own with a stack for the longest
//! text that is let through. Its macros are not taken: it takes them apart into loops, where a
//! chain of `optMap` grows without bound and a type error has no place to be told. Nor is its
//! evaluator: it checks no types, counts no cost, knows none of Kubernetes' libraries, and takes
//! the request converted into values of its own.
//!
//! `docs/cel.md` says what is supported, what is refused and why, and what it costs.
//!
//! ```
//! use portreeve::cel::{Expression, ExpressionKind};
//!
//! let compile = |source| Expression::compile(ExpressionKind::Validation, source);
//! assert!(compile("object.spec.replicas < 3").is_ok());
//!
//! let refused = compile("object.spec.paused").unwrap_err();
//! assert_eq!(refused.to_string(), "must evaluate to bool but got dyn");
//! assert!(refused.hint().unwrap().ends_with("compare it: … == true"));
//! ```

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
mod stack;
mod subject;
mod syntax;
mod trace;
mod types;
mod value;

pub use error::{CompileError, Fault, Mistake};
pub use expression::{Expression, ExpressionKind};
pub use kubernetes::{compare_quantities, is_whole_quantity};
pub use meter::{EXPRESSION_LIMIT, MATCH_CONDITIONS_BUDGET, Meter, POLICY_BUDGET};
pub use program::{Inputs, Reads};
pub use question::{Answer, OutcomeName, Question};
pub use rules::{
    NamedExpression, Outcome, Place, Refusal, Refusals, RuleExpression, RuleSources, Rules,
    ValidationSource, Verdict,
};
pub use subject::{CompleteSubject, Subject, seen_namespace};
pub use trace::{Path, Step, Trace, TraceKind};
pub use types::Type;
pub use value::{Json, Kubernetes, List, Map, Object, Text, Timestamp, Value};

/// The example of `docs/cel.md`, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cel.md")]
struct Docs;
