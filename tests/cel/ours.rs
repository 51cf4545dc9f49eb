//! What Portreeve answers, by the way that `portreeve cel --batch` goes.

use portreeve::cel::{self, OutcomeName};
use serde_json::Value;

use crate::oracle::{Answer, Outcome, Policy, Seen};

/// What the server would print before what is wrong with the only expression.
const EXPRESSION: &str = "spec.validations[0].expression: ";

/// What Portreeve makes of a policy, where validations see this.
pub fn ask(policy: &Policy, seen: &Seen) -> serde_json::Result<Answer> {
    let mut question = serde_json::to_value(policy)?;
    if let (Some(members), Value::Object(seen)) =
        (question.as_object_mut(), serde_json::to_value(seen)?)
    {
        members.extend(seen);
    }
    let text = question.to_string();
    let question: cel::Question<'_> = serde_json::from_str(&text)?;
    let answer = question.answer();
    let outcome = match answer.outcome {
        OutcomeName::Allow => Outcome::Allow,
        OutcomeName::Deny => Outcome::Deny,
        OutcomeName::Error => Outcome::Error,
        OutcomeName::Refused => Outcome::Refused,
        OutcomeName::Unmatched => Outcome::Unmatched,
    };
    let message = answer.message.unwrap_or_default();
    let message = match outcome {
        Outcome::Refused if !message.starts_with("spec.") => format!("{EXPRESSION}{message}"),
        _ => message,
    };
    Ok(Answer { outcome, message })
}
