//! `portreeve cel`: what the API server makes of an expression, for its author at her desk.

mod batch;
mod inputs;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cel::{
    CompileError, EXPRESSION_LIMIT, ExpressionKind, Meter, NamedExpression, Place, RuleSources,
    Rules,
};
use inputs::Inputs;

/// Prints what an expression comes to, as the rules of a ValidatingAdmissionPolicy would see it, or
/// what is wrong with it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The expression. It may use `object`, `oldObject`, `request`, `namespaceObject` and
    /// `variables`.
    #[arg(value_name = "EXPR", required_unless_present = "batch")]
    expression: Option<String>,
    #[command(flatten)]
    inputs: inputs::Options,
    /// A variable of the policy, for the expression and for the variables after it.
    #[arg(long = "variable", value_name = "NAME=EXPR", value_parser = parse_variable)]
    variables: Vec<NamedExpression>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    /// Read questions from standard input, a line of JSON each, and answer each with a line of
    /// JSON: how a ValidatingAdmissionPolicy with that one validation would come out.
    #[arg(
        long,
        conflicts_with_all = ["expression", "variables", "output", "inputs"],
    )]
    batch: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// An object with `value`, `type` and `cost`, or with `error`.
    Json,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let expression = match &options.expression {
        Some(expression) if !options.batch => expression,
        _ => return batch::run(),
    };
    let inputs = options.inputs.read()?;
    let printed = evaluate(expression, &options.variables, &inputs);
    let text = match options.output {
        Format::Text => printed.text(expression),
        Format::Json => printed.json().to_string(),
    };
    // The error is the result that was asked for, and goes where results go in JSON.
    match (&printed, options.output) {
        (Printed::Value { .. }, _) | (_, Format::Json) => super::say(&text),
        _ => eprintln!("{text}"),
    }
    Ok(match printed {
        Printed::Value { .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// What there is to print.
enum Printed {
    Value {
        literal: String,
        json: serde_json::Value,
        output: String,
        cost: u64,
    },
    /// The expression, or a variable, does not compile.
    Refused(Vec<(String, CompileError)>),
    /// It has no value.
    Error {
        message: String,
        output: String,
        cost: u64,
    },
}

fn evaluate(expression: &str, variables: &[NamedExpression], inputs: &Inputs) -> Printed {
    let sources = RuleSources { variables: variables.to_vec(), ..RuleSources::default() };
    let named = |place| match place {
        Place::Variable(index) | Place::VariableName(index) => {
            variables.get(index).map_or_else(String::new, |v| format!("variable {}", v.name))
        }
        other => other.to_string(),
    };
    let rules = match Rules::compile(&sources) {
        Ok(rules) => rules,
        Err(refusals) => {
            return Printed::Refused(
                refusals.into_iter().map(|refusal| (named(refusal.place), refusal.error)).collect(),
            );
        }
    };
    let compiled = match rules.expression(ExpressionKind::Variable, expression) {
        Ok(compiled) => compiled,
        Err(error) => return Printed::Refused(vec![("expression".to_owned(), error)]),
    };
    let subject = inputs.subject().complete();
    let mut meter = Meter::new(EXPRESSION_LIMIT);
    let value = compiled.evaluate(subject.inputs(), &mut meter);
    let (output, cost) = (compiled.output_type().to_string(), meter.cost());
    match value {
        Ok(value) => {
            Printed::Value { literal: value.literal(), json: value.to_json(), output, cost }
        }
        Err(fault) => Printed::Error { message: fault.to_string(), output, cost },
    }
}

impl Printed {
    fn text(&self, expression: &str) -> String {
        match self {
            Self::Value { literal, output, cost, .. } => {
                format!("{literal}\n\ntype: {output}\ncost: {cost} of {EXPRESSION_LIMIT}")
            }
            Self::Error { message, .. } => {
                format!("portreeve: expression '{expression}' resulted in error: {message}")
            }
            Self::Refused(errors) => errors
                .iter()
                .map(|(what, error)| match error.hint() {
                    Some(hint) => format!("portreeve: {what}: {error}\nhint: {hint}"),
                    None => format!("portreeve: {what}: {error}"),
                })
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Value { json, output, cost, .. } => {
                json!({"value": json, "type": output, "cost": cost})
            }
            Self::Error { message, output, cost } => {
                json!({"error": message, "type": output, "cost": cost})
            }
            Self::Refused(errors) => {
                let text: Vec<_> =
                    errors.iter().map(|(w, error)| format!("{w}: {error}")).collect();
                let mistakes: Vec<_> =
                    errors.iter().flat_map(|(w, error)| places(w, error)).collect();
                json!({"error": text.join("\n"), "mistakes": mistakes})
            }
        }
    }
}

/// Each mistake with its place; one that is about the whole has none.
fn places(what: &str, error: &CompileError) -> Vec<serde_json::Value> {
    let mistake = |mistake: &crate::cel::Mistake| {
        let mut object = json!({"in": what, "message": mistake.message});
        if mistake.line > 0 {
            object["line"] = mistake.line.into();
            object["column"] = mistake.column.into();
        }
        if let Some(hint) = &mistake.hint {
            object["hint"] = hint.as_str().into();
        }
        object
    };
    error.mistakes().iter().map(mistake).collect()
}

fn parse_variable(text: &str) -> Result<NamedExpression, String> {
    let (name, expression) =
        text.split_once('=').ok_or("expected NAME=EXPR, such as app=object.metadata.name")?;
    Ok(NamedExpression { name: name.trim().to_owned(), expression: expression.to_owned() })
}
