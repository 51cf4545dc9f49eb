//! An issuer of another group than cert-manager's, whose part a test plays.

use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt};
use rcgen::{CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use x509_parser::time::ASN1Time;

use super::eventually;

/// The CertificateRequests of a namespace.
pub fn requests(client: &Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("cert-manager.io", "v1", "CertificateRequest");
    Api::namespaced_with(client.clone(), namespace, &ApiResource::from_gvk(&kind))
}

/// What a policy says for the stand-in to sign.
pub fn issuer() -> Value {
    let reference = json!({"group": "example.com", "kind": "StandIn", "name": "by-hand"});
    json!({"certManager": {"issuerRef": reference}})
}

/// Waits until there is one CertificateRequest, and not the one of this name, and gives it.
pub async fn next_request(requests: &Api<DynamicObject>, before: Option<&str>) -> DynamicObject {
    eventually("there is one new CertificateRequest", async || {
        let mut found = requests.list(&ListParams::default()).await.unwrap().items;
        match found.pop() {
            Some(request) if found.is_empty() && Some(request.name_any().as_str()) != before => {
                Ok(request)
            }
            last => Err((last.map(|it| it.name_any()), found.len())),
        }
    })
    .await
}

/// Signs a request, as the issuer, for this many seconds from now.
pub async fn sign(requests: &Api<DynamicObject>, request: &DynamicObject, seconds: i64) {
    let asked: ByteString =
        serde_json::from_value(request.data["spec"]["request"].clone()).unwrap();
    let asked = String::from_utf8(asked.0).unwrap();
    let mut asked = CertificateSigningRequestParams::from_pem(&asked).unwrap();
    let now = Timestamp::now().as_second();
    let time = |second| ASN1Time::from_timestamp(second).unwrap().to_datetime();
    asked.params.not_before = time(now);
    asked.params.not_after = time(now + seconds);
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "stand-in");
    let key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&key).unwrap();
    let leaf = asked.signed_by(&Issuer::new(authority, key)).unwrap();
    let bytes = |pem: String| ByteString(pem.into_bytes());
    let status = json!({
        "certificate": bytes(leaf.pem()),
        "ca": bytes(ca.pem()),
        "conditions": [condition("Ready", "True", "Issued", "signed by hand")],
    });
    set_status(requests, request, status).await;
}

/// A condition as cert-manager's kinds have them.
pub fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    let now = format!("{:.0}", Timestamp::now());
    json!({
        "type": type_, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": now,
    })
}

/// Writes the status of a request.
pub async fn set_status(requests: &Api<DynamicObject>, request: &DynamicObject, status: Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    requests
        .patch_status(&request.name_any(), &PatchParams::default(), &patch)
        .await
        .expect("the status can be written");
}
