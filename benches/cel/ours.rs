//! The rules by our evaluator.

use anyhow::{Context, Result, anyhow, bail};
use portreeve::cel::{Json, Outcome, RuleSources, Rules, Subject, ValidationSource, Verdict};

use crate::rules::RULES;

/// Compiles the rules.
pub fn compile() -> Result<Rules> {
    let validations = RULES
        .iter()
        .map(|rule| ValidationSource { expression: (*rule).to_owned(), ..Default::default() })
        .collect();
    let sources = RuleSources { validations, ..RuleSources::default() };
    Ok(Rules::compile(&sources)?)
}

/// Reads a review.
pub fn parse(text: &str) -> Result<Json<'_>> {
    Ok(Json::parse(text)?)
}

/// Asks the rules about what is in a review.
pub fn evaluate(rules: &Rules, review: &Json<'_>) -> Result<[bool; 10]> {
    let request = review.get("request").context("no request")?;
    let subject = Subject {
        object: request.get("object").context("no object")?,
        old_object: &Json::Null,
        request,
        namespace_object: &Json::Null,
    };
    let Verdict::Outcomes(outcomes) = rules.evaluate(subject.complete().inputs()) else {
        bail!("no outcomes")
    };
    let outcomes: [Outcome; 10] = outcomes.try_into().map_err(|_| anyhow!("not ten"))?;
    Ok(outcomes.map(|outcome| outcome == Outcome::Allow))
}
