//! cert-manager's CertificateRequest, as far as we speak of it
//! (<https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateRequest>).

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use serde::{Deserialize, Serialize};

use crate::api::pki_policy::IssuerRef;

/// What is asked of an issuer. It can't be changed once it is made.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "cert-manager.io",
    version = "v1",
    kind = "CertificateRequest",
    namespaced,
    status = "CertificateRequestStatus",
    schema = "disabled"
)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRequestSpec {
    /// The signing request (PKCS#10), in PEM form.
    pub request: ByteString,
    /// Who is asked.
    pub issuer_ref: IssuerRef,
    /// How long the certificate is to be valid, as Go writes durations.
    pub duration: Option<String>,
    /// What it is to be used for; the same as in the signing request.
    #[serde(default)]
    pub usages: Vec<String>,
}

/// What the issuer says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificateRequestStatus {
    /// `Ready`, `Approved`, `Denied`, `InvalidRequest`.
    pub conditions: Vec<RequestCondition>,
    /// The certificate and the chain above it, in PEM form.
    pub certificate: Option<ByteString>,
    /// The authority at the top, in PEM form, where the issuer knows it.
    pub ca: Option<ByteString>,
    /// When it failed.
    pub failure_time: Option<Time>,
}

/// A condition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestCondition {
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// What has become of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// The certificate with its chain, and the authority where it is known.
    Signed { chain: String, ca: Option<String> },
    /// It won't be signed: why, and since when where that is said.
    Refused { why: String, at: Option<jiff::Timestamp> },
    /// Nothing yet; what is said of it.
    Open(Option<String>),
}

impl CertificateRequest {
    /// What has become of it.
    pub(super) fn answer(&self) -> Answer {
        let status = self.status.clone().unwrap_or_default();
        let is = |type_: &str, value: &str| {
            let mut conditions = status.conditions.iter();
            conditions.find(|condition| condition.type_ == type_ && condition.status == value)
        };
        let text = |bytes: ByteString| String::from_utf8(bytes.0).ok();
        let unready = is("Ready", "False");
        let refused = is("Denied", "True").or_else(|| is("InvalidRequest", "True")).or_else(|| {
            unready.filter(|ready| ["Failed", "Denied"].contains(&ready.reason.as_str()))
        });
        if let Some(refused) = refused {
            let at = status.failure_time.map(|time| time.0);
            return Answer::Refused { why: said(refused).unwrap_or_default(), at };
        }
        let signed = is("Ready", "True").and(status.certificate).and_then(text);
        match signed.filter(|chain| !chain.is_empty()) {
            Some(chain) => Answer::Signed { chain, ca: status.ca.and_then(text) },
            None => Answer::Open(unready.and_then(said)),
        }
    }
}

fn said(condition: &RequestCondition) -> Option<String> {
    let said = if condition.message.is_empty() { &condition.reason } else { &condition.message };
    Some(said.trim().trim_end_matches('.').to_owned()).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer(status: Value) -> Answer {
        let request = json!({
            "metadata": {"name": "r"},
            "spec": {"request": "", "issuerRef": {"name": "i"}},
            "status": status,
        });
        serde_json::from_value::<CertificateRequest>(request).unwrap().answer()
    }

    #[test]
    fn what_is_said_is_read_as_cert_manager_means_it() {
        let condition = |type_: &str, status: &str, reason: &str| {
            let message = format!("{reason}!");
            json!({"type": type_, "status": status, "reason": reason, "message": message})
        };
        let pending = condition("Ready", "False", "Pending");
        assert_eq!(answer(json!({})), Answer::Open(None));
        assert_eq!(
            answer(json!({"conditions": [pending]})),
            Answer::Open(Some("Pending!".to_owned()))
        );
        for (refusing, why) in [
            (condition("Ready", "False", "Failed"), "Failed!"),
            (condition("Denied", "True", "Policy"), "Policy!"),
            (condition("InvalidRequest", "True", "Other"), "Other!"),
        ] {
            let approved = condition("Approved", "True", "cert-manager.io");
            let status = json!({
                "conditions": [approved, refusing],
                "failureTime": "2026-01-02T03:04:05Z",
            });
            let at = "2026-01-02T03:04:05Z".parse().ok();
            assert_eq!(answer(status), Answer::Refused { why: why.to_owned(), at });
        }
        let ready = condition("Ready", "True", "Issued");
        assert_eq!(
            answer(json!({"conditions": [ready], "certificate": "UEVN", "ca": "Q0E="})),
            Answer::Signed { chain: "PEM".to_owned(), ca: Some("CA".to_owned()) }
        );
        assert_eq!(answer(json!({"conditions": [ready]})), Answer::Open(None));
    }
}
