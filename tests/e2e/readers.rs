//! Which Pods hear of a Pki: those that read its Secret, and no others.

use serde_json::{Value, json};

use crate::harness::Space;
use crate::harness::space::lines;

/// The four ways in which a Pod reads a Secret.
fn ways(secret: &str) -> [(&'static str, Value); 4] {
    let with = |field: &str, value: Value| json!({"containers": [{"name": "main", "image": "nginx:1.29", field: value}]});
    let projected = json!({"sources": [{"secret": {"name": secret}}]});
    let key = json!({"secretKeyRef": {"name": secret, "key": "tls.crt"}});
    [
        ("volume", json!({"volumes": [{"name": "v", "secret": {"secretName": secret}}]})),
        ("projected", json!({"volumes": [{"name": "v", "projected": projected}]})),
        ("env-from", with("envFrom", json!([{"secretRef": {"name": secret}}]))),
        ("value-from", with("env", json!([{"name": "CERTIFICATE", "valueFrom": key}]))),
    ]
}

#[tokio::test]
async fn every_pod_that_reads_the_secret_is_told_whenever_it_was_made_and_no_other() {
    let space = Space::with_policy("Warn").await;
    let elsewhere = Space::with_policy("Warn").await;
    for (way, fields) in ways("app1-pki") {
        space.apply_pod(&format!("before-{way}"), fields);
    }
    space.apply_pod("pulls", json!({"imagePullSecrets": [{"name": "app1-pki"}]}));
    space.apply_pod("bystander", json!({}));
    space.apply_mounting_pod("of-another", "app2-pki");
    elsewhere.apply_mounting_pod("elsewhere", "app1-pki");
    space.apply_pki("app1-pki", json!({"serviceName": "appp1"})).ok();
    space.await_event("Pki", "app1-pki", "PkiServiceNameError", 1).await;
    for (way, fields) in ways("app1-pki") {
        space.apply_pod(&format!("after-{way}"), fields);
    }

    for when in ["before", "after"] {
        for (way, _) in ways("app1-pki") {
            let name = format!("{when}-{way}");
            space.await_event("Pod", &name, "PkiServiceNameError", 2).await;
            let warnings = lines(&space.warnings_of_pod(&name).await);
            assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        }
    }
    for name in ["pulls", "bystander", "of-another"] {
        assert_eq!(lines(&space.warnings_of_pod(name).await), [""; 0], "{name}");
    }
    assert_eq!(lines(&elsewhere.warnings_of_pod("elsewhere").await), [""; 0]);
}
