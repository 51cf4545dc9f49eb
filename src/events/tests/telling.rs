//! What is told, when, and how it ends.

use std::time::Duration;

use hyper::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    MINUTE, PKI, RENEW, Replica,
    fake::{FakeServer, Trouble},
    fault, fixed, pod,
};

#[tokio::test(start_paused = true)]
async fn a_fault_is_told_as_one_event_with_the_whole_object() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    server.until(|s| s.count("typo") == Some(1)).await;
    let event = &server.events()[0];
    assert_eq!(event["involvedObject"]["uid"], "uid-of-app1");
    assert_eq!(event["involvedObject"]["apiVersion"], "v1");
    assert_eq!(event["source"]["component"], "controlplane");
    assert_eq!(event["reportingComponent"], "controlplane");
    assert_eq!(event["metadata"]["namespace"], "shop");
    assert_eq!(event["eventTime"], Value::Null);
    assert_eq!(replica.recorder.stats().created(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_occurrence_again_raises_the_count_of_one_event() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    for _ in 0..3 {
        replica.recorder.record(&pod("app1"), fault("typo"));
        replica.settle().await;
    }
    assert_eq!((server.events().len(), server.count("typo")), (1, Some(3)));
    assert_eq!(server.calls_of(Method::GET), 1, "only the list: {:?}", server.calls());
    assert_eq!(replica.recorder.stats().updated(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_standing_fault_is_renewed_and_ends_with_one_normal_event() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    server.until(|s| s.count("typo") == Some(4)).await;
    let event = &server.events()[0];
    assert_eq!(event["firstTimestamp"], "2026-11-21T12:00:00Z");
    assert_eq!(event["lastTimestamp"], "2026-11-21T13:00:00Z");

    for _ in 0..3 {
        replica.recorder.stand(&pod("app1"), PKI, vec![], fixed());
        replica.settle().await;
    }
    sleep(3 * RENEW).await;
    assert_eq!((server.count("typo"), server.count("fixed")), (Some(4), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn two_scopes_of_one_object_stand_and_end_separately() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    for scope in ["app1-pki", "app2-pki"] {
        replica.recorder.stand(&pod("app1"), scope, vec![fault("typo")], fixed());
    }
    replica.settle().await;
    replica.recorder.stand(&pod("app1"), "app1-pki", vec![], fixed());
    server.until(|s| s.count_in("app2-pki", "typo") == Some(3)).await;
    assert_eq!(server.count_in("app1-pki", "typo"), Some(1));
    assert_eq!(server.count_in("app1-pki", "fixed"), Some(1));
    assert_eq!(server.count_in("app2-pki", "fixed"), None);
    replica.recorder.stand(&pod("app1"), "app2-pki", vec![], fixed());
    server.until(|s| s.count_in("app2-pki", "fixed") == Some(1)).await;
    assert_eq!((server.events().len(), replica.recorder.stats().standing()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_is_forgotten_ends_without_a_word_and_without_a_write() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), "told", vec![fault("typo")], fixed());
    replica.settle().await;
    replica.recorder.stand(&pod("app1"), "pending", vec![fault("typo")], fixed());
    let writes = server.writes();
    for scope in ["told", "pending", "unheard-of"] {
        replica.recorder.forget_scope("uid-of-app1", scope);
        replica.recorder.stand(&pod("app1"), scope, vec![], fixed());
    }
    sleep(3 * RENEW).await;
    assert_eq!((server.writes(), replica.recorder.stats().standing()), (writes, 0));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_not_spoken_of() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), "", vec![fault("typo")], fixed());
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    replica.settle().await;
    replica.recorder.forget("uid-of-app1");
    sleep(3 * RENEW).await;
    assert_eq!((server.count("typo"), server.count("fixed")), (Some(1), None));
    assert_eq!(replica.recorder.stats().standing(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_replica_with_nothing_to_tell_writes_nothing() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), PKI, vec![], fixed());
    sleep(24 * 60 * MINUTE).await;
    assert_eq!(server.calls().len(), 1);
    let asked = Instant::now();
    replica.stop().await;
    assert!(asked.elapsed() < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_what_is_pending_is_written_and_nothing_new_is_taken_in() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.settle().await;
    for n in 0..30 {
        replica.recorder.record(&pod(&format!("app{n}")), fault("typo"));
    }
    let recorder = replica.recorder.clone();
    replica.stop().await;
    assert_eq!(server.events().len(), 30);
    recorder.record(&pod("late"), fault("late"));
    recorder.stand(&pod("late"), PKI, vec![fault("late")], None);
    assert_eq!(recorder.stats().pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_during_an_outage_takes_the_grace_and_no_more() {
    let server = FakeServer::default();
    let replica = Replica::start_with(&server, |o| o.grace = Duration::from_secs(7));
    replica.settle().await;
    server.outage(60 * MINUTE, Trouble::Broken);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], None);
    let asked = Instant::now();
    replica.stop().await;
    assert_eq!(asked.elapsed().as_secs(), 7);
}
