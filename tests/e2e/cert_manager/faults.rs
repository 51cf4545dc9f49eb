//! What keeps cert-manager from signing is told to all whom it concerns, and refuses nobody.

use serde_json::{Value, json};

use super::{ISSUER, apply_issuer, make_issuer, manifest, signed_by, signed_by_issuer, space};
use crate::harness::certificates::make_ca;
use crate::harness::space::lines;
use crate::harness::stand_in::{condition, next_request, requests, set_status};
use crate::harness::{Cluster, Space, cert_manager, eventually, golden};

/// A Pki under a policy that denies, and a Pod that waits for its Secret.
async fn apply_under(space: &Space, issuer: Value) {
    space.set_policy(json!({"onViolation": "Deny", "issuer": issuer})).await;
    space.apply_mounting_pod("reader", "app1-pki");
    let applied = space.apply_pki("app1-pki", json!({"serviceName": "app1"}));
    assert_eq!((applied.success, applied.stderr.as_str()), (true, ""));
}

/// Waits until Pki and Pod have been told, and gives the text, which is the same everywhere.
async fn told(space: &Space, reason: &str) -> String {
    let of_pki = space.await_event("Pki", "app1-pki", reason, 1).await.message.unwrap();
    let of_pod = space.await_event("Pod", "reader", reason, 1).await.message.unwrap();
    assert_eq!(of_pki, of_pod);
    let pki = space.await_reason("app1-pki", reason).await;
    assert_eq!(pki.status.unwrap().conditions[0].message, of_pki);
    of_pki
}

/// Waits until the certificate is there, and both have been told that all is well.
async fn mended(space: &Space) {
    space.await_reason("app1-pki", "Issued").await;
    space.await_event("Pki", "app1-pki", "PkiReady", 1).await;
    space.await_event("Pod", "reader", "PkiReady", 1).await;
}

#[tokio::test]
async fn a_missing_issuer_is_told_and_the_certificate_follows_when_it_is_made() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    apply_under(&space, signed_by_issuer()).await;
    insta::assert_snapshot!(told(&space, "PkiIssuerNotReady").await, @"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: Issuer company-ca of cert-manager is missing in namespace NAMESPACE; CertificateRequest app1-pki-RANDOM waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    make_issuer(&space);
    mended(&space).await;
}

#[tokio::test]
async fn an_issuer_without_its_ca_is_told_in_cert_managers_words() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    apply_issuer(&space, "Issuer", ISSUER, ISSUER);
    apply_under(&space, signed_by_issuer()).await;
    insta::assert_snapshot!(told(&space, "PkiIssuerNotReady").await, @r#"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: Issuer company-ca of cert-manager is not ready: Error getting keypair for CA issuer: secrets "company-ca" not found; CertificateRequest app1-pki-RANDOM waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended."#);
    make_ca(&space, &space.name, ISSUER, "company");
    mended(&space).await;
}

#[tokio::test]
async fn a_refused_request_is_told_and_the_policy_can_name_another_issuer() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    let spec = json!({"selfSigned": {}});
    space.apply(&manifest("Issuer", "self-signed", spec).to_string()).ok();
    apply_under(&space, signed_by("Issuer", "self-signed")).await;
    insta::assert_snapshot!(told(&space, "PkiNotIssued").await, @r#"Certificate: of pki: app1-pki can't be made under PkiPolicy NAMESPACE: Issuer self-signed of cert-manager, CertificateRequest app1-pki-RANDOM: Annotation "cert-manager.io/private-key-secret-name" missing or reference empty: secret name missing. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended."#);
    make_issuer(&space);
    space.set_policy(json!({"onViolation": "Deny", "issuer": signed_by_issuer()})).await;
    mended(&space).await;
}

#[tokio::test]
async fn a_denied_request_is_told_and_another_is_made_when_something_else_is_asked_for() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    // While its issuer is missing, the request is open, and can be denied by an approver.
    apply_under(&space, signed_by_issuer()).await;
    let requests = requests(&space.client, &space.name);
    let request = next_request(&requests, None).await;
    let denied = condition("Denied", "True", "PolicyDenied", "nobody is to have this");
    set_status(&requests, &request, json!({"conditions": [denied]})).await;
    insta::assert_snapshot!(told(&space, "PkiNotIssued").await, @"Certificate: of pki: app1-pki can't be made under PkiPolicy NAMESPACE: Issuer company-ca of cert-manager, CertificateRequest app1-pki-RANDOM: nobody is to have this. Change what Pki app1-pki asks for if that is the cause, else tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    let line = format!(
        "wait --for=jsonpath={{.status.failureTime}} --timeout=60s certificaterequest/{}",
        request.metadata.name.as_deref().unwrap()
    );
    // cert-manager has seen it, too.
    space.kubectl(&line).ok();
    make_issuer(&space);
    space.apply_pki("app1-pki", json!({"serviceName": "app1", "duration": "48h"})).ok();
    mended(&space).await;
}

