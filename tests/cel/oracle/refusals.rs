//! Why the API server does not accept a policy.

use anyhow::{Result, bail};
use kube::core::Status;

use super::{Answer, Outcome};

/// The refusal of a policy: for each cause a text `FIELD: DETAIL`, one under the other.
///
/// The server quotes the whole value between the two (`FIELD: Invalid value: "…": DETAIL`); that
/// is left out, since the case has it.
///
/// # Errors
/// Where the status is another thing than that the policy is invalid.
pub fn answer(status: &Status) -> Result<Answer> {
    let causes = status.details.as_ref().map(|details| &details.causes[..]).unwrap_or_default();
    if status.code != 422 || causes.is_empty() {
        bail!("the server has another fault to find than with the policy: {status:?}");
    }
    let texts = causes.iter().map(|cause| format!("{}: {}", cause.field, detail(&cause.message)));
    Ok(Answer { outcome: Outcome::Refused, message: texts.collect::<Vec<_>>().join("\n") })
}

/// What stands behind the quoted value, if there is one.
fn detail(message: &str) -> &str {
    let quoted = message.split_once(": \"").filter(|(kind, _)| !kind.contains(['"', ':']));
    let Some((kind, quoted)) = quoted else { return message };
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // A duplicate has no more to say than that it is one.
            '"' => {
                return quoted.get(at..).and_then(|rest| rest.strip_prefix("\": ")).unwrap_or(kind);
            }
            _ => {}
        }
    }
    message
}
