//! The Lease, taken from the replica that leads, and what its successor finds.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use serde_json::json;

use super::{FAULT, QUICK, Scene, await_end_of_term, has_findings, kill, metric, stop};
use crate::harness::space::{lines, pki};
use crate::harness::stand_in::{self, next_request, requests, sign};
use crate::harness::{cert_manager, eventually};

const BLOCKED: &str = r#"portreeve_pki_reconciliations_total{outcome="blocked"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_lease_is_taken_stops_and_takes_over_when_that_one_runs_out() {
    let Some(scene) = Scene::bare().await else { return };
    let portreeve = scene.install(&QUICK);
    scene.apply_policy().await;
    scene.apply_fault();
    let events = scene.await_fault(2).await;
    assert_eq!(metric(&portreeve, "portreeve_leader"), 1);

    let give_it_to_another = |seconds: u32| {
        let spec = json!({"holderIdentity": "another", "leaseDurationSeconds": seconds});
        let patch = json!({ "spec": spec }).to_string();
        let line =
            format!("--namespace=portreeve patch lease portreeve --type=merge --patch={patch}");
        scene.kubectl(&line, "").ok();
    };
    give_it_to_another(3600);
    await_end_of_term(&portreeve).await;
    let log = portreeve.log();
    assert!(log.contains("the Lease was taken by another"), "{log}");
    assert_eq!(metric(&portreeve, "portreeve_leader"), 0);

    // It goes on to admit, but no longer looks at what was admitted.
    let looked = metric(&portreeve, BLOCKED);
    let count = scene.expect_one_fault_each(Some(&events)).await;
    let late = ("Pki", "late-pki");
    scene.apply("app1", &pki(late.1, json!({"serviceName": "aap1"})));
    let stored = scene.pkis("app1").get(late.1).await.unwrap();
    assert!(has_findings(&stored), "{:?}", stored.metadata);
    assert_eq!(metric(&portreeve, BLOCKED), looked);
    assert_eq!(lines(&scene.told_of(late).await), [""; 0]);

    give_it_to_another(3);
    scene.await_leader(&portreeve).await;
    scene.await_event(late, FAULT, 1).await;
    scene.await_fault(count + 2).await;
    stop(portreeve);
    scene.expect_one_fault_each(Some(&events)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_takes_over_asks_cert_manager_anew_because_the_key_died_with_the_other() {
    let Some(scene) = Scene::bare().await else { return };
    // Their kinds are enough: the test itself is the issuer.
    cert_manager::define_kinds(&scene.cluster);
    let first = scene.install(&QUICK);
    scene.kubectl("create namespace app1", "").ok();
    let policy = json!({
        "apiVersion": "box.com/v1", "kind": "PkiPolicy", "metadata": {"name": "stand-in"},
        "spec": {"namespaceSelector": {}, "allowedNames": ["app1"], "issuer": stand_in::issuer()},
    });
    scene.kubectl("apply -f -", &policy.to_string()).ok();
    let asks = pki("app1-pki", json!({"serviceName": "app1"}));
    eventually("the webhook goes by the policy", async || {
        let applied = scene.kubectl("--namespace=app1 apply -f -", &asks.to_string());
        if applied.success { Ok(()) } else { Err(applied.stderr) }
    })
    .await;
    let requests = requests(&scene.client, "app1");
    let lost = next_request(&requests, None).await;
    kill(first);

    let second = scene.install(&QUICK);
    let request = next_request(&requests, Some(&lost.name_any())).await;
    sign(&requests, &request, 3600).await;
    let secrets: Api<Secret> = Api::namespaced(scene.client.clone(), "app1");
    eventually("the Secret is there", async || {
        secrets.get_opt("app1-pki").await.unwrap().ok_or("there is none")
    })
    .await;
    stop(second);
}
