//! What the policies allow a Pki to ask for.

use std::cell::Cell;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;

use crate::api::finding::{MAX_ALLOWED_KEPT, listed};
use crate::api::{Enforcement, Finding, duration};
use crate::policy::Snapshot;
use crate::policy::glob::DnsGlob;
use crate::policy::nearest::nearest;

use super::certificate::{DEFAULT_DURATION, derived_names, lifetime};
use super::{PkiRules, Subject};

/// For how many faults of one Pki the nearest allowed value is looked for.
const MAX_COMPARED: usize = 8;

/// The reason of a finding that no policy is about the namespace.
pub const UNSELECTED: &str = "PkiNamespaceError";

/// What the policies say of a Pki, all together.
#[derive(Debug)]
pub struct Ruling {
    /// What is not allowed, by the policy that comes nearest to allowing all.
    pub findings: Vec<Finding>,
    /// The first policy by name that allows all.
    pub policy: Option<Arc<PkiRules>>,
    /// What a violation does in this namespace.
    pub enforcement: Enforcement,
}

/// Asks every policy that selects the namespace.
///
/// One that allows all of the Pki is enough. If none does, the findings are those of the policy
/// that comes nearest, and one `Deny` among the policies denies. Fields that are faulty by
/// themselves (`faulty`) are left out: their values mean nothing yet.
pub fn rule(subject: &Subject<'_>, snapshot: &Snapshot, faulty: &[Finding]) -> Ruling {
    let policies: Vec<&Arc<PkiRules>> = snapshot.policies_for(subject.namespace).collect();
    let known = snapshot.namespaces.contains_key(subject.namespace);
    if policies.is_empty() {
        // A namespace whose labels have not arrived yet can't be denied for them.
        let enforcement = if known { Enforcement::Deny } else { Enforcement::Warn };
        let findings = vec![Finding { enforcement, ..unselected(subject, known) }];
        return Ruling { findings, policy: None, enforcement };
    }
    let enforcement = policies
        .iter()
        .map(|rules| Enforcement::from(rules.on_violation))
        .min()
        .unwrap_or(Enforcement::Deny);
    let faulty: HashSet<&str> = faulty.iter().map(|finding| finding.field.as_str()).collect();
    let mut nearest: Option<Vec<Finding>> = None;
    for rules in policies {
        let findings = violations(subject, rules, &faulty);
        if findings.is_empty() {
            return Ruling { findings, policy: Some(rules.clone()), enforcement };
        }
        if nearest.as_ref().is_none_or(|best| findings.len() < best.len()) {
            nearest = Some(findings);
        }
    }
    let mut findings = nearest.unwrap_or_default();
    for finding in &mut findings {
        finding.enforcement = enforcement;
    }
    Ruling { findings, policy: None, enforcement }
}

fn unselected(subject: &Subject<'_>, known: bool) -> Finding {
    let Subject { namespace, name, .. } = subject;
    let problem = if known {
        "is not selected by any PkiPolicy, so no certificate is allowed in it"
    } else {
        "is so new that its labels are not known yet, and no PkiPolicy selects it by its name"
    };
    Finding {
        fault: format!("Namespace: {namespace} of pki: {name} {problem}"),
        fix: if known {
            format!(
                "Ask who runs the cluster for a PkiPolicy whose namespaceSelector selects \
                 namespace {namespace}, or apply Pki {name} in a namespace that has one"
            )
        } else {
            format!("Wait a moment: Pki {name} is judged again when they are")
        },
        ..subject.finding(UNSELECTED, "metadata.namespace", "Namespace", namespace, problem)
    }
}

fn violations(subject: &Subject<'_>, rules: &PkiRules, faulty: &HashSet<&str>) -> Vec<Finding> {
    let asked = Asked { subject, rules, faulty, compared: Cell::new(0) };
    let mut findings = Vec::new();
    findings.extend(asked.service_name());
    findings.extend(asked.common_name());
    findings.extend(asked.dns_names());
    findings.extend(asked.ip_addresses());
    findings.extend(asked.uris());
    findings.extend(asked.duration());
    findings.extend(asked.renew_before());
    findings.extend(asked.algorithm());
    findings
}

/// One Pki before one policy.
struct Asked<'a> {
    /// How many values have been compared with what is allowed, which takes long.
    compared: Cell<usize>,
    subject: &'a Subject<'a>,
    rules: &'a PkiRules,
    faulty: &'a HashSet<&'a str>,
}

