//! Golden texts: what differs from run to run is made the same, and columns stand close.

use insta::Settings;

/// From now on, and until what is given back is dropped, snapshots have `NAMESPACE` for this
/// namespace, and the same words for ages, times, addresses and the random ends of names.
#[must_use]
pub fn golden(namespace: &str) -> impl Drop {
    let mut settings = Settings::clone_current();
    settings.add_filter(&regex_literal(namespace), "NAMESPACE");
    // Portreeve's own namespace, in a cluster that may have another.
    settings.add_filter(r"\bportreeve-e2e/", "portreeve/");
    // A Pod of a Deployment: the hash of the template, and its own random end.
    settings.add_filter(r"\b(app\d)-[0-9a-z]{6,10}-[0-9a-z]{5}\b", "$1-POD");
    settings
        .add_filter(r"\bCertificateRequest (\S+)-[0-9a-z]{5}\b", "CertificateRequest $1-RANDOM");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME");
    settings.add_filter(r"\(x\d+ over \d+[smh](\d+s)?\)", "(xN over AGE)");
    settings.add_filter(r"[ \t]{2,}", "  ");
    // In a table only, where it stands by itself.
    settings.add_filter(r"(?m)(^|  )\d+[smh](\d+s)?(  | \(x|$)", "${1}AGE$3");
    settings.add_filter(r"(?m) +$", "");
    settings.bind_to_scope()
}

/// The names of namespaces hold nothing that means anything in a pattern.
fn regex_literal(name: &str) -> String {
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
    format!(r"\b{name}\b")
}
