//! Who signs has to be said, once, and of a kind that there is.

use serde_json::{Value, json};

use crate::harness::{Space, golden};

/// What `kubectl apply` says of a policy with this issuer.
fn said(space: &Space, issuer: Value) -> String {
    let policy = space.policy(json!({ "issuer": issuer })).to_string();
    space.kubectl_anywhere("apply --dry-run=server -f -", &policy).screen()
}

#[tokio::test]
async fn a_policy_names_either_a_ca_or_an_issuer_of_cert_manager() {
    let space = Space::bare().await;
    let _golden = golden(&space.name);
    let ca = json!({"secretName": "ca"});
    let reference = |reference: Value| json!({"issuerRef": reference});
    let named = reference(json!({"name": "company-ca"}));
    for right in [
        json!({"ca": ca}),
        json!({"certManager": named}),
        json!({"certManager": reference(json!({"name": "c", "kind": "ClusterIssuer"}))}),
        json!({"certManager": reference(json!({"name": "c", "kind": "Own", "group": "a.com"}))}),
    ] {
        assert!(said(&space, right.clone()).contains("created"), "{right}");
    }
    insta::assert_snapshot!(said(&space, json!({})), @r#"The PkiPolicy "NAMESPACE" is invalid: spec.issuer: Invalid value: exactly one of ca and certManager must be given"#);
    insta::assert_snapshot!(said(&space, json!({"ca": ca, "certManager": named})), @r#"The PkiPolicy "NAMESPACE" is invalid: spec.issuer: Invalid value: exactly one of ca and certManager must be given"#);
    insta::assert_snapshot!(said(&space, json!({"certManager": {}})), @r#"
    The PkiPolicy "NAMESPACE" is invalid:
    * spec.issuer.certManager.issuerRef: Required value
    * <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
    "#);
    insta::assert_snapshot!(said(&space, json!({"certManager": reference(json!({}))})), @r#"
    The PkiPolicy "NAMESPACE" is invalid:
    * spec.issuer.certManager.issuerRef.name: Required value
    * <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
    "#);
    let kind = reference(json!({"name": "c", "kind": "Certificate"}));
    insta::assert_snapshot!(said(&space, json!({"certManager": kind})), @r#"The PkiPolicy "NAMESPACE" is invalid: spec.issuer.certManager.issuerRef: Invalid value: kind must be Issuer or ClusterIssuer, which are those of cert-manager.io"#);
    // As a template leaves them that has one of the two.
    insta::assert_snapshot!(said(&space, json!({"ca": ca, "certManager": null})), @"pkipolicy.box.com/NAMESPACE created (server dry run)");
    insta::assert_snapshot!(said(&space, json!({"ca": null, "certManager": null})), @r#"The PkiPolicy "NAMESPACE" is invalid: spec.issuer: Invalid value: exactly one of ca and certManager must be given"#);
}
