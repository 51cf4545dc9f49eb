//! What the findings of a request become: a refusal, or warnings.

use crate::api::finding::Outcome;
use crate::api::{Enforcement, Finding};

use super::review::warnings::warning_headers;
use super::review::{Answer, Request};

/// How many findings a refusal has the texts of.
const MAX_TEXTS: usize = 100;

/// Whether any of these refuses the object.
pub(super) fn denies(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.enforcement == Enforcement::Deny)
}

/// Of an update, what the old object had already does not refuse.
pub(super) fn excuse<'f>(findings: impl Iterator<Item = &'f mut Finding>, mut known: Vec<Finding>) {
    for finding in findings {
        // Each old fault excuses one: a second of the same kind is new.
        if let Some(place) = known.iter().position(|old| old.same_fault(finding)) {
            known.swap_remove(place);
            if finding.enforcement == Enforcement::Deny {
                finding.enforcement = Enforcement::Warn;
            }
        }
    }
}

/// Refuses an object of this kind, with all findings in one message, one a line: kubectl shows
/// nothing else of a denial.
pub(super) fn refused(
    kind: &str,
    findings: &[Finding],
    (code, reason): (u16, &'static str),
) -> Answer {
    let faults: Vec<&Finding> =
        findings.iter().filter(|finding| finding.enforcement != Enforcement::Inform).collect();
    let text = |finding: &&Finding| {
        let text = finding.text(Outcome::Refused);
        let is_refused = finding.enforcement == Enforcement::Deny;
        if is_refused { text } else { format!("{text} (That alone would be let through.)") }
    };
    let mut texts: Vec<String> = faults.iter().take(MAX_TEXTS).map(text).collect();
    if faults.len() > MAX_TEXTS {
        texts.push(format!("… and {} more", faults.len() - MAX_TEXTS));
    }
    let message = match texts.as_slice() {
        [text] => text.clone(),
        texts => {
            format!("{} things are wrong with this {kind}:\n- {}", faults.len(), texts.join("\n- "))
        }
    };
    Answer::deny(code, reason, message)
        .with_audit_annotation("findings", audit(findings, Outcome::Refused))
}

/// Lets the object through, with a warning for each finding. `more` is where those are that find no
/// room.
pub(super) fn warned(findings: &[Finding], more: &str) -> Answer {
    if findings.is_empty() {
        return Answer::allow();
    }
    let lines = findings.iter().map(|finding| finding.text(Outcome::Stored));
    Answer::allow()
        .with_warnings(warning_headers(lines, more))
        .with_audit_annotation("findings", audit(findings, Outcome::Stored))
}

fn audit(findings: &[Finding], outcome: Outcome) -> String {
    let told = findings.iter().take(MAX_TEXTS);
    let lines = told.map(|finding| format!("{}: {}", finding.reason, finding.text(outcome)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The end of a command that speaks of the request's namespace.
pub(super) fn in_namespace(request: &Request<'_>) -> String {
    request.namespace.as_deref().map(|namespace| format!(" -n {namespace}")).unwrap_or_default()
}
