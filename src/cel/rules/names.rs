//! Names and messages: what the API server asks of them when a policy is made
//! (`pkg/apis/admissionregistration/validation`).

use super::{Place, Refusal, RuleSources};
use crate::cel::error::CompileError;
use crate::cel::kubernetes::NamedFormat;

/// How many match conditions a policy may have.
const MAX_MATCH_CONDITIONS: usize = 64;

/// Words that are no identifiers in CEL.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "package",
    "namespace",
    "null",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// All names and messages that cannot be taken.
pub(super) fn check(sources: &RuleSources) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |place, message: String| {
        refusals.push(Refusal { place, error: CompileError::whole(message) });
    };
    for (index, variable) in sources.variables.iter().enumerate() {
        let name = variable.name.as_str();
        let is_known = sources.variables.iter().take(index).any(|before| before.name == name);
        let message = match name {
            _ if name.trim().is_empty() => "name is not specified".to_owned(),
            _ if !is_identifier(name) => "must be a valid CEL identifier".to_owned(),
            // The API server takes it, and then reads the later one for the earlier.
            _ if is_known => format!("Duplicate value: {name:?}"),
            _ => continue,
        };
        refuse(Place::VariableName(index), message);
    }
    let conditions = &sources.match_conditions;
    if conditions.len() > MAX_MATCH_CONDITIONS {
        let message = format!("must have at most {MAX_MATCH_CONDITIONS} items");
        refuse(Place::MatchConditions, message);
    }
    for (index, condition) in conditions.iter().enumerate() {
        let name = condition.name.as_str();
        let is_known = conditions.iter().take(index).any(|before| before.name == name);
        let message = match name {
            "" => "Required value".to_owned(),
            _ if is_known => format!("Duplicate value: {name:?}"),
            _ => match NamedFormat::QualifiedName.validate(name).into_iter().next() {
                Some(message) => message,
                None => continue,
            },
        };
        refuse(Place::MatchConditionName(index), message);
    }
    for (index, validation) in sources.validations.iter().enumerate() {
        let Some(message) = validation.message.as_deref().filter(|m| !m.is_empty()) else {
            continue;
        };
        if message.trim().is_empty() {
            refuse(Place::Message(index), "must be non-empty if specified".to_owned());
        } else if message.trim().contains(['\n', '\r']) {
            refuse(Place::Message(index), "must not contain line breaks".to_owned());
        }
    }
    refusals
}

fn is_identifier(name: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_start)
        && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
        && !RESERVED.contains(&name)
}