impl Asked<'_> {
    fn is_faulty(&self, field: &str) -> bool {
        self.faulty.contains(field)
    }

    /// The allowed value that the owner most likely meant; of the first few faults only.
    fn meant<'a>(&self, value: &str, allowed: impl Iterator<Item = &'a str>) -> Option<String> {
        self.compared.set(self.compared.get() + 1);
        if self.compared.get() > MAX_COMPARED {
            return None;
        }
        nearest(value, allowed).map(str::to_owned)
    }

    /// A finding that a value is not among those that a field of the policy lists.
    fn not_listed(
        &self,
        (reason, field, label): (&str, &str, &str),
        value: &str,
        (policy_field, allowed): (&str, &[String]),
        nearest: Option<String>,
    ) -> Finding {
        let policy = &self.rules.name;
        let problem = match allowed.is_empty() {
            true => format!("is not allowed: PkiPolicy {policy} has no {policy_field}"),
            false
                if policy_field == "dnsNames" && allowed.iter().any(|glob| glob.contains('*')) =>
            {
                format!(
                    "is not found in {policy_field}: {}, where * stays within one label",
                    listed(allowed)
                )
            }
            false => format!("is not found in {policy_field}: {}", listed(allowed)),
        };
        let mut finding = self.subject.finding(reason, field, label, value, &problem);
        if nearest.is_none() {
            let ask =
                format!("ask who runs the cluster to add it to PkiPolicy {}", self.rules.name);
            finding.fix = match allowed.is_empty() {
                true => format!("Remove {field} of Pki {}, or {ask}", self.subject.name),
                false => format!("{} to one that matches, or {ask}", finding.fix),
            };
        }
        let allowed = allowed.iter().take(MAX_ALLOWED_KEPT).cloned().collect();
        Finding { allowed, nearest, policy: Some(self.rules.name.clone()), ..finding }
    }

    fn service_name(&self) -> Option<Finding> {
        let value = self.subject.spec.service_name.as_str();
        if self.is_faulty("spec.serviceName") || self.rules.allows_service(value) {
            return None;
        }
        Some(self.not_listed(
            ("PkiServiceNameError", "spec.serviceName", "ServiceName"),
            value,
            ("allowedNames", &self.rules.allowed_name_texts),
            self.meant(value, exact(&self.rules.allowed_names)),
        ))
    }

    fn common_name(&self) -> Option<Finding> {
        let value = self.subject.spec.common_name.as_deref()?;
        if self.is_faulty("spec.commonName")
            || self.is_derived(value)
            || self.rules.allows_dns_name(value)
        {
            return None;
        }
        Some(self.name_finding(("PkiCommonNameError", "spec.commonName", "CommonName"), value))
    }

    fn dns_names(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, value) in self.subject.spec.dns_names.iter().enumerate() {
            let field = format!("spec.dnsNames[{index}]");
            if self.is_faulty(&field) || self.is_derived(value) || self.rules.allows_dns_name(value)
            {
                continue;
            }
            let label = format!("DNSNames[{index}]");
            findings.push(self.name_finding(("PkiDnsNameError", &field, &label), value));
        }
        findings
    }

    /// A finding about a DNS name; of a wildcard that a glob matches it is the wildcard that is
    /// not allowed.
    fn name_finding(&self, place: (&str, &str, &str), value: &str) -> Finding {
        let (rules, subject) = (self.rules, self.subject);
        if value.parse::<IpAddr>().is_ok() {
            let (reason, field, label) = place;
            let problem = "is an IP address, which is no DNS name";
            let finding = subject.finding(reason, field, label, value, problem);
            let fix = format!("Move it from {field} to spec.ipAddresses of Pki {}", subject.name);
            return Finding { fix, ..finding };
        }
        if value.starts_with("*.") && !rules.allow_wildcards {
            let (reason, field, label) = place;
            let problem = format!("is a wildcard, which PkiPolicy {} does not allow", rules.name);
            let finding = subject.finding(reason, field, label, value, &problem);
            let fix = format!("{} to the full names that are needed", finding.fix);
            return Finding { fix, policy: Some(rules.name.clone()), ..finding };
        }
        let derived = derived_names(&subject.spec.service_name, subject.namespace);
        let candidates = derived.iter().map(String::as_str).chain(exact(&rules.dns_names));
        let near = self.meant(value, candidates);
        self.not_listed(place, value, ("dnsNames", &rules.dns_name_texts), near)
    }

    /// Whether a name follows from the service name, whose own finding covers it then.
    fn is_derived(&self, value: &str) -> bool {
        derived_names(&self.subject.spec.service_name, self.subject.namespace)
            .iter()
            .any(|name| name == value)
    }

    fn ip_addresses(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, value) in self.subject.spec.ip_addresses.iter().enumerate() {
            let field = format!("spec.ipAddresses[{index}]");
            let Ok(address) = value.parse::<IpAddr>() else { continue };
            if self.is_faulty(&field) || self.rules.allows_address(&address) {
                continue;
            }
            findings.push(self.not_listed(
                ("PkiIpAddressError", &field, &format!("IPAddresses[{index}]")),
                value,
                ("ipAddresses", &self.rules.ip_range_texts),
                None,
            ));
        }
        findings
    }

    fn uris(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, value) in self.subject.spec.uris.iter().enumerate() {
            let field = format!("spec.uris[{index}]");
            if self.is_faulty(&field) || self.rules.allows_uri(value) {
                continue;
            }
            let texts = &self.rules.uri_texts;
            let exact = texts.iter().map(String::as_str).filter(|text| !text.contains('*'));
            let near = self.meant(value, exact);
            findings.push(self.not_listed(
                ("PkiUriError", &field, &format!("URIs[{index}]")),
                value,
                ("uris", texts),
                near,
            ));
        }
        findings
    }

    fn duration(&self) -> Option<Finding> {
        let value = self.subject.spec.duration.as_deref()?;
        let (asked, longest) = (duration::parse(value).ok()?, self.rules.max_duration?);
        if self.is_faulty("spec.duration") || asked <= longest {
            return None;
        }
        let longest = duration::format(longest);
        let problem =
            format!("is longer than maxDuration: {longest} of PkiPolicy {}", self.rules.name);
        let finding =
            self.subject.finding("PkiDurationError", "spec.duration", "Duration", value, &problem);
        let fix = format!("{} to {longest} or less", finding.fix);
        Some(Finding {
            fix,
            allowed: vec![longest],
            policy: Some(self.rules.name.clone()),
            ..finding
        })
    }

    /// Where the owner gives no duration, her `renewBefore` has to fit the one that is taken.
    fn renew_before(&self) -> Option<Finding> {
        let spec = self.subject.spec;
        let value = spec.renew_before.as_deref()?;
        let asked: SignedDuration = duration::parse(value).ok()?;
        let taken = lifetime(None, self.rules);
        if spec.duration.is_some() || self.is_faulty("spec.renewBefore") || asked < taken {
            return None;
        }
        let taken_text = duration::format(taken);
        let of = match taken < DEFAULT_DURATION {
            true => format!("the {taken_text} that PkiPolicy {} allows", self.rules.name),
            false => format!("the default duration of {taken_text}"),
        };
        let finding = self.subject.finding(
            "PkiRenewBeforeError",
            "spec.renewBefore",
            "RenewBefore",
            value,
            &format!("is not shorter than {of}"),
        );
        let fix = format!("{} to less than {taken_text}", finding.fix);
        Some(Finding { fix, policy: Some(self.rules.name.clone()), ..finding })
    }

    fn algorithm(&self) -> Option<Finding> {
        let field = "spec.privateKey.algorithm";
        let asked = self.subject.spec.private_key.as_ref()?.algorithm?;
        if self.is_faulty(field) || self.rules.algorithms.contains(&asked) {
            return None;
        }
        let allowed: Vec<String> =
            self.rules.algorithms.iter().map(|algorithm| algorithm.as_str().to_owned()).collect();
        Some(self.not_listed(
            ("PkiPrivateKeyError", field, "PrivateKey.Algorithm"),
            asked.as_str(),
            ("algorithms", &allowed),
            None,
        ))
    }
}

