//! What is in the Secret, and that the key is nowhere else.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use portreeve::pki::Usage;
use serde_json::{Value, json};

use super::{await_issuer, make_cluster_issuer, make_issuer, signed_by, signed_by_issuer, space};
use crate::harness::certificates::{entry, openssl, verified_names};
use crate::harness::stand_in::requests;
use crate::harness::{cert_manager, golden};

#[tokio::test]
async fn a_cluster_issuer_signs_and_the_policy_shows_it() {
    let Some(space) = space().await else { return };
    let _golden = golden(&space.name);
    make_cluster_issuer(&space);
    await_issuer(&space, "clusterissuer", &space.name);
    let issuer = signed_by("ClusterIssuer", &space.name);
    space.set_policy(json!({"onViolation": "Deny", "issuer": issuer})).await;
    insta::assert_snapshot!(space.kubectl(&format!("get pkipolicy {}", space.name)).ok(), @"
    NAME  READY  ONVIOLATION  CA  CA-EXPIRES  ISSUER  REASON  AGE
    NAMESPACE  True  Deny  NAMESPACE  PkiPolicyReady  AGE
    ");
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    let pki = space.await_reason("app1-pki", "Issued").await;
    let status = pki.status.unwrap();
    assert_eq!(status.revision, Some(1));
    let message = status.conditions[0].message.clone();
    insta::assert_snapshot!(message, @"Secret app1-pki holds the certificate of app1, valid until TIME, renewed at TIME.");

    let secret: Secret = space.get("app1-pki").await;
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
    insta::assert_snapshot!(verified_names(&space, &secret), @"
    X509v3 Subject Alternative Name:
      DNS:app1, DNS:app1.NAMESPACE, DNS:app1.NAMESPACE.svc, DNS:app1.NAMESPACE.svc.cluster.local
    ");
    assert!(openssl("x509 -noout -issuer", &entry(&secret, "tls.crt")).contains("company"));
    let line = format!("get secret {} --namespace={} -o", space.name, cert_manager::NAMESPACE);
    let ca = space.kubectl_anywhere(&format!("{line} jsonpath={{.data.tls\\.crt}}"), "").ok();
    assert_eq!(entry(&secret, "ca.crt").trim(), openssl("base64 -d -A", &ca).trim());
}

#[tokio::test]
async fn an_issuer_of_the_namespace_signs_every_kind_of_key_and_usage() {
    let Some(space) = space().await else { return };
    make_issuer(&space);
    let names = json!({
        "issuer": signed_by_issuer(),
        "dnsNames": ["*.example.com"],
        "ipAddresses": ["10.0.0.0/8"],
        "uris": ["spiffe://example.com/app1"],
    });
    space.set_policy(names).await;
    let all: Vec<&str> = Usage::ALL.iter().map(|usage| usage.as_str()).collect();
    let kinds = [
        json!({"algorithm": "ECDSA", "size": 256}),
        json!({"algorithm": "ECDSA", "size": 384}),
        json!({"algorithm": "ECDSA", "size": 521}),
        json!({"algorithm": "RSA", "size": 2048}),
        json!({"algorithm": "Ed25519"}),
    ];
    let usages = [json!([]), json!(["server auth"]), json!(all)];
    let pkis: Vec<(String, Value)> = kinds
        .iter()
        .flat_map(|kind| usages.iter().map(move |usages| (kind, usages)))
        .enumerate()
        .map(|(index, (kind, usages))| {
            let spec = json!({
                "serviceName": "app1",
                "dnsNames": ["shop.example.com"],
                "ipAddresses": ["10.1.2.3"],
                "uris": ["spiffe://example.com/app1"],
                "privateKey": kind,
                "usages": usages,
                "duration": "48h",
            });
            (format!("pki-{index}"), spec)
        })
        .collect();
    for (name, spec) in &pkis {
        space.apply_pki(name, spec.clone()).ok();
    }
    for (name, spec) in &pkis {
        let pki = space.await_reason(name, "Issued").await;
        let shown = serde_json::to_value(pki.status.unwrap().private_key).unwrap();
        assert_eq!(shown["algorithm"], spec["privateKey"]["algorithm"]);
        let secret: Secret = space.get(name).await;
        let names = verified_names(&space, &secret);
        for name in ["DNS:app1", "DNS:shop.example.com", "IP Address:10.1.2.3", "URI:spiffe://"] {
            assert!(names.contains(name), "{name}: {names}");
        }
        let purposes = openssl("x509 -noout -ext extendedKeyUsage", &entry(&secret, "tls.crt"));
        let is_client = purposes.contains("TLS Web Client Authentication");
        assert_eq!(is_client, spec["usages"].to_string().contains("client auth"), "{purposes}");
        assert!(purposes.contains("TLS Web Server Authentication"), "{purposes}");
    }
}

#[tokio::test]
async fn the_key_is_in_the_secret_and_nowhere_else() {
    let Some(space) = space().await else { return };
    make_issuer(&space);
    space.set_policy(json!({"issuer": signed_by_issuer()})).await;
    space.apply_mounting_pod("reader", "app1-pki");
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    let secret: Secret = space.get("app1-pki").await;
    let asked = requests(&space.client, &space.name).list(&ListParams::default()).await.unwrap();
    assert_eq!(asked.items.len(), 1);

    let all = "get certificaterequests,events,pkis,pods,configmaps,pkipolicies -o yaml";
    let seen = space.kubectl(all).ok() + &space.portreeve.log();
    let key = entry(&secret, "tls.key");
    let body = key.lines().nth(1).unwrap();
    // As it is, and as bytes are shown.
    let header = openssl("base64 -A", "-----BEGIN PRIVATE KEY");
    for leak in [body, "PRIVATE KEY", &header[..24], &openssl("base64 -A", &key)[..60]] {
        assert!(!seen.contains(leak), "{leak}");
    }
    let shown = openssl("base64 -A", &key);
    let secrets = space.kubectl_anywhere("get secrets --all-namespaces -o yaml", "").ok();
    assert_eq!(secrets.matches(shown.trim()).count(), 1);
}
