//! Replicas that end, in whatever way, between what happens and who is told of it.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::json;

use super::{CONCERNED, END, FAULT, QUICK, Scene, has_findings, kill, metric, stop};
use crate::harness::eventually;
use crate::harness::space::lines;

/// Pkis that were found in order, since the replica started.
const FOUND_READY: &str = r#"portreeve_pki_reconciliations_total{outcome="ready"}"#;

/// The first replica serves and can't lead, so that it admits and tells nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_killed_between_admission_and_event_loses_nothing() {
    let Some(scene) = Scene::bare().await else { return };
    scene.kubectl("create namespace portreeve", "").ok();
    scene.apply(
        "portreeve",
        &json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "portreeve"},
            "spec": {
                "holderIdentity": "nobody",
                "leaseDurationSeconds": 3600,
                "acquireTime": "2026-01-01T00:00:00.000000Z",
                "renewTime": "2026-01-01T00:00:00.000000Z",
            },
        }),
    );
    let first = scene.install(&["--drain-delay=0s"]);
    scene.apply_policy().await;
    scene.apply_fault();

    let stored = scene.pkis("app1").get("app1-pki").await.unwrap();
    assert!(has_findings(&stored), "{:?}", stored.metadata);
    assert_eq!(lines(&scene.told("app1").await), [""; 0]);
    kill(first);
    assert_eq!(lines(&scene.told("app1").await), [""; 0]);

    scene.kubectl("--namespace=portreeve delete lease portreeve", "").ok();
    let second = scene.start(&["--drain-delay=0s"]);
    scene.await_fault(1).await;
    // It says what it has to say before it ends.
    stop(second);
    for concerned in CONCERNED {
        let told = scene.told_of(concerned).await;
        let said: Vec<_> =
            told.iter().map(|event| (event.reason.as_deref(), event.count)).collect();
        assert_eq!(said, [(Some(FAULT), Some(1))], "{concerned:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_has_one_event_whichever_replica_tells_it_and_however_often_they_restart() {
    let Some(scene) = Scene::bare().await else { return };
    let first = scene.install(&QUICK);
    scene.apply_policy().await;
    scene.apply_fault();
    let events = scene.await_fault(2).await;

    kill(first);
    let count = scene.expect_one_fault_each(Some(&events)).await;
    let second = scene.start(&QUICK);
    scene.await_fault(count + 2).await;

    stop(second);
    let count = scene.expect_one_fault_each(Some(&events)).await;
    let third = scene.start(&QUICK);
    scene.await_fault(count + 2).await;

    let fourth = scene.start(&QUICK);
    fourth.await_readiness();
    stop(third);
    let count = scene.expect_one_fault_each(Some(&events)).await;
    scene.await_leader(&fourth).await;
    scene.await_fault(count + 2).await;
    stop(fourth);
    scene.expect_one_fault_each(Some(&events)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_mended_while_nobody_leads_is_ended_by_the_next_leader_once() {
    let Some(scene) = Scene::bare().await else { return };
    let first = scene.install(&QUICK);
    scene.apply_policy().await;
    scene.apply_fault();
    scene.apply_sound();
    scene.await_fault(1).await;
    eventually("app2 has its certificate", async || {
        let found = metric(&first, FOUND_READY);
        if found > 0 { Ok(()) } else { Err(first.log()) }
    })
    .await;

    kill(first);
    scene.apply_correction();
    let pods: Api<Pod> = Api::namespaced(scene.client.clone(), "app1");
    pods.get("app1").await.expect("the Pod is the same");

    let second = scene.start(&QUICK);
    for concerned in CONCERNED {
        scene.await_event(concerned, END, 1).await;
    }
    stop(second);
    // The one after it has nothing to add.
    let third = scene.start(&QUICK);
    eventually("the third has looked at both Pkis", async || {
        let found = metric(&third, FOUND_READY);
        if found >= 2 { Ok(()) } else { Err((found, third.log())) }
    })
    .await;
    stop(third);

    for concerned in CONCERNED {
        let mut told = scene.told_of(concerned).await;
        told.retain(|event| event.type_.as_deref() == Some("Normal"));
        let said: Vec<_> =
            told.iter().map(|event| (event.reason.as_deref(), event.count)).collect();
        assert_eq!(said, [(Some(END), Some(1))], "{concerned:?}");
    }
    assert_eq!(lines(&scene.told("app2").await), [""; 0]);
}
