//! What is wrong with a Pki: the one judgement that the webhook, the controller and the Events
//! share.
//!
//! [`judge`] takes a Pki and what is known of the cluster and returns every finding at once. Three
//! kinds of rule make them: the syntax that the schema holds too ([`syntax`]), who holds the Secret
//! ([`ownership`]), and what the policies allow ([`permission`]).

pub mod certificate;
pub(in crate::policy) mod forms;
pub mod issuance;
pub mod ownership;
pub mod permission;
pub mod rules;
pub mod structure;
pub mod syntax;

pub use rules::{PkiRules, Signer};

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::finding::{clipped, shown};
use crate::api::{Enforcement, Finding, Pki, PkiSpec};

use super::Snapshot;

/// The Pki that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid; none before it is stored.
    pub uid: Option<&'a str>,
    /// When it was made; none before it is stored.
    pub created: Option<Timestamp>,
    /// Whether a certificate has ever been issued for it.
    pub issued: bool,
    /// What it asks for.
    pub spec: &'a PkiSpec,
}

impl<'a> Subject<'a> {
    /// A stored Pki, as far as it has a name and a namespace.
    pub fn stored(pki: &'a Pki) -> Self {
        Self {
            namespace: pki.metadata.namespace.as_deref().unwrap_or_default(),
            name: pki.metadata.name.as_deref().unwrap_or_default(),
            uid: pki.metadata.uid.as_deref(),
            created: pki.creation_timestamp().map(|time| time.0),
            issued: pki.is_issued(),
            spec: &pki.spec,
        }
    }

    /// The name of its Secret.
    pub fn secret_name(&self) -> &'a str {
        self.spec.secret_name.as_deref().unwrap_or(self.name)
    }

    /// What is not done while a fault stands.
    fn consequence(&self) -> String {
        let secret = self.secret_name();
        if self.issued {
            format!("the certificate in Secret {secret} is neither changed nor renewed until then")
        } else {
            format!("Secret {secret} is not made until then")
        }
    }

    /// A finding about a field, with the texts that most share: label, value and Pki in the fault,
    /// and `Set FIELD of Pki NAME` as the fix.
    fn finding(
        &self,
        reason: &str,
        field: &str,
        label: &str,
        value: &str,
        problem: &str,
    ) -> Finding {
        let name = self.name;
        Finding {
            reason: reason.to_owned(),
            field: field.to_owned(),
            value: Some(clipped(value)),
            allowed: Vec::new(),
            policy: None,
            rule: None,
            enforcement: Enforcement::Deny,
            fault: format!("{label}: {} in pki: {name} {problem}", shown(value)),
            nearest: None,
            fix: format!("Set {field} of Pki {name}"),
            consequence: self.consequence(),
            past_webhook: false,
        }
    }
}

/// What is to become of a Pki.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// All that is wrong with it, the worst first.
    pub findings: Vec<Finding>,
    /// The policy that it is issued under: the first by name that allows all of it.
    pub policy: Option<Arc<PkiRules>>,
}

impl Verdict {
    /// Whether a certificate may be issued.
    pub fn allows(&self) -> bool {
        self.findings.is_empty() && self.policy.is_some()
    }
}

