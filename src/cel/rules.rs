//! The rules of a policy: what a ValidatingAdmissionPolicy does with its variables, match
//! conditions and validations (`pkg/admission/plugin/policy/validating/validator.go` of the API
//! server), with its budgets and its words.

mod lazy;
mod names;
mod sources;
mod trace;

use lazy::Lazy;
pub use sources::{NamedExpression, Place, Refusal, Refusals, RuleSources, ValidationSource};

use super::error::{CompileError, Fault};
use super::expression::{Expression, ExpressionKind, NoVariables};
use super::meter::{EXPRESSION_LIMIT, MATCH_CONDITIONS_BUDGET, Meter, POLICY_BUDGET};
use super::program::{Inputs, Reads};
use super::scope::Scope;
use super::stack;
use super::types::Type;
use super::value::{Json, Value};

/// The longest message that a `messageExpression` may give, in bytes.
const MAX_MESSAGE: usize = 5 * 1024;

const OUT_OF_BUDGET: &str = "validation failed due to running out of cost budget, no further \
                             validation rules will be run";

/// The compiled rules of a policy.
#[derive(Debug)]
pub struct Rules {
    scope: Scope,
    variable_names: Vec<String>,
    variables: Vec<Expression>,
    match_conditions: Vec<Expression>,
    validations: Vec<Validation>,
    /// How deep evaluation goes, at most.
    depth: usize,
}

#[derive(Debug)]
struct Validation {
    expression: Expression,
    message: Option<String>,
    message_expression: Option<Expression>,
}

/// An expression beside the rules, which can use their variables.
#[derive(Debug)]
pub struct RuleExpression<'r> {
    rules: &'r Rules,
    expression: Expression,
}

impl RuleExpression<'_> {
    /// The type of the result, as far as it is known without evaluating.
    pub fn output_type(&self) -> &Type {
        self.expression.output_type()
    }

    /// What the expression reads beside the object, itself or through the variables of the rules.
    pub fn reads(&self) -> Reads {
        self.expression.reads().and(self.rules.reads())
    }

    /// Evaluates the expression, for what `meter` allows.
    ///
    /// # Errors
    /// The expression's own, or that it costs too much.
    pub fn evaluate<'a>(
        &'a self,
        inputs: Inputs<'a>,
        meter: &mut Meter,
    ) -> Result<Value<'a>, Fault> {
        let evaluate =
            || self.expression.evaluate_here(inputs, &Lazy::new(self.rules, inputs), meter);
        stack::for_depth(self.expression.depth(), evaluate).unwrap_or_else(|error| {
            Err(Fault::error(format!("no thread to evaluate the expression: {error}")))
        })
    }
}

/// What the rules say of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A match condition does not hold, so nothing was asked.
    Unmatched,
    /// It could not be told: the match conditions failed.
    Error(String),
    /// The outcome of each validation.
    Outcomes(Vec<Outcome>),
}

/// What one validation says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Allow,
    /// It does not: the message.
    Deny(String),
    /// It could not be evaluated: why.
    Error(String),
}

impl Rules {
    /// Compiles the rules. A `messageExpression` or `message` that is empty is none.
    ///
    /// # Errors
    /// All that cannot be taken.
    pub fn compile(sources: &RuleSources) -> Result<Self, Refusals> {
        // One thread for all expressions, each of which would take its own.
        stack::on_large(|| Self::compile_here(sources))
            .unwrap_or_else(|_| Self::compile_here(sources))
    }

    fn compile_here(sources: &RuleSources) -> Result<Self, Refusals> {
        let mut refusals = names::check(sources);
        let mut keep = |place, compiled: Result<Expression, CompileError>| match compiled {
            Ok(expression) => Some(expression),
            Err(error) => {
                refusals.push(Refusal { place, error });
                None
            }
        };
        let match_conditions: Vec<Expression> = sources
            .match_conditions
            .iter()
            .enumerate()
            .filter_map(|(index, condition)| {
                let compiled =
                    Expression::compile(ExpressionKind::MatchCondition, &condition.expression);
                keep(Place::MatchCondition(index), compiled)
            })
            .collect();
        let mut scope =
            if sources.variables.is_empty() { Scope::new() } else { Scope::with_variables() };
        let mut variables = Vec::new();
        let mut variable_names = Vec::new();
        for (index, variable) in sources.variables.iter().enumerate() {
            let compiled = Expression::compile_after(
                ExpressionKind::Variable,
                &variable.expression,
                &scope,
                &variables,
            );
            match keep(Place::Variable(index), compiled) {
                Some(expression) => {
                    scope.declare(&variable.name, expression.output_type());
                    variables.push(expression);
                    variable_names.push(variable.name.clone());
                }
                // What uses it is not wrong for that.
                None => scope.declare(&variable.name, &Type::Error),
            }
        }
        let mut validations = Vec::new();
        for (index, validation) in sources.validations.iter().enumerate() {
            let mut compile = |kind, source: &str, place| {
                keep(place, Expression::compile_after(kind, source, &scope, &variables))
            };
            let expression = compile(
                ExpressionKind::Validation,
                &validation.expression,
                Place::Validation(index),
            );
            let message_expression =
                validation.message_expression.as_ref().filter(|source| !source.is_empty()).map(
                    |source| {
                        compile(ExpressionKind::Message, source, Place::MessageExpression(index))
                    },
                );
            if let Some(expression) = expression {
                validations.push(Validation {
                    expression,
                    message: validation.message.clone(),
                    message_expression: message_expression.flatten(),
                });
            }
        }
        if refusals.is_empty() {
            let depth = validations
                .iter()
                .flat_map(|validation| {
                    [&validation.expression].into_iter().chain(&validation.message_expression)
                })
                .chain(&match_conditions)
                .map(Expression::depth)
                .max()
                .unwrap_or(0);
            Ok(Self { scope, variable_names, variables, match_conditions, validations, depth })
        } else {
            Err(Refusals::new(refusals))
        }
    }

