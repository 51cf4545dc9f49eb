//! The Lease, taken from the replica that leads.

use serde_json::json;

use super::{FAULT, QUICK, Scene, await_end_of_term, has_findings, metric, stop};
use crate::harness::space::{lines, pki};

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
