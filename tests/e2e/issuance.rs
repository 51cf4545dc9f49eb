//! When a certificate is made anew, and what stays.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::harness::Space;
use crate::harness::certificates::{entry, openssl, public_key, verified_names};

/// A namespace with a certificate for this spec.
async fn issued(spec: Value) -> (Space, Secret) {
    let space = Space::bare().await;
    space.set_policy(json!({"onViolation": "Warn", "dnsNames": ["*.example.com"]})).await;
    space.apply_pki("app1-pki", spec).ok();
    space.await_reason("app1-pki", "Issued").await;
    let secret = space.get("app1-pki").await;
    (space, secret)
}

/// Waits for another certificate than this one.
async fn reissued(space: &Space, before: &Secret) -> Secret {
    let is_new = |secret: &Secret| {
        let now = entry(secret, "tls.crt");
        now.starts_with("-----BEGIN CERTIFICATE") && now != entry(before, "tls.crt")
    };
    space.await_secret("app1-pki", "has a new certificate", is_new).await
}

async fn change<K>(objects: Api<K>, name: &str, patch: Value)
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    objects.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn a_new_name_in_the_spec_brings_a_new_certificate_and_a_new_key() {
    let (space, before) = issued(json!({"serviceName": "app1"})).await;
    let spec = json!({"serviceName": "app1", "dnsNames": ["shop.example.com"]});
    space.apply_pki("app1-pki", spec).ok();
    let after = reissued(&space, &before).await;
    assert!(verified_names(&space, &after).contains("DNS:shop.example.com"));
    assert_ne!(public_key(&before), public_key(&after));
    let pki = space.await_reason("app1-pki", "Issued").await;
    assert_eq!(pki.status.unwrap().revision, Some(2));
}

#[tokio::test]
async fn a_key_that_is_not_to_be_rotated_stays() {
    let key = json!({"rotationPolicy": "Never"});
    let (space, before) = issued(json!({"serviceName": "app1", "privateKey": key})).await;
    let names = ["shop.example.com"];
    let spec = json!({"serviceName": "app1", "privateKey": key, "dnsNames": names});
    space.apply_pki("app1-pki", spec).ok();
    let after = reissued(&space, &before).await;
    verified_names(&space, &after);
    assert_eq!(entry(&before, "tls.key"), entry(&after, "tls.key"));
}

#[tokio::test]
async fn a_deleted_secret_is_made_again() {
    let (space, before) = issued(json!({"serviceName": "app1"})).await;
    space.kubectl("delete secret app1-pki").ok();
    let after = reissued(&space, &before).await;
    verified_names(&space, &after);
}

#[tokio::test]
async fn a_certificate_that_was_tampered_with_is_replaced() {
    let (space, before) = issued(json!({"serviceName": "app1"})).await;
    let rubbish = ByteString(b"rubbish".to_vec());
    change(space.api::<Secret>(), "app1-pki", json!({"data": {"tls.crt": rubbish}})).await;
    let after = reissued(&space, &before).await;
    verified_names(&space, &after);
}

#[tokio::test]
async fn a_ca_bundle_that_was_tampered_with_is_put_right_and_the_certificate_stays() {
    let (space, before) = issued(json!({"serviceName": "app1"})).await;
    let rubbish = ByteString(b"rubbish".to_vec());
    change(space.api::<Secret>(), "app1-pki", json!({"data": {"ca.crt": rubbish}})).await;
    let right = |secret: &Secret| entry(secret, "ca.crt") == entry(&before, "ca.crt");
    let after = space.await_secret("app1-pki", "has its CA again", right).await;
    assert_eq!(entry(&before, "tls.crt"), entry(&after, "tls.crt"));
}

#[tokio::test]
async fn another_ca_signs_all_anew() {
    let (space, before) = issued(json!({"serviceName": "app1"})).await;
    let key = openssl("ecparam -name prime256v1 -genkey -noout", "");
    let file = space.cluster.directory().join(format!("{}.key", space.name));
    std::fs::write(&file, &key).unwrap();
    let line = format!(
        "req -x509 -new -key {} -subj /CN=another -days 30 \
         -addext keyUsage=critical,keyCertSign,cRLSign",
        file.display()
    );
    let certificate = openssl(&line, "");
    let own = &space.portreeve.replica().namespace;
    let authorities = Api::<Secret>::namespaced(space.client.clone(), own);
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    let data = json!({"tls.crt": bytes(&certificate), "tls.key": bytes(&key)});
    change(authorities, &space.name, json!({"data": data})).await;
    let after = reissued(&space, &before).await;
    assert_eq!(entry(&after, "ca.crt").trim(), certificate.trim());
    verified_names(&space, &after);
}

#[tokio::test]
async fn labels_of_the_template_come_and_go_and_those_of_others_stay() {
    let spec = |labels: Value| json!({"serviceName": "app1", "secretTemplate": {"labels": labels}});
    let (space, before) = issued(spec(json!({"team": "shop", "tier": "web"}))).await;
    let labels = |secret: &Secret| secret.metadata.labels.clone().unwrap_or_default();
    assert_eq!(
        (labels(&before)["team"].as_str(), labels(&before)["tier"].as_str()),
        ("shop", "web")
    );
    space.kubectl("label secret app1-pki theirs=yes").ok();

    space.apply_pki("app1-pki", spec(json!({"team": "till", "floor": "3"}))).ok();
    let settled = |secret: &Secret| {
        let labels = labels(secret);
        let is = |key: &str, value: Option<&str>| labels.get(key).map(String::as_str) == value;
        is("team", Some("till"))
            && is("floor", Some("3"))
            && is("tier", None)
            && is("theirs", Some("yes"))
    };
    let after = space.await_secret("app1-pki", "has the template's labels", settled).await;
    assert_eq!(entry(&before, "tls.crt"), entry(&after, "tls.crt"));
}

#[tokio::test]
async fn what_the_owner_leaves_open_is_shown_in_the_status_and_not_written_into_her_spec() {
    let (space, _) = issued(json!({"serviceName": "app1"})).await;
    let pki = space.await_reason("app1-pki", "Issued").await;
    assert_eq!(serde_json::to_value(&pki.spec).unwrap(), json!({"serviceName": "app1"}));
    let status = pki.status.unwrap();
    assert_eq!(status.duration.as_deref(), Some("2160h"));
    assert_eq!(status.policy.as_deref(), Some(space.name.as_str()));
    let drift = space.kubectl_with(
        "diff -f -",
        &crate::harness::space::pki("app1-pki", json!({"serviceName": "app1"})).to_string(),
    );
    assert_eq!((drift.success, drift.stdout.as_str()), (true, ""));
}
