//! What is wrong with a Pki by itself, whatever the policies say.
//!
//! The CRD's schema holds the same rules, so that they hold while the webhook is away; here they
//! have better words, the right form of the value, and come all at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::SignedDuration;

use crate::api::pki::{Algorithm, PrivateKeySpec};
use crate::api::{Finding, duration};

use super::Subject;
use super::forms::{
    as_label, dns_name_problem, is_label, is_label_value, is_qualified_name, is_reserved,
    is_subdomain, is_uri, right_dns_name,
};

/// The shortest lifetime that may be asked for.
const SHORTEST_DURATION: SignedDuration = SignedDuration::from_hours(1);

/// The shortest time before its end at which a certificate may be renewed.
const SHORTEST_RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(1);

/// The longest common name (RFC 5280, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// All that is wrong with the values themselves.
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(service_name(subject));
    findings.extend(common_name(subject));
    findings.extend(dns_names(subject));
    findings.extend(uris(subject));
    findings.extend(ip_addresses(subject));
    findings.extend(durations(subject));
    findings.extend(private_key(subject));
    findings.extend(usages(subject));
    findings.extend(secret_name(subject));
    findings.extend(secret_template(subject));
    findings
}

fn with_nearest(finding: Finding, nearest: Option<String>) -> Finding {
    Finding { nearest, ..finding }
}

fn service_name(subject: &Subject<'_>) -> Option<Finding> {
    let value = subject.spec.service_name.as_str();
    if is_label(value) {
        return None;
    }
    let problem = "is not the name of a service: lower-case letters, digits and inner hyphens, \
                   at most 63";
    let finding =
        subject.finding("PkiServiceNameError", "spec.serviceName", "ServiceName", value, problem);
    Some(with_nearest(finding, as_label(value)))
}

fn common_name(subject: &Subject<'_>) -> Option<Finding> {
    let value = subject.spec.common_name.as_deref()?;
    let length = value.chars().count();
    let problem = match dns_name_problem(value) {
        None if length <= LONGEST_COMMON_NAME => return None,
        None => {
            format!("has {length} characters, and a common name has at most {LONGEST_COMMON_NAME}")
        }
        Some(problem) => problem,
    };
    let finding =
        subject.finding("PkiCommonNameError", "spec.commonName", "CommonName", value, &problem);
    Some(with_nearest(finding, right_dns_name(value)))
}

fn dns_names(subject: &Subject<'_>) -> Vec<Finding> {
    let values = &subject.spec.dns_names;
    let malformed = values.iter().enumerate().filter_map(|(index, value)| {
        let problem = dns_name_problem(value)?;
        let field = format!("spec.dnsNames[{index}]");
        let label = format!("DNSNames[{index}]");
        let finding = subject.finding("PkiDnsNameError", &field, &label, value, &problem);
        Some(with_nearest(finding, right_dns_name(value)))
    });
    let mut findings: Vec<Finding> = malformed.collect();
    findings.extend(duplicates(subject, "PkiDnsNameError", ("dnsNames", "DNSNames"), values));
    findings
}

fn uris(subject: &Subject<'_>) -> Vec<Finding> {
    let values = &subject.spec.uris;
    let malformed =
        values.iter().enumerate().filter(|(_, value)| !is_uri(value)).map(|(index, value)| {
            subject.finding(
            "PkiUriError",
            &format!("spec.uris[{index}]"),
            &format!("URIs[{index}]"),
            value,
            "is not an absolute URI of printable ASCII, such as spiffe://cluster.local/ns/a/sa/b",
        )
        });
    let mut findings: Vec<Finding> = malformed.collect();
    findings.extend(duplicates(subject, "PkiUriError", ("uris", "URIs"), values));
    findings
}