#[tokio::test]
async fn a_webhook_of_cert_managers_that_is_away_is_told() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    make_issuer(&space);
    let rule = json!({
        "apiGroups": ["cert-manager.io"], "apiVersions": ["v1"],
        "operations": ["CREATE"], "resources": ["certificaterequests"],
    });
    let webhook = json!({
        "name": "webhook.cert-manager.io",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:1/validate"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
        "rules": [rule],
        "sideEffects": "None",
    });
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": space.name},
        "webhooks": [webhook],
    });
    space.kubectl_anywhere("apply -f -", &configuration.to_string()).ok();
    eventually("the API server asks the webhook", async || {
        let spec = json!({"request": "Q1NS", "issuerRef": {"name": ISSUER}});
        let probe = manifest("CertificateRequest", "probe", spec).to_string();
        let said = space.kubectl_with("create --dry-run=server -f -", &probe);
        if said.stderr.contains("failed calling webhook") { Ok(()) } else { Err(said) }
    })
    .await;
    apply_under(&space, signed_by_issuer()).await;
    insta::assert_snapshot!(told(&space, "PkiIssuerNotReady").await, @r#"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: Issuer company-ca of cert-manager can't be asked: Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://127.0.0.1:1/validate?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused (500). Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended."#);
    let delete = format!("delete validatingwebhookconfiguration {}", space.name);
    space.kubectl_anywhere(&delete, "").ok();
}

#[tokio::test]
async fn a_cluster_issuer_that_cant_sign_is_told_on_the_policy() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    apply_under(&space, signed_by("ClusterIssuer", &space.name)).await;
    let missing = space.await_policy_event("PkiPolicyIssuerNotReady").await;
    insta::assert_snapshot!(missing.message.unwrap(), @"ClusterIssuer NAMESPACE of cert-manager is missing. Make it, or name another in spec.issuer.certManager.issuerRef: until then no certificate is issued under PkiPolicy NAMESPACE, and none is renewed.");
    insta::assert_snapshot!(told(&space, "PkiIssuerNotReady").await, @"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: ClusterIssuer NAMESPACE of cert-manager is missing; CertificateRequest app1-pki-RANDOM waits for it. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");

    apply_issuer(&space, "ClusterIssuer", &space.name, &space.name);
    make_ca(&space, cert_manager::NAMESPACE, &space.name, "company");
    mended(&space).await;
    // The policy looks for it by and by; a change of its own makes it look at once.
    let issuer = signed_by("ClusterIssuer", &space.name);
    space.set_policy(json!({"onViolation": "Warn", "issuer": issuer})).await;
    space.await_policy_event("PkiPolicyReady").await;
}

#[tokio::test]
async fn without_cert_manager_it_is_told_that_it_is_not_there() {
    // Somebody's own cluster may have it.
    if Cluster::leaves_out() {
        return;
    }
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    apply_under(&space, signed_by("ClusterIssuer", "company-ca")).await;
    insta::assert_snapshot!(told(&space, "PkiIssuerNotReady").await, @"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: ClusterIssuer company-ca of cert-manager can't be asked: the cluster lacks the kinds of cert-manager.io/v1, which come with cert-manager. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    let event = space.await_policy_event("PkiPolicyIssuerNotReady").await;
    insta::assert_snapshot!(event.message.unwrap(), @"ClusterIssuer company-ca of cert-manager can't be asked: the cluster lacks the kinds of cert-manager.io/v1, which come with cert-manager. Install cert-manager, or name a CA in spec.issuer.ca: until then no certificate is issued under PkiPolicy NAMESPACE, and none is renewed.");
    let ca = json!({"ca": {"secretName": space.name, "create": true}});
    space.set_policy(json!({"onViolation": "Deny", "issuer": ca})).await;
    mended(&space).await;
    assert_eq!(lines(&space.warnings_of_pod("reader").await).len(), 1);
}
