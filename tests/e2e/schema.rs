//! The schema holds while the webhook is away. Where the webhook does not look, Portreeve's own
//! namespace, the schema is alone; the two have to agree.

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use portreeve::api::Pki;
use serde_json::{Value, json};

use crate::harness::{Space, eventually, golden, unique};

/// What the schema refuses by itself. Each is to be refused by the webhook as well.
fn wrong() -> Vec<Value> {
    let with = |field: &str, value: Value| json!({"serviceName": "app1", field: value});
    let key = |key: Value| with("privateKey", key);
    let labels = |labels: Value| with("secretTemplate", json!({"labels": labels}));
    let annotations = |all: Value| with("secretTemplate", json!({"annotations": all}));
    vec![
        json!({}),
        json!([]),
        json!({"serviceName": null}),
        json!({"serviceName": 7}),
        json!({"serviceName": ""}),
        json!({"serviceName": "App1"}),
        json!({"serviceName": "app1.shop"}),
        json!({"serviceName": "-app1"}),
        json!({"serviceName": "a".repeat(64)}),
        with("commonName", json!("")),
        with("commonName", json!("a.".repeat(32) + "a")),
        with("dnsNames", json!("shop.example.com")),
        with("dnsNames", json!([""])),
        with("dnsNames", json!([7])),
        with("dnsNames", json!(["Shop.example.com"])),
        with("dnsNames", json!(["shop.example.com."])),
        with("dnsNames", json!(["bücher.example.com"])),
        with("dnsNames", json!(["shop.*.example.com"])),
        with("dnsNames", json!(["s*.example.com"])),
        with("dnsNames", json!(["shop..example.com"])),
        with("dnsNames", json!([format!("{}.example.com", "a".repeat(64))])),
        with("dnsNames", json!([format!("{}a", "abcdefg.".repeat(32))])),
        with("dnsNames", json!(["a.example.com", "a.example.com"])),
        with("dnsNames", json!((0..101).map(|n| format!("n{n}.example.com")).collect::<Vec<_>>())),
        with("uris", json!(["shop.example.com"])),
        with("uris", json!(["spiffe://a b"])),
        with("uris", json!(["SPIFFE://a"])),
        with("uris", json!(["spiffe:"])),
        with("uris", json!([format!("spiffe://{}", "a".repeat(2048))])),
        with("uris", json!(["spiffe://a", "spiffe://a"])),
        with("ipAddresses", json!(["10.0.0"])),
        with("ipAddresses", json!(["010.0.0.1"])),
        with("ipAddresses", json!(["2001:DB8::1"])),
        with("ipAddresses", json!(["2001:db8:0::1"])),
        with("ipAddresses", json!(["fe80::1%eth0"])),
        with("ipAddresses", json!(["::ffff:10.0.0.1"])),
        with("ipAddresses", json!(["10.0.0.0/8"])),
        with("ipAddresses", json!(["10.0.0.1", "10.0.0.1"])),
        with("duration", json!(720)),
        with("duration", json!("90d")),
        with("duration", json!("59m59s")),
        with("duration", json!("-2h")),
        with("duration", json!("")),
        with("duration", json!("999999999h")),
        with("renewBefore", json!("59s")),
        with("renewBefore", json!("a while")),
        json!({"serviceName": "app1", "duration": "2h", "renewBefore": "120m"}),
        json!({"serviceName": "app1", "duration": "2h", "renewBefore": "3h"}),
        key(json!({"algorithm": "ecdsa"})),
        key(json!({"algorithm": "DSA"})),
        key(json!({"size": 256})),
        key(json!({"algorithm": "ECDSA", "size": 2048})),
        key(json!({"algorithm": "RSA", "size": 1024})),
        key(json!({"algorithm": "Ed25519", "size": 256})),
        key(json!({"algorithm": "ECDSA", "size": "256"})),
        key(json!({"algorithm": "ECDSA", "size": 256.5})),
        key(json!({"rotationPolicy": "Sometimes"})),
        with("usages", json!(["server auth", "server auth"])),
        with("usages", json!(["cert sign"])),
        with("usages", json!(["serverAuth"])),
        with("secretName", json!("")),
        with("secretName", json!("App1_tls")),
        with("secretName", json!("a..b")),
        with("secretName", json!("a".repeat(254))),
        labels(json!({"box.com/pki": "x"})),
        labels(json!({"a.box.com/pki": "x"})),
        labels(json!({"app.kubernetes.io/managed-by": "x"})),
        labels(json!({"a": 7})),
        annotations(json!({"box.com/pki": "x"})),
        with("secretTemplate", json!("labels")),
    ]
}

