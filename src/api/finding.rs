//! A finding: one diagnosis, rendered the same everywhere.
//!
//! The denial, the warning, the Event, the condition and the annotation all render the one thing
//! that stands here: what is wrong with which field, what is allowed, and what to write instead.

use serde::{Deserialize, Serialize};

/// The longest piece of an owner's value that a text repeats, in characters.
const MAX_SHOWN: usize = 120;

/// How much of an owner's value a finding keeps, in characters.
const MAX_KEPT: usize = 512;

/// How much of the findings goes into the annotation, in bytes: an object's annotations together
/// hold 256 KiB at most, and the owner needs the rest.
const MAX_ANNOTATION: usize = 32 * 1024;

/// How many allowed values a finding keeps.
pub const MAX_ALLOWED_KEPT: usize = 32;

/// How many allowed values a text lists.
const MAX_ALLOWED: usize = 14;

/// What a finding does to the request that it is found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Enforcement {
    /// The object is refused.
    Deny,
    /// The object is let through and the owner is told.
    Warn,
    /// Nothing is wrong with the object itself: its owner is told of what she waits for.
    Inform,
}

/// One thing that is wrong with an object, with all that its owner needs to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A stable word in CamelCase: the Event's reason and the condition's.
    pub reason: String,
    /// The path of the field in the object, such as `spec.dnsNames[0]`.
    pub field: String,
    /// The value as the owner wrote it; none where the field is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What may stand there, where that can be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// The policy that says so; none where the schema or Kubernetes itself does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The part of that policy: `validations[0]`, `inject`; none of a PkiPolicy, which is a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whether the request is refused for it.
    pub enforcement: Enforcement,
    /// What is wrong, without a final point: `ServiceName: a in pki: b is not found in …`.
    pub fault: String,
    /// The allowed value that the owner most likely meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// What to do, without a final point: `Set spec.serviceName of Pki b`. Empty where the fault
    /// says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
    /// What is not done while the fault stands, without a final point:
    /// `Secret b is not made until then`. Empty where nothing is left undone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub consequence: String,
    /// Whether it was found on the stored object, and not at its admission.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub past_webhook: bool,
}

/// What became of the object that a finding is told of; the end of its text says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The request was refused: nothing is stored.
    Refused,
    /// The object is stored.
    Stored,
}

impl Finding {
    /// The text that the owner reads, in one line.
    ///
    /// Of a stored object it says that it was let through, so that nobody takes the finding for
    /// the cause of another failure; and, where the rule would refuse it today, that it would.
    pub fn text(&self, outcome: Outcome) -> String {
        let mut text = self.fault.clone();
        if let Some(nearest) = &self.nearest {
            text.push_str(&format!("; did you mean {nearest:?}?"));
        }
        if !self.fix.is_empty() {
            text.push_str(if self.nearest.is_some() { " " } else { ". " });
            text.push_str(&self.fix);
        }
        let what_became = match (outcome, self.enforcement) {
            (Outcome::Refused, _) | (Outcome::Stored, Enforcement::Inform) => "",
            (Outcome::Stored, Enforcement::Warn) if !self.past_webhook => "it was let through",
            (Outcome::Stored, Enforcement::Warn) => {
                "it came before this rule or while the webhook was away"
            }
            (Outcome::Stored, Enforcement::Deny) => {
                "it is stored, since it came before this rule or while the webhook was away, and \
                 would be refused today"
            }
        };
        let consequence = if outcome == Outcome::Refused { "" } else { &self.consequence };
        let ends_in_and = self.enforcement == Enforcement::Warn;
        match (what_became, consequence) {
            ("", "") => {}
            ("", end) | (end, "") => text.push_str(&format!(": {end}")),
            (end, more) if ends_in_and => text.push_str(&format!(": {end}, and {more}")),
            (end, more) => text.push_str(&format!(": {end}; {more}")),
        }
        if !text.ends_with(['.', '?', '!']) {
            text.push('.');
        }
        text
    }

    /// Whether another finding is of the same fault: an update is not refused for a fault that
    /// the old object had. Positions in lists don't count, since an edit elsewhere moves them; nor
    /// does which of several PkiPolicies says it.
    pub fn same_fault(&self, other: &Finding) -> bool {
        self.reason == other.reason
            && self.rule == other.rule
            && (self.rule.is_none() || self.policy == other.policy)
            && self.value == other.value
            && without_indices(&self.field).eq(without_indices(&other.field))
    }
}

/// The parts of a path that are no positions in a list; the keys of a map are in quotes.
pub fn without_indices(path: &str) -> impl Iterator<Item = &str> {
    let is_position = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    path.split(['[', ']']).filter(move |part| !is_position(part))
}

