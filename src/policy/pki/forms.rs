//! The forms that names have: in DNS, in certificates, in Kubernetes; and the right form of what is
//! nearly right.

use crate::api::names::GROUP;

/// The longest DNS name and the longest label in it (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// The longest value of a label, and of the name in its key
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>).
const LONGEST_LABEL_VALUE: usize = 63;

/// What keeps a text from being a DNS name as it stands in a certificate.
pub(super) fn dns_name_problem(value: &str) -> Option<String> {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let problem = if value.is_empty() {
        "is empty"
    } else if !value.is_ascii() {
        "is an international name: a certificate has it as A-labels (xn--…)"
    } else if value.ends_with('.') {
        "ends with a dot, which a name in a certificate does not"
    } else if right_case(value) {
        "has capitals: a name in a certificate is in lower case"
    } else if name.contains('*') {
        "has a * that is not its whole first label"
    } else if value.len() > LONGEST_NAME {
        "is longer than the 253 characters of a DNS name"
    } else if let Some(label) = name.split('.').find(|label| !is_label(label)) {
        return Some(format!(
            "is not a DNS name: its part {label:?} is not lower-case letters, digits and inner \
             hyphens, 1 to {LONGEST_LABEL} of them"
        ));
    } else {
        return None;
    };
    Some(problem.to_owned())
}

/// The form in which a DNS name stands in a certificate, where it has one.
pub(super) fn right_dns_name(value: &str) -> Option<String> {
    let trimmed = value.trim().trim_end_matches('.');
    let (wildcard, name) = match trimmed.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", trimmed),
    };
    let ascii = idna::domain_to_ascii(name).ok()?;
    let right = format!("{wildcard}{ascii}");
    (right != value && dns_name_problem(&right).is_none()).then_some(right)
}

/// Whether a key's prefix is `box.com` or a subdomain of it.
pub(in crate::policy) fn is_reserved(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return false };
    prefix.strip_suffix(GROUP).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Kubernetes' qualified name: an optional DNS subdomain and a name.
pub(in crate::policy) fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_label_value(name),
        None => is_label_value(key),
    }
}

pub(in crate::policy) fn is_label_value(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LONGEST_LABEL_VALUE
        && text.bytes().all(inner)
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

/// A DNS label in lower case (RFC 1123).
pub(in crate::policy) fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS subdomain as Kubernetes has it: parts like labels, but of any length.
pub(in crate::policy) fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= LONGEST_NAME && text.split('.').all(part)
}

/// The nearest DNS label to a text that is none.
pub(super) fn as_label(text: &str) -> Option<String> {
    // Of a name with its domain, the first part is the service's.
    let first = text.trim().split('.').next().unwrap_or_default();
    let right = first.to_ascii_lowercase().replace(['_', ' '], "-");
    let right = right.trim_matches('-').to_owned();
    is_label(&right).then_some(right)
}

/// An absolute URI of printable ASCII (RFC 3986).
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut bytes = scheme.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.')
        })
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
        && text.len() <= 2048
}

/// Whether capitals are all that keeps a text from being a DNS name.
fn right_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
        && dns_name_problem(&text.to_ascii_lowercase()).is_none()
}
