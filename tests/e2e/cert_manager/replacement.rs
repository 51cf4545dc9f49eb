//! When a certificate of cert-manager's is made anew, and what stays.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{make_issuer, signed_by_issuer, space};
use crate::harness::certificates::{entry, openssl, public_key, verified_names};
use crate::harness::stand_in::{self, next_request, requests, sign};
use crate::harness::{Space, golden};

const ISSUED_FOR: &str = "box.com/issued-for";

/// A namespace with a certificate that its own issuer has signed.
async fn issued(spec: Value) -> Option<(Space, Secret)> {
    let space = space().await?;
    make_issuer(&space);
    space.set_policy(json!({"dnsNames": ["*.example.com"], "issuer": signed_by_issuer()})).await;
    space.apply_pki("app1-pki", spec).ok();
    space.await_reason("app1-pki", "Issued").await;
    let secret = space.get("app1-pki").await;
    Some((space, secret))
}

async fn reissued(space: &Space, before: &Secret) -> Secret {
    let is_new = |secret: &Secret| {
        let now = entry(secret, "tls.crt");
        now.starts_with("-----BEGIN CERTIFICATE") && now != entry(before, "tls.crt")
    };
    let after = space.await_secret("app1-pki", "has a new certificate", is_new).await;
    verified_names(space, &after);
    after
}

async fn tamper(space: &Space, data: Value) {
    let patch = Patch::Merge(json!({ "data": data }));
    let secrets = space.api::<Secret>();
    secrets.patch("app1-pki", &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_renewed_in_time_and_stands_until_the_new_one_is_there() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    space.set_policy(json!({"issuer": stand_in::issuer()})).await;
    space.apply_mounting_pod("reader", "app1-pki");
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    let requests = requests(&space.client, &space.name);
    let first = next_request(&requests, None).await;
    let waiting = space.await_reason("app1-pki", "Issuing").await;
    insta::assert_snapshot!(waiting.status.unwrap().conditions[0].message, @"StandIn by-hand of example.com is asked by CertificateRequest app1-pki-RANDOM. Secret app1-pki gets the certificate as soon as it answers.");
    sign(&requests, &first, 30).await;
    let pki = space.await_reason("app1-pki", "Issued").await;
    insta::assert_snapshot!(pki.status.unwrap().conditions[0].message, @"Secret app1-pki holds the certificate of app1, valid until TIME, renewed at TIME; it ends before the 2160h that were asked for, as its issuer gave it.");
    let before: Secret = space.get("app1-pki").await;

    // Nobody has changed anything; half of its life is over.
    let second = next_request(&requests, Some(&first.name_any())).await;
    space.await_reason("app1-pki", "Issued").await;
    assert_eq!(space.get::<Secret>("app1-pki").await, before);
    sign(&requests, &second, 3600).await;
    let after = reissued(&space, &before).await;
    assert_ne!(public_key(&before), public_key(&after));
    let pki = space.await_reason("app1-pki", "Issued").await;
    assert_eq!(pki.status.unwrap().revision, Some(2));
    assert_eq!(crate::harness::space::lines(&space.warnings_of_pod("reader").await), [""; 0]);
}

#[tokio::test]
async fn a_new_name_in_the_spec_is_asked_for_with_a_new_key() {
    let Some((space, before)) = issued(json!({"serviceName": "app1"})).await else { return };
    let spec = json!({"serviceName": "app1", "dnsNames": ["shop.example.com"]});
    space.apply_pki("app1-pki", spec).ok();
    let after = reissued(&space, &before).await;
    assert!(verified_names(&space, &after).contains("DNS:shop.example.com"));
    assert_ne!(public_key(&before), public_key(&after));
}

#[tokio::test]
async fn a_key_that_is_not_to_be_rotated_is_asked_for_again() {
    let spec = |duration: &str| {
        let key = json!({"rotationPolicy": "Never"});
        json!({"serviceName": "app1", "privateKey": key, "duration": duration})
    };
    let Some((space, before)) = issued(spec("48h")).await else { return };
    space.apply_pki("app1-pki", spec("24h")).ok();
    let after = reissued(&space, &before).await;
    assert_eq!(entry(&before, "tls.key"), entry(&after, "tls.key"));
}

#[tokio::test]
async fn what_was_tampered_with_is_asked_for_again() {
    let Some((space, before)) = issued(json!({"serviceName": "app1"})).await else { return };
    let rubbish = ByteString(b"rubbish".to_vec());
    tamper(&space, json!({"tls.crt": rubbish})).await;
    let second = reissued(&space, &before).await;
    tamper(&space, json!({"ca.crt": rubbish})).await;
    let third = reissued(&space, &second).await;
    // Certificate and key that belong together, but that nobody signed.
    let key = openssl("ecparam -name prime256v1 -genkey -noout", "");
    let key = openssl("pkcs8 -topk8 -nocrypt", &key);
    let file = space.cluster.directory().join(format!("{}-own.key", space.name));
    std::fs::write(&file, &key).unwrap();
    let line = format!("req -x509 -new -key {} -subj /CN=app1 -days 90", file.display());
    let own = openssl(&line, "");
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    tamper(&space, json!({"tls.crt": bytes(&own), "tls.key": bytes(&key)})).await;
    let is_new = |secret: &Secret| {
        let now = entry(secret, "tls.crt");
        now != own && now != entry(&third, "tls.crt")
    };
    let fourth = space.await_secret("app1-pki", "is put right", is_new).await;
    verified_names(&space, &fourth);
    space.kubectl("delete secret app1-pki").ok();
    reissued(&space, &fourth).await;
}

#[tokio::test]
async fn a_policy_can_change_from_a_ca_to_cert_manager_and_back() {
    let Some((space, first)) = issued(json!({"serviceName": "app1"})).await else { return };
    let issued_for = |secret: &Secret| secret.annotations().get(ISSUED_FOR).cloned();
    assert!(issued_for(&first).is_some());
    space.set_policy(json!({"dnsNames": ["*.example.com"]})).await;
    let second = reissued(&space, &first).await;
    assert_ne!(entry(&first, "ca.crt"), entry(&second, "ca.crt"));
    assert_eq!(issued_for(&second), None);
    space.set_policy(json!({"dnsNames": ["*.example.com"], "issuer": signed_by_issuer()})).await;
    let third = reissued(&space, &second).await;
    assert_eq!(entry(&first, "ca.crt"), entry(&third, "ca.crt"));
    assert_eq!(issued_for(&third).map(|it| it.len()), Some(65));
}