fn ip_addresses(subject: &Subject<'_>) -> Vec<Finding> {
    let values = &subject.spec.ip_addresses;
    let malformed = values.iter().enumerate().filter_map(|(index, value)| {
        // An IPv4 address in IPv6 clothes (::ffff:10.0.0.1) is no canonical form to Kubernetes either.
        let (problem, right) = match IpAddr::from_str(value).map(|address| address.to_canonical()) {
            Ok(address) if address.to_string() == *value => return None,
            Ok(address) => {
                ("is not in the canonical form of the address", Some(address.to_string()))
            }
            Err(_) => ("is not an IP address such as 10.0.0.1 or 2001:db8::1", None),
        };
        let field = format!("spec.ipAddresses[{index}]");
        let label = format!("IPAddresses[{index}]");
        let finding = subject.finding("PkiIpAddressError", &field, &label, value, problem);
        Some(with_nearest(finding, right))
    });
    let mut findings: Vec<Finding> = malformed.collect();
    findings.extend(duplicates(
        subject,
        "PkiIpAddressError",
        ("ipAddresses", "IPAddresses"),
        values,
    ));
    findings
}

/// Values that stand in a list a second time.
fn duplicates(
    subject: &Subject<'_>,
    reason: &str,
    (field, label): (&str, &str),
    values: &[String],
) -> Vec<Finding> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut findings = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if let Some(earlier) = first.get(value.as_str()) {
            let field = format!("spec.{field}[{index}]");
            let label = format!("{label}[{index}]");
            let problem = format!("is there already, at [{earlier}]");
            let finding = subject.finding(reason, &field, &label, value, &problem);
            let fix = format!("Remove {field} of Pki {}", subject.name);
            findings.push(Finding { fix, ..finding });
        } else {
            first.insert(value, index);
        }
    }
    findings
}

fn durations(subject: &Subject<'_>) -> Vec<Finding> {
    let spec = subject.spec;
    let mut findings = Vec::new();
    let mut read = |reason, field, label, value: Option<&str>, shortest| {
        let value = value?;
        let problem = match duration::parse(value) {
            Ok(parsed) if parsed >= shortest => return Some(parsed),
            Ok(_) => format!("is shorter than {}, the least", duration::format(shortest)),
            Err(duration::DurationError::Syntax(_)) => {
                "is not a duration like 720h, 90m or 1h30m".to_owned()
            }
            Err(duration::DurationError::TooLong(_)) => "is longer than any duration".to_owned(),
        };
        let finding = subject.finding(reason, field, label, value, &problem);
        findings.push(with_nearest(finding, from_days(value)));
        None
    };
    let lifetime = read(
        "PkiDurationError",
        "spec.duration",
        "Duration",
        spec.duration.as_deref(),
        SHORTEST_DURATION,
    );
    let before = read(
        "PkiRenewBeforeError",
        "spec.renewBefore",
        "RenewBefore",
        spec.renew_before.as_deref(),
        SHORTEST_RENEW_BEFORE,
    );
    if let (Some(lifetime), Some(before)) = (lifetime, before)
        && before >= lifetime
    {
        let problem = format!("is not shorter than duration: {}", duration::format(lifetime));
        let value = spec.renew_before.as_deref().unwrap_or_default();
        let finding = subject.finding(
            "PkiRenewBeforeError",
            "spec.renewBefore",
            "RenewBefore",
            value,
            &problem,
        );
        let fix = format!("{} to less than that", finding.fix);
        findings.push(Finding { fix, ..finding });
    }
    findings
}

/// Days, which Go's durations don't have, as hours.
fn from_days(value: &str) -> Option<String> {
    let days: i64 = value.trim().strip_suffix(['d', 'D'])?.trim().parse().ok()?;
    let hours = days.checked_mul(24)?;
    (hours > 0 && hours < 1_000_000).then(|| format!("{hours}h"))
}