/// An owner's value as a text repeats it: one line, no control characters, of bounded length.
pub fn shown(value: &str) -> String {
    let mut text = String::new();
    for (index, c) in value.chars().enumerate() {
        if index == MAX_SHOWN {
            text.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    if text.is_empty() { "\"\"".to_owned() } else { text }
}

/// An owner's value as a finding keeps it: whole, unless it is very long.
pub fn clipped(value: &str) -> String {
    value.chars().take(MAX_KEPT).collect()
}

/// The findings as they stand in the annotation, as many as fit; none where nothing was found.
pub fn annotation(findings: &[Finding]) -> Option<String> {
    if findings.is_empty() {
        return None;
    }
    let mut text = String::from("[");
    for finding in findings {
        let next = serde_json::to_string(finding).unwrap_or_default();
        if text.len() + next.len() + 2 > MAX_ANNOTATION {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&next);
    }
    text.push(']');
    Some(text)
}

/// A list of allowed values as a text shows it: `[app1 app2]`, cut where it is long; with commas
/// where a value is more than a word.
pub fn listed(allowed: &[String]) -> String {
    let separator = if allowed.iter().any(|value| value.contains(' ')) { ", " } else { " " };
    let shown: Vec<&str> = allowed.iter().take(MAX_ALLOWED).map(String::as_str).collect();
    let mut text = format!("[{}", shown.join(separator));
    if allowed.len() > MAX_ALLOWED {
        text.push_str(&format!(" … {} more", allowed.len() - MAX_ALLOWED));
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typo() -> Finding {
        Finding {
            reason: "PkiServiceNameError".into(),
            field: "spec.serviceName".into(),
            value: Some("appp1".into()),
            allowed: vec!["app1".into(), "app2".into()],
            policy: Some("apps".into()),
            rule: None,
            enforcement: Enforcement::Warn,
            fault: "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]"
                .into(),
            nearest: Some("app1".into()),
            fix: "Set spec.serviceName of Pki app1-pki".into(),
            consequence: "Secret app1-pki is not made until then".into(),
            past_webhook: false,
        }
    }

    #[test]
    fn the_text_of_a_let_through_fault_is_the_articles_line() {
        assert_eq!(
            typo().text(Outcome::Stored),
            "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; \
             did you mean \"app1\"? Set spec.serviceName of Pki app1-pki: it was let through, \
             and Secret app1-pki is not made until then."
        );
    }

    #[test]
    fn a_refusal_does_not_speak_of_what_is_stored() {
        assert_eq!(
            typo().text(Outcome::Refused),
            "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; \
             did you mean \"app1\"? Set spec.serviceName of Pki app1-pki."
        );
    }

    #[test]
    fn a_stored_object_under_deny_hears_why_it_stands_all_the_same() {
        let text = Finding { enforcement: Enforcement::Deny, ..typo() }.text(Outcome::Stored);
        assert!(text.contains("would be refused today; Secret app1-pki is not made"), "{text}");
    }

    #[test]
    fn a_moved_list_element_is_the_same_fault_and_another_value_is_not() {
        let first = Finding { field: "spec.dnsNames[0]".into(), ..typo() };
        assert!(first.same_fault(&Finding { field: "spec.dnsNames[3]".into(), ..typo() }));
        assert!(!first.same_fault(&Finding { field: "spec.uris[0]".into(), ..typo() }));
        assert!(!first.same_fault(&Finding { value: Some("b".into()), ..first.clone() }));
    }

    #[test]
    fn another_key_of_a_map_is_another_fault() {
        let first = Finding { field: r#"spec.secretTemplate.labels["a"]"#.into(), ..typo() };
        let other = Finding { field: r#"spec.secretTemplate.labels["b"]"#.into(), ..typo() };
        assert!(!first.same_fault(&other));
    }

    #[test]
    fn the_annotation_has_a_bound() {
        let long = Finding { fault: "é".repeat(5_000), ..typo() };
        let text = annotation(&vec![long; 20]).unwrap();
        assert!(text.len() <= MAX_ANNOTATION);
        let read: Vec<Finding> = serde_json::from_str(&text).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(annotation(&[]), None);
    }

    #[test]
    fn a_value_is_shown_in_one_line_and_cut() {
        assert_eq!(shown("a\nb\u{202e}"), "a\\u{a}b\\u{202e}");
        assert_eq!(shown(""), "\"\"");
        assert_eq!(shown(&"é".repeat(500)).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn a_long_list_of_allowed_values_is_cut_and_counted() {
        let many: Vec<String> = (0..40).map(|n| format!("app{n}")).collect();
        assert!(listed(&many).ends_with("app13 … 26 more]"));
        assert_eq!(listed(&[]), "[]");
        assert_eq!(listed(&["server auth".into(), "any".into()]), "[server auth, any]");
    }
}
