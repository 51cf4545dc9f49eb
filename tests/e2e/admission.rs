//! What is refused, and what is only warned of.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use portreeve::api::Pki;
use serde_json::json;

use crate::harness::space::{lines, pki};
use crate::harness::{Space, eventually, golden};

/// What is left behind in a namespace: its Pkis, its Secrets and the Events of ours about a Pki.
async fn left_behind(space: &Space, name: &str) -> (usize, usize, Vec<String>) {
    let all = ListParams::default();
    let pkis = space.api::<Pki>().list(&all).await.unwrap().items.len();
    let secrets = space.api::<Secret>().list(&all).await.unwrap().items.len();
    (pkis, secrets, lines(&space.events("Pki", name).await))
}

#[tokio::test]
async fn under_deny_the_refusal_says_what_is_wrong_and_nothing_is_stored() {
    let space = Space::with_policy("Deny").await;
    let _golden = golden(&space.name);
    let refused = space.apply_pki("app1-pki", json!({"serviceName": "appp1"})).refused();
    insta::assert_snapshot!(refused, @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki."#);
    assert_eq!(left_behind(&space, "app1-pki").await, (0, 0, vec![]));
}

#[tokio::test]
async fn all_faults_come_at_once_those_of_the_schema_too() {
    let space = Space::with_policy("Deny").await;
    let _golden = golden(&space.name);
    let spec = json!({
        "serviceName": "appp1",
        "dnsNames": ["Shop.Example.com.", "app1.example.com", 7],
        "ipAddresses": ["010.0.0.1"],
        "duration": "90d",
        "privateKey": {"algorithm": "ecdsa"},
        "usages": ["server auth", "server auth"],
        "secretTemplate": {"labels": {"box.com/mine": "x"}},
    });
    insta::assert_snapshot!(space.apply_pki("app1-pki", spec).refused(), @r#"
    Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: 9 things are wrong with this Pki:
    - spec.dnsNames[2]: 7 in pki: app1-pki is a number, not a string. Set spec.dnsNames[2] of Pki app1-pki to a string, in quotes.
    - spec.privateKey.algorithm: ecdsa in pki: app1-pki is not one of [ECDSA RSA Ed25519]; did you mean "ECDSA"? Set spec.privateKey.algorithm of Pki app1-pki.
    - DNSNames[0]: Shop.Example.com. in pki: app1-pki ends with a dot, which a name in a certificate does not; did you mean "shop.example.com"? Set spec.dnsNames[0] of Pki app1-pki.
    - IPAddresses[0]: 010.0.0.1 in pki: app1-pki is not an IP address such as 10.0.0.1 or 2001:db8::1. Set spec.ipAddresses[0] of Pki app1-pki.
    - Duration: 90d in pki: app1-pki is not a duration like 720h, 90m or 1h30m; did you mean "2160h"? Set spec.duration of Pki app1-pki.
    - Usages[1]: server auth in pki: app1-pki is there already, at [0]. Remove spec.usages[1] of Pki app1-pki.
    - SecretTemplate.labels["box.com/mine"]: x in pki: app1-pki has a key that is Portreeve's own. Change or remove spec.secretTemplate.labels["box.com/mine"] of Pki app1-pki.
    - ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki.
    - DNSNames[1]: app1.example.com in pki: app1-pki is not allowed: PkiPolicy NAMESPACE has no dnsNames. Remove spec.dnsNames[1] of Pki app1-pki, or ask who runs the cluster to add it to PkiPolicy NAMESPACE.
    "#);
}

#[tokio::test]
async fn a_dry_run_of_a_fault_prints_the_warning_or_the_denial_and_leaves_nothing() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    let bad = pki("app1-pki", json!({"serviceName": "appp1"})).to_string();
    let good = pki("app2-pki", json!({"serviceName": "app2"})).to_string();
    let dry_run = |manifest: &str| space.kubectl_with("apply --dry-run=server -f -", manifest);
    insta::assert_snapshot!(dry_run(&bad).screen(), @r#"
    Warning: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    pki.box.com/app1-pki created (server dry run)
    "#);
    dry_run(&good).ok();
    space.set_policy(json!({"onViolation": "Deny"})).await;
    insta::assert_snapshot!(dry_run(&bad).refused(), @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki."#);

    // A Pki that is stored later is told of; had the others been, they would be there before it.
    space.set_policy(json!({"onViolation": "Warn"})).await;
    space.apply_pki("clock", json!({"serviceName": "other"})).ok();
    space.await_event("Pki", "clock", "PkiServiceNameError", 3).await;
    assert_eq!(left_behind(&space, "app1-pki").await, (1, 0, vec![]));
}

#[tokio::test]
async fn an_update_is_not_refused_for_an_old_fault_and_is_for_a_new_one() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.apply_pki("app1-pki", json!({"serviceName": "appp1"})).ok();
    space.set_policy(json!({"onViolation": "Deny"})).await;

    insta::assert_snapshot!(space.kubectl("label pki app1-pki team=shop").screen(), @r#"
    Warning: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    pki.box.com/app1-pki labeled
    "#);
    insta::assert_snapshot!(space.kubectl("annotate pki app1-pki note=x").screen(), @r#"
    Warning: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    pki.box.com/app1-pki annotated
    "#);
    let refused = space.apply_pki("app1-pki", json!({"serviceName": "ap1"})).refused();
    insta::assert_snapshot!(refused, @r#"
    Error from server (Forbidden): error when applying patch:
    {"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"box.com/v1\",\"kind\":\"Pki\",\"metadata\":{\"annotations\":{},\"name\":\"app1-pki\",\"namespace\":\"NAMESPACE\"},\"spec\":{\"serviceName\":\"ap1\"}}\n"}},"spec":{"serviceName":"ap1"}}
    to:
    Resource: "box.com/v1, Resource=pkis", GroupVersionKind: "box.com/v1, Kind=Pki"
    Name: "app1-pki", Namespace: "NAMESPACE"
    for: "STDIN": error when patching "STDIN": admission webhook "pki.portreeve.box.com" denied the request: ServiceName: ap1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki.
    "#);
    let kept: Pki = space.get("app1-pki").await;
    assert_eq!(kept.spec.service_name, "appp1");
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    space.await_reason("app1-pki", "Issued").await;
}

#[tokio::test]
async fn a_namespace_without_a_policy_is_told_that_nothing_is_allowed_in_it() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    // Until the webhook knows the namespace, it lets a Pki through and says that it waits.
    let refused = eventually("the webhook knows the namespace", async || {
        let said = space.apply_pki("app1-pki", json!({"serviceName": "app1"}));
        if said.success { Err(said.screen()) } else { Ok(said.stderr) }
    })
    .await;
    insta::assert_snapshot!(refused, @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: Namespace: NAMESPACE of pki: app1-pki is not selected by any PkiPolicy, so no certificate is allowed in it. Ask who runs the cluster for a PkiPolicy whose namespaceSelector selects namespace NAMESPACE, or apply Pki app1-pki in a namespace that has one."#);
}

#[tokio::test]
async fn what_others_write_where_the_findings_are_is_replaced() {
    let space = Space::with_policy("Warn").await;
    let mut forged = pki("app1-pki", json!({"serviceName": "app1"}));
    forged["metadata"]["labels"] = json!({"box.com/findings": "true"});
    forged["metadata"]["annotations"] =
        json!({"box.com/findings": "[]", "box.com/admitted-by": "me"});
    space.apply(&forged.to_string()).ok();
    let stored: Pki = space.get("app1-pki").await;
    let annotations = stored.metadata.annotations.unwrap();
    assert!(!annotations.contains_key("box.com/findings"), "{annotations:?}");
    let admitted_by = &annotations["box.com/admitted-by"];
    assert!(admitted_by.ends_with(&space.portreeve.replica().instance), "{admitted_by}");
    assert!(!stored.metadata.labels.unwrap_or_default().contains_key("box.com/findings"));
}
