//! A question and its answer as JSON: an expression, an object, and what a
//! ValidatingAdmissionPolicy with that one validation would say of it.

use serde::{Deserialize, Deserializer, Serialize};

use super::rules::{
    NamedExpression, Outcome, Place, Refusal, Refusals, RuleSources, Rules, ValidationSource,
    Verdict,
};
use super::subject::Subject;
use super::value::Json;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question<'a> {
    /// What the answer is to be known by.
    #[serde(default)]
    pub id: serde_json::Value,
    /// The validation's expression.
    pub expression: String,
    /// Its `messageExpression`.
    #[serde(default)]
    pub message_expression: Option<String>,
    /// Its `message`.
    #[serde(default)]
    pub message: Option<String>,
    /// The policy's variables.
    #[serde(default, deserialize_with = "null_is_none")]
    pub variables: Vec<NamedExpression>,
    /// The policy's match conditions.
    #[serde(default, deserialize_with = "null_is_none")]
    pub match_conditions: Vec<NamedExpression>,
    #[serde(default, borrow)]
    object: Json<'a>,
    #[serde(default, borrow)]
    old_object: Json<'a>,
    #[serde(default, borrow)]
    request: Json<'a>,
    #[serde(default, borrow)]
    namespace_object: Json<'a>,
}

/// What comes out.
#[derive(Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The question's.
    pub id: serde_json::Value,
    /// What the API server would do.
    pub outcome: OutcomeName,
    /// The message of a denial, of an error, or of the refusal to take the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where in the expression a refusal is about, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in that line, in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// How a question can come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeName {
    /// The validation holds.
    Allow,
    /// It does not.
    Deny,
    /// It cannot be evaluated.
    Error,
    /// The policy would not be taken.
    Refused,
    /// A match condition does not hold.
    Unmatched,
}

impl Question<'_> {
    /// The rules that the question is about.
    fn sources(&self) -> RuleSources {
        RuleSources {
            variables: self.variables.clone(),
            match_conditions: self.match_conditions.clone(),
            validations: vec![ValidationSource {
                expression: self.expression.clone(),
                message: self.message.clone(),
                message_expression: self.message_expression.clone(),
            }],
        }
    }

    /// Answers the question.
    pub fn answer(&self) -> Answer {
        let rules = match Rules::compile(&self.sources()) {
            Ok(rules) => rules,
            Err(refusals) => return self.refused(&refusals),
        };
        let subject = self.subject().complete();
        let (outcome, message) = match rules.evaluate(subject.inputs()) {
            Verdict::Unmatched => (OutcomeName::Unmatched, None),
            Verdict::Error(message) => (OutcomeName::Error, Some(message)),
            Verdict::Outcomes(outcomes) => match outcomes.into_iter().next() {
                None | Some(Outcome::Allow) => (OutcomeName::Allow, None),
                Some(Outcome::Deny(message)) => (OutcomeName::Deny, Some(message)),
                Some(Outcome::Error(message)) => (OutcomeName::Error, Some(message)),
            },
        };
        Answer { id: self.id.clone(), outcome, message, line: None, column: None }
    }

    /// What is judged.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            object: &self.object,
            old_object: &self.old_object,
            request: &self.request,
            namespace_object: &self.namespace_object,
        }
    }

    fn refused(&self, refusals: &Refusals) -> Answer {
        let position = refusals.first().and_then(|refusal| refusal.error.position());
        let (line, column) = position.unzip();
        let message = match &**refusals {
            // There is but one, and nobody takes anything else for it.
            [Refusal { place: Place::Validation(_), error }] => error.to_string(),
            _ => refusals.to_string(),
        };
        let message = Some(message);
        Answer { id: self.id.clone(), outcome: OutcomeName::Refused, message, line, column }
    }
}

/// Of a list, `null` is as good as none, as everywhere in Kubernetes.
fn null_is_none<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