    /// Asks the rules about an object.
    pub fn evaluate(&self, inputs: Inputs<'_>) -> Verdict {
        stack::for_depth(self.depth, || self.evaluate_here(inputs)).unwrap_or_else(|error| {
            Verdict::Error(format!("no thread to evaluate the expressions: {error}"))
        })
    }

    /// Asks the rules about an object that is known to be matched: the match conditions are left out.
    pub fn evaluate_matched(&self, inputs: Inputs<'_>) -> Verdict {
        stack::for_depth(self.depth, || self.evaluate_validations(inputs)).unwrap_or_else(|error| {
            Verdict::Error(format!("no thread to evaluate the expressions: {error}"))
        })
    }

    fn evaluate_here(&self, inputs: Inputs<'_>) -> Verdict {
        match self.matches(inputs) {
            Ok(true) => self.evaluate_validations(inputs),
            Ok(false) => Verdict::Unmatched,
            Err(message) => Verdict::Error(message),
        }
    }

    fn evaluate_validations(&self, inputs: Inputs<'_>) -> Verdict {
        Verdict::Outcomes(self.validate(inputs))
    }

    /// Compiles one expression more, which can use the variables.
    ///
    /// # Errors
    /// Every mistake in the expression.
    pub fn expression(
        &self,
        kind: ExpressionKind,
        source: &str,
    ) -> Result<RuleExpression<'_>, CompileError> {
        let expression = Expression::compile_after(kind, source, &self.scope, &self.variables)?;
        Ok(RuleExpression { rules: self, expression })
    }

    /// Whether it depends on the request whether the rules are applied.
    pub fn are_matched_by_request(&self) -> bool {
        self.match_conditions.iter().any(|condition| condition.reads().request)
    }

    /// Whether the match conditions hold.
    ///
    /// # Errors
    /// Where that can't be told, in the API server's words.
    pub fn are_matched(&self, inputs: Inputs<'_>) -> Result<bool, String> {
        if self.match_conditions.is_empty() {
            return Ok(true);
        }
        stack::for_depth(self.depth, || self.matches(inputs))
            .unwrap_or_else(|error| Err(format!("no thread to evaluate the expressions: {error}")))
    }

    /// How many validations there are.
    pub fn validation_count(&self) -> usize {
        self.validations.len()
    }

    /// What any of the expressions reads beside the object. Of a subject, nothing else needs to be
    /// given but what [`Rules::expression`] compiles beside.
    pub fn reads(&self) -> Reads {
        let validations = self.validations.iter().flat_map(|validation| {
            [&validation.expression].into_iter().chain(&validation.message_expression)
        });
        let all = self.variables.iter().chain(&self.match_conditions).chain(validations);
        all.fold(Reads::default(), |reads, expression| reads.and(expression.reads()))
    }

    /// Whether the match conditions hold: one that does not is enough, whatever errors there are.
    /// All are evaluated before any counts, so that their costs add up.
    fn matches(&self, inputs: Inputs<'_>) -> Result<bool, String> {
        let inputs = Inputs { namespace_object: &Json::Null, ..inputs };
        let mut budget = Budget(MATCH_CONDITIONS_BUDGET);
        let mut errors: Vec<String> = Vec::new();
        let mut holds = true;
        let mut meter = Meter::new(EXPRESSION_LIMIT);
        for condition in &self.match_conditions {
            let result = condition.evaluate_here(inputs, &NoVariables, &mut meter);
            budget.spend(meter.cost()).map_err(|OutOfBudget| OUT_OF_BUDGET.to_owned())?;
            meter = meter.beside(EXPRESSION_LIMIT, 0);
            match result {
                // A branch can give an optional where the types say bool, and that is not false.
                Ok(value) => holds &= !matches!(value, Value::Bool(false)),
                Err(fault) => {
                    let error = resulted_in_error(condition, &fault);
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }
            }
        }
        match errors.as_slice() {
            _ if !holds => Ok(false),
            [] => Ok(true),
            [one] => Err(one.clone()),
            several => Err(format!("[{}]", several.join(", "))),
        }
    }

    /// The outcome of each validation. Once the budget is spent, those that are left fail; the API
    /// server takes the whole policy for failed then, which would take back what was found.
    fn validate(&self, inputs: Inputs<'_>) -> Vec<Outcome> {
        let mut budget = Budget(POLICY_BUDGET);
        let variables = Lazy::new(self, inputs);
        let mut results = Vec::with_capacity(self.validations.len());
        let mut meter = Meter::new(EXPRESSION_LIMIT);
        for validation in &self.validations {
            let result = validation.expression.evaluate_here(inputs, &variables, &mut meter);
            let cost = variables.spent.take().saturating_add(meter.cost());
            if budget.spend(cost).is_err() {
                break;
            }
            meter = meter.beside(EXPRESSION_LIMIT, variables.memory.get());
            results.push(result);
        }
        let left = self.validations.len() - results.len();
        let mut messages = Messages::new(self, inputs, budget, meter);
        let outcomes =
            self.validations.iter().zip(results).map(|(validation, result)| match result {
                Err(fault) => Outcome::Error(resulted_in_error(&validation.expression, &fault)),
                Ok(Value::Bool(true)) if messages.are_affordable => Outcome::Allow,
                Ok(value) => match messages.of(validation) {
                    Err(OutOfBudget) => {
                        Outcome::Error(format!("failed messageExpression: {OUT_OF_BUDGET}"))
                    }
                    Ok(_) if matches!(value, Value::Bool(true)) => Outcome::Allow,
                    Ok(message) => Outcome::Deny(message),
                },
            });
        let unjudged = std::iter::repeat_n(Outcome::Error(OUT_OF_BUDGET.to_owned()), left);
        outcomes.chain(unjudged).collect()
    }
}