fn private_key(subject: &Subject<'_>) -> Option<Finding> {
    let PrivateKeySpec { algorithm, size, .. } = subject.spec.private_key.as_ref()?;
    let size = (*size)?;
    let value = size.to_string();
    let finding = |problem: &str, fix: String| {
        let finding = subject.finding(
            "PkiPrivateKeyError",
            "spec.privateKey.size",
            "PrivateKey.Size",
            &value,
            problem,
        );
        Finding { fix, ..finding }
    };
    let name = subject.name;
    let Some(algorithm) = algorithm else {
        let fix = format!("Set spec.privateKey.algorithm of Pki {name}, or remove the size");
        return Some(finding("says nothing without an algorithm", fix));
    };
    if algorithm.sizes().contains(&size) {
        return None;
    }
    if *algorithm == Algorithm::Ed25519 {
        let fix = format!("Remove spec.privateKey.size of Pki {name}");
        return Some(finding("is given for Ed25519, which has one size only", fix));
    }
    let sizes: Vec<String> = algorithm.sizes().iter().map(i32::to_string).collect();
    let problem = format!("is not a size of {} keys: [{}]", algorithm.as_str(), sizes.join(" "));
    let fix = format!("Set spec.privateKey.size of Pki {name} to one of these");
    Some(Finding { allowed: sizes, ..finding(&problem, fix) })
}

fn usages(subject: &Subject<'_>) -> Vec<Finding> {
    let names: Vec<String> = subject
        .spec
        .usages
        .iter()
        .filter_map(|usage| Some(serde_json::to_value(usage).ok()?.as_str()?.to_owned()))
        .collect();
    duplicates(subject, "PkiUsageError", ("usages", "Usages"), &names)
}

fn secret_name(subject: &Subject<'_>) -> Option<Finding> {
    let value = subject.spec.secret_name.as_deref()?;
    if is_subdomain(value) {
        return None;
    }
    let problem = "is not the name of a Secret: lower-case letters, digits, inner hyphens and dots, \
                   at most 253";
    let finding =
        subject.finding("PkiSecretNameError", "spec.secretName", "SecretName", value, problem);
    let right = value.to_ascii_lowercase().replace('_', "-");
    let nearest = (right != value && is_subdomain(&right)).then_some(right);
    Some(with_nearest(finding, nearest))
}

