//! Who holds a Secret: what Portreeve did not make is never touched, and no two Pkis share one.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::harness::certificates::entry;
use crate::harness::space::lines;
use crate::harness::{Space, eventually, golden};

const SHARED: &str = "shared-tls";

#[tokio::test]
async fn under_deny_a_secret_that_another_pki_claims_is_refused_by_its_name() {
    let space = Space::with_policy("Deny").await;
    let _golden = golden(&space.name);
    space.apply_pki("first", json!({"serviceName": "app1", "secretName": SHARED})).ok();
    space.await_reason("first", "Issued").await;
    let second = json!({"serviceName": "app2", "secretName": SHARED});
    insta::assert_snapshot!(space.apply_pki("second", second).refused(), @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: SecretName: shared-tls in pki: second is already claimed by Pki first. Set spec.secretName of Pki second to a name that is free."#);
}

#[tokio::test]
async fn under_warn_the_one_who_comes_second_is_told_and_the_first_ones_secret_stays() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.apply_pki("first", json!({"serviceName": "app1", "secretName": SHARED})).ok();
    space.await_reason("first", "Issued").await;
    space.apply_mounting_pod("reader", SHARED);
    let before: Secret = space.get(SHARED).await;
    let second = json!({"serviceName": "app2", "secretName": SHARED});
    insta::assert_snapshot!(space.apply_pki("second", second).screen(), @"
    Warning: SecretName: shared-tls in pki: second is already claimed by Pki first. Set spec.secretName of Pki second to a name that is free: it was let through, and no certificate is issued for it until then; Secret shared-tls is left as it is.
    pki.box.com/second created
    ");
    space.await_event("Pki", "second", "PkiSecretClaimed", 2).await;
    insta::assert_snapshot!(space.kubectl("get pki").ok(), @"
    NAME  READY  SERVICE  SECRET  EXPIRES  REASON  AGE
    first  True  app1  shared-tls  TIME  Issued  AGE
    second  False  app2  PkiSecretClaimed  AGE
    ");
    let after: Secret = space.get(SHARED).await;
    assert_eq!(before, after);
    // The Pods that mount it have what they were meant to have.
    assert_eq!(lines(&space.warnings_of_pod("reader").await), [""; 0]);

    space.kubectl("delete pki first").ok();
    space.await_reason("second", "Issued").await;
}

#[tokio::test]
async fn a_secret_of_somebody_elses_is_left_alone_and_its_name_is_free_when_it_is_gone() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.kubectl("create secret generic app1-pki --from-literal=password=hunter2").ok();
    let before: Secret = space.get("app1-pki").await;
    // The webhook's own cache may not have it yet; what is told of the stored Pki does.
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    let event = space.await_event("Pki", "app1-pki", "PkiSecretNotOurs", 2).await;
    insta::assert_snapshot!(event.message.unwrap(), @"SecretName: app1-pki in pki: app1-pki is a Secret that Portreeve did not make, and will not overwrite. Set spec.secretName of Pki app1-pki to a name that is free, or delete that Secret if nothing needs it: it was let through, and no certificate is issued for it until then; Secret app1-pki is left as it is.");
    space.await_reason("app1-pki", "PkiSecretNotOurs").await;
    let after: Secret = space.get("app1-pki").await;
    assert_eq!(before, after);

    space.kubectl("delete secret app1-pki").ok();
    space.await_reason("app1-pki", "Issued").await;
    space.await_event("Pki", "app1-pki", "PkiReady", 1).await;
    let made: Secret = space.get("app1-pki").await;
    assert_eq!(entry(&made, "password"), "");
}

#[tokio::test]
async fn under_deny_a_pki_for_somebody_elses_secret_is_refused() {
    let space = Space::with_policy("Deny").await;
    let _golden = golden(&space.name);
    space.kubectl("create secret generic app1-pki --from-literal=password=hunter2").ok();
    let dry_run = "apply --dry-run=server -f -";
    let manifest = crate::harness::space::pki("app1-pki", json!({"serviceName": "app1"}));
    let refused = eventually("the webhook knows the Secret", async || {
        let said = space.kubectl_with(dry_run, &manifest.to_string());
        if said.success { Err(said.screen()) } else { Ok(said.stderr) }
    })
    .await;
    insta::assert_snapshot!(refused, @r#"Error from server (Forbidden): error when creating "STDIN": admission webhook "pki.portreeve.box.com" denied the request: SecretName: app1-pki in pki: app1-pki is a Secret that Portreeve did not make, and will not overwrite. Set spec.secretName of Pki app1-pki to a name that is free, or delete that Secret if nothing needs it."#);
}

#[tokio::test]
async fn the_secrets_name_stays_once_the_certificate_is_issued() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    let renamed = json!({"serviceName": "app1", "secretName": "other"});
    insta::assert_snapshot!(space.apply_pki("app1-pki", renamed).refused(), @r#"
    Error from server (Forbidden): error when applying patch:
    {"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"box.com/v1\",\"kind\":\"Pki\",\"metadata\":{\"annotations\":{},\"name\":\"app1-pki\",\"namespace\":\"NAMESPACE\"},\"spec\":{\"secretName\":\"other\",\"serviceName\":\"app1\"}}\n"}},"spec":{"secretName":"other"}}
    to:
    Resource: "box.com/v1, Resource=pkis", GroupVersionKind: "box.com/v1, Kind=Pki"
    Name: "app1-pki", Namespace: "NAMESPACE"
    for: "STDIN": error when patching "STDIN": admission webhook "pki.portreeve.box.com" denied the request: SecretName: other in pki: app1-pki can't be changed from app1-pki once the certificate is issued. Set spec.secretName of Pki app1-pki back to app1-pki, or make a new Pki for Secret other.
    "#);
}

#[tokio::test]
async fn before_a_certificate_is_issued_the_secrets_name_can_be_changed() {
    let space = Space::with_policy("Warn").await;
    space.apply_pki("app1-pki", json!({"serviceName": "appp1"})).ok();
    space.await_reason("app1-pki", "PkiServiceNameError").await;
    space.apply_pki("app1-pki", json!({"serviceName": "app1", "secretName": "other"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    space.await_secret("other", "is issued", |_| true).await;
}

#[tokio::test]
async fn a_deletion_names_the_pods_that_lose_their_secret_and_the_pki_can_be_made_again_at_once() {
    let space = Space::with_policy("Deny").await;
    let _golden = golden(&space.name);
    let good = json!({"serviceName": "app1"});
    space.apply_pki("app1-pki", good.clone()).ok();
    let first = space.await_reason("app1-pki", "Issued").await;
    space.apply_mounting_pod("reader", "app1-pki");
    let deletion = eventually("the webhook knows the Pod", async || {
        let said = space.kubectl("delete pki app1-pki --dry-run=server");
        if said.stderr.is_empty() { Err(said.screen()) } else { Ok(said.stderr) }
    })
    .await;
    insta::assert_snapshot!(deletion, @"Warning: Secret app1-pki goes with Pki app1-pki, and 1 Pod mounts it: reader. No new Pod that mounts it can start");

    space.kubectl("delete pki app1-pki").ok();
    space.apply_pki("app1-pki", good).ok();
    let second = space.await_reason("app1-pki", "Issued").await;
    assert_ne!(first.metadata.uid, second.metadata.uid);
    let of_second = |secret: &Secret| {
        let owners = secret.metadata.owner_references.as_deref().unwrap_or_default();
        owners.iter().any(|owner| Some(&owner.uid) == second.metadata.uid.as_ref())
    };
    space.await_secret("app1-pki", "is the second Pki's", of_second).await;
}
