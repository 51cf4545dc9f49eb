//! What a change of a policy does to the Pkis that exist, and what a CA does that can't sign.

use k8s_openapi::api::core::v1::Secret;
use portreeve::api::Pki;
use serde_json::json;

use crate::harness::certificates::{entry, make_ca, openssl, verified_names};
use crate::harness::{Space, eventually, golden};

#[tokio::test]
async fn a_policy_that_comes_to_allow_a_name_makes_its_pki_ready_and_says_so() {
    let space = Space::with_policy("Warn").await;
    space.apply_pki("app3-pki", json!({"serviceName": "app3"})).ok();
    space.await_event("Pki", "app3-pki", "PkiServiceNameError", 1).await;
    space.set_policy(json!({"onViolation": "Warn", "allowedNames": ["app3"]})).await;
    space.await_reason("app3-pki", "Issued").await;
    space.await_event("Pki", "app3-pki", "PkiReady", 1).await;
    eventually("the Pki carries no findings", async || {
        let annotations = space.get::<Pki>("app3-pki").await.metadata.annotations;
        let findings = annotations.unwrap_or_default().remove("box.com/findings");
        findings.map_or(Ok(()), Err)
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_no_longer_allows_a_name_is_told_and_the_secret_stays() {
    let space = Space::with_policy("Warn").await;
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    space.apply_mounting_pod("reader", "app1-pki");
    let before: Secret = space.get("app1-pki").await;
    space.set_policy(json!({"onViolation": "Warn", "allowedNames": ["app2"]})).await;
    space.await_event("Pod", "reader", "PkiServiceNameError", 1).await;
    space.await_reason("app1-pki", "PkiServiceNameError").await;
    assert_eq!(before, space.get::<Secret>("app1-pki").await);
}

#[tokio::test]
async fn a_ca_that_is_missing_refuses_nobody_and_is_told_to_all_whom_it_concerns() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    let issuer = json!({"ca": {"secretName": space.name, "create": false}});
    space.set_policy(json!({"onViolation": "Deny", "issuer": issuer})).await;
    space.apply_mounting_pod("reader", "app1-pki");
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();

    space.await_reason("app1-pki", "PkiIssuerNotReady").await;
    let of_pki = space.await_event("Pki", "app1-pki", "PkiIssuerNotReady", 1).await;
    insta::assert_snapshot!(of_pki.message.unwrap(), @"Issuer: PkiPolicy NAMESPACE, which pki: app1-pki falls under, can't sign: CA Secret portreeve/NAMESPACE is missing. Nothing is wrong with Pki app1-pki; tell who runs the cluster: Secret app1-pki is made as soon as that is mended.");
    space.await_event("Pod", "reader", "PkiIssuerNotReady", 1).await;
    let listed = space.kubectl(&format!("get pkipolicy {}", space.name)).ok();
    insta::assert_snapshot!(listed, @"
    NAME  READY  ONVIOLATION  CA  CA-EXPIRES  ISSUER  REASON  AGE
    NAMESPACE  False  Deny  NAMESPACE  PkiPolicyCANotReady  AGE
    ");
    let of_policy = space.await_policy_event("PkiPolicyCANotReady").await;
    insta::assert_snapshot!(of_policy.message.unwrap(), @"CA Secret portreeve/NAMESPACE is missing. Make that Secret (kubernetes.io/tls), or set spec.issuer.ca.create: true: until then no certificate is issued under PkiPolicy NAMESPACE, and none is renewed.");

    make_ca(&space, &space.portreeve.replica().namespace, &space.name, "made_by_hand");
    space.await_reason("app1-pki", "Issued").await;
    space.await_event("Pki", "app1-pki", "PkiReady", 1).await;
    space.await_event("Pod", "reader", "PkiReady", 1).await;
    space.await_policy_event("PkiPolicyReady").await;
    let secret: Secret = space.get("app1-pki").await;
    verified_names(&space, &secret);
    assert!(openssl("x509 -noout -issuer", &entry(&secret, "tls.crt")).contains("made_by_hand"));
}