fn exact(globs: &[DnsGlob]) -> impl Iterator<Item = &str> {
    globs.iter().filter(|glob| glob.is_exact()).map(DnsGlob::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{denies, judged, snapshot, spec};
    use crate::api::finding::Outcome;
    use serde_json::{Value, json};

    fn told(policies: &[Value], asked: Value) -> Vec<String> {
        judged("app1", &spec(asked), &snapshot(policies))
            .findings
            .iter()
            .map(|finding| finding.text(Outcome::Refused))
            .collect()
    }

    #[test]
    fn one_policy_that_allows_all_is_enough_and_the_first_by_name_issues() {
        let snapshot = snapshot(&[
            json!({"allowedNames": ["other"]}),
            json!({"allowedNames": ["app*"]}),
            json!({"allowedNames": ["app1"]}),
        ]);
        let verdict = judged("app1", &spec(json!({"serviceName": "app1"})), &snapshot);
        assert!(verdict.allows());
        assert_eq!(verdict.policy.unwrap().name, "p1");
    }

    #[test]
    fn the_text_speaks_of_the_nearest_policy_and_one_deny_denies() {
        let snapshot = snapshot(&[
            json!({"allowedNames": ["other"], "maxDuration": "1h", "onViolation": "Deny"}),
            json!({"allowedNames": ["app1"], "maxDuration": "2h", "onViolation": "Warn"}),
        ]);
        let asked = spec(json!({"serviceName": "app1", "duration": "3h"}));
        let verdict = judged("app1", &asked, &snapshot);
        assert!(denies(&verdict));
        assert_eq!(verdict.findings.len(), 1);
        assert_eq!(verdict.findings[0].policy.as_deref(), Some("p1"));
    }

    #[test]
    fn two_policies_do_not_add_up() {
        let told = told(
            &[json!({"dnsNames": ["a.example.com"]}), json!({"dnsNames": ["b.example.com"]})],
            json!({"serviceName": "app1", "dnsNames": ["a.example.com", "b.example.com"]}),
        );
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn derived_names_need_no_more_leave_and_other_names_do() {
        let asked = json!({"serviceName": "app1", "commonName": "app1.app1.svc", "dnsNames": ["app1.app1.svc.cluster.local"]});
        assert_eq!(told(&[json!({})], asked), [""; 0]);
        let asked =
            json!({"serviceName": "app1", "commonName": "app9", "dnsNames": ["app1.app2.svc"]});
        let told = told(&[json!({})], asked);
        assert_eq!(
            told,
            [
                "CommonName: app9 in pki: app1-pki is not allowed: PkiPolicy p0 has no dnsNames; did you mean \
                 \"app1\"? Set spec.commonName of Pki app1-pki.",
                "DNSNames[0]: app1.app2.svc in pki: app1-pki is not allowed: PkiPolicy p0 has no dnsNames; did you \
                 mean \"app1.app1.svc\"? Set spec.dnsNames[0] of Pki app1-pki.",
            ]
        );
    }

    #[test]
    fn a_wildcard_needs_leave_of_its_own() {
        let asked = json!({"serviceName": "app1", "dnsNames": ["*.example.com"]});
        let told_of = told(&[json!({"dnsNames": ["*.example.com"]})], asked.clone());
        assert!(
            told_of[0].contains("is a wildcard, which PkiPolicy p0 does not allow"),
            "{told_of:?}"
        );
        let both = json!({"dnsNames": ["*.example.com"], "allowWildcards": true});
        assert_eq!(told(&[both], asked), [""; 0]);
    }

    #[test]
    fn addresses_uris_durations_and_keys_are_each_held_to_the_policy() {
        let told = told(
            &[json!({
                "ipAddresses": ["10.0.0.0/8"], "uris": ["spiffe://cluster.local/ns/app1/sa/*"],
                "maxDuration": "720h", "algorithms": ["ECDSA", "Ed25519"],
            })],
            json!({
                "serviceName": "app1", "ipAddresses": ["10.1.2.3", "192.168.0.1"],
                "uris": ["spiffe://cluster.local/ns/app1/sa/a", "spiffe://cluster.local/ns/app2/sa/a"],
                "duration": "721h", "privateKey": {"algorithm": "RSA"},
            }),
        );
        assert_eq!(
            told,
            [
                "IPAddresses[1]: 192.168.0.1 in pki: app1-pki is not found in ipAddresses: \
                 [10.0.0.0/8]. Set spec.ipAddresses[1] of Pki app1-pki to one that matches, or ask who \
                 runs the cluster to add it to PkiPolicy p0.",
                "URIs[1]: spiffe://cluster.local/ns/app2/sa/a in pki: app1-pki is not found in \
                 uris: [spiffe://cluster.local/ns/app1/sa/*]. Set spec.uris[1] of Pki app1-pki to \
                 one that matches, or ask who runs the cluster to add it to PkiPolicy p0.",
                "Duration: 721h in pki: app1-pki is longer than maxDuration: 720h of PkiPolicy p0. \
                 Set spec.duration of Pki app1-pki to 720h or less.",
                "PrivateKey.Algorithm: RSA in pki: app1-pki is not found in algorithms: [ECDSA \
                 Ed25519]. Set spec.privateKey.algorithm of Pki app1-pki to one that matches, or ask \
                 who runs the cluster to add it to PkiPolicy p0.",
            ]
        );
    }

    #[test]
    fn nobody_is_blamed_for_a_default() {
        let strict = json!({"maxDuration": "24h", "algorithms": ["Ed25519"]});
        assert_eq!(told(std::slice::from_ref(&strict), json!({"serviceName": "app1"})), [""; 0]);
        let told = told(&[strict], json!({"serviceName": "app1", "renewBefore": "48h"}));
        assert_eq!(
            told,
            ["RenewBefore: 48h in pki: app1-pki is not shorter than the 24h that PkiPolicy p0 \
              allows. Set spec.renewBefore of Pki app1-pki to less than 24h."]
        );
    }

    #[test]
    fn a_namespace_whose_labels_are_not_known_yet_is_not_denied_for_them() {
        let asked = spec(json!({"serviceName": "app1"}));
        let verdict = judged("brand-new", &asked, &snapshot(&[json!({})]));
        assert!(!denies(&verdict) && !verdict.allows());
    }
}
