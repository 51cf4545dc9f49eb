//! `AdmissionReview.response`: what goes back to the API server.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde::Serialize;

use super::{API_VERSION, KIND};
use crate::policy::patch::PatchOp;

/// The answer to one admission request (`AdmissionResponse` of `admission.k8s.io/v1`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Whether the object is let through.
    pub allowed: bool,
    /// Why it is not.
    pub status: Option<Status>,
    /// What is changed in the object, in this order. Only a mutating webhook may have any: the
    /// API server takes a patch from a validating one for a failure.
    pub patch: Vec<PatchOp>,
    /// Lines for whoever made the request; make them with
    /// [`warning_headers`](super::warnings::warning_headers).
    pub warnings: Vec<String>,
    /// What goes into the API server's audit log, under the webhook's name.
    pub audit_annotations: BTreeMap<String, String>,
}

/// Why a request is denied (the parts of `meta/v1` `Status` that a client is shown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP code that the client gets: 403, 422 … The API server raises one below 400.
    pub code: u16,
    /// The reason, CamelCase, that goes with the code: `Forbidden`, `Invalid` …
    pub reason: Cow<'static, str>,
    /// The one text that kubectl prints.
    pub message: String,
}

impl Answer {
    /// Lets the object through.
    pub fn allow() -> Self {
        Self { allowed: true, ..Self::default() }
    }

    /// Refuses, with the code, the reason and the message that the client is shown.
    pub fn deny(
        code: u16,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        let status = Status { code, reason: reason.into(), message: message.into() };
        Self { status: Some(status), ..Self::default() }
    }

    /// The same with these operations as its patch.
    #[must_use]
    pub fn with_patch(mut self, patch: Vec<PatchOp>) -> Self {
        self.patch = patch;
        self
    }

    /// The same with these lines as its warnings.
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The same with one audit annotation more. The key has no prefix: the API server puts the
    /// webhook's name before it.
    #[must_use]
    pub fn with_audit_annotation(
        mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.audit_annotations.insert(key.into(), value.into());
        self
    }

    /// The AdmissionReview that answers the request of this uid.
    ///
    /// A denial goes without its patch, and an empty patch goes without `patchType`: the API
    /// server demands both or neither.
    pub fn to_json(&self, uid: &str) -> Vec<u8> {
        let patch = (self.allowed && !self.patch.is_empty()).then(|| ByteString(json(&self.patch)));
        json(&WireReview {
            api_version: API_VERSION,
            kind: KIND,
            response: WireResponse {
                uid,
                allowed: self.allowed,
                status: self.status.as_ref().map(|status| WireStatus {
                    status: "Failure",
                    code: status.code,
                    reason: &status.reason,
                    message: &status.message,
                }),
                patch_type: patch.as_ref().map(|_| "JSONPatch"),
                patch,
                warnings: &self.warnings,
                audit_annotations: &self.audit_annotations,
            },
        })
    }
}

/// Writes what can always be written: texts, numbers, lists, and maps with texts for keys.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireReview<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: WireResponse<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireResponse<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<WireStatus<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<ByteString>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct WireStatus<'a> {
    status: &'a str,
    code: u16,
    reason: &'a str,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::patch::Pointer;

    fn written(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.to_json("u-1")).unwrap()
    }

    #[test]
    fn an_allowing_answer_says_no_more_than_it_must() {
        assert_eq!(
            written(&Answer::allow()),
            json!({
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {"uid": "u-1", "allowed": true},
            })
        );
    }

    #[test]
    fn a_denial_has_code_reason_and_message_and_no_patch() {
        let answer = Answer::deny(403, "Forbidden", "no \"app\"")
            .with_patch(vec![PatchOp::remove(Pointer::root().key("a"))])
            .with_warnings(vec!["w".into()])
            .with_audit_annotation("findings", "[]");
        assert_eq!(
            written(&answer)["response"],
            json!({
                "uid": "u-1",
                "allowed": false,
                "status": {
                    "status": "Failure",
                    "code": 403,
                    "reason": "Forbidden",
                    "message": "no \"app\"",
                },
                "warnings": ["w"],
                "auditAnnotations": {"findings": "[]"},
            })
        );
    }

    #[test]
    fn a_patch_travels_as_base64_with_its_type() {
        let answer = Answer::allow()
            .with_patch(vec![PatchOp::add(Pointer::root().key("a/b"), json!({"c": 1}))]);
        let response = &written(&answer)["response"];
        assert_eq!(response["patchType"], "JSONPatch");
        let ByteString(patch) = serde_json::from_value(response["patch"].clone()).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&patch).unwrap(),
            json!([{"op": "add", "path": "/a~1b", "value": {"c": 1}}])
        );
    }
}