fn resulted_in_error(expression: &Expression, fault: &Fault) -> String {
    format!("expression '{}' resulted in error: {fault}", expression.source())
}

/// The budget of a policy is spent; nothing more is evaluated.
struct OutOfBudget;

/// What is left of a budget.
struct Budget(u64);

impl Budget {
    fn spend(&mut self, cost: u64) -> Result<(), OutOfBudget> {
        self.0 = self.0.checked_sub(cost).ok_or(OutOfBudget)?;
        Ok(())
    }
}

/// The messages of validations that do not hold. The API server makes all of them, also of those
/// that do hold; that shows only where the budget does not suffice for all.
struct Messages<'a> {
    variables: Lazy<'a>,
    inputs: Inputs<'a>,
    budget: Budget,
    meter: Meter,
    /// Whether the budget suffices whatever they cost.
    are_affordable: bool,
}

impl<'a> Messages<'a> {
    fn new(rules: &'a Rules, inputs: Inputs<'a>, budget: Budget, meter: Meter) -> Self {
        let expressions = rules
            .validations
            .iter()
            .filter(|validation| validation.message_expression.is_some())
            .count();
        let most = (expressions + rules.variables.len()) as u64 * EXPRESSION_LIMIT;
        let messages =
            rules.validations.iter().flat_map(|validation| &validation.message_expression);
        let are_bounded = !rules.variables.iter().chain(messages).any(Expression::can_overdraw);
        let are_affordable = expressions == 0 || are_bounded && most <= budget.0;
        Self { variables: Lazy::new(rules, inputs), inputs, budget, meter, are_affordable }
    }

    fn of(&mut self, validation: &'a Validation) -> Result<String, OutOfBudget> {
        if let Some(expression) = &validation.message_expression {
            self.meter = self.meter.beside(EXPRESSION_LIMIT, self.variables.memory.get());
            let result = expression.evaluate_here(self.inputs, &self.variables, &mut self.meter);
            self.budget.spend(self.variables.spent.take())?;
            self.budget.spend(self.meter.cost())?;
            if let Ok(Value::String(text)) = result {
                let text = text.trim();
                if !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n') {
                    return Ok(text.to_owned());
                }
            }
        }
        let message = validation.message.as_deref().unwrap_or("").trim();
        if !message.is_empty() {
            return Ok(message.to_owned());
        }
        Ok(format!("failed expression: {}", validation.expression.source().trim()))
    }
}
