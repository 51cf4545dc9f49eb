//! One expression, compiled.

use super::error::{CompileError, Fault, Mistake};
use super::meter::Meter;
use super::program::{Inputs, Program, Reads, Variables, plan};
use super::scope::Scope;
use super::types::Type;
use super::value::Value;
use super::{check, stack, syntax};

/// What an expression is for, and so what type it has to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpressionKind {
    /// The `expression` of a validation: a bool.
    Validation,
    /// A `messageExpression`: a string.
    Message,
    /// The `expression` of a match condition: a bool. Its scope has no variables.
    MatchCondition,
    /// The `expression` of a variable: anything.
    Variable,
}

impl ExpressionKind {
    fn wanted(self) -> Option<Type> {
        match self {
            Self::Validation | Self::MatchCondition => Some(Type::Bool),
            Self::Message => Some(Type::String),
            Self::Variable => None,
        }
    }

    /// What is said of an expression that is empty.
    fn unspecified(self) -> &'static str {
        match self {
            Self::Validation | Self::Variable => "expression is not specified",
            Self::Message => "must be non-empty if specified",
            Self::MatchCondition => "Required value",
        }
    }
}

/// A compiled expression. It can be shared between threads.
#[derive(Debug)]
pub struct Expression {
    source: String,
    program: Program,
    output: Type,
}

impl Expression {
    /// Compiles an expression that stands alone, without variables.
    ///
    /// # Errors
    /// Every mistake in the expression.
    pub fn compile(kind: ExpressionKind, source: &str) -> Result<Self, CompileError> {
        Self::compile_after(kind, source, &Scope::new(), &[])
    }

    /// Compiles an expression that may use the variables of `scope`, whose expressions these are.
    pub(super) fn compile_after(
        kind: ExpressionKind,
        source: &str,
        scope: &Scope,
        variables: &[Expression],
    ) -> Result<Self, CompileError> {
        // Kubernetes trims match conditions, and places in them are counted from there.
        let text = if kind == ExpressionKind::MatchCondition { source.trim() } else { source };
        if text.trim().is_empty() {
            return Err(CompileError::whole(kind.unspecified()));
        }
        let depths: Vec<usize> = variables.iter().map(|variable| variable.program.depth).collect();
        let compiled = syntax::parse(text, |root, nodes| {
            let checked = check::check(&root, nodes, scope)?;
            let output = checked.type_of(&root).clone();
            if let Some(wanted) = kind.wanted()
                && wanted != output
                // A variable with an error of its own, which is told.
                && output != Type::Error
            {
                return Err(vec![wrong_type(&wanted, &output, source)]);
            }
            let program = plan(&root, &checked, scope, &depths)?;
            Ok((program, output))
        });
        match compiled {
            Ok((program, output)) => Ok(Self { source: source.to_owned(), program, output }),
            Err(mistakes) => Err(CompileError::new(text, mistakes)),
        }
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of the result, as far as it is known without evaluating.
    pub fn output_type(&self) -> &Type {
        &self.output
    }

    /// How deep its evaluation recurses, variables included.
    pub(super) fn depth(&self) -> usize {
        self.program.depth
    }

    /// Whether its cost can be far beyond what one expression may cost.
    pub(super) fn can_overdraw(&self) -> bool {
        self.program.can_overdraw
    }

    /// Evaluates an expression that stands alone, for what `meter` allows.
    ///
    /// # Errors
    /// The expression's own, or that it costs too much.
    pub fn evaluate<'a>(
        &'a self,
        inputs: Inputs<'a>,
        meter: &mut Meter,
    ) -> Result<Value<'a>, Fault> {
        let evaluate = || self.evaluate_here(inputs, &NoVariables, meter);
        stack::for_depth(self.depth(), evaluate).unwrap_or_else(|error| {
            Err(Fault::error(format!("no thread to evaluate the expression: {error}")))
        })
    }

    /// Evaluates the expression, with variables, on the stack that there is.
    pub(super) fn evaluate_here<'a>(
        &'a self,
        inputs: Inputs<'a>,
        variables: &dyn Variables<'a>,
        meter: &mut Meter,
    ) -> Result<Value<'a>, Fault> {
        self.program.evaluate(inputs, variables, meter)
    }

    /// What it reads, its variables not included.
    pub(super) fn reads(&self) -> Reads {
        self.program.reads
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }
}

/// For expressions that stand alone.
pub(super) struct NoVariables;

impl<'a> Variables<'a> for NoVariables {
    fn get(&self, _: usize, _: &mut Meter) -> Result<Value<'a>, Fault> {
        Err(Fault::no_such_overload())
    }

    fn program(&self, _: usize) -> Option<&'a Program> {
        None
    }
}

fn wrong_type(wanted: &Type, found: &Type, source: &str) -> Mistake {
    let hint = match (wanted, found) {
        (Type::Bool, Type::Dyn) if source.trim_end().ends_with(".orValue(false)") => {
            Some("what is in the object may be of any type; compare it: … .orValue(false) == true")
        }
        (Type::Bool, Type::Dyn) => {
            Some("what is in the object may be of any type; compare it: … == true")
        }
        (Type::Bool, Type::Optional(_)) => {
            Some("whether it is there: … .hasValue(); its value: … .orValue(false) == true")
        }
        (Type::String, Type::Dyn) => {
            Some("what is in the object may be of any type; make it text: string(…), or … + ''")
        }
        (Type::String, _) => Some("make it text: string(…)"),
        _ => None,
    };
    Mistake {
        line: 0,
        column: 0,
        message: format!("must evaluate to {wanted} but got {found}"),
        hint: hint.map(str::to_owned),
    }
}
