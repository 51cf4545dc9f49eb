//! The rules by the interpreter of the `cel` crate, on values that are converted for it.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use cel::{Context, Env, Program, Value, to_value};

use crate::rules::RULES;

/// The compiled rules, and what they are evaluated in.
pub struct Rules {
    env: Arc<Env>,
    programs: Vec<Program>,
}

/// Compiles the rules.
pub fn compile() -> Result<Rules> {
    let env = Arc::new(Env::stdlib());
    let programs: Result<Vec<Program>, _> = RULES.iter().map(|rule| env.compile(rule)).collect();
    Ok(Rules { programs: programs.map_err(|error| anyhow!("{error}"))?, env })
}

/// Reads a review, and converts what expressions can name.
pub fn parse(rules: &Rules, text: &str) -> Result<Context<'static, 'static>> {
    let mut review: serde_json::Value = serde_json::from_str(text)?;
    let request = review.get_mut("request").context("no request")?;
    let object = request.get_mut("object").context("no object")?.take();
    let mut context = Context::with_env(Arc::clone(&rules.env));
    context.add_variable_from_value("object", to_value(&object)?);
    context.add_variable_from_value("request", to_value(&*request)?);
    Ok(context)
}

/// Asks the rules.
pub fn evaluate(rules: &Rules, context: &Context<'_, '_>) -> Result<[bool; 10]> {
    let mut holds = [false; 10];
    for (program, holds) in rules.programs.iter().zip(&mut holds) {
        *holds = match program.execute(context)? {
            Value::Bool(value) => value,
            other => bail!("{other:?} is no bool"),
        };
    }
    Ok(holds)
}
