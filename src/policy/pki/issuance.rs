//! What keeps an allowed certificate from being issued. None of it is a denial: it is told on the
//! Pki and its Pods, and the certificate follows when it is mended.

use crate::api::{Enforcement, Finding};

use super::Subject;

/// The reason of a finding that the policy's authority can't sign.
pub const ISSUER_NOT_READY: &str = "PkiIssuerNotReady";

/// The reason of a finding that the API server did not take the Secret.
pub const SECRET_NOT_WRITTEN: &str = "PkiSecretNotWritten";

/// The reason of a finding that the certificate can't be made as asked.
pub const NOT_ISSUED: &str = "PkiNotIssued";

/// The authority of the policy can't sign; `problem` says why.
pub fn issuer_not_ready(subject: &Subject<'_>, policy: &str, problem: &str) -> Finding {
    let name = subject.name;
    Finding {
        fault: format!(
            "Issuer: PkiPolicy {policy}, which pki: {name} falls under, can't sign: {problem}"
        ),
        fix: format!("Nothing is wrong with Pki {name}; tell who runs the cluster"),
        ..blank(subject, ISSUER_NOT_READY, "spec", policy)
    }
}

/// The certificate can't be made as asked, for this reason.
pub fn not_issued(subject: &Subject<'_>, policy: &str, problem: &str) -> Finding {
    let name = subject.name;
    let problem = problem.trim_end_matches('.');
    Finding {
        fault: format!(
            "Certificate: of pki: {name} can't be made under PkiPolicy {policy}: {problem}"
        ),
        fix: format!(
            "Change what Pki {name} asks for if that is the cause, else tell who runs the cluster"
        ),
        ..blank(subject, NOT_ISSUED, "spec", policy)
    }
}

/// The API server refused the Secret, with this code and message.
pub fn secret_not_written(
    subject: &Subject<'_>,
    policy: &str,
    code: u16,
    message: &str,
) -> Finding {
    let (name, secret) = (subject.name, subject.secret_name());
    let fix = if message.contains("quota") {
        format!("Make room in the quota of namespace {}", subject.namespace)
    } else if code == 422 {
        format!("Delete Secret {secret} if nothing needs it as it is, so that it is made anew")
    } else {
        "Tell who runs the cluster".to_owned()
    };
    Finding {
        fault: format!(
            "Secret: {secret} of pki: {name} can't be written: {}",
            message.trim_end_matches('.')
        ),
        fix,
        ..blank(subject, SECRET_NOT_WRITTEN, "spec.secretName", policy)
    }
}

fn blank(subject: &Subject<'_>, reason: &str, field: &str, policy: &str) -> Finding {
    let secret = subject.secret_name();
    Finding {
        value: None,
        policy: Some(policy.to_owned()),
        enforcement: Enforcement::Inform,
        consequence: if subject.issued {
            format!("the certificate in Secret {secret} is renewed as soon as that is mended")
        } else {
            format!("Secret {secret} is made as soon as that is mended")
        },
        ..subject.finding(reason, field, "", "", "")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::spec;
    use super::*;
    use crate::api::finding::Outcome;
    use serde_json::json;

    #[test]
    fn an_owner_who_has_done_nothing_wrong_hears_so() {
        let spec = spec(json!({"serviceName": "app1"}));
        let subject = Subject {
            namespace: "app1",
            name: "app1-pki",
            uid: None,
            created: None,
            issued: false,
            spec: &spec,
        };
        let finding = issuer_not_ready(&subject, "apps", "CA Secret portreeve/ca is missing");
        assert_eq!(
            finding.text(Outcome::Stored),
            "Issuer: PkiPolicy apps, which pki: app1-pki falls under, can't sign: CA Secret \
             portreeve/ca is missing. Nothing is wrong with Pki app1-pki; tell who runs the \
             cluster: Secret app1-pki is made as soon as that is mended."
        );
    }
}
