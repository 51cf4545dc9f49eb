//! The rules for names and labels in the Kubernetes API (`apimachinery`'s validation).
//!
//! The regular expressions stand here only because the messages quote them.

const MAX_LABEL: usize = 63;
const MAX_SUBDOMAIN: usize = 253;

const SUBDOMAIN_MESSAGE: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
     (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_MESSAGE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
     characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  \
     or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS1035_MESSAGE: &str = "a DNS-1035 label must consist of lower case alphanumeric \
     characters or '-', start with an alphabetic character, and end with an alphanumeric \
     character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
     '[a-z]([-a-z0-9]*[a-z0-9])?')";
const KEY_MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
     start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
     regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_MESSAGE: &str = "a valid label must be an empty string or consist of alphanumeric \
     characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
     'MyValue',  or 'my_value',  or '12345', regex used for validation is \
     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What a name's prefix is judged by: with a final dash, and the character before it, replaced
/// as if something valid followed.
pub(super) fn completed(prefix: &[u8]) -> Vec<u8> {
    match prefix {
        [start @ .., _, b'-'] => [start, b"a"].concat(),
        _ => prefix.to_vec(),
    }
}

pub(super) fn dns1123_label(name: &[u8]) -> Vec<String> {
    let mut messages = too_long(name, MAX_LABEL, "characters");
    if !is_label(name) {
        let message = if is_subdomain(name) { "must not contain dots" } else { LABEL_MESSAGE };
        messages.push(message.to_owned());
    }
    messages
}

pub(super) fn dns1123_subdomain(name: &[u8]) -> Vec<String> {
    subdomain(name, "characters")
}

pub(super) fn dns1035_label(name: &[u8]) -> Vec<String> {
    let mut messages = too_long(name, MAX_LABEL, "characters");
    if !(is_label(name) && name.first().is_some_and(u8::is_ascii_lowercase)) {
        messages.push(DNS1035_MESSAGE.to_owned());
    }
    messages
}

pub(super) fn qualified_name(key: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    let mut parts = key.splitn(3, |&byte| byte == b'/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(_)) => {
            return vec![format!(
                "a valid label key {KEY_MESSAGE} with an optional DNS subdomain prefix and '/' \
                 (e.g. 'example.com/MyName')"
            )];
        }
        (Some(b""), Some(name), None) => {
            messages.push("prefix part must be non-empty".to_owned());
            name
        }
        (Some(prefix), Some(name), None) => {
            let wrong = subdomain(prefix, "bytes");
            messages.extend(wrong.into_iter().map(|message| format!("prefix part {message}")));
            name
        }
        _ => key,
    };
    if name.is_empty() {
        messages.push("name part must be non-empty".to_owned());
    }
    let long = too_long(name, MAX_LABEL, "bytes");
    messages.extend(long.into_iter().map(|message| format!("name part {message}")));
    if !is_enclosed(name, is_key_character, u8::is_ascii_alphanumeric) {
        messages.push(format!("name part {KEY_MESSAGE}"));
    }
    messages
}

pub(super) fn label_value(value: &[u8]) -> Vec<String> {
    let mut messages = too_long(value, MAX_LABEL, "bytes");
    if !value.is_empty() && !is_enclosed(value, is_key_character, u8::is_ascii_alphanumeric) {
        messages.push(VALUE_MESSAGE.to_owned());
    }
    messages
}

/// `unit` is what the message counts: two copies of this rule differ in nothing but that word.
fn subdomain(name: &[u8], unit: &str) -> Vec<String> {
    let mut messages = too_long(name, MAX_SUBDOMAIN, unit);
    if !is_subdomain(name) {
        messages.push(SUBDOMAIN_MESSAGE.to_owned());
    }
    messages
}

fn too_long(text: &[u8], limit: usize, unit: &str) -> Vec<String> {
    if text.len() > limit {
        vec![format!("must be no more than {limit} {unit}")]
    } else {
        Vec::new()
    }
}

fn is_subdomain(name: &[u8]) -> bool {
    name.split(|&byte| byte == b'.').all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    is_enclosed(label, |byte| is_alphanumeric(byte) || *byte == b'-', is_alphanumeric)
}

fn is_key_character(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Reports whether the text is of `inner` bytes and begins and ends with `outer` ones.
fn is_enclosed(text: &[u8], inner: impl Fn(&u8) -> bool, outer: impl Fn(&u8) -> bool) -> bool {
    text.first().is_some_and(&outer) && text.last().is_some_and(&outer) && text.iter().all(inner)
}