/// Judges a Pki by all rules at once.
pub fn judge(subject: &Subject<'_>, snapshot: &Snapshot) -> Verdict {
    let mut findings = syntax::findings(subject);
    let ruling = permission::rule(subject, snapshot, &findings);
    findings.extend(ruling.findings);
    findings.extend(
        ownership::findings(subject, snapshot)
            .into_iter()
            .map(|finding| Finding { enforcement: ruling.enforcement, ..finding }),
    );
    // Stable: within one enforcement the fields keep the order of the manifest.
    findings.sort_by_key(|finding| finding.enforcement);
    Verdict { findings, policy: ruling.policy }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::api::finding::Outcome;
    use crate::api::pki_policy::PkiPolicy;
    use crate::policy::snapshot::{KnownNamespace, KnownPolicy};
    use serde_json::{Value, json};

    /// A snapshot with the article's policy, changed by `change`, in namespaces `app1` and `app2`.
    pub(crate) fn snapshot(changes: &[Value]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for namespace in ["app1", "app2"] {
            snapshot.namespaces.insert(
                namespace.into(),
                KnownNamespace {
                    labels: [("team".to_owned(), "apps".to_owned())].into(),
                    ..KnownNamespace::default()
                },
            );
        }
        for (index, change) in changes.iter().enumerate() {
            let mut policy = json!({
                "apiVersion": "box.com/v1", "kind": "PkiPolicy",
                "metadata": {"name": format!("p{index}")},
                "spec": {
                    "namespaceSelector": {"matchLabels": {"team": "apps"}},
                    "allowedNames": ["app1", "app2"],
                    "issuer": {"ca": {"secretName": "ca", "create": true}},
                },
            });
            for (key, value) in change.as_object().unwrap() {
                policy["spec"][key] = value.clone();
            }
            let policy: PkiPolicy = serde_json::from_value(policy).unwrap();
            let rules = PkiRules::compile(&policy).unwrap();
            let name = rules.name.clone();
            let known = KnownPolicy { uid: name.clone(), rules: Some(Arc::new(rules)) };
            snapshot.pki_policies.insert(name, known);
        }
        snapshot
    }

    pub(crate) fn spec(value: Value) -> PkiSpec {
        serde_json::from_value(value).unwrap()
    }

    pub(crate) fn judged(namespace: &str, spec: &PkiSpec, snapshot: &Snapshot) -> Verdict {
        let subject =
            Subject { namespace, name: "app1-pki", uid: None, created: None, issued: false, spec };
        judge(&subject, snapshot)
    }

    pub(crate) fn denies(verdict: &Verdict) -> bool {
        verdict.findings.iter().any(|finding| finding.enforcement == Enforcement::Deny)
    }

    fn texts(verdict: &Verdict) -> Vec<String> {
        verdict.findings.iter().map(|finding| finding.text(Outcome::Refused)).collect()
    }

    #[test]
    fn the_articles_manifests_are_judged_as_in_the_article() {
        let snapshot = snapshot(&[json!({"onViolation": "Warn"})]);
        let good = judged("app2", &spec(json!({"serviceName": "app2"})), &snapshot);
        assert!(good.allows(), "{:?}", good.findings);
        let bad = judged("app1", &spec(json!({"serviceName": "appp1"})), &snapshot);
        assert!(!denies(&bad));
        assert_eq!(
            bad.findings[0].text(Outcome::Stored),
            "ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did \
             you mean \"app1\"? Set spec.serviceName of Pki app1-pki: it was let through, and \
             Secret app1-pki is not made until then."
        );
    }

    #[test]
    fn all_faults_are_told_at_once_the_refused_ones_first() {
        let snapshot = snapshot(&[json!({"onViolation": "Warn", "maxDuration": "720h"})]);
        let verdict = judged(
            "app1",
            &spec(
                json!({"serviceName": "appp1", "duration": "8760h", "dnsNames": ["App1.example.com", "b.example.com"]}),
            ),
            &snapshot,
        );
        let reasons: Vec<_> =
            verdict.findings.iter().map(|f| (f.reason.as_str(), f.field.as_str())).collect();
        assert_eq!(
            reasons,
            [
                ("PkiDnsNameError", "spec.dnsNames[0]"),
                ("PkiServiceNameError", "spec.serviceName"),
                ("PkiDnsNameError", "spec.dnsNames[1]"),
                ("PkiDurationError", "spec.duration"),
            ],
            "{:#?}",
            texts(&verdict)
        );
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let verdict = judged("app1", &spec(json!({"serviceName": "app1"})), &snapshot(&[]));
        assert!(denies(&verdict));
        assert_eq!(verdict.findings[0].reason, "PkiNamespaceError");
    }
}