fn secret_template(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(template) = &subject.spec.secret_template else { return Vec::new() };
    let mut findings = Vec::new();
    let mut tell = |map: &str, key: &str, value: &str, problem: &str| {
        let field = format!("spec.secretTemplate.{map}[{key:?}]");
        let label = format!("SecretTemplate.{map}[{key:?}]");
        let finding = subject.finding("PkiSecretTemplateError", &field, &label, value, problem);
        let fix = format!("Change or remove {field} of Pki {}", subject.name);
        findings.push(Finding { fix, ..finding });
    };
    let label_keys = template.labels.iter().map(|pair| ("labels", pair));
    let annotation_keys = template.annotations.iter().map(|pair| ("annotations", pair));
    for (map, (key, value)) in label_keys.chain(annotation_keys) {
        if is_reserved(key) || map == "labels" && key == crate::api::names::MANAGED_BY_LABEL {
            tell(map, key, value, "has a key that is Portreeve's own");
        } else if !is_qualified_name(key) {
            tell(map, key, value, "has a key that Kubernetes does not take: [PREFIX/]NAME");
        } else if map == "labels" && !(value.is_empty() || is_label_value(value)) {
            let problem = "is not a label's value: at most 63 letters, digits, '-', '_' and '.', \
                           beginning and ending with a letter or digit";
            tell(map, key, value, problem);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;
    use crate::api::finding::Outcome;
    use serde_json::{Value, json};

    fn told(mut asked: Value) -> Vec<String> {
        if asked.get("serviceName").is_none() {
            asked["serviceName"] = json!("app1");
        }
        let spec = spec(asked);
        let subject = Subject {
            namespace: "n",
            name: "p",
            uid: None,
            created: None,
            issued: false,
            spec: &spec,
        };
        findings(&subject).iter().map(|finding| finding.text(Outcome::Refused)).collect()
    }

    #[test]
    fn a_dns_name_that_is_nearly_right_is_told_with_its_right_form() {
        let told = told(json!({"dnsNames": [
            "App1.Example.com", "app1.example.com.", "bücher.example", "*.App.example", "a..b", "a_b.example", "x*.example",
        ]}));
        let nearest: Vec<_> = told
            .iter()
            .map(|text| {
                text.split("did you mean \"").nth(1).map_or("-", |t| t.split('"').next().unwrap())
            })
            .collect();
        assert_eq!(
            nearest,
            [
                "app1.example.com",
                "app1.example.com",
                "xn--bcher-kva.example",
                "*.app.example",
                "-",
                "-",
                "-"
            ],
            "{told:#?}"
        );
    }

    #[test]
    fn a_duplicate_is_told_with_the_place_of_the_first() {
        assert_eq!(
            told(json!({"dnsNames": ["a.example", "b.example", "a.example"]})),
            [
                "DNSNames[2]: a.example in pki: p is there already, at [0]. Remove spec.dnsNames[2] of Pki p."
            ]
        );
    }

    #[test]
    fn a_duration_in_days_is_told_in_hours() {
        assert_eq!(
            told(json!({"duration": "90d"})),
            ["Duration: 90d in pki: p is not a duration like 720h, 90m or 1h30m; did you mean \
              \"2160h\"? Set spec.duration of Pki p."]
        );
        assert_eq!(told(json!({"duration": "30m"})).len(), 1);
        assert_eq!(told(json!({"duration": "2h", "renewBefore": "2h"})).len(), 1);
        assert_eq!(told(json!({"duration": "2h", "renewBefore": "1h59m"})), [""; 0]);
    }

    #[test]
    fn an_address_is_in_its_canonical_form() {
        let told = told(json!({"ipAddresses": ["10.0.0.1", "2001:DB8:0::1", "10.0.0.256"]}));
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("did you mean \"2001:db8::1\"?"), "{told:?}");
        let mapped = self::told(json!({"ipAddresses": ["::ffff:10.0.0.1"]}));
        assert!(mapped[0].contains("did you mean \"10.0.0.1\"?"), "{mapped:?}");
    }

    #[test]
    fn a_key_has_a_size_of_its_algorithm() {
        assert_eq!(told(json!({"privateKey": {"algorithm": "RSA", "size": 4096}})), [""; 0]);
        assert_eq!(
            told(json!({"privateKey": {"algorithm": "RSA", "size": 256}})),
            ["PrivateKey.Size: 256 in pki: p is not a size of RSA keys: [2048 3072 4096]. Set \
              spec.privateKey.size of Pki p to one of these."]
        );
        assert_eq!(told(json!({"privateKey": {"size": 256}})).len(), 1);
        assert_eq!(told(json!({"privateKey": {"algorithm": "Ed25519", "size": 256}})).len(), 1);
    }

    #[test]
    fn a_service_name_is_a_label() {
        let told = told(json!({"serviceName": "App_1"}));
        assert!(told[0].contains("did you mean \"app-1\"?"), "{told:?}");
    }

    #[test]
    fn keys_of_ours_are_not_taken_for_the_secret() {
        let told = told(json!({"secretTemplate": {
            "labels": {"box.com/findings": "x", "team": "a b", "ok": "yes"},
            "annotations": {"portreeve.box.com/x": "y", "a b": "z"},
        }}));
        assert_eq!(told.len(), 4, "{told:#?}");
    }

    #[test]
    fn uris_are_absolute() {
        assert_eq!(told(json!({"uris": ["spiffe://a/b", "urn:x:y"]})), [""; 0]);
        assert_eq!(told(json!({"uris": ["/a/b", "HTTP://x", "a b:c", "x:"]})).len(), 4);
    }
}
