//! A Deployment makes a thousand Pods with findings at once.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

use super::{await_pods, deployment, no_latest, set_policy};
use crate::harness::Space;
use crate::harness::space::{events_of, is_ours};

/// How many Pods.
const PODS: usize = 1000;

/// The most Events that are written in any second: the budget of the recorder is 20, and what it
/// saved up while it was at rest is 100.
const MOST_A_SECOND: usize = 120;

#[tokio::test]
async fn a_thousand_pods_are_admitted_and_their_owner_has_one_event_that_counts_them() {
    let space = Space::bare().await;
    set_policy(&space, json!({"onViolation": "Warn", "validations": [no_latest()]})).await;
    space.apply(&deployment("storm", "nginx:latest", PODS as u32).to_string()).ok();
    let pods: Vec<Pod> = await_pods(&space, "storm", PODS).await;
    assert_eq!(pods.len(), PODS);
    for pod in &pods {
        let labels = pod.metadata.labels.as_ref().unwrap();
        assert_eq!(labels["box.com/findings"], "true");
    }
    let told = space.await_event("Deployment", "storm", "ImageTagLatest", PODS as i32).await;
    assert_eq!(told.count, Some(PODS as i32));
    let events: Api<Event> = space.api();
    let of_owner = events_of(&events, "Deployment", "storm").await;
    assert_eq!(of_owner.iter().filter(|event| is_ours(event)).count(), 1);

    let all = events.list(&ListParams::default()).await.unwrap().items;
    let mut made: Vec<i64> = all
        .iter()
        .filter(|event| is_ours(event))
        .filter_map(|event| Some(event.metadata.creation_timestamp.as_ref()?.0.as_second()))
        .collect();
    made.sort_unstable();
    let busiest = made.chunk_by(|one, other| one == other).map(<[i64]>::len).max().unwrap();
    assert!(busiest <= MOST_A_SECOND, "{busiest} Events were made in one second");
    space.kubectl("delete deployment storm --wait=false --cascade=background").ok();
}