/// What is just right, and is to be taken by both.
fn right() -> Vec<Value> {
    let with = |field: &str, value: Value| json!({"serviceName": "app1", field: value});
    let key = |key: Value| with("privateKey", key);
    vec![
        json!({"serviceName": "a".repeat(63)}),
        json!({"serviceName": "7"}),
        with("commonName", json!("a".repeat(62) + ".b")),
        with("dnsNames", json!(["*.example.com", "xn--bcher-kva.example.com", "a"])),
        with("dnsNames", json!([format!("{}.example.com", "a".repeat(63))])),
        with("dnsNames", json!([format!("{}abcde", "abcdefg.".repeat(31))])),
        with("dnsNames", json!((0..100).map(|n| format!("n{n}.example.com")).collect::<Vec<_>>())),
        with("uris", json!(["spiffe://cluster.local/ns/shop/sa/cart", "urn:a"])),
        with("ipAddresses", json!(["10.0.0.1", "2001:db8::1", "::", "255.255.255.255"])),
        with("duration", json!("60m")),
        with("duration", json!("1.5h30m")),
        json!({"serviceName": "app1", "duration": "2h", "renewBefore": "119m"}),
        with("renewBefore", json!("1m")),
        with("duration", json!(null)),
        key(json!({})),
        key(json!({"algorithm": "ECDSA", "size": 521})),
        key(json!({"algorithm": "RSA", "size": 4096, "rotationPolicy": "Never"})),
        key(json!({"algorithm": "Ed25519"})),
        with("usages", json!(["server auth", "client auth", "any"])),
        with("secretName", json!(format!("a.{}", "b".repeat(251)))),
        with(
            "secretTemplate",
            json!({"labels": {"notbox.com/a": "x"}, "annotations": {"app.kubernetes.io/managed-by": "x"}}),
        ),
    ]
}

/// A namespace whose policy allows all that is asked for in these tables, and the Pkis of it and of
/// Portreeve's own namespace, as they are before they are read as such.
async fn both() -> (Space, Api<DynamicObject>, Api<DynamicObject>) {
    let space = Space::bare().await;
    let everything = json!({
        "onViolation": "Deny", "allowWildcards": true,
        "allowedNames": ["app1", "7", "a*"],
        "dnsNames": ["*", "*.*", "*.example.com", "*.*.*", "xn--bcher-kva.example.com", format!("{}abcde", "abcdefg.".repeat(31))],
        "uris": ["spiffe://cluster.local/ns/*/sa/*", "urn:a"],
        "ipAddresses": ["0.0.0.0/0", "::/0"],
    });
    space.set_policy(everything).await;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("box.com", "v1", "Pki"));
    let reviewed = Api::namespaced_with(space.client.clone(), &space.name, &kind);
    let own = &space.portreeve.replica().namespace;
    let unreviewed = Api::namespaced_with(space.client.clone(), own, &kind);
    (space, reviewed, unreviewed)
}

/// What the API server says of a Pki of this spec, without keeping it.
async fn said(pkis: &Api<DynamicObject>, spec: &Value) -> Result<(), String> {
    let pki = json!({"apiVersion": "box.com/v1", "kind": "Pki", "metadata": {"name": format!("pki-{}", unique())}, "spec": spec});
    let pki = serde_json::from_value(pki).unwrap();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    match pkis.create(&dry_run, &pki).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(refusal)) => Err(refusal.message),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_the_schema_refuses_the_webhook_refuses_in_better_words() {
    let (_space, reviewed, unreviewed) = both().await;
    let mut disagreements = Vec::new();
    for spec in wrong() {
        let schema = said(&unreviewed, &spec).await;
        let is_the_schemas =
            |text: &str| text.starts_with("Pki.box.com") && text.contains("is invalid");
        if !schema.as_ref().is_err_and(|text| is_the_schemas(text)) {
            disagreements.push(format!("the schema says {schema:?} of {spec}"));
        }
        let webhook = said(&reviewed, &spec).await;
        let is_the_webhooks = |text: &str| {
            text.starts_with("admission webhook \"pki.portreeve.box.com\" denied the request: ")
                && text.contains(" in pki: pki-")
        };
        if !webhook.as_ref().is_err_and(|text| is_the_webhooks(text)) {
            disagreements.push(format!("the webhook says {webhook:?} of {spec}"));
        }
    }
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}

#[tokio::test]
async fn what_is_just_right_is_taken_by_schema_and_webhook() {
    let (_space, reviewed, unreviewed) = both().await;
    let mut disagreements = Vec::new();
    for spec in right() {
        let (schema, webhook) = (said(&unreviewed, &spec).await, said(&reviewed, &spec).await);
        if schema.is_err() || webhook.is_err() {
            disagreements.push(format!("schema: {schema:?}, webhook: {webhook:?}, of {spec}"));
        }
    }
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}

#[tokio::test]
async fn without_the_webhook_the_schema_keeps_the_secrets_name_of_an_issued_pki() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    let pkis = Api::<Pki>::namespaced(space.client.clone(), &space.portreeve.replica().namespace);
    let pki = crate::harness::space::pki(&space.name, json!({"serviceName": "app1"}));
    pkis.create(&PostParams::default(), &serde_json::from_value(pki).unwrap()).await.unwrap();
    let change = async |patch: Value| {
        pkis.patch(&space.name, &PatchParams::default(), &Patch::Merge(patch)).await
    };
    change(json!({"spec": {"secretName": "one"}})).await.expect("nothing is issued yet");
    let issued = Patch::Merge(json!({"status": {"revision": 1}}));
    pkis.patch_status(&space.name, &PatchParams::default(), &issued).await.unwrap();
    // The controller writes to the status too; by its own apply it leaves the revision alone.
    let refused = eventually("the change is refused", async || {
        match change(json!({"spec": {"secretName": "two"}})).await {
            Err(kube::Error::Api(refusal)) => Ok(refusal.message.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    insta::assert_snapshot!(refused, @r#"Pki.box.com "NAMESPACE" is invalid: spec.secretName: Invalid value: spec.secretName can't be changed once the certificate is issued: make a new Pki for another Secret"#);
    pkis.delete(&space.name, &Default::default()).await.unwrap();
}
